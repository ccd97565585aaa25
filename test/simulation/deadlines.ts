/** When the platform ends processes: one timer for each length of life, for nearly all are done long before, and a timer for each costs most. */

import { type EpochMs, later } from "../../src/core/time.ts";
import type { VirtualClock } from "../engine/virtualClock.ts";

export type Mortal = { isAlive(): boolean; kill(): void };

export type Deadlines = {
  /** Kills it after so long, if it still lives then. */
  add(afterMs: number, mortal: Mortal): void;
};

export function createDeadlines(clock: VirtualClock): Deadlines {
  const lines = new Map<number, { readonly at: EpochMs; readonly mortal: Mortal }[]>();

  /** Those of one length of life come due in the order they began. */
  async function watch(line: { readonly at: EpochMs; readonly mortal: Mortal }[]): Promise<void> {
    for (let first = line[0]; first !== undefined; first = line[0]) {
      if (first.mortal.isAlive()) await clock.until(first.at);
      if (first.mortal.isAlive()) first.mortal.kill();
      line.shift();
    }
  }

  return {
    add(afterMs, mortal) {
      const line = lines.get(afterMs) ?? [];
      lines.set(afterMs, line);
      line.push({ at: later(clock.now(), afterMs), mortal });
      if (line.length === 1) void watch(line);
    },
  };
}
