/**
 * How a schedule is written as one compact text and read back, as `jobItem.ts` does for jobs: whole each time, by position. An ordinary one
 * stays below 1 KB in every state, which is one write unit of DynamoDB, and it is written twice for each occurrence. Part of the storage
 * format: a change of it raises `format`.
 */

import type { ChangeId, ScheduleId, TenantId } from "../core/ids.ts";
import type { OccurrenceCounts } from "../core/occurrence.ts";
import type { Backfill, CatchUp, Origin, Owed, PauseBecause, Recovery, Schedule, Taken } from "../core/schedule.ts";
import type { EpochMs } from "../core/time.ts";
import { after, type Since } from "./jobItem.ts";
import { decodeRecent, encodeRecent } from "./recent.ts";
import { atOf, type Perhaps, type StoredSpec, specOf, storedAt, storedSpec, type Usual, usual } from "./specItem.ts";

const format = 1;

/** Instants of occurrences stand as milliseconds since `decidedUntil`: what matters lies around it. */
type SinceDecided = number;
type StoredOwed = readonly [nominalAt: SinceDecided, offsetMs: number];
type StoredTaken = readonly [origin: Origin, owed: readonly StoredOwed[]];
type StoredBackfill = readonly [from: Since, to: Since, goOnAt: Since, total: number, done: number];
type StoredCatchUp = readonly [recover: Recovery, pausedAt: Since, before: Since];
type StoredCounts = readonly [fired: number, skipped: number, missed: number, dropped: number, excluded: number];
type OnWheel = readonly [wakeAt: SinceDecided, hinted: boolean];
type StoredPause = readonly [pausedAt: Since, because: PauseBecause, pausedUntil: Perhaps, reason: string | Usual];
type StoredState =
  | readonly [state: "active", ...OnWheel]
  | readonly [state: "paused", ...OnWheel, ...StoredPause]
  | readonly [state: "finished", ...OnWheel]
  | readonly [state: "deleted", expiresAt: Since];

/** The id is what it is stored under. */
type StoredSchedule = readonly [
  storedFormat: typeof format,
  tenant: TenantId,
  name: string,
  version: number,
  revision: number,
  createdAt: EpochMs,
  updatedAt: Since,
  incarnation: ChangeId,
  spec: StoredSpec,
  decidedUntil: Since,
  next: StoredOwed | Usual,
  soughtUntil: Perhaps,
  taken: StoredTaken | Usual,
  buffered: readonly StoredOwed[],
  unended: readonly SinceDecided[],
  runs: number,
  failures: number,
  backfill: StoredBackfill | Usual,
  catchUp: StoredCatchUp | Usual,
  counts: StoredCounts,
  recent: string,
  paged: number,
  changes: readonly ChangeId[],
  state: StoredState,
];

export function encodeSchedule(schedule: Schedule): string {
  const { tenant, name, version, revision, createdAt, updatedAt, incarnation, decidedUntil, next, soughtUntil, taken } = schedule;
  const { buffered, unended, runs, failures, backfill, catchUp, counts, recent, paged, changes } = schedule;
  const owed = (one: Owed) => storedOwed(one, decidedUntil);
  const stored: StoredSchedule = [
    ...([format, tenant, name, version, revision, createdAt, updatedAt - createdAt, incarnation] as const),
    storedSpec(schedule.spec, createdAt),
    decidedUntil - createdAt,
    next === null ? usual : owed(next),
    storedAt(soughtUntil, createdAt),
    taken === null ? usual : [taken.origin, taken.owed.map(owed)],
    buffered.map(owed),
    unended.map((at) => at - decidedUntil),
    ...([runs, failures, backfill === null ? usual : storedBackfill(backfill, createdAt)] as const),
    catchUp === null ? usual : [catchUp.recover, catchUp.pausedAt - createdAt, catchUp.before - createdAt],
    [counts.fired, counts.skipped, counts.missed, counts.dropped, counts.excluded],
    encodeRecent(recent, createdAt),
    ...([paged, changes, storedState(schedule)] as const),
  ];
  return JSON.stringify(stored);
}

/** The schedule that {@link encodeSchedule} wrote. Throws where the text is of another format. */
export function decodeSchedule(text: string, id: ScheduleId): Schedule {
  const stored = JSON.parse(text) as StoredSchedule;
  const [storedFormat, tenant, name, version, revision, createdAt, updatedAt, incarnation, spec, decidedSince, next, soughtUntil] = stored;
  const [, , , , , , , , , , , , taken, buffered, unended, runs, failures, backfill, catchUp, counts, recent, paged, changes, state] =
    stored;
  if (storedFormat !== format) throw new Error(`expected a schedule of format ${format}, got ${JSON.stringify(storedFormat)}`);
  const decidedUntil = after(decidedSince, createdAt);
  const owed = (one: StoredOwed) => owedOf(one, decidedUntil);
  return {
    ...{ tenant, id, name, version, revision, createdAt, updatedAt: after(updatedAt, createdAt), incarnation },
    spec: specOf(spec, createdAt),
    ...{ decidedUntil, next: next === usual ? null : owed(next), soughtUntil: atOf(soughtUntil, createdAt) },
    taken: taken === usual ? null : ({ origin: taken[0], owed: taken[1].map(owed) } satisfies Taken),
    ...{ buffered: buffered.map(owed), unended: unended.map((since) => after(since, decidedUntil)), runs, failures },
    backfill: backfill === usual ? null : backfillOf(backfill, createdAt),
    catchUp: catchUp === usual ? null : catchUpOf(catchUp, createdAt),
    ...{ counts: countsOf(counts), recent: decodeRecent(recent, createdAt), paged, changes },
    ...stateOf(state, createdAt, decidedUntil),
  };
}

function storedBackfill({ from, to, goOnAt, total, done }: Backfill, createdAt: EpochMs): StoredBackfill {
  return [from - createdAt, to - createdAt, goOnAt - createdAt, total, done];
}

function backfillOf([from, to, goOnAt, total, done]: StoredBackfill, createdAt: EpochMs): Backfill {
  return { from: after(from, createdAt), to: after(to, createdAt), goOnAt: after(goOnAt, createdAt), total, done };
}

function catchUpOf([recover, pausedAt, before]: StoredCatchUp, createdAt: EpochMs): CatchUp {
  return { recover, pausedAt: after(pausedAt, createdAt), before: after(before, createdAt) };
}

function countsOf([fired, skipped, missed, dropped, excluded]: StoredCounts): OccurrenceCounts {
  return { fired, skipped, missed, dropped, excluded };
}

function storedState(schedule: Schedule): StoredState {
  const { createdAt, decidedUntil } = schedule;
  switch (schedule.state) {
    case "active":
    case "finished":
      return [schedule.state, schedule.wakeAt - decidedUntil, schedule.hinted];
    case "paused": {
      const { state, wakeAt, hinted, pausedAt, because, pausedUntil, reason } = schedule;
      return [state, wakeAt - decidedUntil, hinted, pausedAt - createdAt, because, storedAt(pausedUntil, createdAt), reason ?? usual];
    }
    case "deleted":
      return [schedule.state, schedule.expiresAt - createdAt];
  }
}

/** The fields that only this state has. */
function stateOf(stored: StoredState, createdAt: EpochMs, decidedUntil: EpochMs) {
  switch (stored[0]) {
    case "active":
    case "finished":
      return { state: stored[0], wakeAt: after(stored[1], decidedUntil), hinted: stored[2] };
    case "paused": {
      const [state, wakeAt, hinted, pausedAt, because, pausedUntil, reason] = stored;
      return {
        ...{ state, wakeAt: after(wakeAt, decidedUntil), hinted, pausedAt: after(pausedAt, createdAt), because },
        ...{ pausedUntil: atOf(pausedUntil, createdAt), reason: reason === usual ? null : reason },
      };
    }
    case "deleted":
      return { state: stored[0], expiresAt: after(stored[1], createdAt) };
  }
}

function storedOwed({ nominalAt, dueAt }: Owed, decidedUntil: EpochMs): StoredOwed {
  return [nominalAt - decidedUntil, dueAt - nominalAt];
}

function owedOf([nominalSince, offsetMs]: StoredOwed, decidedUntil: EpochMs): Owed {
  const nominalAt = after(nominalSince, decidedUntil);
  return { nominalAt, dueAt: after(offsetMs, nominalAt) };
}
