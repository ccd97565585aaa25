/**
 * A process of the simulated world: it has a clock of its own, and it can die or freeze at any step. A dead process's calls never
 * come back, so whatever waits for them stops there for ever; a frozen one's come back when it thaws.
 */

import { type EpochMs, earlierOf, later } from "../../src/core/time.ts";
import type { Clock } from "../../src/engine/ports.ts";
import type { Dice } from "./chance.ts";
import type { World } from "./world.ts";

export type Process = {
  readonly name: string;
  readonly dice: Dice;
  /** As this process sees it: true time and its skew. */
  readonly clock: Clock;
  isAlive(): boolean;
  /** Resolves while the process runs: not before it thaws, never once it is dead. */
  awake(): Promise<void>;
  /** Ends the process here and now; what it was waiting for never comes. The promise never resolves. */
  die(why: string): Promise<never>;
  freeze(durationMs: number): void;
  /** Called once, when the process ends, whatever the reason. */
  onEnd(listener: () => void): void;
};

/** What a dead process waits for. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

export function createProcess(world: World, name: string, skewMs: number): Process {
  const dice = world.dice.fork(name);
  const listeners: (() => void)[] = [];
  let alive = true;
  let frozenUntil = world.clock.now();

  async function awake(): Promise<void> {
    while (alive && world.clock.now() < frozenUntil) await world.clock.until(frozenUntil);
    if (!alive) await never();
  }

  world.note({ kind: "began", by: name });
  return {
    name,
    dice,
    clock: {
      now: () => later(world.clock.now(), skewMs),
      async until(at, signal) {
        await world.clock.until(later(at, -skewMs), signal);
        await awake();
      },
    },
    isAlive: () => alive,
    awake,
    die(why) {
      if (alive) {
        alive = false;
        world.note({ kind: "ended", by: name, why });
        for (const listener of listeners) listener();
      }
      return never();
    },
    freeze(durationMs) {
      // Whoever is frozen when faults end thaws then.
      const until: EpochMs = earlierOf(later(world.clock.now(), durationMs), world.weather.faultsUntil);
      const lastsMs = until - world.clock.now();
      world.note({ kind: "fault", by: name, what: `frozen for ${lastsMs} ms`, lastsMs });
      if (until > frozenUntil) frozenUntil = until;
    },
    onEnd: (listener) => void listeners.push(listener),
  };
}
