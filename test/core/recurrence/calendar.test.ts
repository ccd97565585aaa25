import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCalendar, type WrittenCalendar } from "../../../src/core/recurrence/calendar.ts";
import { dateOf, dayOf, daysOf, toLocalMs, weekdayOf } from "../../../src/core/recurrence/civil.ts";
import { calendarsOf } from "../../../src/core/recurrence/exception.ts";
import { nextAfter } from "../../../src/core/recurrence/occurrences.ts";
import { parseRule, type WrittenRule } from "../../../src/core/recurrence/rule.ts";
import { dayMs, hourMs, later } from "../../../src/core/time.ts";
import { always } from "../../always.ts";
import { at, type Kept, listed, ruleOf, wall } from "./rules.ts";

const berlin = "Europe/Berlin";
const calendarOf = (written: WrittenCalendar) => {
  const read = parseCalendar(written);
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  return read.calendar;
};
const mistakesOf = (written: unknown) => {
  const read = parseCalendar(written as WrittenCalendar);
  return read.ok ? [] : read.mistakes.map(({ path, code, message }) => `${path.join(".")} ${code}: ${message}`);
};
const refused = (written: WrittenRule, kept: Kept) => {
  const parsed = parseRule(written, at("2027-01-01T00:00:00Z"), new Map(Object.entries(kept)));
  return parsed.ok ? [] : parsed.mistakes;
};
const days = (from: string, count: number, written: WrittenRule, kept: Kept) =>
  listed(written, from, count, kept).map((text) => text.slice(0, 10));

describe("a calendar in an exception", () => {
  it("leaves out its dates, its stretches and its weekdays", () => {
    const work = { dates: ["2027-01-01", { from: "2027-01-06", to: "2027-01-07" }], weekly: ["SAT", "sun"] };
    const written = { when: { cron: "0 9 * * *", timezone: berlin }, except: [{ calendar: "work" }] };
    expect(days("2026-12-31T00:00:00Z", 6, written, { work })).toEqual([
      "2026-12-31",
      "2027-01-04",
      "2027-01-05",
      "2027-01-08",
      "2027-01-11",
      "2027-01-12",
    ]);
  });

  it("is judged in its own zone, and in the rule's where it has none", () => {
    const written = { when: { cron: "0 */6 * * *", timezone: berlin }, except: [{ calendar: "new-year" }] };
    const first = (timezone?: string) => listed(written, "2026-12-31T23:00:00Z", 1, { "new-year": { timezone, dates: ["2027-01-01"] } });
    expect(first()).toEqual(["2027-01-02T00:00:00+01:00"]);
    expect(first("UTC")).toEqual(["2027-01-01T00:00:00+01:00"]);
    expect(first("Asia/Tokyo")).toEqual(["2027-01-01T18:00:00+01:00"]);
  });

  it("of a rule in several zones is judged in that of each member, and leaves an instant that another member owes", () => {
    const when = [
      { cron: "0 23 * * *", timezone: "UTC" },
      { cron: "0 0 * * *", timezone: berlin },
    ];
    const except = [{ calendar: "eve" }];
    const kept = { eve: { dates: ["2026-12-31"] } };
    expect(listed({ when, except }, "2026-12-31T00:00:00Z", 1, kept)).toEqual(["2027-01-01T00:00:00+01:00"]);
    expect(days("2026-12-31T00:00:00Z", 1, { when: when[0] ?? [], except }, kept)).toEqual(["2027-01-01"]);
  });

  it("stands beside crons, dates and other calendars, and each leaves out its own", () => {
    const kept = { a: { dates: ["2027-01-01"] }, b: { dates: [], weekly: ["MON"] } };
    const except = [{ calendar: "a" }, { calendar: "b" }, { cron: "* * 2 1 *" }, { dates: ["2027-01-03"] }, { calendar: "a" }];
    expect(days("2027-01-01T00:00:00Z", 2, { when: { cron: "@daily" }, except }, kept)).toEqual(["2027-01-05", "2027-01-06"]);
    expect(calendarsOf(except)).toEqual(["a", "b"]);
    expect([calendarsOf([]), calendarsOf(undefined)]).toEqual([[], []]);
  });

  it("that covers all there is leaves nothing, which is known without a search through it", () => {
    const kept = {
      always: { dates: [{ from: "1970-01-01", to: "2199-12-31" }] },
      weekdays: { dates: [], weekly: ["MON", "TUE", "WED", "THU", "FRI"] },
      weekends: { dates: [], weekly: ["SAT", "SUN"] },
    };
    const rule = ruleOf({ when: { cron: "* * * * * *", timezone: berlin }, except: [{ calendar: "always" }] }, undefined, kept);
    expect(nextAfter(rule, at("2027-01-01T00:00:00Z"))).toEqual({ kind: "never" });
    const workdays = { when: { cron: "* * * * * MON-FRI", timezone: berlin }, except: [{ calendar: "weekdays" }] };
    const halves = {
      when: { cron: "* * * * * *", timezone: berlin },
      except: [{ calendar: "weekdays" }, { calendar: "weekends" }],
    };
    for (const written of [workdays, halves]) {
      let next = nextAfter(ruleOf(written, undefined, kept), at("2027-01-01T00:00:00Z"));
      // A search that is turned down very often stops, and goes on where it stopped.
      for (let round = 0; next.kind === "stopped" && round < 10; round++)
        next = nextAfter(ruleOf(written, undefined, kept), later(next.at, -1));
      expect(next).toEqual({ kind: "never" });
    }
  });

  it("whose name is unknown is a mistake that says what to do, and which was meant", () => {
    const written = { when: { cron: "@daily" }, except: [{ dates: ["2027-01-01"] }, { calendar: "de-holyday" }] };
    const expected = 'expected a calendar that exists, got "de-holyday"; put it first, by PUT /v1/calendars/de-holyday';
    expect(refused(written, {})).toEqual([{ path: ["except", 1, "calendar"], code: "invalid_value", message: expected }]);
    expect(refused(written, { "de-holidays": { dates: ["2027-01-01"] } })).toMatchObject([
      { message: `${expected}; did you mean "de-holidays"?` },
    ]);
    expect(refused({ ...written, except: [{ calendar: "constructor" }] }, {})).toHaveLength(1);
  });

  it("that can no longer be read is a mistake in the rule that names it", () => {
    const lost = { timezone: "Europe/Nowhere", dates: ["2027-01-01"] };
    expect(refused({ when: { cron: "@daily" }, except: [{ calendar: "lost" }] }, { lost })).toMatchObject([
      { path: ["except", 0, "calendar"], message: expect.stringContaining('got "lost", in which timezone is wrong') },
    ]);
  });
});

describe("a written calendar", () => {
  it.each([
    [{ dates: [] }, ["dates too_small: expected an entry in dates or weekly"]],
    [{ dates: [], weekly: [] }, ["dates too_small: expected an entry in dates or weekly"]],
    [{ dates: Array.from({ length: 367 }, () => "2027-01-01") }, ["dates too_large: expected 0–366 entries, got 367"]],
    [
      { dates: [], weekly: ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] },
      ["weekly too_large: expected 0–6 weekdays, got 7; all seven"],
    ],
    [
      { dates: [], weekly: ["SATURDAY", "SNU", "8", ""] },
      [
        'weekly.0 invalid_value: expected one of SUN, MON, TUE, WED, THU, FRI, SAT, got "SATURDAY"; did you mean "SAT"?',
        'weekly.1 invalid_value: expected one of SUN, MON, TUE, WED, THU, FRI, SAT, got "SNU"; did you mean "SUN"?',
        "weekly.2 invalid_value",
        "weekly.3 invalid_value",
      ],
    ],
    [
      { dates: ["2027-02-29", { from: "2027-02-01", to: "2027-01-31" }, { from: "x", to: "2027-01-01" }] },
      ["dates.0 invalid_format", "dates.1.to too_small", "dates.2.from invalid_format"],
    ],
    [{ timezone: "Europe/Berln", dates: ["2027-01-01"], weekly: ["MO"] }, ["timezone invalid_value", "weekly.0 invalid_value"]],
  ])("is refused for %.80j, each mistake with its place", (written, known) => {
    const found = mistakesOf(written);
    expect(found.map((message, index) => message.startsWith(known[index] ?? "none"))).toEqual(known.map(() => true));
  });

  it("of up to 366 dates and six weekdays is taken", () => {
    const dates = Array.from({ length: 366 }, (_, day) => new Date(Date.UTC(2028, 0, 1 + day)).toISOString().slice(0, 10));
    expect(mistakesOf({ timezone: berlin, dates, weekly: ["MON", "TUE", "WED", "THU", "FRI", "SAT"] })).toEqual([]);
    expect(mistakesOf({ dates: [], weekly: ["SUN"] })).toEqual([]);
  });

  it("has at most fifty of its mistakes named", () => {
    expect(mistakesOf({ dates: Array.from({ length: 366 }, () => "x") })).toHaveLength(50);
  });
});

const weekdayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const day0 = daysOf(2027, 1, 1);
const dateText = (day: number) => {
  const { year, month, day: date } = dateOf(day);
  return `${year}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
};
const drawn = fc
  .record({
    spans: fc.array(fc.record({ first: fc.nat(60), more: fc.oneof(fc.constant(0), fc.nat(9)) }), { maxLength: 12 }),
    weekly: fc.uniqueArray(fc.nat(6), { maxLength: 6 }),
  })
  .filter(({ spans, weekly }) => spans.length + weekly.length > 0);

describe("any calendar", () => {
  it("covers a day that it names or whose weekday it names, up to the next day of which neither is so", () => {
    always(drawn, fc.integer({ min: -10, max: 90 }), fc.nat(dayMs - 1), ({ spans, weekly }, ahead, inDay) => {
      const isCovered = (day: number) =>
        weekly.includes(weekdayOf(day)) || spans.some(({ first, more }) => day >= day0 + first && day <= day0 + first + more);
      const dates = spans.map(({ first, more }) => ({ from: dateText(day0 + first), to: dateText(day0 + first + more) }));
      const { coveredUntil } = calendarOf({ dates, weekly: weekly.map((weekday) => weekdayNames[weekday] ?? "") });
      let day = day0 + ahead;
      const until = coveredUntil(toLocalMs(day * dayMs + inDay));
      expect(until !== undefined).toBe(isCovered(day));
      if (until === undefined) return;
      while (isCovered(day)) day++;
      expect([until % dayMs, dayOf(until)]).toEqual([0, day]);
    });
  });

  it("takes from a rule what its days cover as clocks in its zone show them, and nothing else", () => {
    const zones = fc.constantFrom("UTC", berlin, "Asia/Tokyo", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe");
    always(drawn, zones, zones, ({ spans, weekly }, zone, ruleZone) => {
      const dates = spans.map(({ first }) => dateText(day0 + first));
      const kept = { some: { timezone: zone, dates, weekly: weekly.map((weekday) => weekdayNames[weekday] ?? "") } };
      const written = { when: { every: "5h", from: "2026-12-29T00:00:00Z", timezone: ruleZone }, except: [{ calendar: "some" }] };
      const found = listed(written, "2026-12-29T00:00:00Z", 150, kept).map((text) => Date.parse(text));
      const isLeft = (instant: number) => {
        const local = new Date(wall(zone, instant));
        return !weekly.includes(local.getUTCDay()) && !dates.includes(local.toISOString().slice(0, 10));
      };
      const all = Array.from({ length: 2_000 }, (_, index) => at("2026-12-29T00:00:00Z") + index * 5 * hourMs);
      expect(found).toEqual(all.filter(isLeft).slice(0, 150));
    });
  });
});
