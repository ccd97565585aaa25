/** Jobs drawn at random: as callers could ask for them, and then changed by whatever may happen to them. */

import fc from "fast-check";
import { type JobId, type PayloadId, scheduleIdOf, soleTenant } from "../../src/core/ids.ts";
import { type Body, isLive, type Job, priorities } from "../../src/core/job.ts";
import type { RetryOn } from "../../src/core/retry.ts";
import { methods } from "../../src/core/target.ts";
import { later, toEpochMs } from "../../src/core/time.ts";
import { create, type NewJob } from "../../src/core/transition.ts";
import { factsAt, newJob, nextJobId, startAt } from "../builders.ts";
import { anyChange } from "./verbs.ts";

/** fast-check draws some objects without a prototype, which no parser of ours makes. */
export const plain = { noNullPrototype: true } as const;
export const instant = fc.integer({ min: 0, max: startAt * 2 }).map(toEpochMs);
/** Any string at all: control characters, quotes and halves of surrogate pairs included. */
export const text = fc.string({ unit: "binary", maxLength: 40 });
export const headers = fc.dictionary(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 }), text, { maxKeys: 4, ...plain });

export const body: fc.Arbitrary<Body | null> = fc.oneof(
  fc.constant(null),
  fc.record({ contentType: text, byteCount: fc.nat(), kept: fc.constant("inline" as const), text }, plain),
  fc.record({ contentType: text, byteCount: fc.nat(), kept: fc.constant("inline_base64" as const), base64: fc.base64String() }, plain),
  fc.record(
    {
      contentType: text,
      byteCount: fc.nat(),
      kept: fc.constant("beside" as const),
      payloadId: text.map((id) => id as PayloadId),
      keptUntil: instant,
    },
    plain,
  ),
);

export const retry = fc.record(
  {
    maxAttempts: fc.integer({ min: 1, max: 5 }),
    minBackoffMs: fc.integer({ min: 100, max: 10_000 }),
    maxBackoffMs: fc.integer({ min: 10_000, max: 100_000 }),
    maxDoublings: fc.nat(16),
    maxAgeMs: fc.integer({ min: 1_000, max: 100_000_000 }),
    jitter: fc.boolean(),
    retryOn: fc.array(fc.oneof(fc.constantFrom<RetryOn>("4xx", "5xx", "network", "timeout"), fc.integer({ min: 400, max: 599 })), {
      maxLength: 6,
    }),
  },
  plain,
);

export const arbitraryNewJob: fc.Arbitrary<NewJob> = fc
  .record(
    {
      dueAt: instant,
      target: fc.record({ url: fc.webUrl(), method: fc.constantFrom(...methods), headers }, plain),
      body,
      timeoutMs: fc.integer({ min: 1_000, max: 900_000 }),
      deadline: fc.option(instant),
      retry,
      priority: fc.constantFrom(...priorities),
      labels: headers,
      fingerprint: fc.option(text),
      replayOf: fc.constantFrom<JobId | null>(null, nextJobId()),
      schedule: fc.option(
        fc.record({ id: fc.constant(scheduleIdOf(soleTenant, "a")), name: text, nominalAt: instant, tells: fc.boolean() }, plain),
      ),
    },
    { requiredKeys: [], ...plain },
  )
  .map((given) => newJob(given));

/** A job after up to thirty changes, in any state, so that its memory of them has begun to forget. */
export const arbitraryJob: fc.Arbitrary<Job> = fc
  .record({ wanted: arbitraryNewJob, choices: fc.array(fc.nat(), { maxLength: 30 }) }, plain)
  .map(({ wanted, choices }) => {
    let job: Job = create(wanted, factsAt(startAt));
    for (const [step, choice] of choices.entries()) {
      if (isLive(job)) job = anyChange(job, choice, factsAt(later(startAt, step * 7))).to;
    }
    return job;
  });
