/** Virtual time: what happens next, in order. What happens at one instant happens in the order in which it was entered. */

import { setImmediate } from "node:timers/promises";

export type Agenda = {
  now(): number;
  /** Never before now. */
  at(time: number, happening: () => void): void;
  /** Resolves at the instant, for the engine's own code, which waits. */
  until(time: number): Promise<void>;
  /** Runs until nothing is left, or the instant. */
  run(end: number): Promise<void>;
};

export function createAgenda(start: number): Agenda {
  const heap: { time: number; order: number; happening: () => void }[] = [];
  let now = start;
  let entered = 0;
  let waiterWoken = false;

  const before = (a: number, b: number) => {
    const [x, y] = [heap[a], heap[b]];
    if (x === undefined || y === undefined) return false;
    return x.time < y.time || (x.time === y.time && x.order < y.order);
  };
  const swap = (a: number, b: number) => {
    const [x, y] = [heap[a], heap[b]];
    if (x !== undefined && y !== undefined) [heap[a], heap[b]] = [y, x];
  };

  function rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!before(child, parent)) return;
      swap(child, parent);
      child = parent;
    }
  }

  function sink(): void {
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const least = before(left + 1, left) ? left + 1 : left;
      if (!before(least, parent)) return;
      swap(least, parent);
      parent = least;
    }
  }

  function next() {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    heap[0] = last;
    sink();
    return first;
  }

  function at(time: number, happening: () => void): void {
    entered += 1;
    heap.push({ time: Math.max(time, now), order: entered, happening });
    rise(heap.length - 1);
  }

  return {
    now: () => now,
    at,
    until: (time) =>
      new Promise((resolve) =>
        at(time, () => {
          waiterWoken = true;
          resolve();
        }),
      ),
    async run(end) {
      for (let first = heap[0]; first !== undefined && first.time <= end; first = heap[0]) {
        next();
        now = first.time;
        first.happening();
        // Whoever waited goes on before the next thing happens.
        if (waiterWoken) await setImmediate();
        waiterWoken = false;
      }
    },
  };
}
