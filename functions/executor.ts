/**
 * The door of the hints: each message wakes this executor for what it names. A message fails only when the store could not be read
 * or it is no hint at all; then it comes again after seconds, and what is no hint ends in the dead letter queue.
 */

import type { Context, SQSBatchResponse } from "aws-lambda";
import * as z from "zod";
import { brokenSpans } from "../src/core/invocation.ts";
import { later } from "../src/core/time.ts";
import { createDeliver } from "../src/deliver/http.ts";
import type { Invocation } from "../src/engine/attempt.ts";
import type { Engine } from "../src/engine/engine.ts";
import { OutageError } from "../src/engine/ports.ts";
import { createSlots } from "../src/engine/slots.ts";
import { wake } from "../src/engine/wake.ts";
import { readHint } from "../src/hints/message.ts";
import { createVisibility, type Visibility } from "../src/hints/visibility.ts";
import { chance } from "../src/system/chance.ts";
import type { Log } from "../src/system/log.ts";
import { door, readEvent } from "./door.ts";
import { executorSlots } from "./params.ts";
import { compose, openBuilding } from "./runtime.ts";
import { deployedSpans, everywhere, readSettings, WrongSettingsError } from "./settings.ts";

const Message = z.looseObject({
  messageId: z.string().min(1),
  receiptHandle: z.string().min(1),
  body: z.string(),
  eventSourceARN: z.string().startsWith("arn:"),
});
const QueueEvent = z.looseObject({ Records: z.array(Message).min(1) });

type Parts = {
  readonly engine: Engine;
  readonly visibility: Visibility;
  readonly log: Log;
};

export function createExecutor({ engine, visibility, log }: Parts) {
  /** Whether the message is done with. */
  async function handle(message: z.infer<typeof Message>, invocation: Invocation): Promise<boolean> {
    const hint = readHint(message.body);
    if (hint === undefined) {
      log("warn", `the message ${message.messageId} is no hint, and is left to the dead letter queue`, { byteCount: message.body.length });
      return false;
    }
    try {
      // While the clock is off the table refuses whatever is read. Asked anew for each message: a verdict that was kept would outlive its cause.
      await wake(engine, hint, invocation);
      return true;
    } catch (cause) {
      if (cause instanceof OutageError) engine.observe({ kind: "outage", where: "store", cause });
      else log("error", "a bug: the work it met stays on the wheel and is tried again", { cause });
      return false;
    }
  }

  /** Its own time of hiding is as long as the longest call needs; one that failed comes again after seconds. */
  async function throwBack({ messageId, eventSourceARN: queueArn, receiptHandle }: z.infer<typeof Message>): Promise<void> {
    try {
      await visibility.makeVisibleLater({ queueArn, receiptHandle });
    } catch (cause) {
      log("warn", `the message ${messageId} stays hidden until its queue shows it again`, { cause });
    }
  }

  return async (event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<SQSBatchResponse> => {
    const { Records: messages } = readEvent(QueueEvent, event, "messages of a queue");
    const endsAt = later(engine.clock.now(), context.getRemainingTimeInMillis());
    const invocation: Invocation = { slots: createSlots(executorSlots), endsAt, warm: 0 };
    const failed = await Promise.all(
      messages.map(async (message) => {
        if (await handle(message, invocation)) return [];
        await throwBack(message);
        return [{ itemIdentifier: message.messageId }];
      }),
    );
    return { batchItemFailures: failed.flat() };
  };
}

const settings = readSettings(process.env, [...everywhere, "queueUrls", "allowTargets", "executorTimeoutMs", "visibilityMs"]);
const broken = brokenSpans(deployedSpans(settings));
if (broken.length > 0) throw new WrongSettingsError(`${broken.join("; ")}: deploy the stack again`);
const building = openBuilding<"queueUrls">(settings);
const engine = compose(building, createDeliver({ allow: settings.allowTargets, now: building.clock.now }));
const visibility = createVisibility({ client: engine.sqs, queueUrls: Object.values(settings.queueUrls), chance });

export const handler = door(building, createExecutor({ ...building, engine, visibility }));
