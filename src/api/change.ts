/** A PATCH request to an edit. What the request leaves out stays, so part of it can only be judged on the job as it stands. */

import type { Waiting } from "../core/job.ts";
import { takesBody } from "../core/target.ts";
import { type EpochMs, later } from "../core/time.ts";
import type { EditRequest } from "../engine/edit.ts";
import { fieldErrors } from "./issues.ts";
import { fieldProblem, type Problem, problem, type Read, refused } from "./problem.ts";
import { bodyNames, isRecord, patchRelations, wrongDeadline } from "./relations.ts";
import type { PatchFields } from "./schema.ts";
import { bodyOf, bodyTooLarge, brokenJson, deniedTarget, inexactNumbers, notAnObject, type Reading, type Written } from "./submission.ts";

/** Asked by the engine for the job as it stands, and again when it has changed meanwhile. */
export type Decide = (job: Waiting) => EditRequest | { readonly field: string; readonly message: string };

export function readChange({ value: raw, findings }: Written, reading: Reading): Read<Decide> {
  const broken = brokenJson(findings);
  if (broken !== undefined) return refused(broken);
  if (!isRecord(raw)) return refused(notAnObject(raw));
  const { patch } = reading.shapes;
  const parsed = patch.safeParse(raw);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, patch);
  errors.push(...patchRelations(raw, reading.now), ...inexactNumbers(findings));
  if (errors.length > 0 || !parsed.success) return refused(fieldProblem("invalid_request", errors));
  const { data } = parsed;
  const fixed = fixedPart(data);
  const refusal = bodyTooLarge(fixed.body ?? null) ?? (data.target && deniedTarget(data.target.url, reading.allow));
  if (refusal !== undefined) return refused(refusal);
  return { ok: true, value: (job) => decide(job, data, fixed, reading.now) };
}

/** What does not depend on the job. Absent stays absent: a field set to undefined would overwrite. */
function fixedPart({ target, retry, priority, labels, timeout, ...rest }: PatchFields): EditRequest {
  const body = bodyOf(rest);
  return {
    ...(target && { target }),
    ...(retry && { retry }),
    ...(priority && { priority }),
    ...(labels && { labels }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(body && { body }),
  };
}

function decide(job: Waiting, fields: PatchFields, fixed: EditRequest, now: EpochMs): ReturnType<Decide> {
  const dueAt = fields.dueAt ?? (fields.delay === undefined ? undefined : later(now, fields.delay));
  const deadline = fields.expireAfter === undefined ? fields.deadline : later(dueAt ?? job.dueAt, fields.expireAfter);
  const standingDeadline = deadline === undefined ? job.deadline : deadline;
  if ((dueAt !== undefined || deadline !== undefined) && standingDeadline !== null) {
    const wrong = wrongDeadline(standingDeadline, dueAt ?? job.dueAt);
    const field = deadline !== undefined ? "deadline" : fields.dueAt === undefined ? "delay" : "dueAt";
    if (wrong !== undefined) return { field, message: `${wrong.message}; change deadline and dueAt together` };
  }
  const method = (fixed.target ?? job.target).method;
  if (!takesBody(method)) {
    if (fixed.body)
      return { field: bodyNames.find((name) => fields[name] !== undefined) ?? "body", message: `the job's ${method} carries no body` };
    if (job.body !== null)
      return { field: "target.method", message: `${method} carries no body, and the job has one; make a new job instead` };
  }
  return { ...fixed, ...(dueAt !== undefined && { dueAt }), ...(deadline !== undefined && { deadline }) };
}

/**
 * Reads `If-Match`. Null: any version will do. A tag that is none of ours, or a weak one, matches no version (RFC 9110
 * §13.1.1), so it reads as -1.
 */
export function readIfMatch(header: string | null): Read<number | null> {
  if (header === null || header.trim() === "*") return { ok: true, value: null };
  const tag = /^(W\/)?"([^"]*)"$/.exec(header.trim());
  if (tag === null) return refused(wrongIfMatch(header));
  const [, weak, version = ""] = tag;
  return { ok: true, value: weak === undefined && /^[1-9]\d{0,14}$/.test(version) ? Number(version) : -1 };
}

function wrongIfMatch(header: string): Problem {
  const got = JSON.stringify(header.slice(0, 40));
  return problem(
    "invalid_request",
    `If-Match: expected one entity tag such as "3" with its quotes, as an answer's ETag gives it, got ${got}`,
  );
}
