/**
 * The engine as the AWS home runs it: API functions, dispatchers started by ticks, executors started by a queue and killed by the
 * platform at their timeout. Nothing lives longer than one invocation but the table, the queues and the schedules.
 */

import { deadLetterOf } from "../../src/core/deadLetter.ts";
import { apiTimeoutMs, dispatcherTimeoutMs, undertakerTimeoutMs } from "../../src/core/invocation.ts";
import { later, secondMs } from "../../src/core/time.ts";
import type { Invocation } from "../../src/engine/attempt.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Capacity, House } from "./house.ts";
import { engineIn } from "./ports.ts";
import { createProcess, type Process } from "./process.ts";
import { createQueue, type Message, type Queue } from "./queue.ts";
import { createDynamo } from "./table.ts";
import { openTicks, type Tick } from "./ticks.ts";
import { drawClockOffMs, type Mishaps } from "./weather.ts";
import type { World } from "./world.ts";

/** As the dispatcher's door: a turn takes nothing on any more so long before the platform ends it. */
const closingMs = 5 * secondMs;

export function openCloud(world: World, capacity: Capacity): House {
  const dice = world.dice.fork("cloud");
  const dynamo = createDynamo(world);
  const queue: Queue = createQueue(world, capacity, { receive, bury });
  const { skewMsMax, punctual, clocksOff } = world.weather;
  let started = 0;

  function start(kind: string, timeoutMs: number, mishaps?: Mishaps): Process {
    // The worst two clocks are met more often than by an even draw.
    const skewMs = skewMsMax === 0 ? 0 : dice.pick([-skewMsMax, -skewMsMax, skewMsMax, skewMsMax, dice.whole(-skewMsMax, skewMsMax)]);
    const isOff = world.isRough() && dice.happens(clocksOff);
    const step = isOff ? { afterMs: dice.pick([0, dice.whole(0, 20) * secondMs]), toMs: drawClockOffMs(dice) } : undefined;
    return createProcess(world, `${kind}${++started}`, { skewMs, timeoutMs, step, ...(mishaps && { mishaps }) });
  }

  function engineOf(process: Process, hops: number): Engine {
    const cursors = world.code.createDynamoCursors(dynamo.tableFor(process));
    return engineIn(world, process, { store: dynamo.storeFor(process), hints: queue.hintsFor(process, hops), cursors });
  }

  async function receive(messages: readonly Message[]): Promise<readonly Message[] | "died"> {
    // A cold start.
    if (world.isRough() && !punctual && dice.happens(0.1)) await world.clock.until(later(world.clock.now(), dice.whole(100, 1_500)));
    const { executorTimeoutMs } = capacity.spans;
    const process = start("executor", executorTimeoutMs);
    const engine = engineOf(process, 1 + Math.max(...messages.map(({ hops }) => hops)));
    const endsAt = later(process.clock.now(), executorTimeoutMs);
    const invocation: Invocation = { slots: world.code.createSlots(capacity.slots), endsAt, warm: 0 };
    return new Promise((resolve) => {
      process.onEnd(() => resolve("died"));
      void handle(messages, { process, engine, invocation }).then((failed) => {
        resolve(failed);
        void process.die("done");
      });
    });
  }

  /** Answers the messages that should come again. */
  async function handle(
    messages: readonly Message[],
    { process, engine, invocation }: { process: Process; engine: Engine; invocation: Invocation },
  ): Promise<readonly Message[]> {
    const wake = async ({ hint }: Message): Promise<"handled" | "no hint"> => {
      if (hint === undefined) return "no hint";
      dynamo.refuseIfOff(process);
      await world.code.wake(engine, hint, invocation);
      return "handled";
    };
    const outcomes = await Promise.allSettled(messages.map(wake));
    return messages.filter((_, index) => {
      const outcome = outcomes[index];
      if (outcome?.status === "fulfilled") return outcome.value === "no hint";
      noteUnlessOutage(world, "executor", outcome?.reason);
      return true;
    });
  }

  /** The undertaker: what was no hint is recorded, and a hint is dropped, for the wheel still holds the work. */
  function bury(message: Message): Promise<"done" | "died"> {
    const process = start("undertaker", undertakerTimeoutMs);
    const deadLetters = world.code.dynamoDeadLetters({ table: dynamo.tableFor(process), now: process.clock.now });
    const write = async () => {
      if (message.hint !== undefined) return;
      const letter = {
        id: message.id,
        receivedAt: process.clock.now(),
        queue: message.priority,
        body: message.body,
        receives: message.receives,
      };
      await deadLetters.record(deadLetterOf(letter, (text) => text));
    };
    return new Promise((resolve) => {
      process.onEnd(() => resolve("died"));
      write().then(
        () => {
          resolve("done");
          void process.die("done");
        },
        (error: unknown) => {
          noteUnlessOutage(world, process.name, error);
          void process.die("its write failed");
        },
      );
    });
  }

  async function dispatch(tick: Tick, isGood: boolean): Promise<void> {
    const process = start("dispatcher", dispatcherTimeoutMs, isGood ? undefined : world.weather.turns.mishaps);
    if (!isGood) world.note({ kind: "fault", by: process.name, what: "goes badly", lastsMs: dispatcherTimeoutMs });
    const engine = engineOf(process, 0);
    const endsAt = later(process.clock.now(), dispatcherTimeoutMs - closingMs);
    const plans = world.code.dynamoTickPlans(dynamo.tableFor(process), world.params.shards);
    try {
      const plan = await plans.signIn(tick.range, process.clock.now());
      dynamo.refuseIfOff(process);
      const shards = world.code.shardsOf({ range: tick.range, of: tick.of ?? plan.ranges }, plan.shards);
      if (!plan.paused && shards.length > 0) await world.code.turn(engine, { range: tick.range, shards }, endsAt);
    } catch (error) {
      noteUnlessOutage(world, process.name, error);
    }
    void process.die("done");
  }

  openTicks({ world, dynamo, start, dispatch });
  return {
    openDesk() {
      const process = start("api", apiTimeoutMs);
      return { engine: engineOf(process, 0), process, leave: () => void process.die("done") };
    },
    isQuiet: () => queue.depth() === 0,
  };
}

function noteUnlessOutage(world: World, by: string, error: unknown): void {
  if (!(error instanceof world.code.OutageError)) world.note({ kind: "threw", by, error: String(error) });
}
