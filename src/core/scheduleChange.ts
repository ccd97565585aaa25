/**
 * Every change of a schedule there is, each a pure function to a value that a store writes under one condition. What fires is decided by one
 * commit (`take`); its jobs are inserted after it, and only `settleTaken` clears what was taken. Whoever wants to change a schedule that has
 * something taken inserts the jobs first.
 */

import { type Agenda, type Following, followingOf } from "./agenda.ts";
import { entryOf } from "./decide.ts";
import type { ChangeId, ScheduleId, TenantId } from "./ids.ts";
import { limits } from "./limits.ts";
import { type Happened, noCounts, withCount, withEntry } from "./occurrence.ts";
import {
  type Active,
  type Backfill,
  countsJobs,
  type Deleted,
  type Finished,
  type Origin,
  type Owed,
  type PauseBecause,
  type Paused,
  type Recovery,
  type Schedule,
  type ScheduleSpec,
  type Standing,
  scheduleBounds,
} from "./schedule.ts";
import { activeOf, type Fields, onWheel, onWheelActive, type PauseWish, pausedOf, restOf, type ScheduleFacts } from "./standing.ts";
import { type EpochMs, later, laterOf } from "./time.ts";

export type ScheduleBecause =
  | ("took" | "settled" | "passed" | "buffered" | "looked" | "replanned" | "paused" | "resumed" | "edited" | "deleted")
  | ("triggered" | "backfilling" | "backfilled" | "failures");

/** One change of one schedule. It holds only while the stored version is `from.version`. */
export type ScheduleChange<To extends Schedule = Schedule> = {
  readonly from: Standing;
  readonly to: To;
  readonly because: ScheduleBecause;
  readonly change: ChangeId;
  /** What became of occurrences by this change. */
  readonly entries: readonly Happened[];
  /** Older entries that leave the item by it: they must lie in their page before it is written. */
  readonly page: LogPage | null;
};

export type LogPage = { readonly number: number; readonly entries: readonly Happened[] };

export type NewSchedule = {
  readonly tenant: TenantId;
  readonly id: ScheduleId;
  readonly name: string;
  readonly spec: ScheduleSpec;
  readonly agenda: Agenda;
  readonly pause: PauseWish | null;
};

/** An occurrence at the very instant of its creation is owed; none before it is. */
export function createSchedule({ agenda, pause, ...given }: NewSchedule, facts: ScheduleFacts): Standing {
  const { now, change } = facts;
  const decidedUntil = later(now, -1);
  const fields: Fields = {
    ...given,
    ...{ version: 1, revision: 1, createdAt: now, updatedAt: now, incarnation: change, decidedUntil, ...followingOf(agenda, decidedUntil) },
    ...{ taken: null, buffered: [], unended: [], runs: 0, failures: 0, backfill: null, catchUp: null },
    ...{ counts: noCounts, recent: [], paged: 0, changes: [change] },
  };
  return pause === null ? activeOf(fields, facts) : pausedOf(fields, { ...pause, because: "paused", at: now }, facts);
}

/** What a meeting knows of the rule's jobs: which have ended, and how many of the last failed in a row. */
export type Ended = { readonly unended: readonly EpochMs[]; readonly failures: number };

/** These fire: from here on nothing stops them, and their jobs are yet to be inserted. It stays where it is on the wheel. */
export function take(
  schedule: Active,
  { owed, entries, agenda, ended }: { owed: readonly Owed[]; entries: readonly Happened[]; agenda: Agenda; ended: Ended },
  facts: ScheduleFacts,
): ScheduleChange<Active> {
  const decidedUntil = laterOf(schedule.decidedUntil, owed.at(-1)?.nominalAt ?? schedule.decidedUntil);
  return change(schedule, "took", facts, entries, {
    ...schedule,
    ...ended,
    ...{ decidedUntil, ...followingOf(agenda, decidedUntil), runs: schedule.runs + owed.length },
    taken: { origin: "rule", owed },
    unended: withUnended(schedule, ended, owed),
    catchUp: caughtUp(schedule, owed.at(-1)?.dueAt),
  });
}

/** The first that waited fires. */
export function startBuffered(
  schedule: Active,
  { owed, entries, ended }: { owed: Owed; entries: readonly Happened[]; ended: Ended },
  facts: ScheduleFacts,
): ScheduleChange<Active> {
  return change(schedule, "took", facts, entries, {
    ...schedule,
    ...ended,
    ...{ taken: { origin: "rule", owed: [owed] }, buffered: schedule.buffered.slice(1), runs: schedule.runs + 1 },
    unended: withUnended(schedule, ended, [owed]),
  });
}

/** Where nothing depends on when a job ends, none is remembered. */
function withUnended({ spec }: Active, { unended }: Ended, owed: readonly Owed[]): readonly EpochMs[] {
  if (!countsJobs(spec)) return [];
  return [...unended, ...owed.map(({ nominalAt }) => nominalAt)].slice(-scheduleBounds.unendedMax);
}

/** What was taken has its jobs. Where nothing follows, the schedule is finished. */
export function settleTaken(schedule: Standing, facts: ScheduleFacts): ScheduleChange<Standing> {
  return change(schedule, "settled", facts, [], onWheel({ ...schedule, taken: null }, facts));
}

/** Occurrences up to a nominal instant fire no job. */
export function pass(
  schedule: Active | Paused,
  { entries, until, agenda }: { entries: readonly Happened[]; until: EpochMs; agenda: Agenda },
  facts: ScheduleFacts,
): ScheduleChange<Standing> {
  const decidedUntil = laterOf(schedule.decidedUntil, until);
  const last = entries.at(-1);
  const catchUp = last === undefined ? schedule.catchUp : caughtUp(schedule, last.lastAt);
  const fields = { ...schedule, decidedUntil, ...followingOf(agenda, decidedUntil), catchUp };
  return change(schedule, "passed", facts, entries, onWheel(fields, facts));
}

/** It waits for the job before it to end. */
export function buffer(
  schedule: Active,
  { owed, entries, agenda, ended }: { owed: Owed; entries: readonly Happened[]; agenda: Agenda; ended: Ended },
  facts: ScheduleFacts,
): ScheduleChange<Standing> {
  const decidedUntil = laterOf(schedule.decidedUntil, owed.nominalAt);
  const buffered = [...schedule.buffered, owed];
  const fields = { ...schedule, ...ended, decidedUntil, ...followingOf(agenda, decidedUntil), buffered };
  return change(schedule, "buffered", facts, entries, onWheel(fields, facts));
}

/** The rule yields something else than it did: its zone's data or a calendar has changed. */
export function replan(
  schedule: Standing,
  { entries, agenda }: { entries: readonly Happened[]; agenda: Agenda },
  facts: ScheduleFacts,
): ScheduleChange<Standing> {
  return change(schedule, "replanned", facts, entries, onWheel({ ...schedule, ...followed(schedule, agenda) }, facts));
}

/** Nothing happened but that someone looked. */
export function look(schedule: Standing, agenda: Agenda, facts: ScheduleFacts): ScheduleChange<Standing> {
  return change(schedule, "looked", facts, [], onWheel({ ...schedule, ...followed(schedule, agenda) }, facts));
}

/** What is kept pending stays; else what follows is sought anew, from where the last search was given up. */
function followed(schedule: Standing, agenda: Agenda): Following {
  const { next, decidedUntil, soughtUntil } = schedule;
  if (next !== null && next.nominalAt <= decidedUntil) return { next, soughtUntil: null };
  return followingOf(agenda, soughtUntil === null ? decidedUntil : laterOf(decidedUntil, later(soughtUntil, -1)));
}

/** By a caller. */
export function touched({ revision }: Standing, { now }: ScheduleFacts) {
  return { revision: revision + 1, updatedAt: now };
}

/** From here on no occurrence is taken. */
export function pause(
  schedule: Standing,
  { until, reason, because }: PauseWish & { because: PauseBecause },
  facts: ScheduleFacts,
): ScheduleChange<Paused> {
  const at = schedule.state === "paused" ? schedule.pausedAt : facts.now;
  const fields = because === "paused" ? { ...schedule, ...touched(schedule, facts) } : schedule;
  return change(
    schedule,
    because === "failures" ? "failures" : "paused",
    facts,
    [],
    pausedOf(fields, { until, reason, because, at }, facts),
  );
}

/** It fires again. What fell due meanwhile, before `before`, is judged by `recover`. `by`: a pause may end by itself. */
export function resume(
  schedule: Paused,
  { recover, before, agenda, by }: { recover: Recovery; before: EpochMs; agenda: Agenda; by: "caller" | "itself" },
  facts: ScheduleFacts,
): ScheduleChange<Standing> {
  const own = by === "caller" ? touched(schedule, facts) : {};
  const fields = { ...schedule, ...own, ...followed(schedule, agenda), failures: 0 };
  const isBehind = fields.next !== null && fields.next.dueAt < before;
  const catchUp = isBehind ? { recover, pausedAt: schedule.pausedAt, before } : null;
  return change(schedule, "resumed", facts, [], onWheelActive({ ...fields, catchUp }, facts));
}

/** Its name is free at once, also by a clock that is behind as far as it may be. */
export function deleteSchedule(schedule: Standing, facts: ScheduleFacts): ScheduleChange<Deleted> {
  return change(schedule, "deleted", facts, [], {
    ...restOf(schedule),
    state: "deleted",
    expiresAt: later(facts.now, -limits.clockSkewMsMax),
  });
}

/** A call beside the rule. It is looked at at once, so that a job is not inserted hours late where this process dies now. */
export function trigger(schedule: Standing, owed: Owed, facts: ScheduleFacts): ScheduleChange<Standing> {
  const entry = entryOf([owed], "fired", "triggered");
  return change(schedule, "triggered", facts, [entry], atOnce(schedule, { origin: "trigger", owed: [owed] }, facts));
}

/** Instants of the past are to be fired. */
export function beginBackfill(schedule: Active | Finished, backfill: Backfill, facts: ScheduleFacts): ScheduleChange<Standing> {
  return change(schedule, "backfilling", facts, [], onWheel({ ...schedule, backfill }, facts));
}

/** Some of them are fired: those that have no job yet. `backfill` is null after the last. */
export function goOnBackfill(
  schedule: Active,
  { owed, backfill }: { owed: readonly Owed[]; backfill: Backfill | null },
  facts: ScheduleFacts,
): ScheduleChange<Standing> {
  if (owed.length === 0) return change(schedule, "backfilled", facts, [], onWheel({ ...schedule, backfill }, facts));
  const entries = owed.map((one) => entryOf([one], "fired", "backfilled"));
  return change(schedule, "backfilled", facts, entries, atOnce({ ...schedule, backfill }, { origin: "rule", owed }, facts));
}

function atOnce<S extends Standing>(schedule: S, taken: { origin: Origin; owed: readonly Owed[] }, { now }: ScheduleFacts): S {
  // Where it stands already in the past it is found as well, and moving it would cost.
  return schedule.wakeAt <= now ? { ...schedule, taken } : { ...schedule, taken, wakeAt: now, hinted: true };
}

/** The value that a store writes: what became of occurrences is logged and counted in it, and older entries leave for their page. */
export function change<To extends Schedule>(
  from: Standing,
  because: ScheduleBecause,
  facts: ScheduleFacts,
  entries: readonly Happened[],
  to: To,
): ScheduleChange<To> {
  const log = entries.reduce(withEntry, from.recent);
  const { recentShown, pageEntries, changesKept } = scheduleBounds;
  // A page is written before this change is, and for ever: it holds what stands already, whatever becomes of the change.
  const isOld = ({ firstAt, offsetMs }: Happened) => firstAt + offsetMs <= facts.now;
  // What was taken and is yet to be called stays: a pause's answer names it by the item.
  const canPage = from.recent.length > pageEntries && from.recent.slice(0, pageEntries).every(isOld);
  const isFull = log.length >= recentShown + pageEntries && canPage;
  return {
    ...{ from, because, change: facts.change, entries },
    page: isFull ? { number: from.paged / pageEntries, entries: log.slice(0, pageEntries) } : null,
    to: {
      ...to,
      version: from.version + 1,
      changes: [...from.changes, facts.change].slice(-changesKept),
      counts: entries.reduce(withCount, from.counts),
      recent: isFull ? log.slice(pageEntries) : log,
      paged: from.paged + (isFull ? pageEntries : 0),
    },
  };
}

/** A resume's wish is fulfilled when an occurrence at or after its end was decided. */
function caughtUp({ catchUp }: Standing, decidedAt: EpochMs | undefined) {
  return catchUp === null || decidedAt === undefined || decidedAt >= catchUp.before ? null : catchUp;
}
