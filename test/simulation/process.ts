/**
 * A process of the simulated world: it has a clock of its own, and it can die or freeze at any step. A dead process's calls never
 * come back, so whatever waits for them stops there for ever; a frozen one's come back when it thaws.
 */

import { type EpochMs, earlierOf, hourMs, later } from "../../src/core/time.ts";
import type { Clock } from "../../src/engine/ports.ts";
import type { Dice } from "./chance.ts";
import type { Mishaps } from "./weather.ts";
import type { World } from "./world.ts";

export type Process = {
  readonly name: string;
  readonly dice: Dice;
  /** As this process sees it: true time and its skew. */
  readonly clock: Clock;
  readonly mishaps: Mishaps;
  /** True time at which the platform kills it; null: it lives on. */
  readonly killedAt: EpochMs | null;
  isAlive(): boolean;
  /** Alive, and not frozen. */
  isAwake(): boolean;
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

/** What is wrong with a process whose clock is far off. */
export const clockOff = "its clock is off";

/** Why a process ended that the platform killed because its time was up. */
export const timeoutKill = "killed at its timeout";

export type Birth = {
  readonly skewMs: number;
  readonly timeoutMs?: number;
  readonly mishaps?: Mishaps;
  /** After so long its clock is off by so much. */
  readonly step?: { readonly afterMs: number; readonly toMs: number } | undefined;
};

/** A process with a timeout is killed when it is over. */
export function createProcess(world: World, name: string, { skewMs, timeoutMs, step, mishaps = world.weather.mishaps }: Birth): Process {
  const killedAt = timeoutMs === undefined ? null : later(world.clock.now(), timeoutMs);
  const dice = world.dice.fork(name);
  const listeners: (() => void)[] = [];
  let alive = true;
  let frozenUntil = world.clock.now();
  let offMs = skewMs;

  async function awake(): Promise<void> {
    while (alive && world.clock.now() < frozenUntil) await world.clock.until(frozenUntil);
    if (!alive) await never();
  }

  function die(why: string): Promise<never> {
    if (alive) {
      alive = false;
      world.note({ kind: "ended", by: name, why });
      for (const listener of listeners) listener();
    }
    return never();
  }

  async function stepClock({ afterMs, toMs }: { afterMs: number; toMs: number }): Promise<void> {
    if (afterMs > 0) await world.clock.until(later(world.clock.now(), afterMs));
    offMs = toMs;
    if (alive) world.note({ kind: "fault", by: name, what: `${clockOff} by ${toMs} ms`, lastsMs: hourMs });
  }

  world.note({ kind: "began", by: name });
  if (step !== undefined) void stepClock(step);
  if (timeoutMs !== undefined) world.deadlines.add(timeoutMs, { isAlive: () => alive, kill: () => void die(timeoutKill) });
  return {
    name,
    dice,
    mishaps,
    killedAt,
    die,
    clock: {
      now: () => later(world.clock.now(), offMs),
      async until(at, signal) {
        do {
          await world.clock.until(later(at, -offMs), signal);
          await awake();
          // Set back meanwhile.
        } while (signal?.aborted !== true && later(world.clock.now(), offMs) < at);
      },
    },
    isAlive: () => alive,
    isAwake: () => alive && world.clock.now() >= frozenUntil,
    awake,
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
