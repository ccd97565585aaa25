/** A schedule's log over its changes: it only grows, what leaves the item lies in its page by then, and the counts are its sums. */

import { type Happened, type Happening, happenings } from "../../../src/core/occurrence.ts";
import { type Schedule, scheduleBounds } from "../../../src/core/schedule.ts";
import type { EpochMs } from "../../../src/core/time.ts";

export type Log = readonly Happened[];

/** What one change added. `after`: where it lengthens the entry before it, that entry's last nominal instant; else null, and `firstAt` is its first. */
export type Entry = Happened & { readonly after: EpochMs | null };

export type Growth = { readonly log: Log; readonly entries: readonly Entry[] };

/** A text where the log is not what it must be. `page`: what the last page of the log holds when the change is written. */
export function grown(log: Log, before: Schedule | undefined, after: Schedule, page: string | undefined): Growth | string {
  const kept = log.slice(0, before?.paged ?? 0);
  const moved = after.paged - kept.length;
  if (moved !== 0 && moved !== scheduleBounds.pageEntries) return `${moved} entries have left it at once`;
  const left = moved === 0 ? [] : readPage(page);
  if (left.length !== moved) return `${moved} entries have left it, and their page holds ${left.length}`;
  const now: Log = [...kept, ...left, ...after.recent];
  const last = log.at(-1);
  const unchanged = log.slice(0, -1).findIndex((entry, index) => !isSame(entry, now[index]));
  if (unchanged >= 0 || now.length < log.length) return `entry ${unchanged} of its log is gone`;
  const lengthened = last === undefined ? undefined : lengthening(last, now[log.length - 1]);
  if (lengthened === "another") return "the last entry of its log was written over";
  const entries = [...(lengthened === undefined ? [] : [lengthened]), ...now.slice(log.length).map((entry) => ({ ...entry, after: null }))];
  return countsWrong(before, after, entries) ?? { log: now, entries };
}

function lengthening(last: Happened, now: Happened | undefined): Entry | undefined | "another" {
  if (now === undefined || now.firstAt !== last.firstAt || now.state !== last.state || now.because !== last.because) return "another";
  if (isSame(last, now)) return undefined;
  return { ...now, count: now.count - last.count, after: last.lastAt };
}

function isSame(a: Happened, b: Happened | undefined): boolean {
  return b !== undefined && (Object.keys(a) as (keyof Happened)[]).every((key) => a[key] === b[key]);
}

function countsWrong(before: Schedule | undefined, after: Schedule, entries: readonly Entry[]): string | undefined {
  const sum = (state: Happening) => entries.reduce((total, entry) => total + (entry.state === state ? entry.count : 0), 0);
  const wrong = happenings.find((state) => after.counts[state] !== (before?.counts[state] ?? 0) + sum(state));
  return wrong === undefined ? undefined : `it counts ${after.counts[wrong]} ${wrong}, which is not what its log says`;
}

function readPage(page: string | undefined): Log {
  const rows = JSON.parse(page ?? "[]") as readonly (readonly [Happened["state"], Happened["because"], EpochMs, EpochMs, number, number])[];
  return rows.map(([state, because, firstAt, lastAt, count, offsetMs]) => ({ state, because, firstAt, lastAt, count, offsetMs }));
}
