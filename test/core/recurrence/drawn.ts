/** What tests draw rules from: cron expressions as sets, zones that change their clocks often, unions, and exceptions around a change. */

import * as fc from "fast-check";
import type { Fold, Gap } from "../../../src/core/recurrence/firing.ts";
import type { WrittenMember } from "../../../src/core/recurrence/member.ts";
import { findZone } from "../../../src/core/recurrence/zone.ts";
import { toEpochMs } from "../../../src/core/time.ts";
import { zoneNames } from "./rules.ts";

export const some = (min: number, max: number, most: number) =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: most }).map((values) => values.toSorted((a, b) => a - b));

/** Drawn as sets, and only then written: the oracle reads no cron. */
export const sets = fc.record({
  minutes: some(0, 59, 5),
  hours: fc.oneof({ weight: 4, arbitrary: some(0, 23, 8) }, fc.constant(Array.from({ length: 24 }, (_, hour) => hour))),
  weekdays: fc.option(some(0, 6, 6), { nil: undefined }),
});
export type Sets = { minutes: number[]; hours: number[]; weekdays: number[] | undefined };
export const written = ({ minutes, hours, weekdays }: Sets) => `${minutes} ${hours} * * ${weekdays ?? "*"}`;

/** An instant at which the clocks of a zone change in a year, or its middle where they do not. */
export function changeIn(name: string, year: number, index: number): number {
  const zone = findZone(name);
  const found: number[] = [];
  for (let instant = Date.UTC(year, 0, 1); zone !== undefined && instant < Date.UTC(year + 1, 0, 1); ) {
    const { endAt, offsetMs } = zone.stretchAt(toEpochMs(instant));
    if (zone.stretchAt(endAt).offsetMs !== offsetMs) found.push(endAt);
    instant = endAt;
  }
  return found[index % Math.max(found.length, 1)] ?? Date.UTC(year, 6, 1);
}

export const gaps = fc.constantFrom<Gap>("shift", "skip");
export const folds = fc.constantFrom<Fold>("first", "last", "both");
const changing = zoneNames.filter((name) => changeIn(name, 2026, 0) !== Date.UTC(2026, 6, 1));
export const zones = fc.oneof(fc.constantFrom(...zoneNames), fc.constantFrom(...changing));
export const wallRules = fc.record({
  cron: sets.map(written),
  timezone: zones,
  gap: gaps,
  fold: folds,
});
const members: fc.Arbitrary<WrittenMember> = fc.oneof(
  { weight: 4, arbitrary: wallRules },
  fc.record({
    every: fc.constantFrom("7m", "14m", "21m", "61m13s"),
    from: fc.constantFrom("2026-03-28T11:11:11.111Z", "2026-03-28T13:31:11.111Z", "2026-03-28T13:32:11.111Z"),
    timezone: zones,
  }),
);
const exceptions = fc.array(
  fc.oneof(
    fc.record({ cron: sets.map(({ hours, weekdays }) => `* ${hours} * * ${weekdays ?? "*"}`), timezone: zones }),
    sets.map((rule) => ({ cron: written(rule) })),
    fc.integer({ min: 28, max: 31 }).map((day) => ({ dates: [`2026-03-${day}`] })),
  ),
  { maxLength: 2 },
);
export const rules = fc.record({ when: fc.array(members, { minLength: 1, maxLength: 4 }), except: exceptions });
