/** The fields that say what a job calls and how: the same for a job of its own and for those that a schedule makes. */

import * as z from "zod";
import { priorities } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { type RetryPolicy, retryDefault } from "../core/retry.ts";
import { formatDuration } from "../core/time.ts";
import { bodyBase64, bodyText, duration, headers, labels, method, url } from "./fields.ts";

const target = z
  .strictObject({
    url,
    method: method.default("POST"),
    headers: headers.default({}),
  })
  .meta({ description: "Where the call goes. GET and HEAD carry no body." });

const retryOn = z
  .array(z.union([z.enum(["4xx", "5xx", "network", "timeout"]), z.int().min(400).max(599)]))
  .max(limits.retryOnMax)
  .meta({
    description: "What is tried again. Everything else that is not a 2xx is final.",
    examples: [["5xx", 429, "network", "timeout"]],
  });

const retryFields = z.strictObject({
  maxAttempts: z.int().min(1).max(limits.attemptMax).default(retryDefault.maxAttempts),
  minBackoff: duration(
    { min: limits.backoffMsMin, max: limits.minBackoffMsMax },
    `What the first wait is drawn from, or is where jitter is false. Default ${formatDuration(retryDefault.minBackoffMs)}, or maxBackoff where that is less.`,
  ).optional(),
  maxBackoff: duration(
    { min: limits.backoffMsMin, max: limits.maxBackoffMsMax },
    `No wait is longer. At least minBackoff. Default ${formatDuration(retryDefault.maxBackoffMs)}, or minBackoff where that is more.`,
  ).optional(),
  maxDoublings: z.int().min(0).max(limits.doublingsMax).default(retryDefault.maxDoublings),
  maxAge: duration(
    { min: limits.maxAgeMsMin, max: limits.maxAgeMsMax, default: limits.maxAgeMsDefault },
    "No retry starts later than this after dueAt.",
  ).default(retryDefault.maxAgeMs),
  jitter: z
    .boolean()
    .default(retryDefault.jitter)
    .meta({ description: "Draw each wait from (0, curve], so that calls that failed together do not return together." }),
  retryOn: retryOn.default([...retryDefault.retryOn]),
});

const retry = retryFields
  .transform(({ minBackoff, maxBackoff, maxAge, ...rest }, context): RetryPolicy => {
    const minBackoffMs = minBackoff ?? Math.min(retryDefault.minBackoffMs, maxBackoff ?? retryDefault.minBackoffMs);
    const maxBackoffMs = maxBackoff ?? Math.max(retryDefault.maxBackoffMs, minBackoffMs);
    if (maxBackoffMs < minBackoffMs) {
      const message = `expected at least minBackoff (${formatDuration(minBackoffMs)}), got "${formatDuration(maxBackoffMs)}"`;
      context.issues.push({ code: "custom", input: maxBackoff, path: ["maxBackoff"], message, params: { code: "too_small" } });
    }
    return { ...rest, minBackoffMs, maxBackoffMs, maxAgeMs: maxAge };
  })
  .meta({ description: "When a failed attempt is tried again: until maxAttempts or maxAge, whichever comes first." });

/** The body's three spellings; at most one of them. */
const bodyFields = {
  body: z
    .unknown()
    .optional()
    .meta({
      description: `Any JSON value but null, sent compact as application/json. At most ${limits.bodyBytesMax} bytes. A content-type header of the target wins.`,
    }),
  bodyText: bodyText.optional(),
  bodyBase64: bodyBase64.optional(),
};

const after = { min: 1, max: limits.expireAfterMsMax };

/** What a home decides about the shapes. */
export type ShapeParams = { readonly timeoutMsMax: number };

export type JobFields = ReturnType<typeof jobFieldsFor>;

export function jobFieldsFor({ timeoutMsMax }: ShapeParams) {
  const bounds = { min: limits.timeoutMsMin, max: timeoutMsMax, default: Math.min(limits.timeoutMsDefault, timeoutMsMax) };
  const ofHome = timeoutMsMax < limits.timeoutMsMax ? { of: ", this installation's maxTimeout" } : {};
  const timeout = duration({ ...bounds, ...ofHome }, "Total deadline of one call, from the look-up of the name to the last byte.");
  return {
    target,
    ...bodyFields,
    timeout: timeout.default(bounds.default),
    expireAfter: duration(after, "Instead of deadline: this long after dueAt.").optional(),
    retry: retry.default(retryDefault),
    priority: z.enum(priorities).default("normal"),
    labels: labels.default({}),
  };
}
