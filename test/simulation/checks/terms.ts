/**
 * The life of each schedule, from its creation to its deletion, as a row of changes with what each of them did: read from what was stored, in
 * the order in which it happened. A schedule that is made anew under its old name begins another term.
 */

import { jobIdOfOccurrence } from "../../../src/core/ids.ts";
import { isLive, type Job } from "../../../src/core/job.ts";
import type { Happened } from "../../../src/core/occurrence.ts";
import { countsJobs, type Origin, type Owed, type Schedule, type Taken } from "../../../src/core/schedule.ts";
import type { EpochMs } from "../../../src/core/time.ts";
import type { Happening } from "../history.ts";
import type { Wish } from "../schedules/wish.ts";
import type { World } from "../world.ts";
import { type Entry, grown, type Log } from "./scheduleLog.ts";

export type Ruled = Extract<Happening, { kind: "ruled" }>;

/** A job that a schedule has, or should have, from the commit on that took its occurrence. */
export type TermJob = {
  readonly id: string;
  readonly origin: Origin;
  readonly owed: Owed;
  /** The version of the schedule that took it. */
  readonly version: number;
  readonly takenAt: EpochMs;
  /** Whether the schedule remembers it until it has ended. Where nothing depends on that it remembers none, nor those from before. */
  isCounted: boolean;
  readonly overlap: Wish["overlap"];
  insertedAt: EpochMs | undefined;
  endedAt: EpochMs | undefined;
  record: Job | undefined;
  /** Jobs of earlier occurrences that were under way when it was inserted, and not asked to end. */
  beside: readonly TermJob[];
};

export type TermChange = {
  readonly at: EpochMs;
  readonly by: string;
  readonly before: Schedule | undefined;
  readonly after: Schedule;
  /** What is written of it after the change, and before. */
  readonly wish: Wish;
  readonly wishBefore: Wish;
  readonly entries: readonly Entry[];
  /** Occurrences that wait from here on. */
  readonly buffered: readonly Owed[];
  /** Occurrences that this change decided to fire. */
  readonly taken: Taken | null;
  /** Counted jobs that had not ended, and the end of the last that had. */
  readonly busy: readonly TermJob[];
  readonly lastEndAt: number;
  /** Jobs of what was taken before the change that did not stand yet. */
  readonly missing: readonly TermJob[];
};

export type Term = {
  readonly name: string;
  readonly id: string;
  readonly incarnation: string;
  readonly createdAt: EpochMs;
  readonly changes: TermChange[];
  readonly jobs: Map<string, TermJob>;
  readonly wrong: string[];
  log: Log;
};

export type Terms = {
  readonly terms: readonly Term[];
  /** What no term explains. */
  readonly strangers: readonly string[];
};

export function termsOf(world: World): Terms {
  const wishes = wishesOf(world);
  const standing = new Map<string, Term>();
  const terms: Term[] = [];
  const strangers: string[] = [];
  for (const happening of world.history) {
    if (happening.kind === "stored") {
      if (happening.after.schedule !== null) follow(terms, strangers, happening);
      continue;
    }
    if (happening.kind !== "ruled") continue;
    const { after, from } = happening;
    if (from === undefined) {
      const term = termOf(after);
      terms.push(term);
      standing.set(after.id, term);
    }
    const term = standing.get(after.id);
    const wishOf = (schedule: Schedule) => wishes.get(world.truth.contentIn(schedule.spec.job));
    if (term !== undefined) change(term, happening, wishOf);
  }
  return { terms, strangers };
}

function wishesOf({ history }: World): ReadonlyMap<string, Wish> {
  const wishes = new Map<string, Wish>();
  for (const happening of history) {
    if (happening.kind === "asked" && happening.asked.what === "put") wishes.set(happening.asked.wish.content, happening.asked.wish);
  }
  return wishes;
}

function termOf({ name, id, incarnation, createdAt }: Schedule): Term {
  return { name, id, incarnation, createdAt, changes: [], jobs: new Map(), wrong: [], log: [] };
}

function change(term: Term, happening: Ruled, wishOf: (schedule: Schedule) => Wish | undefined): void {
  const { at, by, after, from, page } = happening;
  const before = from === undefined ? undefined : happening.before;
  const wish = wishOf(after);
  const wishBefore = wishOf(before ?? after);
  if (wish === undefined || wishBefore === undefined) {
    term.wrong.push(`version ${after.version} is written as nobody has asked for`);
    return;
  }
  const growth = grown(term.log, before, after, page);
  if (typeof growth === "string") term.wrong.push(`version ${after.version}: ${growth}`);
  else term.log = growth.log;
  const taken = after.taken !== null && before?.taken == null ? after.taken : null;
  const entries = typeof growth === "string" ? [] : growth.entries;
  const waiting = new Set(before?.buffered.map(({ nominalAt }) => nominalAt));
  const counted = [...term.jobs.values()].filter(({ isCounted }) => isCounted);
  const missing = before?.taken == null ? [] : [...term.jobs.values()].filter(({ insertedAt }) => insertedAt === undefined);
  term.changes.push({
    ...{ at, by, before, after, wish, wishBefore, entries, taken, missing },
    buffered: after.buffered.filter(({ nominalAt }) => !waiting.has(nominalAt)),
    busy: counted.filter(({ endedAt }) => endedAt === undefined),
    lastEndAt: Math.max(0, ...counted.map(({ endedAt }) => endedAt ?? 0)),
  });
  if (taken !== null) take(term, taken, { at, after, wish, entries });
}

type Taking = { readonly at: EpochMs; readonly after: Schedule; readonly wish: Wish; readonly entries: readonly Entry[] };

function take(term: Term, { origin, owed }: Taken, { at, after, wish, entries }: Taking): void {
  const isBackfill = entries.some(({ because }) => because === "backfilled");
  if (origin === "rule" && !isBackfill && !countsJobs(after.spec)) for (const job of term.jobs.values()) job.isCounted = false;
  for (const one of owed) {
    const id = jobIdOfOccurrence(after, origin, one.nominalAt);
    if (term.jobs.has(id)) term.wrong.push(`version ${after.version} takes ${one.nominalAt} a second time`);
    term.jobs.set(id, {
      ...{ id, origin, owed: one, version: after.version, takenAt: at, overlap: wish.overlap },
      isCounted: origin === "rule" && !isBackfill && countsJobs(after.spec),
      ...{ insertedAt: undefined, endedAt: undefined, record: undefined, beside: [] },
    });
  }
}

/** A job of a schedule was inserted, or changed. */
function follow(terms: readonly Term[], strangers: string[], { at, after, from }: Extract<Happening, { kind: "stored" }>): void {
  const term = terms.find(({ jobs }) => jobs.has(after.id));
  const job = term?.jobs.get(after.id);
  if (term === undefined || job === undefined) {
    if (from === undefined)
      strangers.push(`${after.id} of ${after.schedule?.name} for ${after.schedule?.nominalAt} was taken by no commit`);
    return;
  }
  if (from === undefined) {
    job.insertedAt = at;
    job.beside = [...term.jobs.values()].filter((other) => other.version < job.version && other.isCounted && isUnderWay(other));
  }
  job.record = after;
  if (!isLive(after)) job.endedAt = at;
}

function isUnderWay({ record }: TermJob): boolean {
  if (record === undefined || !isLive(record)) return false;
  return record.state === "waiting" || record.cancelRequestedAt === null;
}

export function because(entry: Happened): string {
  return `${entry.state} (${entry.because})`;
}
