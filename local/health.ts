/** Whether the home does its work: the store takes writes, turns come, the clock goes evenly. */

import type { HealthReport } from "../src/api/answers.ts";
import { limits } from "../src/core/limits.ts";
import { type EpochMs, secondMs } from "../src/core/time.ts";
import type { Observe } from "../src/engine/ports.ts";
import type { SqliteStore } from "../src/store/sqlite.ts";

export type Health = {
  /** Told of everything, to see when the store last failed and last wrote. */
  readonly observe: Observe;
  report(lastTurnAt: EpochMs | null): Promise<HealthReport>;
};

/** Turns come each second; one that is this late means that the process is stuck. */
const turnAgeMsMax = 10 * secondMs;

export function createHealth(store: SqliteStore, now: () => EpochMs): Health {
  let storeFails = false;
  let driftMs = clockDriftMs();
  let steppedMs = 0;

  /** How far the wall clock has moved against the monotonic one since the last look: it was set, or the machine slept. */
  function lookAtClock(): void {
    const before = driftMs;
    driftMs = clockDriftMs();
    steppedMs = driftMs - before;
  }

  return {
    observe(observation) {
      if (observation.kind === "outage" && observation.where === "store") storeFails = true;
      if (observation.kind === "created" || observation.kind === "changed") storeFails = false;
      if (observation.kind === "turned") lookAtClock();
    },
    async report(lastTurnAt) {
      const counts = await store.counts();
      const behindMs = counts.oldestWakeAt === null ? 0 : Math.max(0, now() - counts.oldestWakeAt);
      const checks = {
        store: storeFails ? "the last write failed; the log says why (is the disk full?)" : "ok",
        clock: clockCheck(now(), lastTurnAt, steppedMs),
        wheel: { behindMs, waiting: counts.waiting, running: counts.running },
      };
      return { status: checks.store === "ok" && checks.clock === "ok" ? "ok" : "failing", checks };
    },
  };
}

function clockCheck(now: EpochMs, lastTurnAt: EpochMs | null, steppedMs: number): string {
  if (lastTurnAt !== null && Math.abs(now - lastTurnAt) > turnAgeMsMax)
    return `the last turn was ${Math.round((now - lastTurnAt) / secondMs)} s ago`;
  if (Math.abs(steppedMs) > limits.clockSkewMsMax)
    return `the clock was just set by ${Math.round(steppedMs / secondMs)} s, or the machine slept`;
  return "ok";
}

function clockDriftMs(): number {
  return Date.now() - performance.now();
}
