/** The shapes of answers. `view.ts` makes them of jobs, tests hold every answer against them, and the OpenAPI document shows them. */

import * as z from "zod";
import { deadLetterReasons } from "../core/deadLetter.ts";
import { becauses, priorities } from "../core/job.ts";
import { methods } from "../core/target.ts";
import { ProblemDocument } from "./problem.ts";

export const jobId = z.string().meta({ pattern: "^job_[0-7][0-9A-HJKMNP-TV-Z]{25}$", examples: ["job_01JZX0V5QK3M8R6T2Y4W7B9CDE"] });
export const instant = z
  .string()
  .meta({ format: "date-time", description: "UTC with milliseconds.", examples: ["2027-01-01T00:00:00.000Z"] });
export const duration = z.string().meta({ examples: ["30s"] });
export const count = z.int().min(0);

const states = ["waiting", "running", "succeeded", "failed", "cancelled"] as const;
export const state = z.enum(states);

const Attempt = z
  .strictObject({
    number: z.int().min(1),
    startedAt: instant.nullable().meta({ description: "When the first byte was sent; null while none was." }),
    endedAt: instant.nullable(),
    latenessMs: z.int().nullable().meta({ description: "First byte sent minus the instant at which this attempt was owed." }),
    outcome: z
      .enum(["done", "again", "never", "unknown"])
      .nullable()
      .meta({ description: "What the answer meant; null while the call runs. unknown: the executor was lost." }),
    because: z
      .string()
      .nullable()
      .meta({ description: "status_<code>, or what failed.", examples: ["status_503", "timeout"] }),
    response: z
      .strictObject({
        status: z.int(),
        headers: z
          .record(z.string(), z.string())
          .nullable()
          .meta({ description: "Those that carry secrets masked; null where no excerpt is kept, and in lists." }),
        body: z.string().nullable().meta({ description: "The first 4 KiB as text; null where no excerpt is kept, and in lists." }),
        bodyBytes: count.meta({ description: "Bytes of the body that were read." }),
        truncated: z.boolean().meta({ description: "The body was longer than 64 KiB; the connection was cut there." }),
      })
      .nullable(),
    error: z
      .strictObject({
        code: z
          .string()
          .nullable()
          .meta({ examples: ["ECONNREFUSED"] }),
        message: z.string(),
      })
      .nullable()
      .meta({ description: "What kept the call from an answer." }),
  })
  .meta({ description: "One try of a job." });

/** What is called and how. */
export const callFields = {
  target: z
    .strictObject({ url: z.string(), method: z.enum(methods), headers: z.record(z.string(), z.string()) })
    .meta({ description: 'Names in lower case. The values of headers that carry credentials read "***".' }),
  body: z
    .strictObject({ contentType: z.string(), bytes: count })
    .nullable()
    .meta({ description: "What is sent, in summary; null where no body is." }),
  retry: z.strictObject({
    maxAttempts: z.int(),
    minBackoff: duration,
    maxBackoff: duration,
    maxDoublings: z.int(),
    maxAge: duration,
    jitter: z.boolean(),
    retryOn: z.array(z.union([z.string(), z.int()])),
  }),
  timeout: duration,
  priority: z.enum(priorities),
  labels: z.record(z.string(), z.string()),
};

export const JobAnswer = z
  .strictObject({
    id: jobId,
    state,
    dueAt: instant.meta({ description: "When the call is owed. Moved by the caller only." }),
    createdAt: instant,
    version: z.int().min(1).meta({ description: "Raised by every change. The ETag is this number in quotes." }),
    because: z.enum(becauses).meta({ description: "Why the job is in this state." }),
    ...callFields,
    deadline: instant.nullable(),
    replayOf: jobId.nullable().meta({ description: "The ended job whose call this one does again." }),
    schedule: z
      .strictObject({ name: z.string(), nominalAt: instant.meta({ description: "The occurrence, as the rule says." }) })
      .nullable()
      .meta({ description: "The schedule that made it; null for a job of its own." }),
    nextAttemptAt: instant
      .nullable()
      .meta({ description: "When the attempt that is next, or now running, is owed; null once the job has ended." }),
    startedAt: instant.nullable().meta({ description: "When the latest attempt that sent anything sent its first byte." }),
    endedAt: instant.nullable(),
    cancelRequestedAt: instant.nullable().meta({ description: "When a cancel was asked for while an attempt was in flight." }),
    attemptCount: count.meta({ description: "All attempts so far; `attempts` keeps the last 20." }),
    attempts: z.array(Attempt).meta({ description: "The last 20, oldest first." }),
    history: z
      .array(z.strictObject({ at: instant, from: state.nullable(), to: state, because: z.enum(becauses) }))
      .meta({ description: "The last 20 changes of state, oldest first." }),
  })
  .meta({ description: "A job with everything that happened to it." });
export type JobAnswer = z.infer<typeof JobAnswer>;

export const ListAnswer = z
  .strictObject({
    data: z.array(JobAnswer),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: "Where the next page begins; null on the last page. A page may be empty and still have one." }),
  })
  .meta({ description: "A page of jobs, newest first." });
export type ListAnswer = z.infer<typeof ListAnswer>;

const DeadLetterAnswer = z
  .strictObject({
    id: z.string().meta({ description: "The message's own id.", examples: ["059f36b4-87a3-44ab-83d2-661975830a7d"] }),
    receivedAt: instant.meta({ description: "When it was found." }),
    queue: z.string().meta({ description: "The dead-letter queue it was found in.", examples: ["onthedot-dev-normal-dead"] }),
    reason: z.enum(deadLetterReasons).meta({
      description:
        "not_a_hint: somebody else's message in a queue of ours. tick_undelivered: a tick for which no dispatcher could be started.",
    }),
    body: z.string().meta({ description: "The first 4 KiB as text, masked where it looks like a credential." }),
    bodyBytes: count.meta({ description: "Bytes of the whole text." }),
    receives: count.meta({ description: "How often it was delivered." }),
  })
  .meta({ description: "A message that nobody could handle. Kept for 30 days; no job depends on it." });

export const DeadLetterListAnswer = z
  .strictObject({ data: z.array(DeadLetterAnswer), nextCursor: z.string().nullable() })
  .meta({ description: "A page of dead letters, newest first." });
export type DeadLetterListAnswer = z.infer<typeof DeadLetterListAnswer>;

export const TicksAnswer = z
  .strictObject({
    ranges: z.int().min(1).meta({ description: "Over how many ranges the shards are to be spread." }),
    paused: z.boolean(),
    shards: z.int().min(1).meta({ description: "Shards of the wheel that are looked after." }),
    ticks: z.array(
      z.strictObject({
        range: count,
        shards: count.meta({ description: "Shards that this range looks after now." }),
        lastTickAt: instant.nullable().meta({ description: "When its last tick came; null where none has." }),
        scheduled: z.boolean().meta({ description: "Its tick stands as wanted. Until it does, and while paused, range 0 has its shards." }),
      }),
    ),
  })
  .meta({ description: "What wakes the dispatchers, range by range." });
export type TicksAnswer = z.infer<typeof TicksAnswer>;

export const PreviewAnswer = z
  .strictObject({
    occurrences: z.array(
      z.strictObject({
        nominalAt: instant.meta({ description: "When the rule says. What follows is counted from it." }),
        dueAt: instant.meta({ description: "When the call would be owed: nominalAt and its place in the window." }),
        local: z.string().meta({
          description: "nominalAt as the clocks of the rule's zone show it (RFC 9557).",
          examples: ["2026-03-29T03:00:00+02:00[Europe/Berlin]"],
        }),
        note: z.enum(["gap_shifted", "fold_first", "fold_last"]).nullable().meta({
          description: "gap_shifted: stands for times that the clocks jump over. fold_first, fold_last: a time that they show twice.",
        }),
      }),
    ),
    searchedUntil: instant
      .nullable()
      .meta({ description: "Where the search was given up, with exceptions having left nothing for very long; null where it was not." }),
  })
  .meta({ description: "The next occurrences of a rule, in order. Fewer than asked for: no others come, or the search was given up." });
export type PreviewAnswer = z.infer<typeof PreviewAnswer>;

const BatchResult = z.union([
  z.strictObject({ status: z.literal([200, 201]), job: JobAnswer.pick({ id: true, state: true, dueAt: true }) }),
  z.strictObject({ status: z.literal([400, 409, 413, 422, 500, 503]), problem: ProblemDocument }),
]);
export type BatchResult = z.infer<typeof BatchResult>;

export const BatchAnswer = z
  .strictObject({ results: z.array(BatchResult) })
  .meta({ description: "One result for each job, in order. 201: made. 200: its key stood for this very request already." });
export type BatchAnswer = z.infer<typeof BatchAnswer>;

const HealthChecks = z.strictObject({
  store: z.string().meta({ description: "ok, or what is wrong in one sentence.", examples: ["ok"] }),
  clock: z.string().meta({ description: "ok, or what is wrong in one sentence.", examples: ["ok"] }),
  wheel: z.strictObject({
    behindMs: z.number().nullable().meta({ description: "How late the oldest call is that is owed and not taken; null where not known." }),
    waiting: count.nullable(),
    running: count.nullable(),
  }),
});

export const HealthAnswer = z
  .strictObject({ status: z.literal("ok"), version: z.string().optional(), checks: HealthChecks.optional() })
  .meta({ description: "Only the status for a caller without the configured key." });

/** What a home says about itself. */
export type HealthReport = { readonly status: "ok" | "failing"; readonly checks: z.infer<typeof HealthChecks> };
