/**
 * A model of SQS: a queue for each priority, from which messages come lost, doubled at once and hours later, reordered, early and late. One
 * whose receiver died comes back when its visibility ends; one received too often goes to the dead letters; one that has grown too old is
 * gone, and so is whatever was there when somebody purged the queues.
 */

import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Hint } from "../../src/core/hint.ts";
import { type Priority, priorities } from "../../src/core/job.ts";
import { type EpochMs, later, secondMs } from "../../src/core/time.ts";
import type { Hints } from "../../src/engine/ports.ts";
import { callThrough, type Manner } from "./faults.ts";
import { type Capacity, receivesMax } from "./house.ts";
import type { Process } from "./process.ts";
import { drawMuchLaterMs, isWithin } from "./weather.ts";
import type { World } from "./world.ts";

export type Message = {
  readonly id: string;
  readonly priority: Priority;
  readonly body: string;
  /** What its receiver reads of the body; undefined: no hint. */
  readonly hint: Hint | undefined;
  readonly sentAt: EpochMs;
  /** Functions that the chain has gone through which sent it. */
  readonly hops: number;
  receives: number;
  isGone: boolean;
};

export type Queue = {
  /** `hops`: how many functions stand behind the one that sends. */
  hintsFor(process: Process, hops: number): Hints;
  /** Messages that wait, are under way, or will come back. */
  depth(): number;
};

export type Receivers = {
  /** Starts an invocation for the messages, and resolves with those that failed; "died": nobody deleted any of them. */
  receive(messages: readonly Message[]): Promise<readonly Message[] | "died">;
  /** The dead letters' own receiver. */
  bury(message: Message): Promise<"done" | "died">;
};

export function createQueue(world: World, capacity: Capacity, { receive, bury }: Receivers): Queue {
  const dice = world.dice.fork("queue");
  const { queue } = world.weather;
  const { visibilityMs, executorTimeoutMs } = capacity.spans;
  const ready: Record<Priority, Message[]> = { critical: [], high: [], normal: [], low: [] };
  const busy: Record<Priority, number> = { critical: 0, high: 0, normal: 0, low: 0 };
  let depth = 0;
  let ids = 0;
  let purgedAt = world.clock.now();
  const happens = (probability: number) => world.isRough() && dice.happens(probability);
  const isOver = (message: Message) =>
    message.isGone || message.sentAt < purgedAt || world.clock.now() >= later(message.sentAt, queue.retentionMs);

  async function arriveAt(message: Message, at: EpochMs): Promise<void> {
    depth += 1;
    await world.clock.until(at);
    if (isOver(message)) {
      depth -= 1;
      return;
    }
    const waiting = ready[message.priority];
    waiting.splice(happens(0.3) ? dice.whole(0, waiting.length) : waiting.length, 0, message);
    pump(message.priority);
  }

  function pump(priority: Priority): void {
    while (busy[priority] < capacity.executors && ready[priority].length > 0) {
      void run(priority, ready[priority].splice(0, dice.whole(1, capacity.batch)));
    }
  }

  /** Answers those that their receiver gets. */
  function taken(message: Message): boolean {
    if (isOver(message)) return false;
    message.receives += 1;
    if (message.receives > receivesMax) {
      void buryAtLast(message, "received too often");
      return false;
    }
    if (queue.hopsMax !== null && message.hops >= queue.hopsMax) {
      void buryAtLast(message, "taken for a loop");
      return false;
    }
    if (!happens(queue.throttled)) return true;
    void arriveAt(message, later(world.clock.now(), dice.pick([visibilityMs, dice.whole(1, 60) * secondMs])));
    return false;
  }

  async function run(priority: Priority, received: Message[]): Promise<void> {
    const live = received.filter(taken);
    depth -= received.length;
    if (live.length === 0) return;
    busy[priority] += 1;
    depth += 1;
    const receivedAt = world.clock.now();
    for (const message of live) {
      if (happens(queue.expires)) void arriveAt(message, later(receivedAt, dice.whole(1, executorTimeoutMs)));
    }
    const failed = await receive(live);
    busy[priority] -= 1;
    depth -= 1;
    for (const message of live) {
      if (failed === "died" || happens(queue.deleteFails)) void arriveAt(message, later(receivedAt, visibilityMs));
      else if (failed.includes(message)) void arriveAt(message, later(world.clock.now(), dice.whole(2, 20) * secondMs));
      else message.isGone = true;
    }
    pump(priority);
  }

  async function buryAtLast(message: Message, why: string): Promise<void> {
    if (message.isGone) return;
    message.isGone = true;
    world.note({ kind: "dead", message: message.id, why, receives: message.receives });
    depth += 1;
    while ((await bury(message)) === "died") await world.clock.until(later(world.clock.now(), visibilityMs));
    depth -= 1;
  }

  function take(sent: Pick<Message, "body" | "hint" | "priority" | "hops">, delaySeconds: number): void {
    const send = (at: EpochMs) => {
      const message: Message = { ...sent, id: `m${++ids}`, sentAt: world.clock.now(), receives: 0, isGone: false };
      void arriveAt(message, at);
    };
    if (happens(queue.lost)) return;
    const lateMs = happens(queue.late) ? dice.whole(0, 120) * secondMs : dice.whole(0, world.weather.calm ? 0 : 20);
    const arrivesAt = later(world.clock.now(), happens(queue.early) ? 0 : delaySeconds * secondMs + lateMs);
    send(arrivesAt);
    if (happens(queue.doubled)) send(later(arrivesAt, dice.whole(0, 400)));
    if (happens(queue.doubledMuchLater)) send(later(arrivesAt, drawMuchLaterMs(dice)));
  }

  async function purge(at: EpochMs): Promise<void> {
    await world.clock.until(at);
    purgedAt = world.clock.now();
    for (const priority of priorities) depth -= ready[priority].splice(0).length;
  }

  /** What no house of ours has written. */
  async function sendForeign(at: EpochMs): Promise<void> {
    await world.clock.until(at);
    const body = dice.pick(["", "{}", '{"v":1,"kind":"names","priority":"normal","startAt":0,"names":[]}', '{"v":2}', "null", "[[[["]);
    const message: Message = {
      ...{ id: `foreign${++ids}`, priority: dice.pick(priorities), body, hint: world.code.readHint(body) },
      ...{ sentAt: at, hops: 0, receives: 0, isGone: false },
    };
    void arriveAt(message, at);
  }

  for (const at of queue.purges) void purge(at);
  for (const at of queue.foreign) void sendForeign(at);

  /** The SDK's client as far as hints need it. Some of a batch are taken, and some are not. */
  function clientFor(process: Process, hops: number): Pick<SQSClient, "send"> {
    const isOut = () => world.isRough() && isWithin(world.weather.hintsOut, world.clock.now());
    // A delay counts from when the queue takes the message: where all is to be on time, that is not seconds later.
    const isPrompt = world.weather.punctual;
    const manner: Manner = { kind: "write", latencyMsMax: 10, outlivesProcess: true, isOut, isPrompt };
    const send = ({ input }: { input: SendInput }) =>
      callThrough(world, process, manner, async () => {
        const refused = input.Entries.filter(() => world.isRough() && process.dice.happens(process.mishaps.refusedSends));
        for (const entry of input.Entries) {
          if (refused.includes(entry)) continue;
          const hint = world.code.readHint(entry.MessageBody);
          if (hint === undefined) throw new Error(`expected a hint in each message that a house sends, got ${entry.MessageBody}`);
          world.note({ kind: "hinted", by: process.name, hint });
          take({ body: entry.MessageBody, hint, priority: input.QueueUrl as Priority, hops }, entry.DelaySeconds);
        }
        return {
          Successful: input.Entries.filter((entry) => !refused.includes(entry)),
          Failed: refused.map(({ Id }) => ({ Id, SenderFault: false, Code: "InternalError" })),
        };
      });
    return { send: send as unknown as SQSClient["send"] };
  }

  return {
    hintsFor: (process, hops) =>
      world.code.createSqsHints({
        client: clientFor(process, hops),
        queueUrls: { critical: "critical", high: "high", normal: "normal", low: "low" },
        clock: process.clock,
        chance: process.dice.fraction,
        leadMs: world.params.leadMs,
      }),
    depth: () => depth,
  };
}

type SendInput = {
  readonly QueueUrl: string;
  readonly Entries: readonly { readonly Id: string; readonly MessageBody: string; readonly DelaySeconds: number }[];
};
