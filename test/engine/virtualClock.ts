/** Time turned by hand: nothing waits for real, and timers of one instant fire in the order they were set. */

import type { EpochMs } from "../../src/core/time.ts";
import type { Clock } from "../../src/engine/ports.ts";

export type VirtualClock = Clock & {
  /** Fires every timer up to the instant, each after the work that the one before set off has come to rest. */
  runUntil(at: EpochMs): Promise<void>;
  /** Lets everything that waits for no timer happen. */
  rest(): Promise<void>;
  /** The next timer's instant. */
  next(): EpochMs | undefined;
};

type Timer = { readonly at: EpochMs; readonly order: number; readonly fire: () => void; dead: boolean };

export function createVirtualClock(startAt: EpochMs): VirtualClock {
  let now = startAt;
  let order = 0;
  const heap: Timer[] = [];

  const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(timer: Timer): void {
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, timer)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  function pop(): Timer | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && before(right, left)) child += 1;
      const least = heap[child];
      if (least === undefined || before(last, least)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
    return first;
  }

  function next(): EpochMs | undefined {
    while (heap[0]?.dead === true) pop();
    return heap[0]?.at;
  }

  // No real I/O happens under a virtual clock, so one turn of the event loop empties the queue of promises.
  const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

  return {
    now: () => now,
    until(at, signal) {
      if (signal?.aborted === true || at <= now) return Promise.resolve();
      return new Promise((resolve) => {
        const timer: Timer = { at, order: order++, fire: resolve, dead: false };
        push(timer);
        signal?.addEventListener(
          "abort",
          () => {
            timer.dead = true;
            resolve();
          },
          { once: true },
        );
      });
    },
    rest,
    next,
    async runUntil(at) {
      await rest();
      for (let instant = next(); instant !== undefined && instant <= at; instant = next()) {
        const timer = pop();
        if (timer === undefined) break;
        now = timer.at;
        timer.fire();
        await rest();
      }
      now = at;
    },
  };
}
