/**
 * Hints by SQS: a queue for each priority, a message for each hint, delayed until about a lead before its instant. Nothing here is
 * relied upon but time: what could not be sent is found on the wheel.
 */

import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Hint } from "../core/hint.ts";
import { type Priority, priorities } from "../core/job.ts";
import { type EpochMs, later, secondMs } from "../core/time.ts";
import { type Chance, type Clock, type Hints, OutageError } from "../engine/ports.ts";
import { ask, queueNameOf } from "./ask.ts";
import { messageBytesMax, namesMax, writeHint } from "./message.ts";

export type SqsHintsOptions = {
  readonly client: Pick<SQSClient, "send">;
  readonly queueUrls: Readonly<Record<Priority, string>>;
  readonly clock: Clock;
  readonly chance: Chance;
  /** How long before its instant a hint should arrive. */
  readonly leadMs: number;
};

type Message = { readonly startAt: EpochMs; readonly body: string };
type Batch = { readonly queueUrl: string; readonly messages: readonly Message[] };

/** The longest delay of SQS. */
const delaySecondsMax = 900;
const batchMessagesMax = 10;
/** Batches on their way at once: a turn sends hundreds, and shares the SDK's fifty sockets. */
const lanesMax = 8;
/** How often a message that SQS refused out of a batch is sent, the first time included. */
const triesMax = 4;
/** The second try comes after at most so long; each later one after twice as long at most. */
const pauseMs = 100;

export function createSqsHints(options: SqsHintsOptions): Hints {
  const { clock, leadMs } = options;
  return {
    async send(hints) {
      const now = clock.now();
      // SQS cannot hold it so long. It stands on the wheel, where a turn finds it when its time is near.
      const near = hints.filter((hint) => delaySecondsOf(hint.startAt, now, leadMs) <= delaySecondsMax);
      await sendAll(options, batchesOf(near, options.queueUrls));
      return near.length === hints.length ? "sent" : "full";
    },
  };
}

/** Rounded down: a hint may come up to a second early, where the executor holds it, and never late by rounding. */
function delaySecondsOf(startAt: EpochMs, now: EpochMs, leadMs: number): number {
  return Math.max(0, Math.floor((startAt - now - leadMs) / secondMs));
}

function batchesOf(hints: readonly Hint[], queueUrls: SqsHintsOptions["queueUrls"]): readonly Batch[] {
  return priorities.flatMap((priority) => {
    const batches: Message[][] = [];
    let open: Message[] = [];
    let openBytes = 0;
    for (const message of hints.filter((hint) => hint.priority === priority).flatMap(messagesOf)) {
      const bytes = Buffer.byteLength(message.body);
      if (open.length === 0 || open.length === batchMessagesMax || openBytes + bytes > messageBytesMax) {
        open = [];
        openBytes = 0;
        batches.push(open);
      }
      open.push(message);
      openBytes += bytes;
    }
    return batches.map((messages) => ({ queueUrl: queueUrls[priority], messages }));
  });
}

/** One message, or as many as a hint of too many names needs: cut in two until each half fits. */
function messagesOf(hint: Hint): readonly Message[] {
  const body = writeHint(hint);
  if (hint.kind === "stretch" || (hint.names.length <= namesMax && Buffer.byteLength(body) <= messageBytesMax)) {
    return [{ startAt: hint.startAt, body }];
  }
  const middle = Math.ceil(hint.names.length / 2);
  return [hint.names.slice(0, middle), hint.names.slice(middle)].flatMap((names) => messagesOf({ ...hint, names }));
}

/** Several at once. What one batch met the others would meet too: after the first failure no further one is begun. */
async function sendAll(options: SqsHintsOptions, batches: readonly Batch[]): Promise<void> {
  const left = [...batches];
  const failures: unknown[] = [];
  async function lane(): Promise<void> {
    for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
      try {
        await sendBatch(options, batch);
      } catch (failure) {
        failures.push(failure);
        left.length = 0;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanesMax, batches.length) }, lane));
  // A bug must not hide behind an outage that came with it.
  const first = failures.find((failure) => !(failure instanceof OutageError)) ?? failures[0];
  if (first !== undefined) throw first;
}

async function sendBatch(options: SqsHintsOptions, { queueUrl, messages }: Batch): Promise<void> {
  const { clock, chance } = options;
  let left = messages;
  for (let tries = 1; ; tries++) {
    const { refused, reason } = await sendOnce(options, { queueUrl, messages: left });
    if (refused.length === 0) return;
    if (tries === triesMax) {
      const text = `expected ${queueNameOf(queueUrl)} to take ${messages.length} hints, and it refused ${refused.length} of them ${tries} times`;
      throw new OutageError(text, { cause: new Error(reason) });
    }
    left = refused;
    await clock.until(later(clock.now(), Math.ceil(chance() * pauseMs * 2 ** (tries - 1))));
  }
}

/** Answers those that SQS did not take, and why. */
async function sendOnce({ client, clock, leadMs }: SqsHintsOptions, { queueUrl, messages }: Batch) {
  const now = clock.now();
  const request = new SendMessageBatchCommand({
    QueueUrl: queueUrl,
    Entries: messages.map(({ startAt, body }, index) => ({
      Id: String(index),
      MessageBody: body,
      DelaySeconds: delaySecondsOf(startAt, now, leadMs),
    })),
  });
  const { Successful = [], Failed = [] } = await ask({ action: "sqs:SendMessage", queueUrl }, () => client.send(request));
  const ours = Failed.find(({ SenderFault }) => SenderFault === true);
  if (ours !== undefined) {
    throw new Error(`expected ${queueNameOf(queueUrl)} to take a hint as it is, and it says ${ours.Code}: ${ours.Message ?? "no more"}`);
  }
  const taken = new Set(Successful.map(({ Id }) => Id));
  const { Code = "no answer for them" } = Failed[0] ?? {};
  return { refused: messages.filter((_, index) => !taken.has(String(index))), reason: Code };
}
