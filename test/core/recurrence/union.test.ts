import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatLocal, toLocalMs } from "../../../src/core/recurrence/civil.ts";
import { parseCron } from "../../../src/core/recurrence/cron.ts";
import { excludedUntil } from "../../../src/core/recurrence/exception.ts";
import { occurrences } from "../../../src/core/recurrence/occurrences.ts";
import { localFrom, type Pattern } from "../../../src/core/recurrence/pattern.ts";
import { unionOf } from "../../../src/core/recurrence/union.ts";
import { hourMs, toEpochMs } from "../../../src/core/time.ts";
import { always } from "../../always.ts";
import { folds, gaps, some } from "./drawn.ts";
import { at, instants, ruleOf, took } from "./rules.ts";

const patternOf = (cron: string): Pattern => {
  const read = parseCron(cron);
  if (!read.ok) throw new Error(`${cron}: ${read.wrong.join()}`);
  return read.pattern;
};
const whole = fc.constant("*");
const few = (min: number, max: number) => fc.oneof(whole, some(min, max, 3).map(String));
const parts = fc.record({
  seconds: fc.oneof(fc.constant("0"), few(0, 59)),
  minutes: few(0, 59),
  hours: few(0, 23),
  days: fc.oneof(few(1, 28), fc.constantFrom("L", "LW", "15W", "L-2", "31", "*/9", "1W")),
  months: few(1, 12),
  weekdays: fc.oneof(whole, some(0, 6, 3).map(String), fc.constantFrom("5L", "2#1", "MON#5", "*/2")),
  years: fc.constantFrom("*", "2026-2028", "2027", "2026/3", "2190-2199"),
});
const crons = parts
  .map(({ seconds, minutes, hours, days, months, weekdays, years }) => [seconds, minutes, hours, days, months, weekdays, years].join(" "))
  .filter((cron) => parseCron(cron).ok);
const starts = fc.integer({ min: Date.UTC(2025, 11, 1), max: Date.UTC(2029, 1, 1) }).map(toLocalMs);

describe("several patterns as one", () => {
  it("have the first time that any of them has, wherever it is asked for", () => {
    always(fc.array(crons, { minLength: 2, maxLength: 6 }), fc.array(starts, { minLength: 1, maxLength: 5 }), (written, froms) => {
      const patterns = written.map(patternOf);
      const union = unionOf(patterns);
      const first = (from: number) => {
        const each = patterns.flatMap((pattern) => localFrom(pattern, toLocalMs(from)) ?? []);
        return each.length === 0 ? undefined : Math.min(...each);
      };
      for (const start of froms) {
        for (let [from, count] = [start as number, 0]; count < 12; count++) {
          const next = union.from(toLocalMs(from));
          if (next !== first(from)) throw new Error(`${written.join(" | ")} from ${formatLocal(toLocalMs(from))}: ${next}`);
          if (next === undefined) break;
          from = next + 1;
        }
      }
    });
  });

  it("with the same shape have the same times as long as both say", () => {
    const lists = fc.array(
      fc.constantFrom("0 0 9 * * *", "0 0 9 * * * 2026-2027", "0 0 9 1 * *", "0 0 9 * * * 2027/2", "0 30 * * * * 2028"),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    always(lists, lists, starts, (some, others, from) => {
      const [one, other] = [unionOf(some.map(patternOf)), unionOf(others.map(patternOf))];
      const [shape, otherShape] = [one.shapeAt(from), other.shapeAt(from)];
      if (shape === undefined || otherShape === undefined || shape.shape !== otherShape.shape) return;
      const until = Math.min(shape.until, otherShape.until);
      expect(until).toBeGreaterThan(from);
      const times = (of: typeof one) => {
        const found: number[] = [];
        for (let next = of.from(from); next !== undefined && next < until && found.length < 400; next = of.from(toLocalMs(next + 1))) {
          found.push(next);
        }
        return found;
      };
      expect(times(one)).toEqual(times(other));
    });
  });
});

/** Members that meet in most seconds or minutes, in zones that change their clocks: what waits beside another that fires at once. */
const dense = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      cron: fc.constantFrom(
        "* * * * * *",
        "*/2 * * * * *",
        "0-40 * * * * *",
        "* 0-50 * * * *",
        "* * * * *",
        "*/2 * * * *",
        "5-58 * * * *",
        "30 * * * * *",
        "* 1-3 * * *",
        "0 0-55 * 28 * *",
        "30 * 0-3 * * *",
        "15,45 * 0-23/2 * * *",
      ),
      timezone: fc.constantFrom(
        "Europe/Berlin",
        "Africa/Algiers",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "America/New_York",
        "UTC",
        "Antarctica/Troll",
        "Africa/Monrovia",
      ),
      gap: gaps,
      fold: folds,
    }),
  },
  fc.record({
    every: fc.constantFrom("1500ms", "1s", "60s", "61s"),
    from: fc.constantFrom("2026-03-29T00:00:00.500Z", "2026-03-29T00:00:00Z"),
    timezone: fc.constantFrom("UTC", "Europe/Berlin"),
  }),
  fc.record({ at: fc.constant(["2026-03-29T00:59:59Z", "2026-03-29T01:00:00.250Z"]), timezone: fc.constant("Asia/Tokyo") }),
);
const covers = fc.array(
  fc.constantFrom({ cron: "0-29 */2 * * * *" }, { cron: "*/2 * * * * *" }, { cron: "* 2 * * *" }, { cron: "*/3 * * * *", timezone: "UTC" }),
  {
    maxLength: 2,
  },
);

describe("a union of members that fire often, in several zones", () => {
  const around = fc
    .constantFrom("2026-03-29T00:58:30Z", "2026-03-28T23:59:00Z", "2026-10-25T00:58:30Z", "1972-01-07T00:43:00Z", "2026-07-01T00:00:00Z")
    .map(at);

  it("has the instants of each of them, once", () => {
    always(fc.array(dense, { minLength: 2, maxLength: 6 }), covers, around, (when, except, from) => {
      const to = toEpochMs(from + hourMs / 20);
      const each = when.flatMap((member) => instants(ruleOf({ when: member, except }), from, to));
      expect(instants(ruleOf({ when, except }), from, to)).toEqual([...new Set(each)].toSorted((a, b) => a - b));
    });
  });

  it("loses none where a zone leaves an offset with seconds, as Monrovia did in 1972", () => {
    const when = [{ cron: "30 * * * * *" }, { cron: "* * * * *", timezone: "Africa/Monrovia" }];
    const found = instants(ruleOf({ when }), at("1972-01-07T00:43:00Z"), at("1972-01-07T00:47:00Z"));
    const shown = found.map((instant) => new Date(instant).toISOString().slice(14, 19));
    expect(shown).toEqual(["43:30", "44:30", "45:00", "45:30", "46:00", "46:30"]);
  });

  it("loses none of a member whose exception ends where others, of another second, meet", () => {
    const when = [
      { cron: "30 * * * * *" },
      { cron: "30 * * * * *", timezone: "Europe/Berlin" },
      { cron: "* * * * *", timezone: "Asia/Tokyo" },
    ];
    const written = { when, except: [{ cron: "0-29 */2 * * * *" }] };
    const found = instants(ruleOf(written), at("2026-07-01T00:00:00Z"), at("2026-07-01T00:03:00Z"));
    expect(found.map((instant) => new Date(instant).toISOString().slice(14, 19))).toEqual(["00:30", "01:00", "01:30", "02:30"]);
  });

  it("loses none that is shifted to where the clocks stand after a gap, and none that follows it", () => {
    const when = [
      { cron: "30 * * * * *", timezone: "UTC" },
      { cron: "30 * * * * *", timezone: "Africa/Algiers" },
      { cron: "30 59 1-2 * * *", timezone: "Europe/Berlin" },
    ];
    const found = instants(ruleOf({ when }), at("2026-03-29T00:58:30Z"), at("2026-03-29T01:02:00Z"));
    expect(found.map((instant) => new Date(instant).toISOString().slice(14, 19))).toEqual(["58:30", "59:30", "00:00", "00:30", "01:30"]);
  });

  it("has each spoken for by the first zone that fires then, and loses none that one of them owes", () => {
    always(fc.array(dense, { minLength: 2, maxLength: 8 }), covers, around, (when, except, from) => {
      const rule = ruleOf({ when, except });
      for (const { nominalAt, local } of occurrences(rule, { from, count: 60 }).found) {
        const first = rule.voices.find(({ zone, hitFrom }) => {
          return hitFrom(nominalAt)?.at === nominalAt && excludedUntil(rule.exceptions, zone, nominalAt) === undefined;
        });
        expect(local).toContain(`[${first?.zone.name}]`);
      }
    });
  });

  it("shows the same occurrences from wherever it is asked", () => {
    always(fc.array(dense, { minLength: 2, maxLength: 6 }), covers, around, fc.nat(59), (when, except, from, index) => {
      const rule = ruleOf({ when, except });
      const { found } = occurrences(rule, { from, count: 60 });
      const start = found[index % Math.max(found.length, 1)];
      if (start === undefined) return;
      const rest = found.filter(({ nominalAt }) => nominalAt >= start.nominalAt);
      expect(occurrences(rule, { from: start.nominalAt, count: rest.length }).found).toEqual(rest);
    });
  });
});

describe("a thousand rules", () => {
  const without = (index: number) =>
    Array.from({ length: 60 }, (_, value) => value).filter((value) => value % 31 !== index % 31 && value % 29 !== index % 29);
  const days = (index: number) =>
    `${Array.from({ length: 20 }, (_, day) => day + 1)
      .filter((day) => ((index >> (day % 10)) & 1) === 1)
      .concat(27, 28, 29, 30, 31)}`;
  const zones = Intl.supportedValuesOf("timeZone");
  const berlin = "Europe/Berlin";
  it.each([
    ["each second, of different seconds", (index: number) => ({ cron: `${without(index)} * * * * *`, timezone: berlin })],
    ["each second, on different days", (index: number) => ({ cron: `* * * ${days(index)} * *`, timezone: berlin })],
    ["at nine, on different days", (index: number) => ({ cron: `0 9 ${days(index)} * *`, timezone: berlin })],
    [
      "each minute, of different minutes in all zones",
      (index: number) => ({ cron: `${without(index)} * * * *`, timezone: zones[index % zones.length] }),
    ],
    ["each second, in all zones", (index: number) => ({ cron: `* ${index % 7}-59 * * * *`, timezone: zones[index % zones.length] })],
    [
      "every ten seconds, in all zones",
      (index: number) => ({ every: "10s", from: at("2026-01-01T00:00:00Z") + index * 10_000, timezone: zones[index % zones.length] }),
    ],
  ])("%s are previewed in a time that does not grow with how often they meet", (_, member) => {
    const when = Array.from({ length: 1_000 }, (_unused, index) => {
      const one = member(index);
      return "from" in one ? { ...one, from: new Date(one.from).toISOString() } : one;
    });
    const preview = () => occurrences(ruleOf({ when }), { from: at("2026-03-27T00:00:00Z"), count: 1_000 }).found.length;
    // Zones are read once in a process.
    expect(preview()).toBe(1_000);
    // Some 20 ms; each of a thousand searched for itself takes a second.
    expect(took(preview)).toBeLessThan(300);
  });
});
