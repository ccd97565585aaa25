/**
 * The door of the dead letter queues: what was given up after too many receives ends here. A hint is counted and dropped, for the wheel
 * still holds its work; whatever else somebody sent is recorded for people to look at. No message's fate changes a job.
 */

import type { SQSBatchResponse } from "aws-lambda";
import * as z from "zod";
import { type DeadLetters, deadLetterOf } from "../src/core/deadLetter.ts";
import type { EpochMs } from "../src/core/time.ts";
import { OutageError } from "../src/engine/ports.ts";
import { readHint } from "../src/hints/message.ts";
import { dynamoDeadLetters } from "../src/store/dynamo/deadLetters.ts";
import type { Log } from "../src/system/log.ts";
import { maskSecrets } from "../src/system/redact.ts";
import { door, readEvent } from "./door.ts";
import type { FunctionMetrics } from "./metrics.ts";
import { openBuilding } from "./runtime.ts";
import { everywhere, readSettings } from "./settings.ts";

const Message = z.looseObject({
  /** Part of a key in the table. SQS makes UUIDs. */
  messageId: z.string().regex(/^[\w-]{1,100}$/),
  body: z.string(),
  attributes: z.looseObject({ ApproximateReceiveCount: z.string().regex(/^\d{1,9}$/) }),
  eventSource: z.literal("aws:sqs"),
  eventSourceARN: z.string().regex(/^arn:[^:]+:sqs:[^:]*:[^:]*:[\w.-]{1,100}$/),
});
type Message = z.infer<typeof Message>;
const DeadLetterEvent = z.looseObject({ Records: z.array(Message).min(1) });

type Parts = {
  readonly deadLetters: Pick<DeadLetters, "record">;
  readonly clock: { now(): EpochMs };
  readonly log: Log;
  readonly metrics: Pick<FunctionMetrics, "count">;
};

export function createUndertaker({ deadLetters, clock, log, metrics }: Parts) {
  async function bury({ messageId: id, body, attributes, eventSourceARN }: Message): Promise<void> {
    const queue = eventSourceARN.slice(eventSourceARN.lastIndexOf(":") + 1);
    if (readHint(body) !== undefined) {
      metrics.count("HintsDropped");
      log("info", `a hint given up in ${queue} is dropped: the wheel holds its work`);
      return;
    }
    const receives = Number(attributes.ApproximateReceiveCount);
    const letter = deadLetterOf({ id, receivedAt: clock.now(), queue, body, receives }, maskSecrets);
    // Delivered once more after its record: counted then already.
    if ((await deadLetters.record(letter)) === "exists") return;
    const { reason, bodyBytes } = letter;
    metrics.count("DeadLetters", 1, { name: "reason", value: reason });
    log("warn", `the message ${id} of ${queue} is now a dead letter (${reason})`, { because: reason, byteCount: bodyBytes });
  }

  /** Whether the message is done with. One that is not stays in its queue, and comes again when it is visible. */
  async function handle(message: Message): Promise<boolean> {
    try {
      await bury(message);
      return true;
    } catch (cause) {
      const isOutage = cause instanceof OutageError;
      if (isOutage) metrics.count("Outages");
      log(isOutage ? "warn" : "error", `the message ${message.messageId} could not be recorded, and stays in its queue`, { cause });
      return false;
    }
  }

  return async (event: unknown): Promise<SQSBatchResponse> => {
    const { Records: messages } = readEvent(DeadLetterEvent, event, "messages of a dead letter queue");
    const failed = await Promise.all(
      messages.map(async (message) => ((await handle(message)) ? [] : [{ itemIdentifier: message.messageId }])),
    );
    return { batchItemFailures: failed.flat() };
  };
}

const building = openBuilding<never>(readSettings(process.env, everywhere));
const deadLetters = dynamoDeadLetters({ table: building.table, now: building.clock.now });

export const handler = door(building, createUndertaker({ ...building, deadLetters }));
