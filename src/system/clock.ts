/**
 * The system's clock as the engine's `Clock` port, and spans of elapsed time for what must go on whatever the clock does.
 *
 * Instants are those of the wall clock, for that is what callers mean by a due instant: when the clock is set back, what is owed
 * at an instant waits for that instant by the new time. Nothing waits on one long timer, so a clock that jumps, or a machine that slept, is
 * noticed within a second. What must recur regardless (ticks) waits with `after`, which no setting of the clock can hold up.
 */

import { type EpochMs, secondMs, toEpochMs } from "../core/time.ts";
import type { Clock } from "../engine/ports.ts";

export type NodeClock = Clock & {
  /**
   * Resolves when the span has elapsed, measured by the monotonic clock, or early when the signal is aborted; never rejects.
   * For ticks: `until(now + 1 s)` would stand still for an hour when the clock is set back by an hour.
   */
  after(durationMs: number, signal?: AbortSignal): Promise<void>;
};

/**
 * The longest single timer. Bounds how late a jump of the clock or the end of a machine's sleep (in which timers stand still) is
 * noticed, and keeps clear of 2^31 ms, at which `setTimeout` fires after one millisecond instead.
 */
const timerMsMax = secondMs;

export function createNodeClock(): NodeClock {
  const now = (): EpochMs => toEpochMs(Date.now());
  return {
    now,
    until: (at, signal) => wait(() => at - now(), signal),
    after(durationMs, signal) {
      const endsAt = performance.now() + durationMs;
      return wait(() => endsAt - performance.now(), signal);
    },
  };
}

/**
 * Waits until `leftMs` is no longer positive. A timer counts in whole milliseconds of its own, so it can fire up to one early;
 * what is left is asked again after each, and never taken on trust.
 */
function wait(leftMs: () => number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true || leftMs() <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout;
    const end = () => {
      clearTimeout(timer);
      // A signal may outlive thousands of waits (it lasts as long as the process does); each must leave nothing behind on it.
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const look = () => {
      const left = leftMs();
      if (left <= 0) end();
      else timer = setTimeout(look, Math.min(Math.ceil(left), timerMsMax));
    };
    signal?.addEventListener("abort", end);
    look();
  });
}
