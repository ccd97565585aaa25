/**
 * The schedule: a recurring rule that owes jobs, with what it owes next and what became of its occurrences. One field holds the state, and
 * each state has exactly its own fields. States change only by the functions of `scheduleChange.ts`.
 */

import { type ChangeId, type JobId, jobIdOfOccurrence, type ScheduleId, type TenantId } from "./ids.ts";
import type { Body, Priority } from "./job.ts";
import type { Happened, OccurrenceCounts } from "./occurrence.ts";
import type { WrittenRule } from "./recurrence/rule.ts";
import type { Window } from "./recurrence/window.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Target } from "./target.ts";
import type { EpochMs } from "./time.ts";

/** What to do with an occurrence while the job of the one before it has not ended. */
export const overlaps = ["skip", "buffer_one", "buffer_all", "replace", "allow"] as const;
export type Overlap = (typeof overlaps)[number];

/** Which occurrences are still fired that nobody took in time. */
export const misfirePolicies = ["latest", "all", "skip"] as const;
export type MisfirePolicy = (typeof misfirePolicies)[number];

/** `withinMs`: those that are later are missed, whatever the policy. `max`: of `all`, the newest so many. */
export type Misfire = { readonly policy: MisfirePolicy; readonly withinMs: number; readonly max: number };

/** What a resume does about the occurrences that fell into the pause. */
export const recoveries = ["none", "latest", "all"] as const;
export type Recovery = (typeof recoveries)[number];

/** What each job of the schedule is made of. */
export type JobTemplate = {
  readonly target: Target;
  readonly body: Body | null;
  readonly timeoutMs: number;
  /** No attempt starts later than this after the job is due; null where there is no such bound. */
  readonly expireAfterMs: number | null;
  readonly retry: RetryPolicy;
  readonly priority: Priority;
  readonly labels: Readonly<Record<string, string>>;
};

/** What a caller wrote of a schedule, every default filled in. `paused` is no part of it: that is a state. */
export type ScheduleSpec = {
  readonly when: WrittenRule["when"];
  readonly except: NonNullable<WrittenRule["except"]>;
  readonly startAt: EpochMs | null;
  readonly endAt: EpochMs | null;
  readonly window: Window | null;
  readonly job: JobTemplate;
  readonly overlap: Overlap;
  readonly misfire: Misfire;
  /** The schedule is finished when it has fired so often. */
  readonly maxRuns: number | null;
  /** It pauses itself when so many of its jobs failed in a row. */
  readonly pauseAfterFailures: number | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The named set that it was written with; null where it stands alone. */
  readonly set: string | null;
};

/** An occurrence that is owed: when the rule says, and when its call is due, a place in the window later. */
export type Owed = { readonly nominalAt: EpochMs; readonly dueAt: EpochMs };

/**
 * How a job came of a schedule. "rule": of an occurrence, also a backfilled one, so that no nominal instant has two jobs. "trigger": of a
 * call, beside the rule.
 */
export type Origin = "rule" | "trigger";

/**
 * Occurrences whose jobs may be in the store already, or not: whoever meets the schedule puts them there before anything else of it
 * changes. Taking them is the one commit that decides that they fire.
 */
export type Taken = { readonly origin: Origin; readonly owed: readonly Owed[] };

/** Instants of the past, being fired some at a time. */
export type Backfill = {
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
  /** Every instant before it has been seen to. */
  readonly goOnAt: EpochMs;
  readonly total: number;
  readonly done: number;
};

/** Occurrences that fell due before `before` and are judged by a resume's wish instead of the misfire policy. */
export type CatchUp = { readonly recover: Recovery; readonly pausedAt: EpochMs; readonly before: EpochMs };

type ScheduleBase = {
  readonly tenant: TenantId;
  readonly id: ScheduleId;
  readonly name: string;
  /** Raised by one with every commit; a commit holds only for the version it saw. */
  readonly version: number;
  /** Raised by what callers change, and not by what fires: callers compare it. */
  readonly revision: number;
  readonly createdAt: EpochMs;
  /** When a caller last changed it. */
  readonly updatedAt: EpochMs;
  /** Part of its jobs' ids: a schedule that is made anew under the same name has other jobs. */
  readonly incarnation: ChangeId;
  readonly spec: ScheduleSpec;
  /** Up to this nominal instant, inclusive, every occurrence is decided and on record. */
  readonly decidedUntil: EpochMs;
  /** The occurrence that follows; null while none is known. */
  readonly next: Owed | null;
  /** Nothing follows before this instant, and what comes after it is yet to be sought; null where `next` is known or nothing follows. */
  readonly soughtUntil: EpochMs | null;
  readonly taken: Taken | null;
  /** Occurrences that wait for the job before them to end, oldest first. */
  readonly buffered: readonly Owed[];
  /** Nominal instants of the rule's jobs that had not ended when they were last looked at: oldest first, the last `scheduleBounds.unendedMax`. */
  readonly unended: readonly EpochMs[];
  /** How often the rule has fired, which `maxRuns` bounds. */
  readonly runs: number;
  /** Jobs of the rule that failed in a row, as far as is known. */
  readonly failures: number;
  readonly backfill: Backfill | null;
  readonly catchUp: CatchUp | null;
  readonly counts: OccurrenceCounts;
  /** What became of the last occurrences, oldest first. Older ones lie in pages beside the item. */
  readonly recent: readonly Happened[];
  /** Entries that have left `recent` for pages. */
  readonly paged: number;
  /** The names of the last commits: a writer that lost the reply finds its own change among them. */
  readonly changes: readonly ChangeId[];
};

/** Where a schedule stands on the wheel: among the jobs that it makes, a little before they are due. */
type OnWheel = { readonly wakeAt: EpochMs; readonly hinted: boolean };

/** The schedule is active: it fires. Next: paused, finished, or deleted. */
export type Active = ScheduleBase & OnWheel & { readonly state: "active" };

/** Who paused it: a caller, or the schedule itself, after `pauseAfterFailures` or where its rule cannot be read any more. */
export const pauseBecauses = ["paused", "failures", "unreadable"] as const;
export type PauseBecause = (typeof pauseBecauses)[number];

/** The schedule is paused: its occurrences pass. Next: active, by a call or when the pause ends; or deleted. */
export type Paused = ScheduleBase &
  OnWheel & {
    readonly state: "paused";
    readonly pausedAt: EpochMs;
    readonly because: PauseBecause;
    /** When it resumes by itself; null where it does not. */
    readonly pausedUntil: EpochMs | null;
    readonly reason: string | null;
  };

/** The schedule is finished: no occurrence follows. An edit may bring it back. */
export type Finished = ScheduleBase & OnWheel & { readonly state: "finished" };

/** The schedule is deleted. Final, and absent at once: its name is free. */
export type Deleted = ScheduleBase & { readonly state: "deleted"; readonly expiresAt: EpochMs };

export type Standing = Active | Paused | Finished;
export type Schedule = Standing | Deleted;

/** The job that an occurrence has, or would have: the same wherever it is computed, so that a second insert finds the first. */
export function jobIdOf(schedule: Pick<Schedule, "id" | "incarnation">, origin: Origin, nominalAt: EpochMs): JobId {
  return jobIdOfOccurrence(schedule, origin, nominalAt);
}

/** Whether it matters to the schedule when a job of its ends: at the next occurrence at the latest. */
export function countsJobs({ overlap, pauseAfterFailures }: ScheduleSpec): boolean {
  return overlap !== "allow" || pauseAfterFailures !== null;
}

/** Whether it is to be told at once. */
export function hearsOfEnds({ overlap, pauseAfterFailures }: ScheduleSpec): boolean {
  return overlap === "buffer_one" || overlap === "buffer_all" || pauseAfterFailures !== null;
}

/** The bounds of a schedule, each with its reason. */
export const scheduleBounds = {
  /** A name is a path segment, and a header's value. */
  nameCharsMax: 128,
  /** As many occurrences as anyone wants to see start at once when an endpoint is free again. */
  bufferMax: 100,
  /** More than these are running together only where nobody counts them. */
  unendedMax: 100,
  misfireWithinMsDefault: 3_600_000,
  misfireWithinMsMin: 1_000,
  /** As long as ended jobs are kept by default. */
  misfireWithinMsMax: 30 * 86_400_000,
  misfireMaxDefault: 100,
  /** Bounds the flood after an outage, and the work of one look at what was missed. */
  misfireMaxMax: 1_000,
  /** Met later than this, an occurrence was missed and is the misfire policy's; sooner, it fires late. */
  missedAfterMs: 60_000,
  /** Occurrences that one look at a past may decide. */
  lookMax: 2_000,
  maxRunsMax: 1_000_000_000,
  pauseAfterFailuresMax: 100,
  reasonCharsMax: 255,
  /** Ten thousand calls of the past are some minutes of work; more is a mistake in the range more often than a wish. */
  backfillMax: 10_000,
  /** Backfilled at once, and then no more for a while: beside the rule, not in its way. */
  backfillStep: 20,
  backfillStepMs: 1_000,
  /** Each pass over a schedule decides at most so much, and hands the rest on: others wait beside it. */
  stepsPerMeeting: 20,
  /** A commit's name is kept while an SDK may still repeat the write. */
  changesKept: 6,
  /** Shown in the answer; each is some ten bytes of the item. */
  recentShown: 10,
  /** Entries move to a page so many at a time: one write for twenty occurrences. */
  pageEntries: 20,
  /** A schedule is looked at each day, so that a change of the zone data is met before it makes a call late. */
  lookEveryMs: 86_400_000,
  /** One that fires no more is only looked at to keep its body alive. */
  restLookEveryMs: 180 * 86_400_000,
  /** A job's end wakes the schedule that waits for it; this is for the wake that was lost. */
  bufferLookMs: 60_000,
  /** Until when a template's body is kept, from the last look that wrote it. */
  bodyKeptMs: 400 * 86_400_000,
  /** Schedules of one set: what one request can write in time. */
  setMax: 500,
} as const;
