/**
 * The engine as the embedded home runs it: one process with everything in it, killed and started again on the same store. What it
 * held in memory (hints, cursor, register) is gone each time.
 */

import { type EpochMs, earlierOf, later, laterOf, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Invocation } from "../../src/engine/attempt.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { MemoryHints } from "../../src/hints/memory.ts";
import type { Capacity, House } from "./house.ts";
import { engineIn, homeStoreOf } from "./ports.ts";
import { createProcess, type Process } from "./process.ts";
import type { World } from "./world.ts";

type Host = {
  readonly process: Process;
  readonly engine: Engine;
  readonly invocation: Invocation;
  readonly hints: MemoryHints;
  stopping: boolean;
};

/** How long a stopping host waits for its calls before it aborts them. */
const patienceMs = 10 * secondMs;

export function openHome(world: World, capacity: Capacity): House {
  const dice = world.dice.fork("home");
  let started = 0;
  let host = boot();

  function boot(): Host {
    const process = createProcess(world, `host${++started}`, { skewMs: 0 });
    const { params } = world;
    const hintedAnewBefore = later(process.clock.now(), params.lookaheadMs + params.tickMs);
    const invocation: Invocation = { slots: world.code.createSlots(capacity.slots), endsAt: null, warm: 0 };
    const hints = world.code.createMemoryHints({
      clock: process.clock,
      shards: params.shards,
      namesMax: capacity.names,
      namesPerStepMax: 2 * capacity.slots,
      leadMs: params.leadMs,
      deliver: (hint, started) => unlessOutage(world, process, world.code.wake(engine, hint, invocation, started)),
    });
    const engine = engineIn(world, process, {
      store: homeStoreOf(world, process),
      hints,
      cursors: world.code.memoryCursors(),
      params: { hintedAnewBefore },
    });
    const booted: Host = { process, engine, invocation, hints, stopping: false };
    process.onEnd(() => void bootAgain());
    void tick(booted);
    return booted;
  }

  async function bootAgain(): Promise<void> {
    const gapMs = world.isRough() ? dice.pick([dice.whole(50, 900), dice.whole(1, 60) * secondMs, dice.whole(1, 20) * minuteMs]) : secondMs;
    await world.clock.until(
      earlierOf(later(world.clock.now(), gapMs), laterOf(world.weather.faultsUntil, later(world.clock.now(), secondMs))),
    );
    host = boot();
  }

  async function tick(own: Host): Promise<void> {
    const { process, engine } = own;
    const shards = Array.from({ length: world.params.shards }, (_, shard) => shard);
    while (process.isAlive()) {
      if (!own.stopping) await unlessOutage(world, process, world.code.turn(engine, { range: 0, shards }, null));
      await nextTick(process);
    }
  }

  /** The next whole second at which a turn could find anything. */
  async function nextTick(process: Process): Promise<void> {
    const { lookaheadMs, tickMs, shards } = world.params;
    const all = Array.from({ length: shards }, (_, shard) => shard);
    for (;;) {
      await process.clock.until(later(process.clock.now(), secondMs));
      const horizonMs = lookaheadMs + 2 * tickMs;
      const next = world.truth.nextWakeAt(all);
      if (next !== undefined && next <= world.clock.now() + horizonMs) return;
      const sleeps = [world.truth.changed()];
      if (next !== undefined) sleeps.push(world.clock.until(later(next, -horizonMs)));
      await Promise.race(sleeps);
      await process.awake();
    }
  }

  async function killAt(at: EpochMs): Promise<void> {
    await world.clock.until(at);
    if (world.isRough()) void host.process.die("killed");
  }

  async function stopAt(at: EpochMs): Promise<void> {
    await world.clock.until(at);
    if (!world.isRough() || !host.process.isAlive() || host.stopping) return;
    const stopped = host;
    stopped.stopping = true;
    world.note({
      kind: "fault",
      by: stopped.process.name,
      what: "asked to stop: nothing starts, and calls are aborted",
      lastsMs: patienceMs + secondMs,
    });
    stopped.hints.stop();
    stopped.invocation.endsAt = stopped.process.clock.now();
    await restWithin(stopped, patienceMs);
    stopped.engine.register.abortAll();
    await restWithin(stopped, secondMs);
    void stopped.process.die("stopped");
  }

  async function restWithin({ process, invocation }: Host, withinMs: number): Promise<void> {
    const until = later(process.clock.now(), withinMs);
    while (invocation.slots.taken() > 0 && process.clock.now() < until) await process.clock.until(later(process.clock.now(), 100));
  }

  for (const at of world.weather.kills) void killAt(at);
  for (const at of world.weather.shutdowns) void stopAt(at);
  return {
    openDesk() {
      const { process, engine, stopping } = host;
      return process.isAlive() && !stopping ? { engine, process, leave() {} } : undefined;
    },
    isQuiet: () => host.invocation.slots.taken() === 0,
  };
}

/** A host logs an outage and goes on: the wheel holds the work. */
async function unlessOutage(world: World, process: Process, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof world.code.OutageError)) world.note({ kind: "threw", by: process.name, error: String(error) });
  }
}
