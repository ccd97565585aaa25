/** Rules held against what is slower and simpler: clocks that are read minute by minute, and two cron libraries where they are right. */

import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fold, Gap } from "../../../src/core/recurrence/firing.ts";
import { nextAfter, occurrences } from "../../../src/core/recurrence/occurrences.ts";
import { dayMs, hourMs, minuteMs, toEpochMs } from "../../../src/core/time.ts";
import { always } from "../../always.ts";
import { changeIn, folds, gaps, rules, type Sets, sets, some, wallRules, written, zones } from "./drawn.ts";
import { at, instants, listed, ruleOf, wall, zoneNames } from "./rules.ts";

function shows({ minutes, hours, weekdays }: Sets, local: number): boolean {
  const date = new Date(local);
  const isDay = weekdays?.includes(date.getUTCDay()) ?? true;
  return isDay && hours.includes(date.getUTCHours()) && minutes.includes(date.getUTCMinutes());
}

/** More than clocks were ever put back since 1975. */
const padMs = 4 * hourMs;
const aroundMs = 5 * hourMs;

/** What the clocks of a zone show around a change, minute by minute. */
function readClocks(zone: string, change: number): Map<number, number> {
  const shown = new Map<number, number>();
  const until = change + aroundMs + padMs;
  for (let instant = change - aroundMs - padMs; instant < until; instant += minuteMs) shown.set(instant, wall(zone, instant));
  return shown;
}

/** What clocks show for the first time, for the last time, and what they jump over. */
function firingBy(clocks: Map<number, number>, rule: Sets, gap: Gap, fold: Fold, from: number, to: number): string[] {
  const byTheClock = rule.hours.length === 24;
  const shown = new Map<number, number[]>();
  const firing = new Map<number, string>();
  let before = Number.POSITIVE_INFINITY;
  for (const [instant, local] of clocks) {
    shown.set(local, [...(shown.get(local) ?? []), instant]);
    for (let missing = before + minuteMs; missing < local; missing += minuteMs) {
      if (gap === "shift" && !byTheClock && shows(rule, missing)) firing.set(instant, "gap_shifted");
    }
    before = local;
  }
  for (const [local, passes] of shown) {
    if (!shows(rule, local)) continue;
    const chosen = byTheClock || fold === "both" ? passes : [fold === "first" ? passes[0] : passes.at(-1)];
    for (const pass of chosen as number[]) {
      const note = passes.length === 1 ? "null" : pass === passes[0] ? "fold_first" : "fold_last";
      if (!firing.has(pass)) firing.set(pass, note);
    }
  }
  const inside = [...firing].filter(([instant]) => instant >= from && instant < to).toSorted(([a], [b]) => a - b);
  return inside.map(([instant, note]) => `${new Date(instant).toISOString()} ${note}`);
}

const places = fc.record({ zone: zones, year: fc.integer({ min: 1975, max: 2040 }), index: fc.nat(3) });

function holds(clocks: Map<number, number>, rule: Sets, zone: string, change: number, gap: Gap, fold: Fold): void {
  const [from, to] = [change - aroundMs, change + aroundMs];
  const { found } = occurrences(ruleOf({ when: { cron: written(rule), timezone: zone, gap, fold } }), {
    from: toEpochMs(from),
    count: 200,
  });
  const inside = found
    .filter(({ nominalAt }) => nominalAt < to)
    .map(({ nominalAt, note }) => `${new Date(nominalAt).toISOString()} ${note}`);
  expect(inside, `${written(rule)} ${zone} ${gap} ${fold}`).toEqual(firingBy(clocks, rule, gap, fold, from, to));
}

describe("a wall-clock rule", () => {
  it("fires when clocks that are read minute by minute say, at changes of every zone", () => {
    always(sets, places, gaps, folds, (rule, { zone, year, index }, gap, fold) => {
      const change = changeIn(zone, year, index);
      holds(readClocks(zone, change), rule, zone, change, gap, fold);
    });
  });

  it.each([
    ["Australia/Lord_Howe", 2026],
    ["Pacific/Apia", 2011],
    ["Pacific/Kwajalein", 1993],
    ["Pacific/Kiritimati", 1994],
    ["Africa/Casablanca", 2025],
    ["Antarctica/Troll", 2026],
    ["America/Argentina/Tucuman", 2004],
    ["Africa/Cairo", 2014],
    ["America/Havana", 2026],
    ["Asia/Gaza", 2011],
    ["Europe/Dublin", 2026],
  ])("fires when the clocks of %s say, at each change of %d and with each policy", (zone, year) => {
    const rule = { minutes: [0, 15, 30, 45], hours: [0, 1, 2, 3, 9, 23], weekdays: undefined };
    for (const index of [0, 1]) {
      const change = changeIn(zone, year, index);
      const clocks = readClocks(zone, change);
      for (const gap of ["shift", "skip"] as const) {
        for (const fold of ["first", "last", "both"] as const) holds(clocks, rule, zone, change, gap, fold);
      }
    }
  });

  it("fires once a day in every zone of the runtime, on days that its clocks show", () => {
    for (const zone of zoneNames) {
      const found = occurrences(ruleOf({ when: { cron: "17 2 * * *", timezone: zone } }), {
        from: at("2026-01-01T12:00:00Z"),
        count: 400,
      }).found;
      const days = found.map(({ local }) => Date.parse(`${local.slice(0, 10)}T00:00:00Z`) / dayMs);
      if (days.some((day, index) => index > 0 && day !== (days[index - 1] ?? 0) + 1)) throw new Error(`${zone} loses or doubles a day`);
    }
  });
});

describe("any rule", () => {
  it("ascends, and yields the same from wherever it is asked, one by one or many at once", () => {
    const starts = fc.integer({ min: Date.UTC(2026, 2, 27), max: Date.UTC(2026, 2, 30) }).map(toEpochMs);
    always(rules, starts, fc.nat(39), fc.nat(), (rule, from, index, ahead) => {
      const parsed = ruleOf(rule);
      const { found } = occurrences(parsed, { from, count: 40 });
      const all = found.map(({ nominalAt }) => nominalAt);
      expect(all.every((one, place) => one >= from && one > (all[place - 1] ?? 0))).toBe(true);
      const place = all[Math.min(index, all.length - 1)];
      if (place === undefined) return;
      // From an instant that is none of the rule's, and from a nominal one.
      const between = toEpochMs(from + (ahead % (place - from + 1)));
      const later = found.filter(({ nominalAt }) => nominalAt >= between);
      expect(occurrences(parsed, { from: between, count: later.length }).found).toEqual(later);
      const following = found.find(({ nominalAt }) => nominalAt > place);
      if (following !== undefined) expect(nextAfter(parsed, place)).toEqual({ kind: "next", occurrence: following });
    });
  });

  it("is the union of its members, each instant once and in order", () => {
    const [from, to] = [at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z")];
    always(rules, ({ when }) => {
      const each = when.flatMap((member) => instants(ruleOf({ when: member }), from, to));
      expect(instants(ruleOf({ when }), from, to)).toEqual([...new Set(each)].toSorted((a, b) => a - b));
    });
  });

  it("is the union of its members also where many fire alike, in zones that part and meet again", () => {
    const near = fc.constantFrom(
      "Europe/Berlin",
      "Europe/Paris",
      "Africa/Algiers",
      "Africa/Casablanca",
      "Europe/London",
      "UTC",
      "Antarctica/Troll",
    );
    const year = fc.constantFrom("", "2025-2026", "2025-2027", "2026/2");
    const alike = fc.array(fc.record({ zone: near, year, gap: gaps, fold: folds }), { minLength: 2, maxLength: 8 });
    const starts = fc.constantFrom("2026-03-25T22:00:00Z", "2026-10-20T12:00:00Z", "2026-12-29T06:00:00Z", "2025-02-20T20:00:00Z");
    always(sets, alike, starts, fc.boolean(), (rule, variants, start, isExcepted) => {
      const [from, to] = [at(start), toEpochMs(at(start) + 6 * dayMs)];
      const except = isExcepted ? [{ cron: "* 2,9-12 * * *" }] : [];
      const when = variants.map(({ zone, year: years, gap, fold }) => {
        return { cron: `0 ${written(rule)}${years === "" ? "" : ` ${years}`}`, timezone: zone, gap, fold };
      });
      const each = when.flatMap((member) => instants(ruleOf({ when: member, except }), from, to));
      expect(instants(ruleOf({ when, except }), from, to)).toEqual([...new Set(each)].toSorted((a, b) => a - b));
    });
  });

  it("loses to its exceptions what their hours and days cover, and nothing else", () => {
    const [from, to] = [at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z")];
    always(wallRules, sets, zones, (when, cover, zone) => {
      const all = instants(ruleOf({ when }), from, to);
      const left = instants(ruleOf({ when, except: [{ cron: written(cover), timezone: zone }] }), from, to);
      expect(left).toEqual(all.filter((instant) => !shows(cover, wall(zone, instant))));
    });
  });
});

/** What all three dialects read alike: plain numbers, names, steps, the last day, weekdays by number. */
const field = (min: number, max: number, extra: readonly string[]) =>
  fc.oneof(
    fc.constant("*"),
    some(min, max, 4).map(String),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc.integer({ min: 2, max: Math.min(max, 20) }).map((step) => `*/${step}`),
    ...extra.map((text) => fc.constant(text)),
  );
const shared = fc
  .tuple(
    field(0, 59, []),
    field(0, 23, []),
    field(1, 28, ["L"]),
    field(1, 12, ["JAN,JUL"]),
    field(0, 6, ["MON-FRI", "SUN", "7", "2#1", "5#3"]),
  )
  // "*/n" in one day field and a value in the other: they say either, Vixie says both.
  .filter(([, , day, , weekday]) => !((day.startsWith("*/") && weekday !== "*") || (weekday.startsWith("*/") && day !== "*")));

describe("a cron expression without a zone", () => {
  const starts = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2029, 0, 1) });
  const ours = (cron: string, from: number) =>
    listed({ when: { cron } }, new Date(from).toISOString(), 12).map((local) => Date.parse(local));

  it("fires when croner says", () => {
    always(shared, starts, (fields, from) => {
      const cron = fields.join(" ");
      const theirs = new Cron(cron, { timezone: "UTC" }).nextRuns(12, new Date(from - 1));
      expect(ours(cron, from), cron).toEqual(theirs.map((date) => date.getTime()));
    });
  });

  it("fires when cron-parser says", () => {
    always(shared, starts, (fields, from) => {
      const cron = fields.join(" ");
      const theirs = CronExpressionParser.parse(cron, { tz: "UTC", currentDate: new Date(from - 1) }).take(12);
      expect(ours(cron, from), cron).toEqual(theirs.map((date) => date.getTime()));
    });
  });

  it.each(["0 0 LW * *", "0 0 15W * *", "0 0 1W * *", "0 0 31W * *", "0 0 * * 5L", "0 0 ? * MON#5", "0 0 29 2 *", "30 4 13 * FRI"])(
    "fires when croner says for eighty times of %s",
    (cron) => {
      const from = Date.UTC(2026, 0, 1);
      const theirs = new Cron(cron, { timezone: "UTC" }).nextRuns(30, new Date(from - 1)).map((date) => date.toISOString());
      const { found } = occurrences(ruleOf({ when: { cron } }), { from: toEpochMs(from), count: 30 });
      expect(found.map(({ nominalAt }) => new Date(nominalAt).toISOString())).toEqual(theirs);
    },
  );
});
