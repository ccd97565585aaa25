/**
 * A message that could not be handled is made visible again after some seconds, instead of staying hidden for as long as the queue hides
 * messages (many minutes, for the longest call must fit).
 */

import { ChangeMessageVisibilityCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Chance } from "../engine/ports.ts";
import { ask, queueNameOf } from "./ask.ts";

export type Visibility = {
  /**
   * "later": the message comes again after some seconds. "gone": it is no longer hidden for us, and comes again or not without our
   * doing. Throws `OutageError` when SQS does not answer: the message then comes when the queue's own time is over.
   */
  makeVisibleLater(message: { readonly queueArn: string; readonly receiptHandle: string }): Promise<"later" | "gone">;
};

/** Drawn, so that what one outage has thrown back does not return as one crowd. Never zero: a message that fails at once would spin. */
const hiddenSecondsMin = 2;
const hiddenSecondsMax = 20;

export function createVisibility(options: {
  readonly client: Pick<SQSClient, "send">;
  /** Of every queue that messages come from. */
  readonly queueUrls: readonly string[];
  readonly chance: Chance;
}): Visibility {
  const { client, chance } = options;
  const urls = new Map(options.queueUrls.map((url) => [queueNameOf(url), url]));
  return {
    async makeVisibleLater({ queueArn, receiptHandle }) {
      const queueUrl = urls.get(queueNameOf(queueArn));
      if (queueUrl === undefined)
        throw new Error(`expected a message of ${[...urls.keys()].join(", ")}, got one of ${queueNameOf(queueArn)}`);
      const seconds = hiddenSecondsMin + Math.floor(chance() * (hiddenSecondsMax - hiddenSecondsMin + 1));
      const request = new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds });
      try {
        await ask({ action: "sqs:ChangeMessageVisibility", queueUrl }, () => client.send(request));
        return "later";
      } catch (error) {
        if (isGone(error)) return "gone";
        throw error;
      }
    },
  };
}

/** Its visibility ended before we came, or someone else has deleted it. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "MessageNotInflight" || error.name === "ReceiptHandleIsInvalid") return true;
  return error.name === "InvalidParameterValue" && /ReceiptHandle/.test(error.message);
}
