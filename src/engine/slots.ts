/**
 * Bounded concurrency with a reserved share for each priority: a flood of one cannot shut out another. A slot is one call in
 * flight, from its claim to its settling.
 */

import { type Priority, priorities } from "../core/job.ts";

export type Release = () => void;

/** Who asks: a job named for its instant, or a walk over the past, which would take every slot that a long backlog leaves. */
export type Taker = "named" | "past";

export type Slots = {
  /** A slot now, or undefined: the caller leaves the item on the wheel. */
  tryTake(priority: Priority, taker?: Taker): Release | undefined;
  /** Resolves when a slot of this priority is likely free; more urgent priorities are woken first. */
  whenFree(priority: Priority, taker?: Taker): Promise<void>;
  /** How many slots `tryTake` would give now, one after the other. */
  free(priority: Priority, taker?: Taker): number;
  taken(): number;
};

/** One part in this many is kept for each priority; the rest is shared, the most urgent first. */
const reservedShare = 16;

/** One part in this many is left to named jobs by walks: behind a backlog, new jobs are late but do not starve. */
const namedShare = 8;

export function createSlots(capacity: number): Slots {
  const reserved = Math.floor(capacity / reservedShare);
  const shared = capacity - reserved * priorities.length;
  const taken: Record<Priority, number> = { critical: 0, high: 0, normal: 0, low: 0 };
  const waiters: Record<Priority, { readonly taker: Taker; readonly wake: () => void }[]> = { critical: [], high: [], normal: [], low: [] };

  const sharedTaken = () => priorities.reduce((sum, priority) => sum + Math.max(0, taken[priority] - reserved), 0);
  /** A walk leaves a part of each pool, so that what is reserved for its priority serves it all the same. */
  const left = (size: number, used: number, taker: Taker) =>
    Math.max(0, size - used - (taker === "past" ? Math.floor(size / namedShare) : 0));
  const free = (priority: Priority, taker: Taker = "named") => left(reserved, taken[priority], taker) + left(shared, sharedTaken(), taker);

  function release(priority: Priority): void {
    taken[priority] -= 1;
    for (const waiting of priorities) {
      const first = waiters[waiting].findIndex(({ taker }) => free(waiting, taker) > 0);
      if (first >= 0) waiters[waiting].splice(first, 1)[0]?.wake();
    }
  }

  return {
    tryTake(priority, taker) {
      if (free(priority, taker) === 0) return undefined;
      taken[priority] += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        release(priority);
      };
    },
    whenFree(priority, taker = "named") {
      if (free(priority, taker) > 0) return Promise.resolve();
      return new Promise((wake) => waiters[priority].push({ taker, wake }));
    },
    free,
    taken: () => priorities.reduce((sum, priority) => sum + taken[priority], 0),
  };
}
