/**
 * The shapes of requests: the single source of their types, of the OpenAPI document, and of what is refused. Instants and
 * durations leave here as epoch milliseconds. What depends on two fields or on the clock stands in `relations.ts`.
 */

import * as z from "zod";
import { priorities } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { ruleBounds } from "../core/recurrence/bounds.ts";
import { type RetryPolicy, retryDefault } from "../core/retry.ts";
import { formatDuration } from "../core/time.ts";
import { bodyBase64, bodyText, duration, headers, instant, key, labels, method, url } from "./fields.ts";
import { except, ruleStart, when, window } from "./ruleFields.ts";

/** Shown in the OpenAPI document. zod leaves them out of a schema that reads one spelling into another. */
export const createExample = {
  target: { url: "https://example.com/hook" },
  body: { order: 17 },
  dueAt: "2027-01-01T00:00:00Z",
  retry: { maxAttempts: 5, minBackoff: "10s" },
  labels: { team: "billing" },
  key: "order-17",
};

export const patchExample = { dueAt: "2027-01-01T01:00:00Z", priority: "high" };

export const batchExample = { jobs: [createExample, { ...createExample, key: "order-18" }] };

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

const due = { min: 0, max: limits.dueAheadMsMax };
const after = { min: 1, max: limits.expireAfterMsMax };
const deadlineText = "No attempt starts after it. Not before dueAt.";

/** What a home decides about the shapes. */
export type ShapeParams = { readonly timeoutMsMax: number };

export type Shapes = ReturnType<typeof shapesFor>;
export type CreateFields = z.output<Shapes["create"]>;
export type PatchFields = z.output<Shapes["patch"]>;

export function shapesFor({ timeoutMsMax }: ShapeParams) {
  const bounds = { min: limits.timeoutMsMin, max: timeoutMsMax, default: Math.min(limits.timeoutMsDefault, timeoutMsMax) };
  const ofHome = timeoutMsMax < limits.timeoutMsMax ? { of: ", this installation's maxTimeout" } : {};
  const timeout = duration({ ...bounds, ...ofHome }, "Total deadline of one call, from the look-up of the name to the last byte.");
  const dueAt = instant.meta({ description: "When the call is owed, up to 10 years ahead; in the past means at once. Default: now." });
  const delay = duration(due, "Instead of dueAt: this long from now.");
  const expireAfter = duration(after, "Instead of deadline: this long after dueAt.");
  const priority = z.enum(priorities);

  const create = z
    .strictObject({
      target,
      ...bodyFields,
      dueAt: dueAt.optional(),
      delay: delay.optional(),
      timeout: timeout.default(bounds.default),
      deadline: instant.meta({ description: deadlineText }).optional(),
      expireAfter: expireAfter.optional(),
      retry: retry.default(retryDefault),
      priority: priority.default("normal"),
      labels: labels.default({}),
      key: key.optional(),
    })
    .meta({ description: "A job: one call owed at one instant." });

  const patch = z
    .strictObject({
      target: target.optional(),
      ...bodyFields,
      dueAt: dueAt.optional(),
      delay: delay.optional(),
      timeout: timeout.optional(),
      deadline: instant
        .nullable()
        .optional()
        .meta({ description: `${deadlineText} null takes it away.` }),
      expireAfter: expireAfter.optional(),
      retry: retry.optional(),
      priority: priority.optional(),
      labels: labels.optional(),
    })
    .meta({
      description: "What to change of a waiting job. target, retry and labels are replaced whole; a delay counts from now.",
    });

  const batch = z
    .strictObject({ jobs: z.array(z.unknown()).min(1).max(limits.batchItemsMax) })
    .meta({ description: "Jobs, each taken or refused on its own." });

  return { create, patch, batch };
}

export const patchTicksExample = { ranges: 4 };

export const patchTicksShape = z
  .strictObject({
    ranges: z.int().min(1).optional().meta({ description: "Over how many dispatchers the shards are spread, up to the number of shards." }),
    paused: z.boolean().optional().meta({ description: "While true, ticks do nothing: only what is hinted already is called." }),
  })
  .meta({ description: "What is wanted of the ticks. What is left out stays." });

export const previewExample = {
  when: { cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin" },
  except: [{ dates: ["2027-01-01"] }],
  count: 3,
};

export const previewShape = z
  .strictObject({
    when,
    except: except.optional(),
    window: window.optional(),
    from: ruleStart.optional(),
    count: z
      .int()
      .min(1)
      .max(ruleBounds.previewMax)
      .optional()
      .meta({ description: `Default ${ruleBounds.previewDefault}.` }),
  })
  .meta({ description: "A rule to look at: what it would yield, without a schedule." });

/** Cancel and replay take no fields; an empty object is as good as no body. */
export const emptyShape = z.strictObject({}).meta({ description: "No fields." });
