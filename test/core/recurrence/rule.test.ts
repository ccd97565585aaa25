import { describe, expect, it } from "vitest";
import { excludedUntil, readException } from "../../../src/core/recurrence/exception.ts";
import { nextAfter, occurrences } from "../../../src/core/recurrence/occurrences.ts";
import { parseRule, spentMembers, type WrittenRule } from "../../../src/core/recurrence/rule.ts";
import { dueWithin, parseWindow, placeOf, type Window } from "../../../src/core/recurrence/window.ts";
import { findZone } from "../../../src/core/recurrence/zone.ts";
import { dayMs, hourMs, later, minuteMs, secondMs, toEpochMs } from "../../../src/core/time.ts";
import { at, instants, listed, refusals, ruleOf, took } from "./rules.ts";

const berlin = "Europe/Berlin";
describe("a rule of every so long", () => {
  it("begins with its anchor, does not reach before it, and does not drift in a hundred years", () => {
    const when = { every: "90m", from: "2027-01-01T00:00:30.250Z" };
    expect(listed({ when }, "2020-01-01T00:00:00Z", 2)).toEqual(["2027-01-01T00:00:30.250+00:00", "2027-01-01T01:30:30.250+00:00"]);
    const anchor = at("2027-01-01T00:00:30.250Z");
    const far = toEpochMs(anchor + 500_000 * 90 * minuteMs);
    expect(nextAfter(ruleOf({ when }), later(far, -1))).toMatchObject({ kind: "next", occurrence: { nominalAt: far } });
  });

  it("counts elapsed time across changes of the clocks", () => {
    expect(listed({ when: { every: "12h", from: "2026-03-28T20:00:00Z", timezone: berlin } }, "2026-03-28T20:00:00Z", 3)).toEqual([
      "2026-03-28T21:00:00+01:00",
      "2026-03-29T10:00:00+02:00",
      "2026-03-29T22:00:00+02:00",
    ]);
  });

  it("is anchored where it was made, and rate where the schedule starts", () => {
    const made = at("2027-01-01T00:00:07Z");
    const first = (written: WrittenRule) => occurrences(ruleOf(written, made), { from: made, count: 1 }).found[0]?.nominalAt;
    expect(first({ when: { every: "1h" } })).toBe(made);
    expect(first({ when: { expression: "rate(1 hour)" } })).toBe(made);
    const startAt = at("2027-02-01T00:00:00Z");
    expect(first({ when: { expression: "rate(1 hour)" }, startAt })).toBe(startAt);
  });
});

describe("a rule with a start and an end", () => {
  it("has its start and not its end", () => {
    const written = { when: { cron: "@daily" }, startAt: at("2027-01-02T00:00:00Z"), endAt: at("2027-01-04T00:00:00Z") };
    expect(listed(written, "2020-01-01T00:00:00Z", 9)).toEqual(["2027-01-02T00:00:00+00:00", "2027-01-03T00:00:00+00:00"]);
    expect(nextAfter(ruleOf(written), at("2027-01-03T00:00:00Z"))).toEqual({ kind: "never" });
  });
});

describe("members that meet in one instant", () => {
  it("are spoken for by the one that is written first, however they came to meet", () => {
    const utc = { cron: "0 8 * * *", timezone: "UTC" };
    const local = { cron: "0 9 * * *", timezone: berlin };
    const shown = (when: WrittenRule["when"]) => listed({ when }, "2027-01-01T00:00:00Z", 3).map((text) => text.slice(11));
    expect(shown([local, utc])).toEqual(Array.from({ length: 3 }, () => "09:00:00+01:00"));
    expect(shown([utc, local])).toEqual(Array.from({ length: 3 }, () => "08:00:00+00:00"));
    expect(shown([{ at: ["2027-01-02T08:00:00Z"], timezone: "Asia/Tokyo" }, utc])).toEqual([
      "08:00:00+00:00",
      "17:00:00+09:00",
      "08:00:00+00:00",
    ]);
  });
});

describe("members that fire alike for a time", () => {
  it("are excepted each in its own zone", () => {
    const when = [berlin, "Asia/Tokyo"].map((timezone, index) => ({ every: "1h", from: `2027-01-01T0${index}:00:00Z`, timezone }));
    const found = listed({ when, except: [{ cron: "* 0-11 * * *" }] }, "2027-01-01T01:00:00Z", 24);
    // Tokyo is eight hours ahead: from 3 to 10 o'clock UTC its afternoon, from 11 to 22 Berlin's; none from 23 to 2.
    const hours = found.map((text) => new Date(text).getUTCHours());
    expect(hours).toEqual(Array.from({ length: 24 }, (_, index) => (index % 20) + 3));
    expect(found[0]).toBe("2027-01-01T12:00:00+09:00");
  });

  it("part where one's years end, though the clocks are calm for longer", () => {
    const when = [{ cron: "0 0 0 * * * 2005/2" }, { cron: "0 0 0 * * * 2005-2007" }];
    expect(listed({ when }, "2005-12-20T00:00:00Z", 20).map((text) => text.slice(0, 10))).toEqual(
      Array.from({ length: 20 }, (_, day) => new Date(Date.UTC(2005, 11, 20 + day)).toISOString().slice(0, 10)),
    );
  });
});

describe("exceptions", () => {
  it("of five fields cover their whole minute, those of six their second", () => {
    const rule = (except: string) => listed({ when: { cron: "*/20 * * * * *" }, except: [{ cron: except }] }, "2027-01-01T00:00:00Z", 2);
    expect(rule("0 0 * * *")).toEqual(["2027-01-01T00:01:00+00:00", "2027-01-01T00:01:20+00:00"]);
    expect(rule("0 0 0 * * *")).toEqual(["2027-01-01T00:00:20+00:00", "2027-01-01T00:00:40+00:00"]);
    const half = { when: { every: "1500ms", from: "2027-01-01T00:00:00.500Z" }, except: [{ cron: "0 0 0 * * *" }] };
    expect(listed(half, "2027-01-01T00:00:00Z", 1)).toEqual(["2027-01-01T00:00:02+00:00"]);
  });

  it("are judged in the rule's zone unless they name one", () => {
    const when = { cron: "0 */6 * * *", timezone: berlin };
    const days = (timezone?: string) => listed({ when, except: [{ dates: ["2027-01-01"], timezone }] }, "2026-12-31T23:00:00Z", 1);
    expect(days()).toEqual(["2027-01-02T00:00:00+01:00"]);
    expect(days("UTC")).toEqual(["2027-01-01T00:00:00+01:00"]);
    expect(days("Asia/Tokyo")).toEqual(["2027-01-01T18:00:00+01:00"]);
  });

  it("of a member in one zone leave an instant that another member owes in its own", () => {
    const when = [
      { cron: "0 23 * * *", timezone: "UTC" },
      { cron: "0 0 * * *", timezone: berlin },
    ];
    expect(listed({ when, except: [{ dates: ["2026-12-31"] }] }, "2026-12-31T00:00:00Z", 1)).toEqual(["2027-01-01T00:00:00+01:00"]);
  });

  it("judge what was shifted by where the clocks stand then", () => {
    const when = { cron: "30 2 * * *", timezone: berlin };
    const rest = (except: string) => listed({ when, except: [{ cron: except }] }, "2026-03-29T00:00:00Z", 1);
    expect(rest("* 2 * * *")).toEqual(["2026-03-29T03:00:00+02:00 gap_shifted"]);
    expect(rest("0 3 * * *")).toEqual(["2026-03-30T02:30:00+02:00"]);
  });

  it("of stretches of dates that overlap cover both whole", () => {
    const dates = [{ from: "2027-01-03", to: "2027-01-05" }, { from: "2027-01-01", to: "2027-01-10" }, "2027-01-11", "2027-01-13"];
    expect(listed({ when: { cron: "@daily" }, except: [{ dates }] }, "2027-01-01T00:00:00Z", 2)).toEqual([
      "2027-01-12T00:00:00+00:00",
      "2027-01-14T00:00:00+00:00",
    ]);
  });

  it("that leave nothing are answered with never, and without a search through what they cover", () => {
    const everything = ruleOf({ when: { cron: "* * * * * *", timezone: berlin }, except: [{ cron: "* * * * *" }] });
    const half = ruleOf({ when: { cron: "* * * * * *", timezone: berlin }, except: [{ cron: "* 0-11 * * *" }, { cron: "* 12-23 * * *" }] });
    expect(nextAfter(everything, at("2026-01-01T00:00:00Z"))).toEqual({ kind: "never" });
    expect(took(() => nextAfter(everything, at("2026-01-01T00:00:00Z")))).toBeLessThan(100);
    expect(nextAfter(half, at("2026-01-01T00:00:00Z")).kind).toBe("stopped");
  });

  it("that cost too many steps stop the search at an instant from where it goes on", () => {
    const except = [{ cron: "*/2 * * * * * 2027-2028" }, { cron: "1/2 * * * * * 2027-2028" }];
    const rule = ruleOf({ when: { cron: "* * * * * *" }, except });
    const first = nextAfter(rule, at("2028-12-31T20:00:00Z"));
    expect(first.kind).toBe("stopped");
    let next = first;
    for (let rounds = 0; next.kind === "stopped" && rounds < 10; rounds++) next = nextAfter(rule, later(next.at, -1));
    expect(next).toMatchObject({ kind: "next", occurrence: { local: "2029-01-01T00:00:00+00:00[UTC]" } });
  });

  it("that cover years end where they end", () => {
    const mistakes: never[] = [];
    const exception = readException({ cron: "* * * * * 2027" }, [], { calendars: new Map(), mistakes });
    expect([exception, mistakes.length]).toEqual([undefined, 1]);
    const years = readException({ cron: "* * * * * * 2027-2030", timezone: berlin }, [], { calendars: new Map(), mistakes: [] });
    const utc = findZone("UTC");
    if (years === undefined || utc === undefined) throw new Error("expected an exception");
    const until = excludedUntil([years], utc, at("2027-07-01T00:00:00Z"));
    // At least a day before its end, and never behind it.
    expect(until).toBeGreaterThan(at("2030-12-29T00:00:00Z"));
    expect(until).toBeLessThanOrEqual(at("2030-12-31T23:00:00Z"));
    expect(excludedUntil([years], utc, at("2030-12-31T23:00:00Z"))).toBeUndefined();
  });
});

describe("what never fires", () => {
  it.each([
    [{ when: { cron: "0 0 9 1 1 * 2020" } }, "has passed"],
    [{ when: { at: ["2026-12-31T23:59:59Z"] } }, "has passed"],
    [{ when: { expression: "at(2026-12-31T09:00:00)" } }, "has passed"],
    [{ when: { cron: "0 30 2 28 3 ? 2027", timezone: berlin, gap: "skip" as const } }, "no such time"],
    [{ when: { expression: "cron(30 2 28 3 ? 2027)", timezone: berlin } }, "no such time"],
  ])("is known: %j", (written, hint) => {
    const rule = ruleOf(written);
    expect(spentMembers(rule, at("2027-01-01T00:00:00Z")).map(({ message }) => message.includes(hint))).toEqual([true]);
    expect(nextAfter(rule, at("2027-01-01T00:00:00Z"))).toEqual({ kind: "never" });
  });

  it("ends with the year 2199", () => {
    expect(
      instants(ruleOf({ when: { cron: "@yearly", timezone: "America/New_York" } }), at("2197-06-01T00:00:00Z"), toEpochMs(9e12)),
    ).toHaveLength(2);
    expect(nextAfter(ruleOf({ when: { every: "1d" } }), at("2199-12-31T23:59:59Z"))).toEqual({ kind: "never" });
  });

  it("is found soon, however rare a rule is", () => {
    for (const cron of ["0 0 29 2 */7", "0 0 0 29 2 ? 2196", "0 0 LW 2 *"]) {
      expect(took(() => nextAfter(ruleOf({ when: { cron, timezone: berlin } }), at("2190-01-01T00:00:00Z")))).toBeLessThan(100);
    }
  });
});

describe("a written rule", () => {
  it("is refused for what is beyond its bounds, each with its place", () => {
    const when = [
      { every: "999ms" },
      { every: "3654d" },
      { every: "1h", from: "1969-01-01T00:00:00Z" },
      { at: [] },
      { cron: "@daily", timezone: "x" },
    ];
    expect(refusals({ when }).map((message) => message.split(":")[0])).toEqual([
      "when.0.every",
      "when.1.every",
      "when.2.from",
      "when.3.at",
      "when.4.timezone",
    ]);
  });

  it("is refused for an end that is not after its start", () => {
    const startAt = at("2027-01-02T00:00:00Z");
    const wrong = (endAt: number) => refusals({ when: { cron: "@daily" }, startAt, endAt });
    const message = 'endAt: expected an end after startAt, 2027-01-02T00:00:00.000Z, got "2027-01-02T00:00:00.000Z"';
    expect(wrong(startAt)).toEqual([message]);
    expect(wrong(startAt - 1)).toHaveLength(1);
    expect(wrong(startAt + 1)).toEqual([]);
    expect(refusals({ when: { cron: "x" }, startAt, endAt: 0 }).map((one) => one.split(":")[0])).toEqual(["endAt", "when.cron"]);
    expect([refusals({ when: { cron: "@daily" }, endAt: 0 }), refusals({ when: { cron: "@daily" }, startAt, endAt: null })]).toEqual([
      [],
      [],
    ]);
  });

  it("is refused for more rules or exceptions than there may be, or none, without a look at them", () => {
    const some = (count: number) => Array.from({ length: count }, (_, index) => ({ cron: `${index % 60} * * * *` }));
    const [member] = some(1);
    expect(refusals({ when: some(1_000), except: some(100) })).toEqual([]);
    expect(refusals({ when: [] })).toEqual(["when: expected 1–1000 entries, got 0"]);
    expect(refusals({ when: some(1_001) })).toEqual(["when: expected 1–1000 entries, got 1001"]);
    expect(refusals({ when: member, except: some(101) })).toEqual(["except: expected 0–100 entries, got 101"]);
    expect(took(() => refusals({ when: Array.from({ length: 500_000 }, () => ({ cron: "1,".repeat(99) })) }))).toBeLessThan(1_000);
  });

  it("is refused for texts of 10,000 characters wherever it has one, soon and with a short message", () => {
    const long = "1,".repeat(5_000);
    const written = {
      when: [
        { cron: long },
        { expression: long },
        { every: long },
        { every: "1h", from: long },
        { at: [long] },
        { cron: "@daily", timezone: long },
      ],
      except: [{ cron: long }, { dates: [long, { from: long, to: long }] }, { calendar: long }, { cron: "@daily", timezone: long }],
    };
    let found: string[] = [];
    const ms = took(() => {
      found = refusals(written);
    });
    expect(found.map((message) => message.split(": ")[0])).toEqual([
      "when.0.cron",
      "when.1.expression",
      "when.2.every",
      "when.3.from",
      "when.4.at.0",
      "when.5.timezone",
      "except.0.cron",
      "except.1.dates.0",
      "except.1.dates.1.from",
      "except.1.dates.1.to",
      "except.2.calendar",
      "except.3.timezone",
    ]);
    for (const message of found) expect(message.length).toBeLessThan(300);
    expect(ms).toBeLessThan(1_000);
  });

  it("is refused for an exception that is empty or can never match, too", () => {
    const wrong = (cron: string) => refusals({ when: { cron: "@daily" }, except: [{ cron }] });
    expect(wrong("")).toMatchObject([expect.stringContaining("except.0.cron: expected an expression")]);
    expect(wrong("* * 30 2 *")).toMatchObject([expect.stringContaining("except.0.cron: expected a day that exists")]);
    expect(wrong("* * * * MONDAY")).toMatchObject([expect.stringContaining('did you mean "MON"?')]);
  });

  it("of a thousand rules is read and searched in bounded time, and stops at fifty mistakes", () => {
    const when = Array.from({ length: 1_000 }, (_, index) => ({ cron: `${index % 60} ${index % 24} * * ${index % 7}`, timezone: berlin }));
    const rule = ruleOf({ when });
    expect(took(() => occurrences(rule, { from: at("2027-01-01T00:00:00Z"), count: 1_000 }))).toBeLessThan(1_000);
    const wrong = when.map(({ cron }, index) => ({ cron: `${cron} x${index}`, timezone: `Nowhere/${index}` }));
    const parsed = parseRule({ when: wrong }, at("2027-01-01T00:00:00Z"));
    expect(parsed.ok ? 0 : parsed.mistakes.length).toBeLessThanOrEqual(51);
  });
});

const windowOf = (written: string): Window => {
  const read = parseWindow(written);
  if ("wrong" in read) throw new Error(read.wrong);
  return read.window;
};

describe("a window", () => {
  it("has one place for a schedule for ever, spread evenly over schedules", () => {
    expect(placeOf("main\nnightly")).toBeCloseTo(0.8134, 4);
    const places = Array.from({ length: 6_000 }, (_, index) => placeOf(`schedule-${index}`));
    const sixths = Array.from({ length: 6 }, (_, sixth) => places.filter((place) => Math.floor(place * 6) === sixth).length);
    for (const count of sixths) expect(Math.abs(count - 1_000)).toBeLessThan(120);
    expect(places.every((place) => place >= 0 && place < 1)).toBe(true);
  });

  it("is never past the next occurrence, and never before its own", () => {
    const [nominal, next] = [toEpochMs(1_000_000), toEpochMs(1_000_000 + minuteMs)];
    for (const written of ["1s", "60s", "10m", "24h", "1%", "50%", "100%"]) {
      for (const place of [0, 0.5, 1 - 2 ** -48]) {
        const dueAt = dueWithin(windowOf(written), place, nominal, next);
        expect(dueAt).toBeGreaterThanOrEqual(nominal);
        expect(dueAt).toBeLessThan(next);
      }
    }
    expect(dueWithin(windowOf("10s"), 0.5, nominal, next)).toBe(nominal + 5 * secondMs);
    expect(dueWithin(windowOf("10m"), 0.5, nominal, next)).toBe(nominal + 30 * secondMs);
    expect(dueWithin(windowOf("50%"), 0.5, nominal, next)).toBe(nominal + 15 * secondMs);
    expect(dueWithin(windowOf("50%"), 0.5, nominal, null)).toBe(nominal);
    expect(dueWithin(windowOf("2h"), 0.5, nominal, null)).toBe(nominal + hourMs);
  });

  it.each([["0%"], ["101%"], ["-5%"], ["5.5%"], ["999ms"], ["1441m"], [`${2 * dayMs}ms`], ["soon"], [""], ["%"]])(
    "is not read from %j",
    (written) => {
      expect(parseWindow(written)).toHaveProperty("wrong");
    },
  );
});
