import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson } from "../../src/api/json.ts";
import { limits } from "../../src/core/limits.ts";

const read = (text: string | Uint8Array) => readJson(typeof text === "string" ? Buffer.from(text) : text, limits.jsonDepthMax);

function findings(text: string): string[] {
  const got = read(text);
  if (!got.ok) throw new Error(got.wrong);
  return got.findings.map(({ kind, path }) => `${kind} ${path.join("/")}`);
}

function wrong(text: string | Uint8Array): string {
  const got = read(text);
  return got.ok ? "accepted" : got.wrong;
}

describe("what the scan accepts", () => {
  test("any JSON value, written in any way, is accepted and read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        const got = read(text);
        expect(got.ok).toBe(true);
        if (got.ok) expect(got.value).toEqual(JSON.parse(text));
      }),
    );
  });

  test("a text is accepted exactly when JSON.parse accepts it", () => {
    const piece = fc.constantFrom(
      ...'{}[],:"\\ \n\t-+.eE0159unrtf/a\u0000\u001fé😀'.split(""),
      '"a":',
      "true",
      "false",
      "null",
      "\\u00e9",
      "\\ud83d",
      "1e5",
      "0.5",
      "-0",
      "01",
      '""',
      "tru",
      "\\x",
      "Infinity",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join("");
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        expect(read(text).ok).toBe(parses && text !== "");
      }),
      { numRuns: 5_000 },
    );
  });

  test("a text of values beyond the limit is refused, one at the limit is not", () => {
    const list = (values: number) => `[${"0,".repeat(values - 2)}0]`;
    expect(read(list(limits.jsonValuesMax)).ok).toBe(true);
    expect(wrong(list(limits.jsonValuesMax + 1))).toContain(`at most ${limits.jsonValuesMax} values`);
  });

  test.each([
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), "expected UTF-8"],
    ["an overlong encoding", Uint8Array.of(0x22, 0xc0, 0x80, 0x22), "expected UTF-8"],
    ["a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), "byte order mark"],
    ["nothing", "", "empty body"],
    ["a comment", '{"a":1 /* b */}', 'expected "," or "}", got "/" at line 1, column 8'],
    ["a trailing comma", "[1,\n2,]", 'got "]" at line 2, column 3'],
    ["a name without quotes", "{a:1}", 'expected a name in double quotes or "}", got "a"'],
    ["a cut text", '{"a":', "got the end of the body at line 1, column 6"],
    ["a raw line break in a string", '"a\nb"', "without raw control characters"],
    ["a value after the value", "{} {}", "expected the end of the body"],
    ["nesting without end", "[".repeat(300_000), "levels of nesting"],
  ])("%s is refused, with the place", (_, text, said) => {
    expect(wrong(text)).toContain(said);
  });
});

describe("what the scan finds", () => {
  test.each([
    ['{"a":1,"b":{"c":2,"c":3}}', ["duplicate_key b/c"]],
    ['{"a":1,"\\u0061":2}', ["duplicate_key a"]],
    ['{"__proto__":1,"__proto__":2}', ["duplicate_key __proto__"]],
    ['[{"a":1},{"a":1}]', []],
    [`{${Array.from({ length: 40 }, (_, index) => `"k${index}":0`).join(",")},"k3":1}`, ["duplicate_key k3"]],
  ])("keys given twice in %s", (text, expected) => {
    expect(findings(text)).toEqual(expected);
  });

  test.each(["12345678901234567890", "1e400", "-1e400", "1e-400", "9007199254740993", "0.1234567890123456789", "1.0000000000000001"])(
    "%s would be altered by a double, and is named with its path",
    (number) => {
      expect(findings(`{"a":[0,{"b":${number}}]}`)).toEqual(["inexact_number a/1/b"]);
    },
  );

  test.each([
    "0.10",
    "1.0",
    "1e2",
    "1E+2",
    "0",
    "-0",
    "-0.0e5",
    "0e400",
    "9007199254740992",
    "123456789012345680000",
    "5e-324",
    "1.7976931348623157e308",
    "0.1",
    "100000000000000000000000",
  ])("%s survives a double", (number) => {
    expect(findings(`[${number}]`)).toEqual([]);
  });

  test("every double survives its own spelling", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(findings(JSON.stringify(number))).toEqual([]);
      }),
    );
  });

  test("nesting of the depth allowed passes, one level more is found", () => {
    const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(findings(deep(limits.jsonDepthMax))).toEqual([]);
    expect(findings(deep(limits.jsonDepthMax + 1))[0]).toMatch(/^too_deep/);
  });

  test("no part's findings hide those of another", () => {
    const part = `[${"1e999,".repeat(500)}1]`;
    const found = findings(`{"jobs":[${part},${part},1e999]}`);
    expect(found.at(-1)).toBe("inexact_number jobs/2");
    expect(found.length).toBeLessThan(100);
  });
});

test("a __proto__ member is a member like any other, and changes no prototype", () => {
  const got = read('{"__proto__":{"polluted":true}}');
  if (!got.ok) throw new Error(got.wrong);
  expect(JSON.stringify(got.value)).toBe('{"__proto__":{"polluted":true}}');
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("an unpaired surrogate in a JSON body is sent on as it came", () => {
  const got = read('{"a":"\\ud800"}');
  expect(got.ok && JSON.stringify(got.value)).toBe('{"a":"\\ud800"}');
});
