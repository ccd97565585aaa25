/**
 * Bounded concurrency with a reserved share for each priority: a flood of one cannot shut out another. A slot is one call in
 * flight, from its claim to its settling.
 */

import { type Priority, priorities } from "../core/job.ts";

export type Release = () => void;

export type Slots = {
  /** A slot now, or undefined: the caller leaves the item on the wheel. */
  tryTake(priority: Priority): Release | undefined;
  /** Resolves when a slot of this priority is likely free; more urgent priorities are woken first. */
  whenFree(priority: Priority): Promise<void>;
  /** How many slots `tryTake` would give now, one after the other. */
  free(priority: Priority): number;
  taken(): number;
};

/** One part in this many is kept for each priority; the rest is shared, the most urgent first. */
const reservedShare = 16;

export function createSlots(capacity: number): Slots {
  const reserved = Math.floor(capacity / reservedShare);
  const shared = capacity - reserved * priorities.length;
  const taken: Record<Priority, number> = { critical: 0, high: 0, normal: 0, low: 0 };
  const waiters: Record<Priority, (() => void)[]> = { critical: [], high: [], normal: [], low: [] };

  const sharedTaken = () => priorities.reduce((sum, priority) => sum + Math.max(0, taken[priority] - reserved), 0);
  const free = (priority: Priority) => Math.max(0, reserved - taken[priority]) + Math.max(0, shared - sharedTaken());

  function release(priority: Priority): void {
    taken[priority] -= 1;
    for (const waiting of priorities) {
      if (waiters[waiting].length > 0 && free(waiting) > 0) waiters[waiting].shift()?.();
    }
  }

  return {
    tryTake(priority) {
      if (free(priority) === 0) return undefined;
      taken[priority] += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        release(priority);
      };
    },
    whenFree: (priority) => (free(priority) > 0 ? Promise.resolve() : new Promise((resolve) => waiters[priority].push(resolve))),
    free,
    taken: () => priorities.reduce((sum, priority) => sum + taken[priority], 0),
  };
}
