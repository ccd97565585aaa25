import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PreviewAnswer } from "../../src/api/answers.ts";
import { openCaller, wrongFields } from "./caller.ts";

const path = "/v1/schedules/preview";
const berlin = "Europe/Berlin";

async function preview(body: unknown, caller = openCaller()): Promise<PreviewAnswer> {
  const { status, text } = await caller.send("POST", path, { body });
  if (status !== 200) throw new Error(text);
  return PreviewAnswer.parse(JSON.parse(text));
}

const refused = async (body: unknown) => openCaller().problem(400, "POST", path, { body });

describe("a preview", () => {
  test("shows each occurrence with its nominal instant, its local time and what became of it", async () => {
    const body = { when: { cron: "30 2 * * *", timezone: berlin }, from: "2026-03-28T00:00:00Z", count: 2 };
    expect(await preview(body)).toEqual({
      occurrences: [
        {
          nominalAt: "2026-03-28T01:30:00.000Z",
          dueAt: "2026-03-28T01:30:00.000Z",
          local: "2026-03-28T02:30:00+01:00[Europe/Berlin]",
          note: null,
        },
        {
          nominalAt: "2026-03-29T01:00:00.000Z",
          dueAt: "2026-03-29T01:00:00.000Z",
          local: "2026-03-29T03:00:00+02:00[Europe/Berlin]",
          note: "gap_shifted",
        },
      ],
      searchedUntil: null,
    });
  });

  test("begins now, shows ten, and stores nothing", async () => {
    const caller = openCaller();
    const { occurrences } = await preview({ when: { cron: "@hourly" } }, caller);
    expect(occurrences.map(({ nominalAt }) => nominalAt.slice(0, 13))).toEqual(
      Array.from({ length: 10 }, (_, hour) => `2027-01-01T0${hour}`),
    );
    expect(JSON.parse((await caller.send("GET", "/v1/jobs")).text)).toEqual({ data: [], nextCursor: null });
  });

  test("anchors what names no anchor where it begins, and takes that instant in", async () => {
    const from = "2027-03-01T00:00:07Z";
    const nominals = async (when: unknown) => (await preview({ when, from, count: 2 })).occurrences.map(({ nominalAt }) => nominalAt);
    const known = ["2027-03-01T00:00:07.000Z", "2027-03-01T00:15:07.000Z"];
    expect(await nominals({ every: "15m" })).toEqual(known);
    expect(await nominals({ expression: "rate(15 minutes)" })).toEqual(known);
    expect(await nominals({ every: "15m", from: "2027-01-01T00:00:00Z" })).toEqual([
      "2027-03-01T00:15:00.000Z",
      "2027-03-01T00:30:00.000Z",
    ]);
    expect(await nominals({ at: ["2027-03-02T00:00:00Z", "2027-03-01T01:00:07+01:00", "2027-01-01T00:00:00Z"] })).toEqual([
      "2027-03-01T00:00:07.000Z",
      "2027-03-02T00:00:00.000Z",
    ]);
  });

  test("of a union counts each instant once, and leaves out what is excepted", async () => {
    const when = [
      { cron: "0 9 * * *", timezone: berlin },
      { cron: "0 8 * * *", timezone: "UTC" },
    ];
    const except = [{ dates: ["2027-01-02", { from: "2027-01-04", to: "2027-01-05" }] }, { cron: "* * 6 1 *", timezone: berlin }];
    const { occurrences } = await preview({ when, except, from: "2027-01-01T00:00:00Z", count: 3 });
    expect(occurrences.map(({ local }) => local)).toEqual([
      "2027-01-01T09:00:00+01:00[Europe/Berlin]",
      "2027-01-03T09:00:00+01:00[Europe/Berlin]",
      "2027-01-07T09:00:00+01:00[Europe/Berlin]",
    ]);
  });

  test("is empty where the exceptions leave nothing, whatever there is to search", async () => {
    const nothing = { occurrences: [], searchedUntil: null };
    expect(await preview({ when: { cron: "* * * * * *", timezone: berlin }, except: [{ cron: "* * * * *" }] })).toEqual(nothing);
    expect(await preview({ when: { at: ["2027-02-01T09:00:00Z"] }, except: [{ dates: ["2027-02-01"] }] })).toEqual(nothing);
    const halves = [{ cron: "*/2 * * * * *" }, { cron: "1/2 * * * * *" }];
    const { occurrences, searchedUntil } = await preview({ when: { cron: "* * * * * *" }, except: halves });
    expect([occurrences, searchedUntil?.slice(0, 10)]).toEqual([[], "2027-01-01"]);
  });

  test("puts each call at its place in the window, before the next occurrence", async () => {
    for (const window of ["30s", "24h", "100%", "50%"]) {
      const { occurrences } = await preview({ when: { cron: "*/2 * * * *" }, window, count: 1_000 });
      const offsets = new Set(occurrences.map(({ nominalAt, dueAt }) => Date.parse(dueAt) - Date.parse(nominalAt)));
      expect(offsets.size).toBe(1);
      const [offset = -1] = offsets;
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset).toBeLessThan(window === "30s" ? 30_000 : window === "50%" ? 60_000 : 120_000);
    }
  });

  test.each([
    [{}, { when: "required" }],
    [[], { "": "invalid_type" }],
    [{ when: null }, { when: "invalid_type" }],
    [{ when: "0 9 * * *" }, { when: "invalid_type" }],
    [{ when: [] }, { when: "too_small" }],
    [{ when: {} }, { when: "required" }],
    [{ when: { corn: "* * * * *" } }, { when: "required", "when.corn": "unknown_field" }],
    [{ when: { cron: "* * * * *", every: "1m" } }, { "when.every": "conflict" }],
    [{ when: { cron: "61 * * * * *", timezone: "Mars/Phobos", gap: "jump", fold: 2, extra: 1 } }, "all of when"],
    [{ when: { cron: "" } }, { "when.cron": "invalid_format" }],
    [{ when: { cron: "1,".repeat(5_000) } }, { "when.cron": "too_large" }],
    [{ when: { cron: 5 } }, { "when.cron": "invalid_type" }],
    [{ when: { cron: null, timezone: "Berlin" } }, { "when.cron": "invalid_type", "when.timezone": "invalid_value" }],
    [{ when: { cron: "* * * * *", timezone: "" } }, { "when.timezone": "invalid_value" }],
    [{ when: { cron: "* * * * *", from: "2027-01-01T00:00:00Z" } }, { "when.from": "unknown_field" }],
    [{ when: { every: "1ms" } }, { "when.every": "too_small" }],
    [{ when: { every: "11000d" } }, { "when.every": "too_large" }],
    [{ when: { every: "soon", from: "2027-02-30T00:00:00Z" } }, { "when.every": "invalid_format", "when.from": "invalid_format" }],
    [{ when: { at: [] } }, { "when.at": "too_small" }],
    [{ when: { at: "2027-01-01T00:00:00Z" } }, { "when.at": "invalid_type" }],
    [{ when: { at: ["2027-01-01", "2200-01-01T00:00:00Z", 5] } }, { "when.at[2]": "invalid_type" }],
    [
      { when: { at: ["2027-01-01", "2200-01-01T00:00:00Z", "2028-01-01T00:00:00Z"] } },
      { "when.at[0]": "invalid_format", "when.at[1]": "too_large" },
    ],
    [{ when: { expression: "cron(0 12 * * * *)" } }, { "when.expression": "invalid_format" }],
    [{ when: { expression: "at(2026-03-29T02:30:00)", timezone: berlin } }, { "when.expression": "invalid_value" }],
    // Past, or never.
    [{ when: { cron: "0 0 9 1 1 * 2020" } }, { when: "invalid_value" }],
    [{ when: [{ cron: "@daily" }, { at: ["2020-01-01T00:00:00Z"] }] }, { "when[1]": "invalid_value" }],
    [{ when: { cron: "0 30 2 28 3 ? 2027", timezone: berlin, gap: "skip" } }, { when: "invalid_value" }],
    [{ when: { cron: "0 0 30 2 *" } }, { "when.cron": "invalid_format" }],
    // Lists, each with its own place.
    [
      { when: [{ cron: "* * * * *" }, { cron: "60 * * * *" }, 7, { every: "1h", timezone: "x/y" }] },
      { "when[1].cron": "invalid_format", "when[2]": "invalid_type", "when[3].timezone": "invalid_value" },
    ],
    [{ when: Array.from({ length: 1_001 }, () => ({ cron: "* * * * *" })) }, { when: "too_large" }],
    [{ when: { cron: "@daily" }, except: {} }, { except: "invalid_type" }],
    [{ when: { cron: "@daily" }, except: [{ calendar: "de-holidays" }] }, { "except[0].calendar": "invalid_value" }],
    [{ when: { cron: "@daily" }, except: [{ calendar: 5 }] }, { "except[0].calendar": "invalid_type" }],
    [{ when: { cron: "@daily" }, except: [{ calendar: "" }] }, { "except[0].calendar": "invalid_format" }],
    [{ when: { cron: "@daily" }, except: [{ calendar: "a/b" }] }, { "except[0].calendar": "invalid_format" }],
    [{ when: { cron: "@daily" }, except: [{ calendar: "x".repeat(129) }] }, { "except[0].calendar": "invalid_format" }],
    [{ when: { cron: "@daily" }, except: [{ calendar: "x".repeat(128) }] }, { "except[0].calendar": "invalid_value" }],
    [
      { when: { cron: "@daily" }, except: [{ calendar: "de", timezone: "UTC" }] },
      { "except[0].calendar": "invalid_value", "except[0].timezone": "unknown_field" },
    ],
    [{ when: { cron: "@daily" }, except: [{ cron: "* * * *", timezone: "nowhere" }] }, "both of except"],
    [
      {
        when: { cron: "@daily" },
        except: [{ dates: ["2027-02-29", { from: "2027-02-01", to: "2027-01-01" }, { from: "x", to: "2027-01-01" }] }],
      },
      { "except[0].dates[0]": "invalid_format", "except[0].dates[1].to": "too_small", "except[0].dates[2].from": "invalid_format" },
    ],
    [{ when: { cron: "@daily" }, except: [{ dates: [] }] }, { "except[0].dates": "too_small" }],
    [{ when: { cron: "@daily" }, except: [{ dates: [5] }] }, { "except[0].dates[0]": "invalid_value" }],
    [{ when: { cron: "@daily" }, except: Array.from({ length: 101 }, () => ({ dates: ["2027-01-01"] })) }, { except: "too_large" }],
    [
      { when: { cron: "@daily" }, window: "0%", from: "1969-12-31T23:59:59Z", count: 1_001, name: "x" },
      { window: "too_small", from: "too_small", count: "too_large", name: "unknown_field" },
    ],
    [
      { when: { cron: "@daily" }, window: "101%", from: "tomorrow", count: 0 },
      { window: "too_large", from: "invalid_format", count: "too_small" },
    ],
    [
      { when: { cron: "@daily" }, window: "25h", from: "2200-01-01T00:00:00Z" },
      { window: "too_large", from: "too_large" },
    ],
    [
      { when: { cron: "@daily" }, window: 5, count: 1.5 },
      { window: "invalid_type", count: "invalid_type" },
    ],
  ])("is refused for %.100j, with each wrong field", async (body, known) => {
    const found = wrongFields(await refused(body));
    if (known === "all of when") {
      expect(found).toEqual({
        "when.cron": "invalid_format",
        "when.timezone": "invalid_value",
        "when.gap": "invalid_value",
        "when.fold": "invalid_value",
        "when.extra": "unknown_field",
      });
    } else if (known === "both of except") {
      expect(found).toEqual({ "except[0].cron": "invalid_format", "except[0].timezone": "invalid_value" });
    } else expect(found).toEqual(known);
  });

  test("says of each wrong field one thing", async () => {
    const fields = async (body: unknown) => (await refused(body)).errors.map(({ field }) => field);
    expect(await fields({ when: { expression: "x", every: "1ms" } })).toEqual(["when.expression", "when.every"]);
    expect(await fields({ when: { cron: "@daily" }, except: [{ calendar: "x", cron: "x" }] })).toEqual([
      "except[0].cron",
      "except[0].calendar",
    ]);
  });

  test("of a past that it begins in shows what was then", async () => {
    const when = { cron: "0 0 9 1 1 * 2020" };
    const { occurrences } = await preview({ when, from: "2019-06-01T00:00:00Z" });
    expect(occurrences.map(({ nominalAt }) => nominalAt)).toEqual(["2020-01-01T09:00:00.000Z"]);
    // Of a future it shows that nothing is left.
    expect((await preview({ when: { at: ["2027-06-01T00:00:00Z"] }, from: "2028-01-01T00:00:00Z" })).occurrences).toEqual([]);
  });

  test("names what was most likely meant", async () => {
    const messages = async (body: unknown) => (await refused(body)).errors.map(({ message }) => message).join("\n");
    expect(await messages({ when: { corn: "* * * * *" } })).toContain("did you mean `cron`?");
    expect(await messages({ when: { cron: "* * * * *", timezon: "UTC" } })).toContain("did you mean `timezone`?");
    expect(await messages({ when: { cron: "* * * * *", timezone: "Europe/Berln" } })).toContain('did you mean "Europe/Berlin"?');
    expect(await messages({ when: { cron: "* * * * *", gap: "shft" } })).toContain('did you mean "shift"?');
    expect(await messages({ when: { cron: "@daily" }, except: [{ calendar: "de" }] })).toContain(
      'expected a calendar that exists, got "de"; put it first, by PUT /v1/calendars/de',
    );
  });

  test("reports at most fifty mistakes, and soon", async () => {
    const when = Array.from({ length: 1_000 }, (_, index) => ({ cron: "60 * * * *", timezone: `Nowhere/Place${index}`, extra: index }));
    const before = process.hrtime.bigint();
    const { errors } = await refused({ when });
    expect(errors).toHaveLength(50);
    expect(Number(process.hrtime.bigint() - before)).toBeLessThan(1e9);
  });

  test("takes only POST, and no query", async () => {
    const { headers } = await openCaller().send("GET", path);
    expect(headers.get("allow")).toBe("POST");
    expect((await openCaller().send("POST", `${path}?x=1`, { body: { when: { cron: "@daily" } } })).status).toBe(400);
  });

  test("of the OpenAPI document's own example is answered", async () => {
    const { paths } = JSON.parse((await openCaller().send("GET", "/openapi.json")).text) as {
      paths: Record<string, Record<string, { requestBody: { content: { "application/json": { example: object } } } }>>;
    };
    const example = paths[path]?.["post"]?.requestBody.content["application/json"].example;
    expect((await preview(example)).occurrences).toHaveLength(3);
  });
});

describe("any JSON value", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.stringMatching(/^[0-9*?LW#,/ -]{1,20}$/),
    fc.stringMatching(/^(?:[0-9*L]{1,2}[ ,/-]){4,7}[0-9*?]$/),
    fc.constantFrom(
      "* * * * *",
      "0 9 * * MON-FRI",
      "Europe/Berlin",
      "15m",
      "2027-01-01T00:00:00Z",
      "2027-01-01",
      "rate(1 day)",
      "50%",
      "skip",
    ),
  );
  const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, 0, 1e21));
  const fields = (...names: string[]) =>
    fc.dictionary(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names) }, text), value, { maxKeys: 4 });
  const rule = fields("cron", "every", "at", "expression", "timezone", "gap", "fold", "from");
  const exception = fields("cron", "dates", "calendar", "timezone");
  const request = fc.record(
    {
      when: fc.oneof(rule, fc.array(rule, { maxLength: 3 }), value),
      except: fc.oneof(fc.array(exception, { maxLength: 2 }), value),
      window: value,
      from: value,
    },
    { requiredKeys: ["when"] },
  );

  test("as a rule is previewed or refused by a problem, and soon", async () => {
    const caller = openCaller();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          request,
          rule.map((when) => ({ when })),
        ),
        async (body) => {
          const { status, text: answer } = await caller.send("POST", path, { raw: JSON.stringify(body) });
          expect([200, 400]).toContain(status);
          if (status === 200) PreviewAnswer.parse(JSON.parse(answer));
        },
      ),
      { numRuns: 500 },
    );
    expect(caller.logged).toEqual([]);
  });
});
