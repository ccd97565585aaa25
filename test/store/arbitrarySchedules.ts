/** Schedules drawn at random, in any state and with any past. */

import fc from "fast-check";
import { type ChangeId, scheduleIdOf, type TenantId } from "../../src/core/ids.ts";
import { priorities } from "../../src/core/job.ts";
import { type Happened, happenings, noCounts, occurrenceBecauses } from "../../src/core/occurrence.ts";
import type { Window } from "../../src/core/recurrence/window.ts";
import {
  type JobTemplate,
  misfirePolicies,
  type Owed,
  overlaps,
  pauseBecauses,
  recoveries,
  type Schedule,
  type ScheduleSpec,
} from "../../src/core/schedule.ts";
import { methods } from "../../src/core/target.ts";
import { later } from "../../src/core/time.ts";
import { jobTemplate, scheduleSpec } from "../scheduleBuilders.ts";
import { body, headers, instant, plain, retry, text } from "./arbitrary.ts";

const count = fc.nat(1_000_000);
const nothing = fc.constant(null);
/** Fields that are left out are as an ordinary schedule has them. */
const some = { requiredKeys: [], ...plain } as { requiredKeys: []; noNullPrototype: true };

const template: fc.Arbitrary<JobTemplate> = fc
  .record(
    {
      target: fc.record({ url: fc.webUrl(), method: fc.constantFrom(...methods), headers }, plain),
      ...{ body, timeoutMs: count, expireAfterMs: fc.option(count), retry, priority: fc.constantFrom(...priorities), labels: headers },
    },
    some,
  )
  .map((given) => jobTemplate(given));

const member = fc.oneof(
  fc.record({ cron: text, timezone: text, gap: fc.constantFrom("shift" as const, "skip" as const) }, { requiredKeys: ["cron"], ...plain }),
  fc.record({ every: text, from: text }, { requiredKeys: ["every"], ...plain }),
  fc.record({ at: fc.array(text, { maxLength: 4 }) }, plain),
);
const exception = fc.oneof(
  fc.record({ cron: text }, plain),
  fc.record({ dates: fc.array(fc.oneof(text, fc.record({ from: text, to: text }, plain)), { maxLength: 3 }) }, plain),
);
const window: fc.Arbitrary<Window | null> = fc.oneof(
  nothing,
  fc.record({ kind: fc.constant("span" as const), spanMs: count }, plain),
  fc.record({ kind: fc.constant("share" as const), percent: fc.integer({ min: 1, max: 100 }) }, plain),
);

const spec: fc.Arbitrary<ScheduleSpec> = fc
  .record(
    {
      ...{ when: fc.oneof(member, fc.array(member, { maxLength: 4 })), except: fc.array(exception, { maxLength: 3 }) },
      ...{ startAt: fc.option(instant), endAt: fc.option(instant), window, job: template, overlap: fc.constantFrom(...overlaps) },
      misfire: fc.record({ policy: fc.constantFrom(...misfirePolicies), withinMs: count, max: count }, plain),
      ...{ maxRuns: fc.option(count), pauseAfterFailures: fc.option(count), labels: headers, set: fc.option(text) },
    },
    some,
  )
  .map((given) => scheduleSpec(given));

const owed: fc.Arbitrary<Owed> = fc
  .tuple(instant, count)
  .map(([nominalAt, offsetMs]) => ({ nominalAt, dueAt: later(nominalAt, offsetMs) }));
const manyOwed = fc.array(owed, { maxLength: 5 });

/** In any order, and often a whole period apart, as those of a rule are. */
export const recent: fc.Arbitrary<readonly Happened[]> = fc.array(
  fc
    .record(
      {
        ...{ state: fc.constantFrom(...happenings), because: fc.constantFrom(...occurrenceBecauses) },
        firstAt: fc.oneof(
          instant,
          fc.nat(20).map((hour) => later(instantOfYear, hour * 3_600_000)),
        ),
        ...{ spanMs: fc.oneof(fc.constant(0), count), count: fc.oneof(fc.constant(1), count) },
        offsetMs: fc.oneof(fc.constant(0), fc.constant(5_000), count),
      },
      plain,
    )
    .map(({ spanMs, firstAt, ...entry }) => ({ ...entry, firstAt, lastAt: later(firstAt, spanMs) })),
  { maxLength: 30 },
);
const instantOfYear = later(0 as Owed["dueAt"], Date.UTC(2027, 0, 1));

const onWheel = { wakeAt: instant, hinted: fc.boolean() };
const state = fc.oneof(
  fc.record({ state: fc.constantFrom("active" as const, "finished" as const), ...onWheel }, plain),
  fc.record(
    {
      ...{ state: fc.constant("paused" as const), ...onWheel, pausedAt: instant, because: fc.constantFrom(...pauseBecauses) },
      ...{ pausedUntil: fc.option(instant), reason: fc.option(text) },
    },
    plain,
  ),
  fc.record({ state: fc.constant("deleted" as const), expiresAt: instant }, plain),
);

const change = text.map((name) => name as ChangeId);

const fields = fc.record(
  {
    ...{
      tenant: text.map((name) => name as TenantId),
      name: text,
      version: count,
      revision: count,
      createdAt: instant,
      updatedAt: instant,
    },
    ...{ incarnation: change, spec, decidedUntil: instant, next: fc.option(owed), soughtUntil: fc.option(instant) },
    taken: fc.option(fc.record({ origin: fc.constantFrom("rule" as const, "trigger" as const), owed: manyOwed }, plain)),
    ...{ buffered: manyOwed, unended: fc.array(instant, { maxLength: 5 }), runs: count, failures: count },
    backfill: fc.option(fc.record({ from: instant, to: instant, goOnAt: instant, total: count, done: count }, plain)),
    catchUp: fc.option(fc.record({ recover: fc.constantFrom(...recoveries), pausedAt: instant, before: instant }, plain)),
    counts: fc.tuple(count, count).map(([fired, missed]) => ({ ...noCounts, fired, missed, excluded: fired + 1 })),
    ...{ recent, paged: count, changes: fc.array(change, { maxLength: 6 }) },
  },
  plain,
);

export const arbitrarySchedule: fc.Arbitrary<Schedule> = fc
  .tuple(fields, state)
  .map(([base, own]) => ({ ...base, id: scheduleIdOf(base.tenant, base.name), ...own }));
