/** What all doors have in common: the invocation's ids in the log, the metrics at its end, and an event of another shape told in one line. */

import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import middy, { type MiddyfiedHandler } from "@middy/core";
import type { Context } from "aws-lambda";
import type { ZodType } from "zod";
import type { FunctionLog } from "./log.ts";
import type { FunctionMetrics } from "./metrics.ts";

/** An event that this door does not know. The invocation fails with this one line; what sent it is set up wrongly. */
export class ForeignEventError extends Error {
  override readonly name = "ForeignEventError";
}

export function door<Result>(
  { logger, metrics }: { readonly logger: FunctionLog["logger"]; readonly metrics: FunctionMetrics },
  handle: (event: unknown, context: Context) => Promise<Result>,
): MiddyfiedHandler<unknown, Result> {
  // Nothing is cut short before the platform does it: an executor uses the time it has, and knows how much that is.
  return middy<unknown, Result>(handle, { timeoutEarlyInMillis: 0 })
    .use(injectLambdaContext(logger))
    .use({ after: () => metrics.flush(), onError: () => metrics.flush() });
}

/** `what`: the event that the door is for, in words. */
export function readEvent<Event>(schema: ZodType<Event>, event: unknown, what: string): Event {
  const read = schema.safeParse(event);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "the event" : issue.path.join(".");
  throw new ForeignEventError(`expected ${what}, got an event in which ${place} is wrong: ${issue?.message ?? "unknown"}`);
}
