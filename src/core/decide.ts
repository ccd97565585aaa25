/**
 * What a schedule does next: the one place that judges an occurrence. Pure: the same record, rule, instant and knowledge of its jobs give
 * the same answer, whoever asks.
 */

import { type Agenda, excludedEntry, followingOf, owedFor, owedFrom, takeAtOf } from "./agenda.ts";
import type { Happened, OccurrenceBecause } from "./occurrence.ts";
import { type Active, type MisfirePolicy, type Owed, type Recovery, scheduleBounds } from "./schedule.ts";
import { type EpochMs, laterOf } from "./time.ts";

export type Decision =
  /** Nothing to do until the instant at which the schedule stands on the wheel. */
  | { readonly kind: "rest" }
  /** Its time to be looked at has come, and nothing is owed: it moves on. */
  | { readonly kind: "look" }
  /** Whether it overlaps is known at its instant and not before: the job before it has not ended yet. */
  | { readonly kind: "wait"; readonly until: EpochMs }
  /** What the rule yields has changed under it: another occurrence follows. */
  | { readonly kind: "replan"; readonly entries: readonly Happened[] }
  /** Occurrences up to a nominal instant fire no job, and are on record. */
  | { readonly kind: "pass"; readonly entries: readonly Happened[]; readonly until: EpochMs }
  /** These fire. `entries` has what was excluded before them, and their own. */
  | { readonly kind: "take"; readonly entries: readonly Happened[]; readonly owed: readonly Owed[] }
  /** It waits for the job before it to end. */
  | { readonly kind: "buffer"; readonly entries: readonly Happened[]; readonly owed: Owed }
  /** The first that waits fires now. */
  | { readonly kind: "start"; readonly owed: Owed; readonly entries: readonly Happened[] };

export type Look = {
  readonly now: EpochMs;
  readonly takeLeadMs: number;
  /** Whether a job of the rule has not ended yet. */
  readonly isBusy: boolean;
};

export function decide(schedule: Active, agenda: Agenda, look: Look): Decision {
  const { next, buffered, soughtUntil } = schedule;
  const [first] = buffered;
  if (first !== undefined && !look.isBusy) return { kind: "start", owed: first, entries: [fired(first, "buffered")] };
  if (isSpent(schedule)) return restOrLook(schedule, look);
  if (next === null) {
    return soughtUntil !== null && soughtUntil <= look.now ? { kind: "look" } : restOrLook(schedule, look);
  }
  const changed = replanOf(schedule, next, agenda);
  if (changed !== undefined) return changed;
  if (takeAtOf({ ...schedule, next }, look.takeLeadMs) > look.now) return restOrLook(schedule, look);
  return judge(schedule, next, agenda, look);
}

/** Whether the rule has fired as often as it may, with those that wait. */
export function isSpent({ spec, runs, buffered }: Pick<Active, "spec" | "runs" | "buffered">): boolean {
  return spec.maxRuns !== null && runs + buffered.length >= spec.maxRuns;
}

function restOrLook(schedule: Active, { now }: Look): Decision {
  return { kind: schedule.wakeAt <= now ? "look" : "rest" };
}

/** What an edit or a resume kept pending is not the rule's to confirm. */
function replanOf({ decidedUntil }: Active, next: Owed, agenda: Agenda): Decision | undefined {
  if (next.nominalAt <= decidedUntil) return undefined;
  const { next: expected, soughtUntil } = followingOf(agenda, decidedUntil);
  if (expected?.nominalAt === next.nominalAt && expected.dueAt === next.dueAt) return undefined;
  // A search that was given up before it came there says nothing against it.
  const isUnsure = soughtUntil !== null && soughtUntil <= next.nominalAt;
  if (isUnsure && owedFor(agenda, next.nominalAt)?.dueAt === next.dueAt) return undefined;
  const around = { after: (next.nominalAt - 1) as EpochMs, before: (next.nominalAt + 1) as EpochMs };
  // An exception that came since is counted as what it is when its time has passed.
  if (owedFor(agenda, next.nominalAt) !== undefined || excludedEntry(agenda, around) !== undefined) return { kind: "replan", entries: [] };
  return { kind: "replan", entries: [entryOf([next], "dropped", "zone_changed")] };
}

/** The occurrence's time has come. What exceptions left out before it is counted first, some thousand at a time. */
function judge(schedule: Active, next: Owed, agenda: Agenda, look: Look): Decision {
  const { decidedUntil } = schedule;
  const { owed: late, complete } = owedFrom(agenda, next, laterOf(next.nominalAt, decidedUntil), look.now);
  const verdict: Verdict = late.length === 0 ? { fires: true, because: "due" } : verdictOf(schedule, late, complete, look);
  const through = verdict.fires ? next : (late[verdict.passed - 1] ?? next);
  const excluded = excludedEntry(agenda, { after: decidedUntil, before: through.nominalAt });
  if (excluded !== undefined && !excluded.complete) return { kind: "pass", entries: [excluded.entry], until: excluded.entry.lastAt };
  const entries = excluded === undefined ? [] : [excluded.entry];
  if (!verdict.fires) {
    const passed = late.slice(0, verdict.passed);
    return { kind: "pass", entries: [...entries, entryOf(passed, verdict.state, verdict.because)], until: through.nominalAt };
  }
  return occurs(schedule, next, verdict.because, entries, look);
}

/** An occurrence that is to be fired, where the job before it lets it. */
function occurs(
  { spec, buffered }: Active,
  owed: Owed,
  because: OccurrenceBecause,
  before: readonly Happened[],
  { isBusy, now }: Look,
): Decision {
  const take: Decision = { kind: "take", owed: [owed], entries: [...before, fired(owed, because)] };
  const pass = (state: "skipped" | "dropped", why: OccurrenceBecause): Decision => ({
    kind: "pass",
    entries: [...before, entryOf([owed], state, why)],
    until: owed.nominalAt,
  });
  if (isBusy && spec.overlap !== "allow" && now < owed.dueAt) return { kind: "wait", until: owed.dueAt };
  switch (spec.overlap) {
    case "allow":
    case "replace":
      return take;
    case "skip":
      return isBusy ? pass("skipped", "overlap") : take;
    case "buffer_one":
    case "buffer_all": {
      if (!isBusy && buffered.length === 0) return take;
      const max = spec.overlap === "buffer_one" ? 1 : scheduleBounds.bufferMax;
      return buffered.length < max ? { kind: "buffer", owed, entries: before } : pass("dropped", "buffer_full");
    }
  }
}

type Verdict =
  | { readonly fires: true; readonly because: "due" | "late" }
  /** The first so many of those that are late do not fire, all for the same reason. */
  | { readonly fires: false; readonly passed: number; readonly state: "missed" | "skipped"; readonly because: OccurrenceBecause };

/** Of one or more occurrences that are due: what becomes of the first, and of those after it that meet the same. */
function verdictOf(schedule: Active, late: readonly Owed[], complete: boolean, look: Look): Verdict {
  const { catchUp } = schedule;
  const inPause = catchUp === null ? 0 : countWhile(late, ({ dueAt }) => dueAt < catchUp.before);
  if (catchUp !== null && inPause > 0) {
    const isAll = inPause < late.length || complete;
    const keep = keptOf(late.slice(0, inPause), catchUp.recover, { isAll, max: schedule.spec.misfire.max });
    if (keep === 0) return { fires: true, because: "late" };
    // What fell due before the pause began was missed already.
    const missed = countWhile(late.slice(0, keep), ({ dueAt }) => dueAt < catchUp.pausedAt);
    return { fires: false, passed: missed > 0 ? missed : keep, state: missed > 0 ? "missed" : "skipped", because: "paused" };
  }
  return misfireOf(schedule, late, complete, look);
}

function misfireOf({ spec }: Active, late: readonly Owed[], complete: boolean, { now }: Look): Verdict {
  const { policy, withinMs, max } = spec.misfire;
  const [first] = late;
  if (first === undefined) throw new Error("expected an occurrence to judge, got none");
  const isLast = late.length === 1 && complete;
  if (isLast && now - first.dueAt <= scheduleBounds.missedAfterMs) return { fires: true, because: "due" };
  const tooLate = countWhile(late, ({ dueAt }) => now - dueAt > withinMs);
  if (tooLate > 0) return { fires: false, passed: tooLate, state: "missed", because: "too_late" };
  const keep = keptOf(late, policy, { isAll: complete, max });
  // Skipping lets the last of them fire where it is not late yet.
  const lastAt = late.at(-1)?.dueAt ?? first.dueAt;
  const spared = policy === "skip" && complete && keep === late.length && now - lastAt <= scheduleBounds.missedAfterMs ? 1 : 0;
  if (keep - spared > 0) return { fires: false, passed: keep - spared, state: "missed", because: "misfire" };
  return { fires: true, because: "late" };
}

/** How many of the first ones do not fire by the policy. `isAll`: no more follow that are due; else the newest are yet to be found. */
function keptOf(
  late: readonly Owed[],
  policy: MisfirePolicy | Recovery,
  { isAll, max }: { readonly isAll: boolean; readonly max: number },
): number {
  switch (policy) {
    case "none":
    case "skip":
      return late.length;
    case "latest":
      return isAll ? late.length - 1 : late.length;
    case "all":
      return Math.max(0, late.length - max);
  }
}

function countWhile(late: readonly Owed[], holds: (owed: Owed) => boolean): number {
  const end = late.findIndex((owed) => !holds(owed));
  return end < 0 ? late.length : end;
}

function fired(owed: Owed, because: OccurrenceBecause): Happened {
  return entryOf([owed], "fired", because);
}

/** One entry for occurrences that met the same. */
export function entryOf(owed: readonly Owed[], state: Happened["state"], because: OccurrenceBecause): Happened {
  const [first] = owed;
  const last = owed.at(-1);
  if (first === undefined || last === undefined) throw new Error(`expected occurrences to record as ${state}, got none`);
  return { state, because, firstAt: first.nominalAt, lastAt: last.nominalAt, count: owed.length, offsetMs: first.dueAt - first.nominalAt };
}
