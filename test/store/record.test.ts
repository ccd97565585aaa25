/** What DynamoDB itself is told of an end: whole seconds, so that it never removes what is still to be read. */

import { integer } from "fast-check";
import { expect, it } from "vitest";
import { secondMs, toEpochMs } from "../../src/core/time.ts";
import { itemOf, ttlOf } from "../../src/store/dynamo/record.ts";
import { always } from "../always.ts";
import { cancelledJob, startAt, waitingJob } from "../builders.ts";

it("the second of removal is never before the instant of expiry, and less than a second after it", () => {
  always(integer({ min: startAt, max: startAt + 1_000 * secondMs }), (ms) => {
    const ttl = ttlOf(toEpochMs(ms));
    expect(Number.isInteger(ttl)).toBe(true);
    expect(ttl * secondMs).toBeGreaterThanOrEqual(ms);
    expect(ttl * secondMs).toBeLessThan(ms + secondMs);
  });
  expect([0, 1, 999, 1_000].map((ms) => ttlOf(toEpochMs(startAt + ms)) - startAt / secondMs)).toEqual([0, 1, 1, 1]);
});

it("an ended job is removed after it has expired, and one that has not ended is not removed at all", () => {
  const job = cancelledJob();
  const expiring = { ...job, expiresAt: toEpochMs(job.expiresAt + 1) };
  expect(itemOf(expiring, 4)).toMatchObject({ x: expiring.expiresAt, ttl: job.expiresAt / secondMs + 1 });
  expect(itemOf(waitingJob(), 4)).not.toHaveProperty("ttl");
});
