/**
 * How CloudFormation asks something of a function in the middle of a deploy, and waits for its answer at a URL. A request without an
 * answer holds the stack up for as long as CloudFormation has patience, so whatever happens here ends in one.
 */

import * as z from "zod";
import { secondMs } from "../src/core/time.ts";
import { ForeignEventError } from "./door.ts";

export const ResourceEvent = z.looseObject({
  RequestType: z.enum(["Create", "Update", "Delete"]),
  ResponseURL: z.string(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.record(z.string(), z.unknown()),
});
export type ResourceEvent = z.infer<typeof ResourceEvent>;

export type ResourceAnswer = { readonly status: "SUCCESS" } | { readonly status: "FAILED"; readonly reason: string };

/** Beyond 4 KiB CloudFormation takes no answer at all. */
const reasonCharsMax = 1_000;
const answerMsMax = 10 * secondMs;
const tries = 4;
const firstPauseMs = 500;

type Sending = {
  readonly fetch: typeof fetch;
  readonly pause: (durationMs: number) => Promise<void>;
  /** An emulator's answers go over plain HTTP; CloudFormation's do not. */
  readonly isEmulated: boolean;
};

/** Where the answer goes. The URL carries its own right to write, so it goes into no line. */
export function responseUrlOf({ ResponseURL: url }: ResourceEvent, isEmulated: boolean): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "https:" || (isEmulated && parsed?.protocol === "http:")) return parsed;
  throw new ForeignEventError("expected a request of CloudFormation, got one whose ResponseURL is not https");
}

/** Throws when the answer could not be given: then Lambda hands the request in again, and all of it may be repeated. */
export async function answerResource(
  event: ResourceEvent,
  { physicalId, answer }: { readonly physicalId: string; readonly answer: ResourceAnswer },
  { fetch, pause, isEmulated }: Sending,
): Promise<void> {
  const url = responseUrlOf(event, isEmulated);
  const body = JSON.stringify({
    Status: answer.status,
    // Shown to whoever deploys; CloudFormation wants one with every failure.
    Reason: answer.status === "FAILED" ? answer.reason.slice(0, reasonCharsMax) : "",
    // The same for ever: another would make CloudFormation delete what it takes for the one before.
    PhysicalResourceId: event.PhysicalResourceId ?? physicalId,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  let said = "";
  for (let tried = 0; tried < tries; tried++) {
    if (tried > 0) await pause(firstPauseMs * 2 ** (tried - 1));
    try {
      // The URL is signed for a request without a content type.
      const headers = { "content-type": "" };
      const response = await fetch(url, { method: "PUT", body, headers, redirect: "error", signal: AbortSignal.timeout(answerMsMax) });
      await response.arrayBuffer();
      if (response.ok) return;
      said = `status ${response.status}`;
    } catch (cause) {
      said = cause instanceof Error ? cause.name : String(cause);
    }
  }
  throw new Error(`expected CloudFormation to take the answer ${answer.status}, and it did not in ${tries} tries: ${said}`);
}
