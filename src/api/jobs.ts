/** The calls on single jobs: each reads its request, asks the engine for one thing, and answers what became of it. */

import type { JobId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { cancel } from "../engine/cancel.ts";
import { edit } from "../engine/edit.ts";
import { inspect, withExcerpts } from "../engine/read.ts";
import { replay } from "../engine/replay.ts";
import { submit } from "../engine/submit.ts";
import { readChange, readIfMatch } from "./change.ts";
import { readContent } from "./content.ts";
import { type Desk, type Handler, type JobHandler, readingNow, readWritten } from "./desk.ts";
import { fieldErrors } from "./issues.ts";
import { readJson } from "./json.ts";
import { fieldProblem, type Problem, problem } from "./problem.ts";
import { jobReply, type Reply } from "./reply.ts";
import { emptyShape } from "./schema.ts";
import { brokenJson, findReplay, readKey, readSubmission } from "./submission.ts";
import { viewOf } from "./view.ts";

const jobBounds = { bytesMax: limits.requestBytesMax, depthMax: limits.jsonDepthMax };

export const createJob: Handler = async (desk, { request }) => {
  const written = await readWritten(request, jobBounds);
  if (!written.ok) return written.problem;
  const key = readKey(written.value.value, request.headers.get("idempotency-key"));
  if (!key.ok) return key.problem;
  const read = readSubmission(written.value, key.value, readingNow(desk));
  if (!read.ok) {
    const standing = await findReplay(desk.engine, desk.tenant, key.value, written.value);
    return standing === undefined ? read.problem : replayed(desk, standing);
  }
  const submitted = await submit(desk.engine, read.value);
  switch (submitted.kind) {
    case "created":
      return created(submitted.job);
    case "replayed":
      return replayed(desk, submitted.job);
    case "conflict":
      return keyConflict();
  }
};

export function keyConflict(): Problem {
  return problem(
    "idempotency_conflict",
    "This idempotency key stands for another request. Use a new key for a new job, or repeat the first request unchanged.",
  );
}

export const getJob: JobHandler = async (desk, _call, id) => {
  const inspected = await inspect(desk.engine, { tenant: desk.tenant, id });
  return inspected === undefined ? jobNotFound() : jobReply(200, inspected.job, viewOf(inspected.job, inspected.excerpts));
};

export const patchJob: JobHandler = async (desk, { request }, id) => {
  const ifMatch = readIfMatch(request.headers.get("if-match"));
  if (!ifMatch.ok) return ifMatch.problem;
  const written = await readWritten(request, jobBounds);
  if (!written.ok) return written.problem;
  const change = readChange(written.value, readingNow(desk));
  if (!change.ok) return change.problem;
  const answer = await edit(desk.engine, { tenant: desk.tenant, id }, change.value, ifMatch.value);
  switch (answer.kind) {
    case "edited":
      return shown(desk, answer.job);
    case "not_found":
      return jobNotFound();
    case "version_conflict":
      return problem(
        "version_conflict",
        `The job is at version ${answer.version} now. Read it again, and send the change with If-Match: "${answer.version}".`,
      );
    case "in_flight":
      return problem(
        "in_flight",
        `Attempt ${answer.job.attemptCount} is in flight; nothing was changed. Try again when it has ended, or cancel the job.`,
      );
    case "state_conflict":
      return stateConflict(answer.job, "only a waiting job can be changed; replay it instead");
    case "invalid":
      return fieldProblem("invalid_request", [{ field: answer.field, code: "conflict", message: answer.message }]);
  }
};

export const cancelJob: JobHandler = async (desk, { request }, id) => {
  const refusal = await refuseFields(request);
  if (refusal !== undefined) return refusal;
  const answer = await cancel(desk.engine, { tenant: desk.tenant, id });
  switch (answer.kind) {
    case "cancelled":
    case "requested":
      return shown(desk, answer.job);
    case "not_found":
      return jobNotFound();
    case "state_conflict":
      return stateConflict(answer.job, "it has ended and cannot be cancelled");
  }
};

export const replayJob: JobHandler = async (desk, { request }, id) => {
  if (request.headers.has("idempotency-key")) return keyNotTaken("Replay makes a new job each time it is called");
  const refusal = await refuseFields(request);
  if (refusal !== undefined) return refusal;
  const answer = await replay(desk.engine, { tenant: desk.tenant, id });
  switch (answer.kind) {
    case "created":
      return created(answer.job);
    case "not_found":
      return jobNotFound();
    case "state_conflict":
      return stateConflict(answer.job, "only a job that has ended can be replayed; cancel it, or change it with PATCH");
    case "body_gone":
      return problem(
        "state_conflict",
        "The job's body is no longer kept, so its call cannot be made again. Create a new job with the body.",
      );
  }
};

/** A key that were passed over in silence would let its sender believe that a repetition is safe. */
export function keyNotTaken(why: string): Problem {
  return fieldProblem("invalid_request", [{ field: "Idempotency-Key", code: "forbidden", message: `${why}; leave this header out` }]);
}

export function jobNotFound(): Problem {
  return problem("not_found", "There is no such job: its id is wrong, or it ended so long ago that it is no longer kept.");
}

function stateConflict(job: Job, advice: string): Problem {
  return problem("state_conflict", `The job is ${job.state}: ${advice}.`);
}

function created(job: Job): Reply {
  return jobReply(201, job, viewOf(job), { location: locationOf(job.id) });
}

async function replayed(desk: Desk, job: Job): Promise<Reply> {
  const { excerpts } = await withExcerpts(desk.engine, job);
  return jobReply(200, job, viewOf(job, excerpts), { location: locationOf(job.id), "idempotency-replayed": "true" });
}

async function shown(desk: Desk, job: Job): Promise<Reply> {
  const { excerpts } = await withExcerpts(desk.engine, job);
  return jobReply(200, job, viewOf(job, excerpts));
}

function locationOf(id: JobId): string {
  return `/v1/jobs/${id}`;
}

/** For calls without fields: no body, or an empty object. */
async function refuseFields(request: Request): Promise<Problem | undefined> {
  const content = await readContent(request, limits.requestBytesMax);
  if (!content.ok) return content.problem;
  if (content.value.byteLength === 0) return undefined;
  const json = readJson(content.value, limits.jsonDepthMax);
  if (!json.ok) return problem("invalid_json", json.wrong);
  const parsed = emptyShape.safeParse(json.value);
  if (parsed.success) return brokenJson(json.findings);
  return fieldProblem("invalid_request", fieldErrors(parsed.error.issues, json.value, emptyShape));
}
