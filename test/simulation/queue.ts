/**
 * A model of SQS: a queue for each priority, from which hints come lost, doubled at once and hours later, reordered, early and late; a
 * message whose receiver died comes back when its visibility ends, and is dropped when it was received too often.
 */

import type { Hint } from "../../src/core/hint.ts";
import type { Priority } from "../../src/core/job.ts";
import { type EpochMs, later, secondMs } from "../../src/core/time.ts";
import type { Hints } from "../../src/engine/ports.ts";
import { callThrough, type Manner } from "./faults.ts";
import { type Capacity, receivesMax, visibilityPerTimeout } from "./house.ts";
import type { Process } from "./process.ts";
import { drawMuchLaterMs, isWithin } from "./weather.ts";
import type { World } from "./world.ts";

export type Message = { readonly hint: Hint; receives: number };

export type Queue = {
  hintsFor(process: Process): Hints;
  /** Messages that wait, are under way, or will come back. */
  depth(): number;
};

/** The longest delay of SQS. */
const delaySecondsMax = 900;

/** `receive` starts an invocation for the messages, and resolves with those that failed; "died": nobody deleted any of them. */
export function createQueue(
  world: World,
  capacity: Capacity,
  receive: (messages: readonly Message[]) => Promise<readonly Message[] | "died">,
): Queue {
  const dice = world.dice.fork("queue");
  const ready: Record<Priority, Message[]> = { critical: [], high: [], normal: [], low: [] };
  const busy: Record<Priority, number> = { critical: 0, high: 0, normal: 0, low: 0 };
  let depth = 0;
  const happens = (probability: number) => world.isRough() && dice.happens(probability);

  async function arriveAt(message: Message, at: EpochMs): Promise<void> {
    depth += 1;
    await world.clock.until(at);
    const waiting = ready[message.hint.priority];
    waiting.splice(happens(0.3) ? dice.whole(0, waiting.length) : waiting.length, 0, message);
    pump(message.hint.priority);
  }

  function pump(priority: Priority): void {
    while (busy[priority] < capacity.executors && ready[priority].length > 0) {
      void run(priority, ready[priority].splice(0, dice.whole(1, capacity.batch)));
    }
  }

  async function run(priority: Priority, received: Message[]): Promise<void> {
    for (const message of received) message.receives += 1;
    const live = received.filter((message) => message.receives <= receivesMax);
    depth -= received.length;
    if (live.length === 0) return;
    busy[priority] += 1;
    depth += 1;
    const receivedAt = world.clock.now();
    const failed = await receive(live);
    busy[priority] -= 1;
    depth -= 1;
    for (const message of live) {
      const isUndeleted = failed === "died" || happens(world.weather.queue.deleteFails);
      if (isUndeleted) void arriveAt(message, later(receivedAt, visibilityPerTimeout * capacity.executorTimeoutMs));
      else if (failed.includes(message)) void arriveAt(message, later(world.clock.now(), dice.whole(2, 20) * secondMs));
    }
    pump(priority);
  }

  function take(hint: Hint, process: Process): void {
    world.note({ kind: "hinted", by: process.name, hint });
    const { queue } = world.weather;
    if (happens(queue.lost)) return;
    const delayMs = hint.startAt - process.clock.now() - world.params.leadMs;
    const delaySeconds = Math.min(Math.max(Math.floor(delayMs / secondMs), 0), delaySecondsMax);
    const lateMs = happens(queue.late) ? dice.whole(0, 120) * secondMs : dice.whole(0, world.weather.calm ? 0 : 20);
    const arrivesAt = later(world.clock.now(), happens(queue.early) ? 0 : delaySeconds * secondMs + lateMs);
    void arriveAt({ hint, receives: 0 }, arrivesAt);
    if (happens(queue.doubled)) void arriveAt({ hint, receives: 0 }, later(arrivesAt, dice.whole(0, 400)));
    if (happens(queue.doubledMuchLater)) void arriveAt({ hint, receives: 0 }, later(arrivesAt, drawMuchLaterMs(dice)));
  }

  return {
    hintsFor(process) {
      const isOut = () => world.isRough() && isWithin(world.weather.hintsOut, world.clock.now());
      const manner: Manner = { kind: "write", latencyMsMax: 10, outlivesProcess: true, isOut };
      return {
        send: (hints) =>
          callThrough(world, process, manner, async (): Promise<"sent"> => {
            for (const hint of hints) take(hint, process);
            return "sent";
          }),
      };
    },
    depth: () => depth,
  };
}
