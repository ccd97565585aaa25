/** What a handler answers, before it becomes an HTTP response at the one place where all pass. */

import type { Job } from "../core/job.ts";
import type { JobAnswer } from "./answers.ts";
import { type Problem, problemDocument, problemKinds } from "./problem.ts";

export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

/** A single job, with the version that `If-Match` takes. */
export function jobReply(status: number, job: Job, answer: JobAnswer, headers: Readonly<Record<string, string>> = {}): Reply {
  return jsonReply(status, answer, { etag: `"${job.version}"`, ...headers });
}

export function problemReply(refusal: Problem, requestId: string, more: Readonly<Record<string, unknown>> = {}): Reply {
  return {
    status: problemKinds[refusal.code].status,
    headers: { "content-type": "application/problem+json", ...refusal.headers },
    body: JSON.stringify({ ...problemDocument(refusal, requestId), ...more }),
  };
}
