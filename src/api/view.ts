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
  const { retry, target } = job;
  return {
    id: job.id,
    state: job.state,
    dueAt: formatInstant(job.dueAt),
    createdAt: formatInstant(job.createdAt),
    version: job.version,
    because: job.because,
    target: { url: target.url, method: target.method, headers: masked(target.headers) },
    body: job.body === null ? null : { contentType: target.headers["content-type"] ?? job.body.contentType, bytes: job.body.byteCount },
    retry: {
      maxAttempts: retry.maxAttempts,
      minBackoff: formatDuration(retry.minBackoffMs),
      maxBackoff: formatDuration(retry.maxBackoffMs),
      maxDoublings: retry.maxDoublings,
      maxAge: formatDuration(retry.maxAgeMs),
      jitter: retry.jitter,
      retryOn: [...retry.retryOn],
    },
    timeout: formatDuration(job.timeoutMs),
    deadline: instantOrNull(job.deadline),
    priority: job.priority,
    labels: job.labels,
    replayOf: job.replayOf,
    nextAttemptAt: isLive(job) ? formatInstant(job.nextAttemptAt) : null,
    startedAt: instantOrNull(job.attempts.findLast((attempt) => attempt.startedAt !== null)?.startedAt ?? null),
    endedAt: isLive(job) ? null : formatInstant(job.endedAt),
    cancelRequestedAt: job.state === "running" || job.state === "cancelled" ? instantOrNull(job.cancelRequestedAt) : null,
    attemptCount: job.attemptCount,
    attempts: job.attempts.map((attempt) => attemptView(attempt, excerpts)),
    history: job.history.map(({ at, from, to, because }) => ({ at: formatInstant(at), from, to, because })),
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

function instantOrNull(at: EpochMs | null): string | null {
  return at === null ? null : formatInstant(at);
}
