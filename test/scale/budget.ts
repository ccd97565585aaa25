/**
 * Units a second, given out without ever giving more: time is cut into slots, and a request that finds its slot used up waits for the
 * first that has room. Stricter than AWS, which lets unused seconds be used later: here nothing is saved up. A request that would wait
 * longer than its patience is refused and takes nothing.
 */

const slotMs = 50;

/** Nobody asks for a time so long before that of the first who asked. */
const earlierMs = 60_000;

export type Budget = {
  /** When the units are given; undefined when not within the patience. */
  take(at: number, units: number, patienceMs: number): number | undefined;
  /** Units given so far. */
  taken(): number;
  /** The most given in one second, of those that begin at a full second. */
  peakPerSecond(): number;
};

export function createBudget(perSecond: number): Budget {
  const capacity = (perSecond * slotMs) / 1_000;
  let origin: number | undefined;
  let used = new Float32Array(1_024);
  /** For a slot that is full: one that may not be. */
  let onward = new Int32Array(1_024);
  let total = 0;

  function reach(slot: number): void {
    if (slot + 1 < used.length) return;
    const longer = new Float32Array(2 * (slot + 1));
    longer.set(used);
    used = longer;
    const further = new Int32Array(longer.length);
    further.set(onward);
    onward = further;
  }

  function firstWithRoom(from: number): number {
    let slot = from;
    for (;;) {
      reach(slot);
      const next = onward[slot] ?? 0;
      if (next === 0) return slot;
      const beyond = onward[next] ?? 0;
      // Half of the way is cut short each time it is gone.
      if (beyond !== 0) onward[slot] = beyond;
      slot = next;
    }
  }

  return {
    take(time, units, patienceMs) {
      origin ??= Math.floor(Math.max(0, time - earlierMs) / 1_000) * 1_000;
      const at = time - origin;
      let slot = firstWithRoom(Math.floor(at / slotMs));
      const start = Math.max(at, slot * slotMs);
      if (start > at + patienceMs) return undefined;
      // A request larger than a slot fills several: it is done when the last of it is given.
      let rest = units;
      total += units;
      for (;;) {
        reach(slot);
        const room = capacity - (used[slot] ?? 0);
        const part = Math.min(room, rest);
        used[slot] = (used[slot] ?? 0) + part;
        rest -= part;
        const share = (used[slot] ?? 0) / capacity;
        if (rest <= 0) return slot === Math.floor(at / slotMs) ? time : origin + Math.max(start, (slot + share) * slotMs);
        onward[slot] = slot + 1;
        slot = firstWithRoom(slot + 1);
      }
    },
    taken: () => total,
    peakPerSecond() {
      let peak = 0;
      const perSecondSlots = 1_000 / slotMs;
      for (let slot = 0; slot < used.length; slot += perSecondSlots) {
        let sum = 0;
        for (let part = slot; part < slot + perSecondSlots; part++) sum += used[part] ?? 0;
        peak = Math.max(peak, sum);
      }
      return peak;
    },
  };
}
