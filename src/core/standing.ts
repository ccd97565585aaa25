/** Where a schedule stands on the wheel, and in which state its fields put it. */

import { takeAtOf } from "./agenda.ts";
import { isSpent } from "./decide.ts";
import type { ChangeId } from "./ids.ts";
import { type Active, type Finished, type PauseBecause, type Paused, type Standing, scheduleBounds } from "./schedule.ts";
import { type EpochMs, later, laterOf, toEpochMs } from "./time.ts";

/** What a change may know beside the schedule. */
export type ScheduleFacts = {
  readonly now: EpochMs;
  readonly change: ChangeId;
  /** A `wakeAt` before this instant is hinted by whoever sets it; a later one is left to the turn. */
  readonly hintBefore: EpochMs;
  readonly takeLeadMs: number;
};

/** The fields of every state. */
export type Fields = Omit<Active, "state" | "wakeAt" | "hinted">;

export type PauseWish = { readonly until: EpochMs | null; readonly reason: string | null };

/** The fields of every state, and no other: whatever only the old state had is left behind. */
export function restOf(schedule: Standing | Fields): Fields {
  const { tenant, id, name, version, revision, createdAt, updatedAt, incarnation, spec, decidedUntil, next, soughtUntil } = schedule;
  const { taken, buffered, unended, runs, failures, backfill, catchUp, counts, recent, paged, changes } = schedule;
  return {
    ...{ tenant, id, name, version, revision, createdAt, updatedAt, incarnation, spec, decidedUntil, next, soughtUntil },
    ...{ taken, buffered, unended, runs, failures, backfill, catchUp, counts, recent, paged, changes },
  };
}

/** In the state that its fields mean: a paused one stays paused, an active one may be finished. */
export function onWheel(fields: Standing | (Fields & { state?: Standing["state"] }), facts: ScheduleFacts): Standing {
  if (fields.state !== "paused") return onWheelActive(fields, facts);
  const { pausedAt, because, pausedUntil: until, reason } = fields as Paused;
  return pausedOf(fields, { until, reason, because, at: pausedAt }, facts);
}

export function onWheelActive(fields: Fields, facts: ScheduleFacts): Active | Finished {
  const { next, soughtUntil, taken, buffered, backfill } = fields;
  const owesMore = (next !== null || soughtUntil !== null) && !isSpent(fields);
  if (owesMore || taken !== null || buffered.length > 0 || backfill !== null) return activeOf(fields, facts);
  return { ...restOf(fields), state: "finished", ...placed(later(facts.now, scheduleBounds.restLookEveryMs), facts) };
}

export function activeOf(fields: Fields, facts: ScheduleFacts): Active {
  const { next, soughtUntil, taken, buffered, backfill, spec, decidedUntil } = fields;
  const { lookEveryMs, bufferLookMs, backfillStepMs } = scheduleBounds;
  const { now, takeLeadMs } = facts;
  const wakes = [later(now, lookEveryMs)];
  if (taken !== null) wakes.push(now);
  if (buffered.length > 0) wakes.push(later(now, bufferLookMs));
  if (backfill !== null) wakes.push(later(now, backfillStepMs));
  if (!isSpent(fields)) {
    if (next !== null) wakes.push(takeAtOf({ spec, next, decidedUntil }, takeLeadMs));
    // Not before a second has passed, so that a search in vain does not spin.
    else if (soughtUntil !== null) wakes.push(laterOf(soughtUntil, later(now, backfillStepMs)));
  }
  return { ...restOf(fields), state: "active", ...placed(toEpochMs(Math.min(...wakes)), facts) };
}

type Pausing = PauseWish & { readonly because: PauseBecause; readonly at: EpochMs };

export function pausedOf(fields: Fields, { until, reason, because, at }: Pausing, facts: ScheduleFacts): Paused {
  const restAt = later(facts.now, scheduleBounds.restLookEveryMs);
  const wakeAt = fields.taken !== null ? facts.now : until === null ? restAt : toEpochMs(Math.min(until, restAt));
  return { ...restOf(fields), state: "paused", pausedAt: at, because, pausedUntil: until, reason, ...placed(wakeAt, facts) };
}

function placed(wakeAt: EpochMs, { hintBefore }: ScheduleFacts) {
  return { wakeAt, hinted: wakeAt < hintBefore };
}
