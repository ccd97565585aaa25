/**
 * The engine as the AWS home runs it: API functions, dispatchers started by ticks, executors started by a queue and killed by the
 * platform at their timeout. Nothing lives longer than one invocation but the store, the cursors and the queue.
 */

import { type EpochMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Invocation } from "../../src/engine/attempt.ts";
import { type Capacity, dispatcherTimeoutMs, type House, ranges } from "./house.ts";
import { cursorsOf, engineIn } from "./ports.ts";
import { createProcess, type Process } from "./process.ts";
import { createQueue, type Message, type Queue } from "./queue.ts";
import { isWithin } from "./weather.ts";
import type { World } from "./world.ts";

/** Why a process ended that the platform killed because its time was up. */
export const timeoutKill = "killed at its timeout";

export function openCloud(world: World, capacity: Capacity): House {
  const cursors = world.code.memoryCursors();
  const dice = world.dice.fork("cloud");
  const queue: Queue = createQueue(world, capacity, execute);
  let started = 0;

  function start(kind: string): Process {
    const skewMs = world.weather.skewMsMax === 0 ? 0 : dice.whole(-world.weather.skewMsMax, world.weather.skewMsMax);
    return createProcess(world, `${kind}${++started}`, skewMs);
  }

  const engineOf = (process: Process) =>
    engineIn(world, process, { hints: queue.hintsFor(process), cursors: cursorsOf(world, process, cursors) });

  /** The platform ends what runs too long. */
  async function endAt(process: Process, at: EpochMs): Promise<void> {
    await world.clock.until(at);
    void process.die(timeoutKill);
  }

  async function execute(messages: readonly Message[]): Promise<readonly Message[] | "died"> {
    if (world.isRough() && dice.happens(0.1)) await world.clock.until(later(world.clock.now(), dice.whole(100, 1_500)));
    const process = start("executor");
    const engine = engineOf(process);
    void endAt(process, later(world.clock.now(), capacity.executorTimeoutMs));
    const endsAt = later(process.clock.now(), capacity.executorTimeoutMs);
    const invocation: Invocation = { slots: world.code.createSlots(capacity.slots), endsAt, warm: 0 };
    return new Promise((resolve) => {
      process.onEnd(() => resolve("died"));
      void handle(messages, (message) => world.code.wake(engine, message.hint, invocation)).then((failed) => {
        resolve(failed);
        void process.die("done");
      });
    });
  }

  /** Answers the messages that should come again. */
  async function handle(messages: readonly Message[], wake: (message: Message) => Promise<void>): Promise<readonly Message[]> {
    const outcomes = await Promise.allSettled(messages.map(wake));
    return messages.filter((_, index) => {
      const outcome = outcomes[index];
      if (outcome?.status !== "rejected") return false;
      noteUnlessOutage(world, "executor", outcome.reason);
      return true;
    });
  }

  async function dispatch(range: (typeof ranges)[number]): Promise<void> {
    const process = start("dispatcher");
    void endAt(process, later(world.clock.now(), dispatcherTimeoutMs));
    const endsAt = later(process.clock.now(), dispatcherTimeoutMs);
    try {
      await world.code.turn(engineOf(process), range, endsAt);
    } catch (error) {
      noteUnlessOutage(world, process.name, error);
    }
    void process.die("done");
  }

  async function tick(range: (typeof ranges)[number]): Promise<void> {
    for (;;) {
      await nextTick(range.shards);
      const { tick: fault, ticksOut } = world.weather;
      const isRough = world.isRough();
      if (isRough && (dice.happens(fault.lost) || isWithin(ticksOut, world.clock.now()))) continue;
      void dispatchLate(range, isRough ? dice.whole(0, fault.lateMsMax) : 0);
      if (isRough && dice.happens(fault.doubled)) void dispatchLate(range, dice.whole(0, 90) * secondMs);
    }
  }

  async function dispatchLate(range: (typeof ranges)[number], lateMs: number): Promise<void> {
    if (lateMs > 0) await world.clock.until(later(world.clock.now(), lateMs));
    await dispatch(range);
  }

  /** The next whole minute at which a turn could find anything: a turn over an empty look-ahead would only cost real time. */
  async function nextTick(shards: readonly number[]): Promise<void> {
    do {
      await world.clock.until(nextMinute(world.clock.now()));
      const horizonMs = world.params.lookaheadMs + 2 * minuteMs;
      const next = world.truth.nextWakeAt(shards);
      if (next === undefined) await world.truth.changed();
      else if (next > world.clock.now() + horizonMs) await sleepUntil(later(next, -horizonMs));
      else return;
    } while (!dice.happens(0.05));
  }

  function sleepUntil(at: EpochMs): Promise<void> {
    return Promise.race([world.clock.until(at), world.truth.changed()]);
  }

  for (const range of ranges) void tick(range);
  return {
    openDesk() {
      const process = start("api");
      return { engine: engineOf(process), process, leave: () => void process.die("done") };
    },
    isQuiet: () => queue.depth() === 0,
  };
}

function nextMinute(now: EpochMs): EpochMs {
  return later(now, minuteMs - (now % minuteMs));
}

function noteUnlessOutage(world: World, by: string, error: unknown): void {
  if (!(error instanceof world.code.OutageError)) world.note({ kind: "threw", by, error: String(error) });
}
