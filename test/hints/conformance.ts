/**
 * What the hints rely on of a queue, and what they make of it: the same on whatever speaks SQS. Time is passed by `pass`, which turns
 * a clock where the queue runs in this process, and waits where it does not.
 */

import { CreateQueueCommand, GetQueueAttributesCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { expect, it } from "vitest";
import { endOf, type Hint, startOf } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { type Priority, priorities } from "../../src/core/job.ts";
import { type EpochMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Clock } from "../../src/engine/ports.ts";
import { readHint } from "../../src/hints/message.ts";
import { createSqsHints } from "../../src/hints/sqs.ts";
import { createVisibility } from "../../src/hints/visibility.ts";
import { nextJobId } from "../builders.ts";

export type Sqs = {
  readonly client: SQSClient;
  readonly clock: Clock;
  pass(ms: number): Promise<void>;
};

type Queue = { readonly url: string; readonly arn: string };
type House = { readonly queues: Record<Priority, Queue>; readonly deadLetters: Queue };

const leadMs = 500;
const visibilitySeconds = 3;
const receivesMax = 2;

let houses = 0;

/** Queues as the stack builds them, but that a message is hidden for seconds, and is given up after two receives. */
async function openHouse({ client }: Sqs): Promise<House> {
  const prefix = `onthedot-conformance-${process.pid}-${++houses}`;
  const create = async (name: string, attributes: Record<string, string>): Promise<Queue> => {
    const { QueueUrl: url = "" } = await client.send(new CreateQueueCommand({ QueueName: `${prefix}-${name}`, Attributes: attributes }));
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }));
    return { url, arn: Attributes?.["QueueArn"] ?? "" };
  };
  const deadLetters = await create("dead", {});
  const redrive = JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: String(receivesMax) });
  const attributes = { VisibilityTimeout: String(visibilitySeconds), RedrivePolicy: redrive };
  const made = await Promise.all(priorities.map(async (priority) => [priority, await create(priority, attributes)] as const));
  return { queues: Object.fromEntries(made) as House["queues"], deadLetters };
}

function hintsOf({ client, clock }: Sqs, { queues }: House) {
  const queueUrls = Object.fromEntries(priorities.map((priority) => [priority, queues[priority].url])) as Record<Priority, string>;
  return createSqsHints({ client, queueUrls, clock, chance: () => 0.5, leadMs });
}

async function receive({ client }: Sqs, { url }: Queue): Promise<readonly Message[]> {
  const request = { QueueUrl: url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["ApproximateReceiveCount" as const] };
  return (await client.send(new ReceiveMessageCommand(request))).Messages ?? [];
}

/** As many as come, for a queue may give fewer than it has. */
async function receiveAll(sqs: Sqs, queue: Queue): Promise<readonly Message[]> {
  const all: Message[] = [];
  for (let empty = 0; empty < 2; ) {
    const messages = await receive(sqs, queue);
    if (messages.length === 0) empty += 1;
    all.push(...messages);
  }
  return all;
}

async function countOf({ client }: Sqs, { url }: Queue, attribute: "ApproximateNumberOfMessagesDelayed" | "ApproximateNumberOfMessages") {
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [attribute] }));
  return Number(Attributes?.[attribute]);
}

const hintsIn = (messages: readonly Message[]) => messages.map(({ Body = "" }) => readHint(Body));

function namesAt(startAt: EpochMs, priority: Priority = "normal"): Hint {
  return { kind: "names", priority, startAt, names: [{ tenant: soleTenant, id: nextJobId(startAt), wakeAt: startAt }] };
}

function stretchAt(now: EpochMs, priority: Priority): Hint {
  return { kind: "stretch", shard: 7, priority, after: startOf(now), until: endOf(now), cutAt: now, startAt: now };
}

function conformSending(open: () => Sqs): void {
  it("a hint comes out of its priority's queue as it went in, whichever its kind", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    const now = sqs.clock.now();
    const sent = priorities.flatMap((priority) => [namesAt(now, priority), stretchAt(now, priority)]);
    expect(await hintsOf(sqs, house).send(sent)).toBe("sent");
    for (const priority of priorities) {
      const got = hintsIn(await receiveAll(sqs, house.queues[priority]));
      expect(got).toHaveLength(2);
      expect(got).toEqual(expect.arrayContaining(sent.filter((hint) => hint.priority === priority)));
    }
  });

  it("a hint comes a lead before its instant, up to a second early, and never by rounding late", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    // 3.3 s less the lead are 2.8 s, which SQS can only delay by 2.
    await hintsOf(sqs, house).send([namesAt(later(sqs.clock.now(), 3_300))]);
    expect(await receive(sqs, house.queues.normal)).toEqual([]);
    await sqs.pass(1_000);
    expect(await receive(sqs, house.queues.normal)).toEqual([]);
    await sqs.pass(1_200);
    expect(await receiveAll(sqs, house.queues.normal)).toHaveLength(1);
  });

  it("a hint of the past comes at once", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    await hintsOf(sqs, house).send([namesAt(later(sqs.clock.now(), -minuteMs))]);
    expect(await receiveAll(sqs, house.queues.normal)).toHaveLength(1);
  });

  it("a hint that SQS can hold is sent, and one beyond is left to the wheel and said to be", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    const hints = hintsOf(sqs, house);
    const furthest = later(sqs.clock.now(), 900 * secondMs + leadMs);
    expect(await hints.send([namesAt(furthest)])).toBe("sent");
    expect(await countOf(sqs, house.queues.normal, "ApproximateNumberOfMessagesDelayed")).toBe(1);
    expect(await hints.send([namesAt(later(furthest, minuteMs)), namesAt(sqs.clock.now())])).toBe("full");
    expect(await countOf(sqs, house.queues.normal, "ApproximateNumberOfMessagesDelayed")).toBe(1);
    expect(await receiveAll(sqs, house.queues.normal)).toHaveLength(1);
  });

  it("more hints than a batch holds all arrive, in whatever order", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    const sent = Array.from({ length: 43 }, () => namesAt(sqs.clock.now()));
    await hintsOf(sqs, house).send(sent);
    const got = hintsIn(await receiveAll(sqs, house.queues.normal));
    expect(got).toHaveLength(43);
    expect(got).toEqual(expect.arrayContaining(sent));
  });

  it("a hint that is sent twice is two messages that say the same", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    const hint = namesAt(sqs.clock.now());
    await hintsOf(sqs, house).send([hint]);
    await hintsOf(sqs, house).send([hint]);
    expect(hintsIn(await receiveAll(sqs, house.queues.normal))).toEqual([hint, hint]);
  });
}

const countsOf = (messages: readonly Message[]) => messages.map(({ Attributes }) => Number(Attributes?.["ApproximateReceiveCount"]));

function conformReceiving(open: () => Sqs): void {
  it("a message whose receiver died comes again when its visibility ends, and is counted", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    await hintsOf(sqs, house).send([namesAt(sqs.clock.now())]);
    const [first] = await receiveAll(sqs, house.queues.normal);
    expect(await receive(sqs, house.queues.normal)).toEqual([]);
    await sqs.pass(visibilitySeconds * secondMs + 100);
    const again = await receiveAll(sqs, house.queues.normal);
    expect(again.map(({ Body }) => Body)).toEqual([first?.Body]);
    expect(countsOf(again)).toEqual([2]);
  });

  it("a message that is made visible later is hidden for the drawn seconds instead of its queue's", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    const queueUrls = Object.values(house.queues).map(({ url }) => url);
    const { makeVisibleLater } = createVisibility({ client: sqs.client, queueUrls, chance: () => 0 });
    await hintsOf(sqs, house).send([namesAt(sqs.clock.now(), "low")]);
    const [message] = await receiveAll(sqs, house.queues.low);
    const { ReceiptHandle: receiptHandle = "" } = message ?? {};
    expect(await makeVisibleLater({ queueArn: house.queues.low.arn, receiptHandle })).toBe("later");
    await sqs.pass(1_000);
    expect(await receive(sqs, house.queues.low)).toEqual([]);
    await sqs.pass(1_100);
    expect(countsOf(await receiveAll(sqs, house.queues.low))).toEqual([2]);
  });

  it("a message that was received too often is moved to the dead letters as it is", async () => {
    const sqs = open();
    const house = await openHouse(sqs);
    await hintsOf(sqs, house).send([namesAt(sqs.clock.now())]);
    const [first] = await receiveAll(sqs, house.queues.normal);
    for (let receives = 1; receives < receivesMax; receives++) {
      await sqs.pass(visibilitySeconds * secondMs + 100);
      expect(await receiveAll(sqs, house.queues.normal)).toHaveLength(1);
    }
    await sqs.pass(visibilitySeconds * secondMs + 100);
    expect(await receiveAll(sqs, house.queues.normal)).toEqual([]);
    await sqs.pass(100);
    const dead = await receiveAll(sqs, house.deadLetters);
    expect(dead.map(({ MessageId, Body }) => [MessageId, Body])).toEqual([[first?.MessageId, first?.Body]]);
  });
}

export function conformSqs(open: () => Sqs): void {
  conformSending(open);
  conformReceiving(open);
}
