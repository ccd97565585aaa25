/** Whether the home does its work: the store takes writes, turns come, the clock goes evenly. */

import type { HealthReport } from "../src/api/answers.ts";
import { limits } from "../src/core/limits.ts";
import { type EpochMs, minuteMs, secondMs } from "../src/core/time.ts";
import type { Observe } from "../src/engine/ports.ts";
import type { SqliteStore } from "../src/store/sqlite.ts";

export type Health = {
  /** Told of everything, to see when the store last failed and last wrote. */
  readonly observe: Observe;
  /** `lastTurnAt`: null before the first. Never rejects: a store that cannot be read is a report too. */
  report(lastTurnAt: EpochMs | null): Promise<HealthReport>;
};

/** Turns come each second; one that is this late means that the process is stuck. */
const turnAgeMsMax = 10 * secondMs;

/**
 * How long a failed write is held against the store when none succeeds. While work is owed each turn tries anew; a home without
 * work writes nothing, and whoever sends none for as long as it is failing would never see it recover.
 */
const failureMsMax = minuteMs;

const unknownWheel: HealthReport["checks"]["wheel"] = { behindMs: null, waiting: null, running: null };

export function createHealth(store: Pick<SqliteStore, "counts">, now: () => EpochMs): Health {
  const startedAt = now();
  /** By elapsed time: the clock may be set meanwhile. */
  let failedAtElapsed: number | undefined;
  let driftMs = clockDriftMs();
  let steppedMs = 0;

  /** How far the wall clock has moved against the monotonic one since the last look: it was set, or the machine slept. */
  function lookAtClock(): void {
    const before = driftMs;
    driftMs = clockDriftMs();
    steppedMs = driftMs - before;
  }

  async function wheel(): Promise<HealthReport["checks"]["wheel"] | undefined> {
    try {
      const { waiting, running, oldestWakeAt } = await store.counts();
      return { behindMs: oldestWakeAt === null ? 0 : Math.max(0, now() - oldestWakeAt), waiting, running };
    } catch {
      // The cause is in the log already: a turn reads the same file each second.
      return undefined;
    }
  }

  return {
    observe(observation) {
      if (observation.kind === "outage" && observation.where === "store") failedAtElapsed = performance.now();
      if (observation.kind === "created" || observation.kind === "changed") failedAtElapsed = undefined;
      if (observation.kind === "turned") lookAtClock();
    },
    async report(lastTurnAt) {
      const read = await wheel();
      const failedMsAgo = failedAtElapsed === undefined ? Number.POSITIVE_INFINITY : performance.now() - failedAtElapsed;
      const checks = {
        store: storeCheck(read !== undefined, failedMsAgo),
        clock: clockCheck(now(), lastTurnAt ?? startedAt, steppedMs),
        wheel: read ?? unknownWheel,
      };
      return { status: checks.store === "ok" && checks.clock === "ok" ? "ok" : "failing", checks };
    },
  };
}

function storeCheck(isRead: boolean, failedMsAgo: number): string {
  if (!isRead) return "the database cannot be read; the log says why";
  if (failedMsAgo < failureMsMax) return "the last write failed; the log says why (is the disk full?)";
  return "ok";
}

function clockCheck(now: EpochMs, turnedAt: EpochMs, steppedMs: number): string {
  const turnAgeMs = now - turnedAt;
  if (turnAgeMs > turnAgeMsMax) return `the last turn was ${Math.round(turnAgeMs / secondMs)} s ago`;
  // A turn in the future: the clock was set back since, which the next turn takes note of.
  const setByMs = turnAgeMs < -limits.clockSkewMsMax ? turnAgeMs : steppedMs;
  if (Math.abs(setByMs) > limits.clockSkewMsMax)
    return `the clock was just set by ${Math.round(setByMs / secondMs)} s, or the machine slept`;
  return "ok";
}

function clockDriftMs(): number {
  return Date.now() - performance.now();
}
