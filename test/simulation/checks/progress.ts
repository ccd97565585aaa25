/** That everything goes on: I23, I24, I28, and the order in which a backlog is worked off. */

import { shardOf } from "../../../src/core/hint.ts";
import { isLive, priorities, type Waiting } from "../../../src/core/job.ts";
import { formatInstant, minuteMs, secondMs } from "../../../src/core/time.ts";
import type { Capacity, House } from "../house.ts";
import type { World } from "../world.ts";
import { type Chronicle, describe, type Stored, type Violation } from "./chronicle.ts";

/** I23: with faults off everything comes to rest. */
export function comesToRest({ stories }: Chronicle, world: World, house: House): Violation[] {
  const violations: Violation[] = [];
  for (const { changes } of stories.values()) {
    const last = changes.at(-1)?.after;
    if (last !== undefined && isLive(last)) violations.push({ invariant: "I23", message: `${describe(last)} never ended` });
  }
  if (!house.isQuiet()) violations.push({ invariant: "I23", message: "something is still under way" });
  for (const happening of world.history) {
    if (happening.kind === "threw") violations.push({ invariant: "no bugs", message: `${happening.by} threw ${happening.error}` });
  }
  return violations;
}

/** When a job that waits was owed, and when someone took it. */
type Wait = {
  readonly job: Waiting;
  readonly placedAt: number;
  /** When it was changed last before it was taken. */
  readonly touchedAt: number;
  readonly owedAt: number;
  readonly takenAt: number;
  readonly change: Stored;
};

function waitsOf({ stories }: Chronicle): Wait[] {
  const waits: Wait[] = [];
  for (const { changes } of stories.values()) {
    let placedAt = 0;
    let touchedAt = 0;
    for (const change of changes) {
      const { before, after, at } = change;
      if (before?.state === "waiting" && (after.state === "running" || after.state === "failed")) {
        waits.push({ job: before, placedAt, touchedAt, owedAt: before.nextAttemptAt, takenAt: at, change });
      }
      const moved =
        before === undefined || !isLive(before) || !isLive(after) || before.wakeAt !== after.wakeAt || before.priority !== after.priority;
      if (moved) placedAt = at;
      touchedAt = at;
    }
  }
  return waits;
}

/** Grace, two ticks, and the time that the calls made meanwhile need where slots are few. */
export function takenWithinMs({ calmAt, endedAt, calls, stories }: Chronicle, { params, profile }: World, capacity: Capacity): number {
  const callsMs = calls.reduce((sum, call) => sum + Math.max(0, Math.min(call.overAt, endedAt) - Math.max(call.at, calmAt)), 0);
  // What lost a lease waits for its moment in a home's memory, which may hold few names at once.
  const lonely = profile === "home" ? Math.ceil(lossesOf(stories) / capacity.names) : 1;
  const lonelyMs = params.lonelySpreadMs * Math.max(1, lonely);
  const drainMs = (2 * callsMs) / capacity.slots + (profile === "cloud" ? 2 * capacity.spans.executorTimeoutMs : 5 * secondMs);
  return params.graceMs + 2 * params.tickMs + lonelyMs + drainMs;
}

function lossesOf(stories: Chronicle["stories"]): number {
  return [...stories.values()].filter(({ changes }) => (changes.at(-1)?.after.leaseLossCount ?? 0) > 0).length;
}

/** I24: with faults off, whatever is owed is taken within grace, two ticks, and the time that the calls themselves need. */
export function takenInTime(chronicle: Chronicle, world: World, capacity: Capacity): Violation[] {
  const { calmAt } = chronicle;
  const boundMs = takenWithinMs(chronicle, world, capacity);
  return waitsOf(chronicle).flatMap(({ job, placedAt, owedAt, takenAt }) => {
    const from = Math.max(owedAt, placedAt, calmAt);
    if (takenAt <= from + boundMs) return [];
    return [
      {
        invariant: "I24",
        message: `${describe(job)} was owed at ${formatInstant(job.nextAttemptAt)} and taken ${takenAt - from} ms later, expected ${Math.round(boundMs)} at most`,
      },
    ];
  });
}

/** At home nothing that is owed waits for long while slots are free: one long call keeps no other waiting. */
export function noSlotIdles(chronicle: Chronicle, world: World, capacity: Capacity): Violation[] {
  if (world.profile !== "home") return [];
  const { tickMs, lonelySpreadMs } = world.params;
  // Each priority keeps a share of the slots that the others cannot take.
  const busyMin = Math.floor(capacity.slots * 0.75);
  const runs = [...chronicle.stories.values()].flatMap(({ changes }) =>
    changes.flatMap(({ at, before, after }) =>
      before?.state === "running" && after.state !== "running" ? [{ from: claimedAt(changes, at), until: at }] : [],
    ),
  );
  return waitsOf(chronicle).flatMap(({ job, placedAt, owedAt, takenAt }) => {
    if (job.leaseLossCount > 0 && capacity.names < 10) return [];
    const patienceMs = 2 * tickMs + (job.leaseLossCount > 0 ? lonelySpreadMs + tickMs : tickMs / 2);
    for (let at = Math.max(owedAt, placedAt) + patienceMs, idle = 0; at < takenAt; at += secondMs) {
      const running = runs.filter((run) => run.from <= at && run.until >= at).length;
      idle = running < busyMin && isUndisturbed(chronicle, { at, forMs: 10 * secondMs }) ? idle + 1 : 0;
      if (idle > 1)
        return [
          {
            invariant: "no slot idles",
            message: `${describe(job)} was owed at ${formatInstant(job.nextAttemptAt)} and waited while ${running} of ${capacity.slots} slots were taken`,
          },
        ];
    }
    return [];
  });
}

function claimedAt(changes: readonly Stored[], settledAt: number): number {
  return (
    changes.findLast(({ at, before, after }) => at <= settledAt && before?.state === "waiting" && after.state === "running")?.at ??
    settledAt
  );
}

/** A running job whose holder is dead is attended to within its lease, the grace and two ticks. */
export function leasesEndInTime(chronicle: Chronicle, world: World, capacity: Capacity): Violation[] {
  const { profile } = world;
  const violations: Violation[] = [];
  const boundMs = takenWithinMs(chronicle, world, capacity);
  for (const { changes } of chronicle.stories.values()) {
    for (const { at, before, after } of changes) {
      if (before?.state !== "running" || after.leaseLossCount === before.leaseLossCount) continue;
      const from = Math.max(profile === "cloud" ? before.leaseUntil : 0, chronicle.calmAt);
      if (at > from + boundMs) violations.push({ invariant: "I24", message: `${describe(before)} lost its lease ${at - from} ms late` });
    }
  }
  return violations;
}

/** I28: on a good day the first byte leaves on the dot, or as soon as the job is known. */
export function onTheDot(chronicle: Chronicle, { weather, params, profile }: World, capacity: Capacity): Violation[] {
  if (!weather.punctual || weather.overload) return [];
  // At home what finds no room in a full memory is found by a turn.
  const crowdedMs = capacity.names < 10 ? params.tickMs + 100 : 0;
  // In the cloud: one read of the record at the instant.
  const punctualMs = profile === "cloud" ? 40 : 5 + crowdedMs;
  // At home an instant moved closer than the lead is met by the hold for the old one.
  const knownMs = profile === "cloud" ? 400 : params.leadMs + 100 + crowdedMs;
  // In the cloud a message comes up to a second before its lead, and what it names is read then.
  const earlyMs = params.leadMs + 100 + (profile === "cloud" ? secondMs : 0);
  const violations: Violation[] = [];
  for (const { job, touchedAt, owedAt, change } of waitsOf(chronicle)) {
    const call = chronicle.stories.get(job.id)?.calls.find((one) => one.attempt === change.after.attemptCount);
    if (call === undefined || change.after.state !== "running") continue;
    // What is backfilled is made twenty at a time, and goes when the slowest of them has been tried.
    if (weather.only === "shard" && job.schedule !== null && job.dueAt <= job.createdAt) continue;
    const early = touchedAt <= owedAt - earlyMs;
    const late = call.at - (early ? owedAt + punctualMs : Math.max(touchedAt, owedAt) + knownMs);
    if (late > 0) violations.push({ invariant: "I28", message: `${describe(job)} left ${call.at - Math.max(touchedAt, owedAt)} ms late` });
  }
  return violations;
}

/** A page that has grown old lets one waiting job pass another, now and then. */
const passesMax = 5;

/** A backlog is worked off oldest first within a partition, the most urgent priority first. `toleranceMs`: what a turn may not have seen. */
export function oldestFirst(chronicle: Chronicle, world: World): Violation[] {
  const { profile, params, weather } = world;
  if (!weather.overload || profile !== "home") return [];
  const toleranceMs = 2 * params.tickMs;
  const waits = waitsOf(chronicle).filter(({ job, owedAt }) => job.attemptCount === 0 && owedAt > chronicle.calmAt - weather.faultsUntil);
  const violations: Violation[] = [];
  let passed = 0;
  for (const taken of waits) {
    const older = waits.find((other) => {
      if (other.takenAt <= taken.takenAt || Math.max(other.owedAt, other.placedAt) > taken.takenAt - toleranceMs) return false;
      if (!isUndisturbed(chronicle, { at: taken.takenAt, forMs: 2 * minuteMs })) return false;
      const samePartition =
        other.job.priority === taken.job.priority && shardOf(other.job.id, params.shards) === shardOf(taken.job.id, params.shards);
      return samePartition
        ? other.owedAt < taken.owedAt - toleranceMs
        : priorities.indexOf(other.job.priority) < priorities.indexOf(taken.job.priority);
    });
    if (older === undefined) continue;
    passed += 1;
    if (passed <= passesMax) continue;
    violations.push({
      invariant: "oldest first",
      message: `${describe(taken.job)} was taken before ${describe(older.job)}, owed ${taken.owedAt - older.owedAt} ms earlier`,
    });
  }
  return violations;
}

/** Whether a process is up, and neither it nor its store has suffered anything for so long. */
function isUndisturbed({ lives }: Chronicle, { at, forMs }: { at: number; forMs: number }): boolean {
  const since = at - forMs;
  let isUp = false;
  for (const { beganAt, endedAt, faults } of lives.values()) {
    if ((beganAt <= at && beganAt > since) || faults.some(({ from, until }) => from <= at && until > since)) return false;
    isUp ||= beganAt <= at && at < endedAt;
  }
  return isUp;
}
