/**
 * Whether this machine's clock agrees with the store's: every answer of AWS says what time it is there. A process whose clock is
 * off by more than the guarantees allow takes no work.
 */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { limits } from "../../core/limits.ts";
import { secondMs } from "../../core/time.ts";

export type SkewWatch = {
  /** How far the clock is surely off: positive when it is ahead, 0 while no answer has shown that it is. */
  skewMs(): number;
  /** A sentence when the clock is off by more than is allowed; undefined when work may be taken. */
  refusal(): string | undefined;
};

export function watchSkew(client: Pick<DynamoDBClient, "middlewareStack">, now: () => number): SkewWatch {
  let skewMs = 0;
  client.middlewareStack.add(
    (next) => async (request) => {
      const sentAt = now();
      const result = await next(request);
      skewMs = skewOf(dateOf(result.response), { sentAt, receivedAt: now() }) ?? skewMs;
      return result;
    },
    // After each single answer, also of those that the SDK repeats.
    { step: "deserialize", name: "onthedotSkew", priority: "low" },
  );
  return {
    skewMs: () => skewMs,
    refusal() {
      if (Math.abs(skewMs) <= limits.clockSkewMsMax) return undefined;
      return `expected a clock within ${limits.clockSkewMsMax} ms of the store's, and it is ${Math.abs(skewMs)} ms ${skewMs > 0 ? "ahead" : "behind"}`;
    },
  };
}

/** What is certain: the header names a whole second, and the answer was made at some time between the two of ours. */
export function skewOf(dateMs: number | undefined, { sentAt, receivedAt }: { sentAt: number; receivedAt: number }): number | undefined {
  if (dateMs === undefined || Number.isNaN(dateMs)) return undefined;
  if (sentAt > dateMs + secondMs) return sentAt - dateMs - secondMs;
  return Math.min(0, receivedAt - dateMs);
}

function dateOf(response: unknown): number | undefined {
  const headers = (response as { headers?: Readonly<Record<string, string>> } | undefined)?.headers;
  return headers?.["date"] === undefined ? undefined : Date.parse(headers["date"]);
}
