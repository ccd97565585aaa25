/** That schedules go on: with faults off each is met when its time has come, what it took is done, and what that costs is bounded by what it does. */

import type { Schedule } from "../../../src/core/schedule.ts";
import { formatInstant, minuteMs, secondMs } from "../../../src/core/time.ts";
import type { Capacity } from "../house.ts";
import type { World } from "../world.ts";
import type { Chronicle, Violation } from "./chronicle.ts";
import { takenWithinMs } from "./progress.ts";
import type { Term, Terms } from "./terms.ts";

/** I23, I24: what stands on the wheel is met in time, and so is each occurrence that is due. */
export function schedulesAreMet({ terms }: Terms, chronicle: Chronicle, world: World, capacity: Capacity): Violation[] {
  const boundMs = takenWithinMs(chronicle, world, capacity);
  return terms.flatMap((term) =>
    term.changes.flatMap(({ at, after }, index) => {
      const owed = owedAtOf(after);
      if (owed === undefined) return [];
      const from = Math.max(at, owed.at, chronicle.calmAt);
      const until = term.changes[index + 1]?.at ?? chronicle.endedAt;
      if (until <= from + boundMs) return [];
      const message = `${term.name} version ${after.version} ${owed.what} at ${formatInstant(owed.at)}, and for ${until - from} ms nobody met it, expected ${Math.round(boundMs)} at most`;
      return [{ invariant: "I24", message }];
    }),
  );
}

function owedAtOf(schedule: Schedule): { readonly at: Schedule["createdAt"]; readonly what: string } | undefined {
  if (schedule.state === "deleted") return undefined;
  if (schedule.state === "paused" && schedule.pausedUntil !== null) return { at: schedule.pausedUntil, what: "was to resume by itself" };
  const { next, spec, runs, buffered } = schedule;
  const isSpent = spec.maxRuns !== null && runs + buffered.length >= spec.maxRuns;
  if (schedule.state === "active" && next !== null && !isSpent && next.dueAt < schedule.wakeAt)
    return { at: next.dueAt, what: "had an occurrence due" };
  return { at: schedule.wakeAt, what: "stood on the wheel" };
}

/** At its instant: a read of its jobs, and the commit. */
const verdictMs = 100;

/**
 * I28: on a good day an occurrence is taken before it is due, where the schedule has stood so for some seconds; and at its instant where
 * it depends on a job that might still end.
 */
export function takenBeforeDue({ terms }: Terms, { weather, params }: World): Violation[] {
  // Where a shard takes no writes, its schedules stand still until it does.
  if (!weather.punctual || weather.overload || weather.only === "shard") return [];
  return terms.flatMap(({ name, changes }) =>
    changes.flatMap(({ at, taken, entries, after, busy, lastEndAt, wish }, index) => {
      const owed = taken?.owed[0];
      const stoodSince = changes[index - 1]?.at ?? at;
      if (owed === undefined || entries.at(-1)?.because !== "due" || stoodSince > owed.dueAt - 10 * secondMs) return [];
      const waits = wish.overlap !== "allow" && (busy.length > 0 || lastEndAt > owed.dueAt - params.takeLeadMs - secondMs);
      if (at <= owed.dueAt + (waits ? verdictMs : 0)) return [];
      const message = `${name} version ${after.version}: ${formatInstant(owed.nominalAt)} was taken ${at - owed.dueAt} ms after it was due`;
      return [{ invariant: "I28", message }];
    }),
  );
}

/** What waits for a job to end starts when it has, though nobody told of it. */
export function bufferedStart({ terms }: Terms, chronicle: Chronicle, world: World, capacity: Capacity): Violation[] {
  // A look each minute.
  const boundMs = takenWithinMs(chronicle, world, capacity) + minuteMs;
  return terms.flatMap((term) =>
    term.changes.flatMap(({ at, after }, index) => {
      if (after.state !== "active" || after.buffered.length === 0 || after.taken !== null) return [];
      const until =
        term.changes.slice(index).find((change) => isStopped(change.after) || first(change.after) !== first(after))?.at ??
        chronicle.endedAt;
      const counted = [...term.jobs.values()].filter(({ isCounted, version }) => isCounted && version <= after.version);
      const freeAt = Math.max(at, chronicle.calmAt, ...counted.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY));
      if (until <= freeAt + boundMs) return [];
      return [{ invariant: "I23", message: `${term.name} version ${after.version}: what waited did not start for ${until - freeAt} ms` }];
    }),
  );
}

const first = ({ buffered }: Schedule) => buffered[0]?.nominalAt;
/** In a pause nothing starts. */
const isStopped = ({ state }: Schedule) => state === "paused" || state === "deleted";

/** For each thing that a schedule does, and for each question: its commits, with those that had to be made again. */
const changesPerEntry = 4;
const changesPerMinute = 3;

/** One record for a stretch of misses, and never one write for each. */
export function changesAreBounded({ terms }: Terms, { exchanges, endedAt }: Chronicle): Violation[] {
  return terms.flatMap((term) => {
    const asked = exchanges.filter(({ asked: one }) => "name" in one && one.name === term.name).length;
    const minutes = ((term.changes.at(-1)?.at ?? endedAt) - term.createdAt) / minuteMs;
    const done = term.log.length + term.changes.reduce((sum, { buffered }) => sum + buffered.length, 0);
    const most = 20 + changesPerEntry * done + 10 * asked + changesPerMinute * minutes + backfillSteps(term);
    if (term.changes.length <= most) return [];
    return [
      { invariant: "bounded work", message: `${term.name} was changed ${term.changes.length} times, expected at most ${Math.round(most)}` },
    ];
  });
}

function backfillSteps({ changes }: Term): number {
  return 2 * changes.filter(({ after }) => after.backfill !== null).length;
}

/** With faults off no question goes without an answer. */
export function calmDesksAnswer(terms: Terms, { exchanges, calmAt }: Chronicle): Violation[] {
  if (terms.terms.length === 0) return [];
  return exchanges.flatMap(({ op, asked, askedAt, told }) => {
    if (askedAt < calmAt + 10 * secondMs || told.kind !== "unavailable") return [];
    return [{ invariant: "desks answer", message: `op ${op} (${asked.what}) had no answer though nothing was wrong` }];
  });
}
