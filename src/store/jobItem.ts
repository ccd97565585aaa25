/**
 * How a job is written as one compact text and read back. The whole job is written each time, so that no field of an older state
 * survives. Values stand by position, for names would be a third of the text; every position is named in the types below, and a
 * field that is added to the job without a place here does not compile. Part of the storage format: a change of it raises `format`.
 */

import type { ChangeId, JobId, LeaseToken, PayloadId, ScheduleId, TenantId } from "../core/ids.ts";
import type { Attempt, Because, Body, HistoryEntry, Job, Occasion, Priority } from "../core/job.ts";
import type { RetryOn, RetryPolicy } from "../core/retry.ts";
import type { Method, Target } from "../core/target.ts";
import { type EpochMs, later } from "../core/time.ts";

const format = 1;

/** Instants stand as milliseconds since the job's creation: half as long as epoch milliseconds, and there are ten of them. */
export type Since = number;
export type Labels = Readonly<Record<string, string>>;
export type StoredTarget = readonly [method: Method, url: string, headers: Labels];
export type StoredBody = readonly [contentType: string, byteCount: number, ...StoredBodyPlace];
type StoredBodyPlace =
  | readonly [kept: "inline", text: string]
  | readonly [kept: "inline_base64", base64: string]
  | readonly [kept: "beside", payloadId: PayloadId, keptUntil: Since];
export type StoredRetry = readonly [
  maxAttempts: number,
  minBackoffMs: number,
  maxBackoffMs: number,
  maxDoublings: number,
  maxAgeMs: number,
  jitter: boolean,
  retryOn: readonly RetryOn[] | typeof usual,
];
type StoredAttempt = readonly [
  number: number,
  startedAt: Since | null,
  endedAt: Since | null,
  latenessMs: number | null,
  outcome: Attempt["outcome"],
  because: Attempt["because"],
  response: readonly [status: number, byteCount: number, truncated: boolean, excerptId: PayloadId | null] | null,
  error: readonly [code: string | null, message: string] | null,
];
type Letter = keyof typeof stateOfLetter;
type StoredHistoryEntry = readonly [at: Since, from: Letter | null, to: Letter, because: Because, change: ChangeId];
type OnWheel = readonly [nextAttemptAt: Since, wakeAt: Since, hinted: boolean];
type Ended = readonly [endedAt: Since, expiresAt: Since];
type StoredState =
  | readonly [state: "waiting", ...OnWheel]
  | readonly [state: "running", ...OnWheel, leaseToken: LeaseToken, leaseUntil: Since, cancelRequestedAt: Since | null]
  | readonly [state: "succeeded", ...Ended]
  | readonly [state: "failed", ...Ended]
  | readonly [state: "cancelled", ...Ended, cancelRequestedAt: Since | null];

type StoredOccasion = readonly [id: ScheduleId, name: string, nominalAt: Since, tells: boolean];

/** Absent where no schedule made the job, and in records of before there were schedules. */
type StoredJob = readonly [...StoredFields, schedule?: StoredOccasion];
type StoredFields = readonly [
  storedFormat: typeof format,
  tenant: TenantId,
  id: JobId,
  version: number,
  createdAt: EpochMs,
  dueAt: Since,
  target: StoredTarget,
  body: StoredBody | null,
  timeoutMs: number,
  deadline: Since | null,
  retry: StoredRetry,
  priority: Priority,
  labels: Labels,
  fingerprint: string | null,
  replayOf: JobId | null,
  because: Because,
  attemptCount: number,
  leaseLossCount: number,
  attempts: readonly StoredAttempt[],
  history: readonly StoredHistoryEntry[],
  state: StoredState,
];

const letterOfState = { waiting: "w", running: "r", succeeded: "s", failed: "f", cancelled: "c" } as const satisfies Record<
  Job["state"],
  string
>;
const stateOfLetter = { w: "waiting", r: "running", s: "succeeded", f: "failed", c: "cancelled" } as const satisfies Record<
  (typeof letterOfState)[Job["state"]],
  Job["state"]
>;

/** Stands for the list that nearly every job has. It belongs to the format: a default that changes elsewhere must not change stored jobs. */
const usual = 0;
const usualRetryOn: readonly RetryOn[] = ["5xx", 408, 425, 429, "network", "timeout"];

export function encodeJob(job: Job): string {
  const { tenant, id, version, createdAt, target, timeoutMs, priority, labels, fingerprint, replayOf, because } = job;
  const stored: StoredFields = [
    ...([format, tenant, id, version, createdAt, job.dueAt - createdAt] as const),
    storedTarget(target),
    job.body === null ? null : storedBody(job.body, createdAt),
    timeoutMs,
    since(job.deadline, createdAt),
    storedRetry(job.retry),
    ...([priority, labels, fingerprint, replayOf, because, job.attemptCount, job.leaseLossCount] as const),
    job.attempts.map((attempt) => storedAttempt(attempt, createdAt)),
    job.history.map((entry) => storedHistoryEntry(entry, createdAt)),
    storedState(job),
  ];
  const whole: StoredJob = job.schedule === null ? stored : [...stored, storedOccasion(job.schedule, createdAt)];
  return JSON.stringify(whole);
}

/** The job that {@link encodeJob} wrote. Throws where the text is of another format: a newer onthedot wrote it, or none did. */
export function decodeJob(text: string): Job {
  const stored = JSON.parse(text) as StoredJob;
  const [storedFormat, tenant, id, version, createdAt, dueAt, target, body, timeoutMs, deadline, retry, priority, labels] = stored;
  const [, , , , , , , , , , , , , fingerprint, replayOf, because, attemptCount, leaseLossCount, attempts, history, state, schedule] =
    stored;
  if (storedFormat !== format) throw new Error(`expected a job of format ${format}, got ${JSON.stringify(storedFormat)}`);
  return {
    ...{ tenant, id, version, createdAt, dueAt: after(dueAt, createdAt), target: targetOf(target) },
    ...{
      body: body === null ? null : bodyOf(body, createdAt),
      timeoutMs,
      deadline: afterOrNull(deadline, createdAt),
      retry: retryOf(retry),
    },
    ...{ priority, labels, fingerprint, replayOf, because, attemptCount, leaseLossCount },
    schedule: schedule === undefined ? null : occasionOf(schedule, createdAt),
    attempts: attempts.map((attempt) => attemptOf(attempt, createdAt)),
    history: history.map((entry) => historyEntryOf(entry, createdAt)),
    ...stateOf(state, createdAt),
  };
}

function storedState(job: Job): StoredState {
  const { createdAt } = job;
  switch (job.state) {
    case "waiting":
      return [job.state, job.nextAttemptAt - createdAt, job.wakeAt - createdAt, job.hinted];
    case "running":
      return [
        ...([job.state, job.nextAttemptAt - createdAt, job.wakeAt - createdAt, job.hinted, job.leaseToken] as const),
        ...([job.leaseUntil - createdAt, since(job.cancelRequestedAt, createdAt)] as const),
      ];
    case "succeeded":
    case "failed":
      return [job.state, job.endedAt - createdAt, job.expiresAt - createdAt];
    case "cancelled":
      return [job.state, job.endedAt - createdAt, job.expiresAt - createdAt, since(job.cancelRequestedAt, createdAt)];
  }
}

/** The fields that only this state has. */
function stateOf(stored: StoredState, createdAt: EpochMs) {
  switch (stored[0]) {
    case "waiting":
    case "running": {
      const wheel = { nextAttemptAt: after(stored[1], createdAt), wakeAt: after(stored[2], createdAt), hinted: stored[3] };
      if (stored[0] === "waiting") return { state: stored[0], ...wheel };
      const [state, , , , leaseToken, leaseUntil, cancelRequestedAt] = stored;
      return {
        ...{ state, ...wheel, leaseToken, leaseUntil: after(leaseUntil, createdAt) },
        cancelRequestedAt: afterOrNull(cancelRequestedAt, createdAt),
      };
    }
    case "succeeded":
    case "failed":
      return { state: stored[0], endedAt: after(stored[1], createdAt), expiresAt: after(stored[2], createdAt) };
    case "cancelled":
      return {
        ...{ state: stored[0], endedAt: after(stored[1], createdAt), expiresAt: after(stored[2], createdAt) },
        cancelRequestedAt: afterOrNull(stored[3], createdAt),
      };
  }
}

function storedOccasion({ id, name, nominalAt, tells }: Occasion, createdAt: EpochMs): StoredOccasion {
  return [id, name, nominalAt - createdAt, tells];
}

function occasionOf([id, name, nominalAt, tells]: StoredOccasion, createdAt: EpochMs): Occasion {
  return { id, name, nominalAt: after(nominalAt, createdAt), tells };
}

export function storedTarget({ method, url, headers }: Target): StoredTarget {
  return [method, url, headers];
}

export function targetOf([method, url, headers]: StoredTarget): Target {
  return { url, method, headers };
}

export function storedBody(body: Body, createdAt: EpochMs): StoredBody {
  const { contentType, byteCount } = body;
  switch (body.kept) {
    case "inline":
      return [contentType, byteCount, body.kept, body.text];
    case "inline_base64":
      return [contentType, byteCount, body.kept, body.base64];
    case "beside":
      return [contentType, byteCount, body.kept, body.payloadId, body.keptUntil - createdAt];
  }
}

export function bodyOf(stored: StoredBody, createdAt: EpochMs): Body {
  const [contentType, byteCount] = stored;
  switch (stored[2]) {
    case "inline":
      return { contentType, byteCount, kept: stored[2], text: stored[3] };
    case "inline_base64":
      return { contentType, byteCount, kept: stored[2], base64: stored[3] };
    case "beside":
      return { contentType, byteCount, kept: stored[2], payloadId: stored[3], keptUntil: after(stored[4], createdAt) };
  }
}

export function storedRetry(retry: RetryPolicy): StoredRetry {
  const { maxAttempts, minBackoffMs, maxBackoffMs, maxDoublings, maxAgeMs, jitter, retryOn } = retry;
  const isUsual = retryOn.length === usualRetryOn.length && retryOn.every((item, index) => item === usualRetryOn[index]);
  return [maxAttempts, minBackoffMs, maxBackoffMs, maxDoublings, maxAgeMs, jitter, isUsual ? usual : retryOn];
}

export function retryOf([maxAttempts, minBackoffMs, maxBackoffMs, maxDoublings, maxAgeMs, jitter, retryOn]: StoredRetry): RetryPolicy {
  return { maxAttempts, minBackoffMs, maxBackoffMs, maxDoublings, maxAgeMs, jitter, retryOn: retryOn === usual ? usualRetryOn : retryOn };
}

function storedAttempt(attempt: Attempt, createdAt: EpochMs): StoredAttempt {
  const { number, latenessMs, outcome, because, response, error } = attempt;
  return [
    ...([number, since(attempt.startedAt, createdAt), since(attempt.endedAt, createdAt), latenessMs, outcome, because] as const),
    response === null ? null : [response.status, response.byteCount, response.truncated, response.excerptId],
    error === null ? null : [error.code, error.message],
  ];
}

function attemptOf(stored: StoredAttempt, createdAt: EpochMs): Attempt {
  const [number, startedAt, endedAt, latenessMs, outcome, because, response, error] = stored;
  return {
    ...{ number, startedAt: afterOrNull(startedAt, createdAt), endedAt: afterOrNull(endedAt, createdAt), latenessMs, outcome, because },
    response: response === null ? null : { status: response[0], byteCount: response[1], truncated: response[2], excerptId: response[3] },
    error: error === null ? null : { code: error[0], message: error[1] },
  };
}

function storedHistoryEntry({ at, from, to, because, change }: HistoryEntry, createdAt: EpochMs): StoredHistoryEntry {
  return [at - createdAt, from === null ? null : letterOfState[from], letterOfState[to], because, change];
}

function historyEntryOf([at, from, to, because, change]: StoredHistoryEntry, createdAt: EpochMs): HistoryEntry {
  return { at: after(at, createdAt), from: from === null ? null : stateOfLetter[from], to: stateOfLetter[to], because, change };
}

function since(at: EpochMs | null, createdAt: EpochMs): Since | null {
  return at === null ? null : at - createdAt;
}

export function after(since: Since, createdAt: EpochMs): EpochMs {
  return later(createdAt, since);
}

function afterOrNull(since: Since | null, createdAt: EpochMs): EpochMs | null {
  return since === null ? null : later(createdAt, since);
}
