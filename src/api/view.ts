/** A job as callers see it: instants and durations in their spellings, no internals, and no credential in clear. */

import type { PayloadId } from "../core/ids.ts";
import { type Attempt, isLive, type Job } from "../core/job.ts";
import { type EpochMs, formatDuration, formatInstant } from "../core/time.ts";
import type { Excerpt } from "../engine/excerpt.ts";
import type { JobAnswer } from "./answers.ts";
import { maskedValue } from "./fields.ts";

type Excerpts = ReadonlyMap<PayloadId, Excerpt>;

const noExcerpts: Excerpts = new Map();

export function viewOf(job: Job, excerpts: Excerpts = noExcerpts): JobAnswer {
  return {
    id: job.id,
    state: job.state,
    dueAt: formatInstant(job.dueAt),
    createdAt: formatInstant(job.createdAt),
    version: job.version,
    because: job.because,
    ...callView(job),
    deadline: instantOrNull(job.deadline),
    replayOf: job.replayOf,
    schedule: job.schedule === null ? null : { name: job.schedule.name, nominalAt: formatInstant(job.schedule.nominalAt) },
    nextAttemptAt: isLive(job) ? formatInstant(job.nextAttemptAt) : null,
    startedAt: instantOrNull(job.attempts.findLast((attempt) => attempt.startedAt !== null)?.startedAt ?? null),
    endedAt: isLive(job) ? null : formatInstant(job.endedAt),
    cancelRequestedAt: job.state === "running" || job.state === "cancelled" ? instantOrNull(job.cancelRequestedAt) : null,
    attemptCount: job.attemptCount,
    attempts: job.attempts.map((attempt) => attemptView(attempt, excerpts)),
    history: job.history.map(({ at, from, to, because }) => ({ at: formatInstant(at), from, to, because })),
  };
}

type CallFields = Pick<Job, "target" | "body" | "retry" | "timeoutMs" | "priority" | "labels">;

/** What is called and how: of a job, or of what a schedule makes its jobs of. */
export function callView({ target, body, retry, timeoutMs, priority, labels }: CallFields) {
  return {
    target: { url: target.url, method: target.method, headers: masked(target.headers) },
    body: body === null ? null : { contentType: target.headers["content-type"] ?? body.contentType, bytes: body.byteCount },
    retry: {
      maxAttempts: retry.maxAttempts,
      minBackoff: formatDuration(retry.minBackoffMs),
      maxBackoff: formatDuration(retry.maxBackoffMs),
      maxDoublings: retry.maxDoublings,
      maxAge: formatDuration(retry.maxAgeMs),
      jitter: retry.jitter,
      retryOn: [...retry.retryOn],
    },
    timeout: formatDuration(timeoutMs),
    priority,
    labels,
  };
}

/** What a batch answers of each job: enough to find it again. */
export function briefOf(job: Job): Pick<JobAnswer, "id" | "state" | "dueAt"> {
  return { id: job.id, state: job.state, dueAt: formatInstant(job.dueAt) };
}

function attemptView(attempt: Attempt, excerpts: Excerpts): JobAnswer["attempts"][number] {
  const { number, latenessMs, outcome, because, response, error } = attempt;
  const excerpt = response?.excerptId == null ? undefined : excerpts.get(response.excerptId);
  return {
    number,
    startedAt: instantOrNull(attempt.startedAt),
    endedAt: instantOrNull(attempt.endedAt),
    latenessMs,
    outcome,
    because,
    response: response && {
      status: response.status,
      headers: excerpt?.headers ?? null,
      body: excerpt?.body ?? null,
      bodyBytes: response.byteCount,
      truncated: response.truncated,
    },
    error,
  };
}

/** A job is read by more people than may call its target: whoever reads logs, a console or a bug report. */
const credentialHeader =
  /cookie|(?:^|-)auth(?:$|-|orization|entication)|token|secret|passw|credential|api-?key|access-?key|signature|session/;

function masked(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, credentialHeader.test(name) ? maskedValue : value]));
}

export function instantOrNull(at: EpochMs | null): string | null {
  return at === null ? null : formatInstant(at);
}
