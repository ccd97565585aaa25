/** What became of an occurrence, or of a stretch of them: one record each, never one for each miss. */

import type { EpochMs } from "./time.ts";

/** "pending" is none of them: what is owed is no record yet. */
export const happenings = ["fired", "skipped", "missed", "dropped", "excluded"] as const;
export type Happening = (typeof happenings)[number];

/** Why. Closed: it is shown to callers, and counted. */
export const occurrenceBecauses = [
  /** fired in its time */
  "due",
  /** fired late, as the misfire policy or a resume wishes */
  "late",
  /** fired when the job before it had ended */
  "buffered",
  /** fired by a call, beside the rule */
  "triggered",
  /** fired by a call for instants of the past */
  "backfilled",
  /** skipped: the job before it had not ended */
  "overlap",
  /** skipped or missed: it fell into a pause */
  "paused",
  /** missed: the misfire policy lets only the latest, or none, through */
  "misfire",
  /** missed: later than the misfire policy allows */
  "too_late",
  /** dropped: as many wait already as may */
  "buffer_full",
  /** dropped: it was pending, and the rule that an edit brought does not have it */
  "edited",
  /** excluded: an exception of the rule covers it */
  "exception",
  /** dropped: the rule has it no more, for the data of its time zone changed; what it has instead follows */
  "zone_changed",
] as const;
export type OccurrenceBecause = (typeof occurrenceBecauses)[number];

/** One occurrence, or `count` of them from the first nominal instant to the last, which all met the same. */
export type Happened = {
  readonly state: Happening;
  readonly because: OccurrenceBecause;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly count: number;
  /** How long after the nominal instant of the first its call was due. */
  readonly offsetMs: number;
};

/** Whether it fired as the rule's own, and not beside it. */
export function isOfRule({ state, because }: Happened): boolean {
  return state === "fired" && because !== "triggered" && because !== "backfilled";
}

export type OccurrenceCounts = Readonly<Record<Happening, number>>;

export const noCounts: OccurrenceCounts = { fired: 0, skipped: 0, missed: 0, dropped: 0, excluded: 0 };

export function withCount(counts: OccurrenceCounts, { state, count }: Happened): OccurrenceCounts {
  return { ...counts, [state]: counts[state] + count };
}

/** The log with one more entry. What met the same as the one before it, and fired no job, lengthens that one. */
export function withEntry(log: readonly Happened[], entry: Happened): readonly Happened[] {
  const last = log.at(-1);
  const goesOn = last !== undefined && last.state === entry.state && last.because === entry.because && entry.firstAt > last.lastAt;
  if (!goesOn || entry.state === "fired") return [...log, entry];
  return [...log.slice(0, -1), { ...last, lastAt: entry.lastAt, count: last.count + entry.count }];
}
