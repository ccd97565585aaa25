/** A bound on what is under way at once; the rest waits its turn, first come, first served. */

export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function createGate(capacity: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (work) => {
    // Whoever leaves hands the place on, so that nobody who comes later slips in between.
    if (inside >= capacity) await new Promise<void>((enter) => waiting.push(enter));
    else inside += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}
