import { describe, expect, test } from "vitest";
import { parseAllowList } from "../../src/core/address.ts";
import { limits } from "../../src/core/limits.ts";
import { openCaller, target, wrongFields } from "./caller.ts";

const caller = openCaller();

async function wrongOf(fields: unknown): Promise<Record<string, string>> {
  return wrongFields(await caller.problem(400, "POST", "/v1/jobs", { body: fields }));
}

describe("targets", () => {
  test.each([
    ["http://example.com:8080/a?b=c", "http://example.com:8080/a?b=c"],
    ["https://EXAMPLE.com", "https://example.com/"],
    ["https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["https://example.com:65535/", "https://example.com:65535/"],
  ])("%s is taken, as %s", async (url, normal) => {
    expect((await caller.create({ target: { url } })).target.url).toBe(normal);
  });

  test.each([
    "ftp://example.com/",
    "example.com/hook",
    "https:example.com",
    "https://user:secret@example.com/",
    "https://user@example.com/",
    "https://example.com/#top",
    "https://example.com/#",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://exa mple.com/",
    "https://exa\nmple.com/",
    "https://example.com/\u0000",
    " https://example.com/",
    "https://example.com/\ud800",
    "https://",
    "javascript:alert(1)",
    "",
  ])("the URL %j is refused", async (url) => {
    expect(await wrongOf({ target: { url } })).toEqual({ "target.url": "invalid_format" });
  });

  test("a URL of more than 2,048 characters is refused", async () => {
    expect(await wrongOf({ target: { url: `https://example.com/${"a".repeat(2_048)}` } })).toEqual({ "target.url": "too_large" });
  });

  test.each([
    "http://127.0.0.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://localhost/",
    "http://intranet/",
  ])("%s is denied with 422, and what would let it through is named", async (url) => {
    const document = await caller.problem(422, "POST", "/v1/jobs", { body: { target: { url } } });
    expect(document.code).toBe("target_denied");
    expect(wrongFields(document)).toEqual({ "target.url": "target_denied" });
    expect(document.detail).toContain("ONTHEDOT_ALLOW_TARGETS");
  });

  test("an allowed address is taken", async () => {
    const parsed = parseAllowList("127.0.0.0/8");
    if ("wrong" in parsed) throw new Error(parsed.wrong);
    const local = openCaller({ allow: parsed.allow });
    await local.create({ target: { url: "http://127.0.0.1:4001/" } });
    await local.problem(422, "POST", "/v1/jobs", { body: { target: { url: "http://10.0.0.1/" } } });
  });

  test.each([
    [
      { "X-A": "b", "Content-Type": "text/csv" },
      { "x-a": "b", "content-type": "text/csv" },
    ],
    [
      { authorization: "Bearer abc", "x-api-key": "k", "x-author": "me" },
      { authorization: "***", "x-api-key": "***", "x-author": "me" },
    ],
    [{ "x-empty": "" }, { "x-empty": "" }],
  ])("the headers %j are taken, and answered as %j", async (headers, answered) => {
    expect((await caller.create({ target: { ...target, headers } })).target.headers).toEqual(answered);
  });

  test.each<[Record<string, unknown>, Record<string, string>]>([
    [{ "x-a": "b\r\nx-b: c" }, { "target.headers.x-a": "invalid_value" }],
    [{ "x-a": "b\u0000" }, { "target.headers.x-a": "invalid_value" }],
    [{ "x-a": "é" }, { "target.headers.x-a": "invalid_value" }],
    [{ "x a": "b" }, { 'target.headers["x a"]': "invalid_value" }],
    [{ "": "b" }, { 'target.headers[""]': "invalid_value" }],
    [{ "x-a": 1 }, { "target.headers.x-a": "invalid_type" }],
    [{ "x-a": null }, { "target.headers.x-a": "invalid_type" }],
    [{ "x-a": "b", "X-A": "c" }, { "target.headers.X-A": "duplicate" }],
    [{ authorization: "***" }, { "target.headers.authorization": "invalid_value" }],
    ...[
      "Host",
      "content-length",
      "Connection",
      "transfer-encoding",
      "te",
      "upgrade",
      "webhook-id",
      "Webhook-Signature",
      "onthedot-job",
      "traceparent",
    ].map((name): [Record<string, unknown>, Record<string, string>] => [{ [name]: "x" }, { [`target.headers.${name}`]: "invalid_value" }]),
  ])("the headers %j are refused", async (headers, expected) => {
    expect(await wrongOf({ target: { ...target, headers } })).toEqual(expected);
  });

  test("a header's value is not repeated in the refusal", async () => {
    const { text } = await caller.send("POST", "/v1/jobs", {
      body: { target: { ...target, headers: { authorization: "Bearer s3cret\n" } } },
    });
    expect(text).not.toContain("s3cret");
  });

  test("headers over 64 or over 8 KiB are refused", async () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`x-${index}`, "a"]));
    expect(await wrongOf({ target: { ...target, headers: many } })).toEqual({ "target.headers": "too_large" });
    expect(await wrongOf({ target: { ...target, headers: { "x-a": "a".repeat(limits.headerBytesMax) } } })).toEqual({
      "target.headers": "too_large",
    });
  });

  test("names that JavaScript treats specially are refused or kept, never dropped", async () => {
    const refused = await caller.problem(400, "POST", "/v1/jobs", {
      raw: '{"target":{"url":"https://example.com/","headers":{"__proto__":"a"}},"labels":{"__proto__":"a"},"__proto__":{}}',
    });
    expect(wrongFields(refused)).toEqual({
      "target.headers.__proto__": "forbidden",
      "labels.__proto__": "invalid_format",
      ["__proto__"]: "unknown_field",
    });
    const { labels, target: kept } = await caller.create({
      labels: { constructor: "a" },
      target: { ...target, headers: { constructor: "b" } },
    });
    expect([labels, kept.headers]).toEqual([{ constructor: "a" }, { constructor: "b" }]);
  });
});
