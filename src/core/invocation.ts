/**
 * How long the functions of the AWS home may run, and what follows for leases and queues: every span from one number, the longest
 * call. The building is made of these and the functions assert them at their start, so that the two cannot drift apart.
 */

import { limits } from "./limits.ts";
import { formatDuration, minuteMs, secondMs } from "./time.ts";

export type Spans = {
  /** D: the total deadline of the longest call. */
  readonly maxTimeoutMs: number;
  /** F: when the platform ends an executor. */
  readonly executorTimeoutMs: number;
  /** V: how long a received message stays hidden. */
  readonly visibilityMs: number;
};

/** What an executor needs beside the longest call: to hold a hint that came early, load, claim, settle, and hand on what is left. */
const besideMs = minuteMs;

/** AWS asks for six times the function's timeout, so that a throttled receiver does not use up a message's receives. */
export const visibilityPerTimeout = 6;

/** The longest that AWS lets a function run. */
const functionMsMax = 15 * minuteMs;

/** The longest call for which there is room within the longest function. */
export const maxTimeoutMsMax = functionMsMax - besideMs;

/** The API's: what API Gateway waits for an answer, less a second to give one. */
export const apiTimeoutMs = 29 * secondMs;
/** A turn must be over before the next tick, for it holds the range's lease so long. */
export const dispatcherTimeoutMs = 55 * secondMs;
export const undertakerTimeoutMs = 30 * secondMs;
export const reconcileTimeoutMs = 2 * minuteMs;

export function spansFor(maxTimeoutMs: number): Spans {
  const executorTimeoutMs = maxTimeoutMs + besideMs;
  return { maxTimeoutMs, executorTimeoutMs, visibilityMs: visibilityPerTimeout * executorTimeoutMs };
}

/** What the guarantees rest on, for whatever numbers a deploy has made. A sentence for each that does not hold. */
export function brokenSpans({ maxTimeoutMs, executorTimeoutMs, visibilityMs }: Spans): readonly string[] {
  const span = (ms: number) => formatDuration(ms);
  return [
    maxTimeoutMs + limits.clockSkewMsMax < executorTimeoutMs
      ? null
      : `the longest call (${span(maxTimeoutMs)}) and the clocks' difference do not fit the executor's ${span(executorTimeoutMs)}`,
    executorTimeoutMs <= functionMsMax
      ? null
      : `AWS runs no function for ${span(executorTimeoutMs)}; the longest is ${span(functionMsMax)}`,
    visibilityMs >= visibilityPerTimeout * executorTimeoutMs
      ? null
      : `a message is hidden for ${span(visibilityMs)}, less than ${visibilityPerTimeout} times the executor's ${span(executorTimeoutMs)}`,
  ].filter((sentence) => sentence !== null);
}
