/**
 * Every state change there is, each a pure function from a job and facts to a value. A store writes the value under one
 * condition; nothing else changes a job. An illegal change does not compile.
 */

import type { ChangeId, JobId, LeaseToken, TenantId } from "./ids.ts";
import type {
  Attempt,
  Because,
  Body,
  Cancelled,
  Failed,
  Final,
  HistoryEntry,
  Job,
  Live,
  Occasion,
  Priority,
  Running,
  Succeeded,
  Waiting,
} from "./job.ts";
import { limits } from "./limits.ts";
import type { Outcome } from "./outcome.ts";
import { type RetryPolicy, retryAt } from "./retry.ts";
import type { Target } from "./target.ts";
import { type EpochMs, later, laterOf } from "./time.ts";

/** One change of one job. `to` is the whole new item; it holds only while the stored version is `from.version`. */
export type Transition<To extends Job = Job> = {
  readonly from: Live;
  readonly to: To;
  readonly because: Because;
  readonly change: ChangeId;
};

/** What a transition may know beside the job. All of it comes from the caller, so that the same facts give the same value. */
export type Facts = {
  readonly now: EpochMs;
  readonly change: ChangeId;
  /** A `wakeAt` before this instant is hinted by whoever sets it; a later one is left to the turn. */
  readonly hintBefore: EpochMs;
  /** Ended jobs are kept this long. */
  readonly retentionMs: number;
};

/** What a caller asks for: a job with every default filled in. */
export type NewJob = {
  readonly tenant: TenantId;
  readonly id: JobId;
  readonly dueAt: EpochMs;
  readonly target: Target;
  readonly body: Body | null;
  readonly timeoutMs: number;
  readonly deadline: EpochMs | null;
  readonly retry: RetryPolicy;
  readonly priority: Priority;
  readonly labels: Readonly<Record<string, string>>;
  readonly fingerprint: string | null;
  readonly replayOf: JobId | null;
  readonly schedule: Occasion | null;
};

/** The first state. A `dueAt` in the past stays as the caller wrote it; the attempt is owed now. */
export function create(wanted: NewJob, facts: Facts): Waiting {
  const nextAttemptAt = laterOf(wanted.dueAt, facts.now);
  return {
    ...wanted,
    version: 1,
    createdAt: facts.now,
    because: "created",
    attemptCount: 0,
    leaseLossCount: 0,
    attempts: [],
    history: [{ at: facts.now, from: null, to: "waiting", because: "created", change: facts.change }],
    state: "waiting",
    ...placed(nextAttemptAt, facts),
  };
}

/**
 * An executor takes the job, and the attempt is recorded before its first byte; or the job ends, where its deadline would have
 * passed by the instant of the attempt, a retry would come too late (a first attempt is owed however late it comes), or an edit
 * left it fewer attempts than were made.
 */
export function claim(job: Waiting, lease: { token: LeaseToken; until: EpochMs }, facts: Facts): Transition<Running | Failed> {
  const startsAt = laterOf(facts.now, job.nextAttemptAt);
  if (job.deadline !== null && startsAt > job.deadline) return fail(job, "expired", facts);
  if (job.attemptCount > 0 && startsAt > job.dueAt + job.retry.maxAgeMs) return fail(job, "aged", facts);
  if (job.attemptCount >= job.retry.maxAttempts) return fail(job, "exhausted", facts);
  const attempt: Attempt = {
    number: job.attemptCount + 1,
    startedAt: null,
    endedAt: null,
    latenessMs: null,
    outcome: null,
    because: null,
    response: null,
    error: null,
  };
  return change(job, "claimed", facts, {
    ...rest(job),
    attemptCount: attempt.number,
    attempts: [...job.attempts, attempt].slice(-limits.attemptsKept),
    state: "running",
    ...wheelOf(job),
    leaseToken: lease.token,
    leaseUntil: lease.until,
    cancelRequestedAt: null,
  });
}

/** How an attempt ended, as the record keeps it. */
export type AttemptEnd = Pick<Attempt, "startedAt" | "response" | "error"> & { readonly outcome: Outcome };

/**
 * The attempt ended: done, again or never. A cancel's mark wins over everything but a success. `fraction` in [0, 1) is
 * the backoff's draw.
 */
export function settle(job: Running, end: AttemptEnd, fraction: number, facts: Facts): Transition<Waiting | Final> {
  const settled = withEnd(job, end, facts);
  switch (end.outcome.kind) {
    case "done":
      return succeed(settled, facts);
    case "never":
      return job.cancelRequestedAt === null ? fail(settled, "refused", facts) : cancelMarked(settled, facts);
    case "again":
      return job.cancelRequestedAt === null ? retry(settled, end.outcome.waitMs, fraction, facts) : cancelMarked(settled, facts);
  }
}

function succeed(job: Running, facts: Facts): Transition<Succeeded> {
  return change(job, "succeeded", facts, { ...rest(job), state: "succeeded", ...ended(facts) });
}

function fail(job: Live, because: "refused" | "exhausted" | "aged" | "expired", facts: Facts): Transition<Failed> {
  return change(job, because, facts, { ...rest(job), state: "failed", ...ended(facts) });
}

/** The attempt failed in a way that may pass: wait and try again, or give up where no attempt or no time is left. */
function retry(job: Running, waitMs: number | null, fraction: number, facts: Facts): Transition<Waiting | Failed> {
  if (job.attemptCount >= job.retry.maxAttempts) return fail(job, "exhausted", facts);
  const failures = job.attemptCount - job.leaseLossCount;
  const nextAttemptAt = retryAt(job.retry, Math.max(1, failures), waitMs, facts.now, fraction);
  if (job.deadline !== null && nextAttemptAt > job.deadline) return fail(job, "expired", facts);
  if (nextAttemptAt > job.dueAt + job.retry.maxAgeMs) return fail(job, "aged", facts);
  return change(job, "retried", facts, { ...rest(job), state: "waiting", ...placed(nextAttemptAt, facts) });
}

/** The deadline passed between the claim and the first byte: nothing is sent. A cancel's mark wins, as over every end but a success. */
export function expire(job: Running, facts: Facts): Transition<Failed | Cancelled> {
  const unsent = { startedAt: null, response: null, error: null, outcome: { kind: "never", because: "aborted" } } as const;
  const unmade = withEnd(job, unsent, facts);
  return job.cancelRequestedAt === null ? fail(unmade, "expired", facts) : cancelMarked(unmade, facts);
}

/** Who calls a job off: a caller, or its schedule. */
export type CancelBecause = "cancelled" | "overlap" | "schedule_deleted";

/** The waiting job is called off. */
export function cancel(job: Waiting, facts: Facts, because: CancelBecause = "cancelled"): Transition<Cancelled> {
  return change(job, because, facts, { ...rest(job), state: "cancelled", cancelRequestedAt: null, ...ended(facts) });
}

/** A running job cannot be called off from outside: the mark asks its executor to, and bars every further attempt. */
export function requestCancel(job: Running, facts: Facts): Transition<Running> {
  return change(job, job.because, facts, {
    ...rest(job),
    state: "running",
    ...wheelOf(job),
    leaseToken: job.leaseToken,
    leaseUntil: job.leaseUntil,
    cancelRequestedAt: facts.now,
  });
}

/** The executor saw the mark, and nothing of the attempt had succeeded. */
function cancelMarked(job: Running, facts: Facts): Transition<Cancelled> {
  return change(job, "cancelled", facts, {
    ...rest(job),
    state: "cancelled",
    cancelRequestedAt: job.cancelRequestedAt,
    ...ended(facts),
  });
}

/**
 * The lease ran out and its holder is surely dead; whether its call arrived is unknown. The order matters: a cancel's mark
 * bars the retry, then the deadline, then the age, then the attempts; claims are counted, so a crash loop ends.
 */
export function loseLease(job: Running, facts: Facts): Transition<Waiting | Failed | Cancelled> {
  const lost = {
    ...withEnd(job, { startedAt: null, response: null, error: null, outcome: { kind: "unknown", because: "lease_lost" } }, facts),
    leaseLossCount: job.leaseLossCount + 1,
  };
  if (job.cancelRequestedAt !== null) return cancelMarked(lost, facts);
  if (job.deadline !== null && facts.now > job.deadline) return fail(lost, "expired", facts);
  if (facts.now > job.dueAt + job.retry.maxAgeMs) return fail(lost, "aged", facts);
  if (job.attemptCount >= job.retry.maxAttempts) return fail(lost, "exhausted", facts);
  return change(lost, "lease_lost", facts, { ...rest(lost), state: "waiting", ...placed(facts.now, facts) });
}

/** What a caller may change of a waiting job. A field that is absent stays. */
export type Edit = {
  readonly dueAt?: EpochMs;
  readonly target?: Target;
  readonly body?: Body | null;
  readonly timeoutMs?: number;
  readonly deadline?: EpochMs | null;
  readonly retry?: RetryPolicy;
  readonly priority?: Priority;
  readonly labels?: Readonly<Record<string, string>>;
};

/** The caller changes a waiting job. A new `dueAt` moves the next attempt too; attempts already made still count. */
export function edit(job: Waiting, wanted: Edit, facts: Facts): Transition<Waiting> {
  const moved = wanted.dueAt !== undefined || (wanted.priority !== undefined && wanted.priority !== job.priority);
  const { dueAt } = wanted;
  const nextAttemptAt = dueAt === undefined ? job.nextAttemptAt : laterOf(dueAt, facts.now);
  return change(job, "edited", facts, {
    ...rest(job),
    ...wanted,
    state: "waiting",
    ...(moved ? placed(nextAttemptAt, facts) : wheelOf(job)),
  });
}

/** A new job that does the call of an ended one again. Its deadline is dropped: it lay in the past. */
export function replay(job: Final, id: JobId, body: Body | null, now: EpochMs): NewJob {
  return {
    tenant: job.tenant,
    id,
    dueAt: now,
    target: job.target,
    body,
    timeoutMs: job.timeoutMs,
    deadline: null,
    retry: job.retry,
    priority: job.priority,
    labels: job.labels,
    fingerprint: null,
    replayOf: job.id,
    schedule: job.schedule === null ? null : { ...job.schedule, tells: false },
  };
}

function change<To extends Job>(from: Live, because: Because, facts: Facts, to: To): Transition<To> {
  const entry: HistoryEntry = { at: facts.now, from: from.state, to: to.state, because, change: facts.change };
  return {
    from,
    because,
    change: facts.change,
    to: { ...to, because, version: from.version + 1, history: [...from.history, entry].slice(-limits.historyKept) },
  };
}

/** The fields that every state has; whatever only the old state had is left behind. */
function rest(job: Live) {
  const { tenant, id, version, createdAt, dueAt, target, body, timeoutMs, deadline, retry, priority, labels } = job;
  const { fingerprint, replayOf, schedule, because, attemptCount, leaseLossCount, attempts, history } = job;
  return {
    ...{ tenant, id, version, createdAt, dueAt, target, body, timeoutMs, deadline, retry, priority, labels },
    ...{ fingerprint, replayOf, schedule, because, attemptCount, leaseLossCount, attempts, history },
  };
}

function wheelOf(job: Live) {
  return { nextAttemptAt: job.nextAttemptAt, wakeAt: job.wakeAt, hinted: job.hinted };
}

function placed(nextAttemptAt: EpochMs, facts: Facts) {
  return { nextAttemptAt, wakeAt: nextAttemptAt, hinted: nextAttemptAt < facts.hintBefore };
}

function ended(facts: Facts) {
  return { endedAt: facts.now, expiresAt: later(facts.now, facts.retentionMs) };
}

/** The job with its last attempt's end filled in. */
function withEnd(
  job: Running,
  end: Omit<AttemptEnd, "outcome"> & { outcome: Outcome | { kind: "unknown"; because: "lease_lost" } },
  facts: Facts,
): Running {
  const last = job.attempts.at(-1);
  if (last === undefined) throw new Error(`expected a running job to have an attempt, got none in ${job.id}`);
  const attempt: Attempt = {
    ...last,
    startedAt: end.startedAt,
    endedAt: facts.now,
    latenessMs: end.startedAt === null ? null : end.startedAt - job.nextAttemptAt,
    outcome: end.outcome.kind,
    because: end.outcome.because,
    response: end.response,
    error: end.error,
  };
  return { ...job, attempts: [...job.attempts.slice(0, -1), attempt] };
}
