/**
 * Builders of jobs in any state, made by the transitions themselves, so that no test holds a job that could not be. Ids, changes and
 * tokens are counted up from one within a test file: the same test builds the same values on every run.
 */

import { type ChangeId, type JobId, jobIdAt, type LeaseToken, nameOf, type PayloadId, soleTenant, type TenantId } from "../src/core/ids.ts";
import type { Body, Cancelled, Failed, Job, Running, Succeeded, Waiting } from "../src/core/job.ts";
import { limits } from "../src/core/limits.ts";
import type { Outcome } from "../src/core/outcome.ts";
import { retryDefault } from "../src/core/retry.ts";
import { type EpochMs, later, minuteMs, toEpochMs } from "../src/core/time.ts";
import { type AttemptEnd, cancel, claim, create, type Facts, type NewJob, requestCancel, settle } from "../src/core/transition.ts";

/** When tests begin: 2027-01-01T00:00:00Z. */
export const startAt: EpochMs = toEpochMs(Date.UTC(2027, 0, 1));

export const otherTenant = "other" as TenantId;

let drawn = 0;

/** The next of a row of names: 10 bytes that count up. */
function nextBytes(): Uint8Array {
  drawn += 1;
  const bytes = new Uint8Array(10);
  new DataView(bytes.buffer).setUint32(6, drawn);
  return bytes;
}

export function nextJobId(createdAt: EpochMs = startAt): JobId {
  return jobIdAt(createdAt, nextBytes());
}

/** A tenant that nobody else's jobs belong to. */
export function nextTenant(): TenantId {
  return `tenant-${nameOf(nextBytes())}` as TenantId;
}

export function nextChange(): ChangeId {
  return nameOf(nextBytes()) as ChangeId;
}

export function nextToken(): LeaseToken {
  return nameOf(nextBytes()) as LeaseToken;
}

export function nextPayloadId(): PayloadId {
  return nameOf(nextBytes()) as PayloadId;
}

/** The facts of one change at `now`. By default a `wakeAt` within a minute is hinted, and ended jobs are kept for the default time. */
export function factsAt(now: EpochMs, given: Partial<Omit<Facts, "now">> = {}): Facts {
  return { now, change: nextChange(), hintBefore: later(now, minuteMs), retentionMs: limits.retentionMsDefault, ...given };
}

export function inlineBody(text: string): Body {
  return { contentType: "application/json", byteCount: Buffer.byteLength(text), kept: "inline", text };
}

/** What a caller asked for, with every default filled in. */
export function newJob(given: Partial<NewJob> = {}): NewJob {
  return {
    tenant: soleTenant,
    id: given.id ?? nextJobId(),
    dueAt: startAt,
    target: { url: "https://example.com/hook", method: "POST", headers: {} },
    body: null,
    timeoutMs: limits.timeoutMsDefault,
    deadline: null,
    retry: retryDefault,
    priority: "normal",
    labels: {},
    fingerprint: null,
    replayOf: null,
    schedule: null,
    ...given,
  };
}

/** A job just created, at `createdAt` (default: `startAt`). */
export function waitingJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}, facts?: Partial<Facts>): Waiting {
  const { createdAt = startAt, ...wanted } = given;
  return create(newJob({ id: nextJobId(createdAt), dueAt: createdAt, ...wanted }), { ...factsAt(createdAt), ...facts });
}

/** A lease under a token of its own, long enough for one call. */
export function leaseAt(now: EpochMs): { token: LeaseToken; until: EpochMs } {
  return { token: nextToken(), until: later(now, minuteMs) };
}

/** The waiting job, claimed at its instant. */
export function claimed(job: Waiting, now: EpochMs = job.nextAttemptAt): Running {
  return expectState(claim(job, leaseAt(now), factsAt(now)).to, "running");
}

/** A job whose first attempt has been claimed at its instant. */
export function runningJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}): Running {
  return claimed(waitingJob(given));
}

/** A running job whose cancel was asked for. */
export function markedJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}): Running {
  const job = runningJob(given);
  return requestCancel(job, factsAt(later(job.nextAttemptAt, 1))).to;
}

/** How an attempt ended that began at `sentAt`. */
export function attemptEnd(outcome: Outcome, sentAt: EpochMs | null = startAt): AttemptEnd {
  const status = /^status_(\d+)$/.exec(outcome.because)?.[1];
  return {
    startedAt: sentAt,
    response: status === undefined ? null : { status: Number(status), byteCount: 2, truncated: false, excerptId: null },
    error: status === undefined ? { code: "ECONNREFUSED", message: "connect ECONNREFUSED 203.0.113.7:443" } : null,
    outcome,
  };
}

export const doneEnd = (sentAt?: EpochMs | null) => attemptEnd({ kind: "done", because: "status_200" }, sentAt);
export const againEnd = (sentAt?: EpochMs | null) => attemptEnd({ kind: "again", because: "status_503", waitMs: null }, sentAt);
export const neverEnd = (sentAt?: EpochMs | null) => attemptEnd({ kind: "never", because: "status_400" }, sentAt);

/** A job that waits for its second attempt. */
export function retriedJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}): Waiting {
  const job = runningJob(given);
  return expectState(settle(job, againEnd(job.nextAttemptAt), 0.5, factsAt(later(job.nextAttemptAt, 80))).to, "waiting");
}

/** A job whose first attempt brought a 200. */
export function succeededJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}): Succeeded {
  const job = runningJob(given);
  return expectState(settle(job, doneEnd(job.nextAttemptAt), 0, factsAt(later(job.nextAttemptAt, 80))).to, "succeeded");
}

/** A job whose first attempt was refused for good. */
export function failedJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}): Failed {
  const job = runningJob(given);
  return expectState(settle(job, neverEnd(job.nextAttemptAt), 0, factsAt(later(job.nextAttemptAt, 80))).to, "failed");
}

/** A job that was called off before its instant. */
export function cancelledJob(given: Partial<NewJob> & { createdAt?: EpochMs } = {}): Cancelled {
  const job = waitingJob(given);
  return cancel(job, factsAt(job.createdAt)).to;
}

/** The job as one in `state`. A builder that meets another state is wrong itself. */
export function expectState<State extends Job["state"]>(job: Job, state: State): Extract<Job, { state: State }> {
  if (job.state !== state) throw new Error(`expected a ${state} job, got a ${job.state} one`);
  return job as Extract<Job, { state: State }>;
}

/** A clock that stands until it is turned. */
export function handClock(at: EpochMs = startAt): { now(): EpochMs; turn(ms: number): EpochMs } {
  let current = at;
  return {
    now: () => current,
    turn(ms) {
      current = later(current, ms);
      return current;
    },
  };
}
