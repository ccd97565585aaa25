/** A create request to a submission: its shape, its size, its target's address, and the key that it stands under. */

import { type AllowList, judgeUrl } from "../core/address.ts";
import { type JobId, jobIdOfKey, type TenantId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { type EpochMs, later } from "../core/time.ts";
import type { Engine } from "../engine/engine.ts";
import type { BodyBytes } from "../engine/payload.ts";
import type { Submission } from "../engine/submit.ts";
import { kindOf, wrongKey } from "./fields.ts";
import { fingerprint } from "./fingerprint.ts";
import { fieldErrors } from "./issues.ts";
import { formatPath, quote } from "./path.ts";
import { type FieldError, fieldProblem, type Problem, problem, type Read, refused } from "./problem.ts";
import { createRelations, isRecord } from "./relations.ts";
import type { Finding } from "./scan.ts";
import type { CreateFields, Shapes } from "./schema.ts";

/** What reading a request needs to know of the home. */
export type Reading = {
  readonly tenant: TenantId;
  readonly allow: AllowList;
  readonly shapes: Shapes;
  readonly now: EpochMs;
};

/** A request as parsed, with what the scan found in it; paths begin at the request itself, also inside a batch. */
export type Written = { readonly value: unknown; readonly findings: readonly Finding[] };

/** The idempotency key of a request and the digest it stands for. */
export type Key = NonNullable<Submission["key"]>;

export function readSubmission({ value: raw, findings }: Written, key: Key | null, reading: Reading): Read<Submission> {
  const broken = brokenJson(findings);
  if (broken !== undefined) return refused(broken);
  if (!isRecord(raw)) return refused(notAnObject(raw));
  const { create } = reading.shapes;
  const parsed = create.safeParse(raw);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, create);
  errors.push(...createRelations(raw, reading.now), ...inexactNumbers(findings));
  if (errors.length > 0 || !parsed.success) return refused(fieldProblem("invalid_request", errors));
  const body = bodyOf(parsed.data);
  const refusal = bodyTooLarge(body) ?? deniedTarget(parsed.data.target.url, reading.allow);
  return refusal === undefined ? { ok: true, value: submissionOf(parsed.data, body, key, reading) } : refused(refusal);
}

function submissionOf(fields: CreateFields, body: BodyBytes | null, key: Key | null, { tenant, now }: Reading): Submission {
  const { target, timeout: timeoutMs, retry, priority, labels } = fields;
  const dueAt = fields.dueAt ?? later(now, fields.delay ?? 0);
  const deadline = fields.deadline ?? (fields.expireAfter === undefined ? null : later(dueAt, fields.expireAfter));
  return { tenant, dueAt, target, body, timeoutMs, deadline, retry, priority, labels, key };
}

/** The key in the request or in its header; null where there is none. What is wrong with the field itself is the shape's matter. */
export function readKey(raw: unknown, header: string | null): Read<Key | null> {
  const wrong = header === null ? undefined : wrongKey(header);
  if (wrong !== undefined)
    return refused(fieldProblem("invalid_request", [{ field: "Idempotency-Key", code: "invalid_format", message: wrong }]));
  if (!isRecord(raw)) return { ok: true, value: null };
  const field = raw["key"];
  if (header !== null && typeof field === "string" && field !== header) {
    const message = "expected the same key as in the header Idempotency-Key, got another; send one of them";
    return refused(fieldProblem("invalid_request", [{ field: "key", code: "conflict", message }]));
  }
  const text = header ?? field;
  return { ok: true, value: typeof text === "string" ? { text, fingerprint: fingerprint(raw) } : null };
}

/**
 * The job that a refused request already stands for. A request that was right when it came is answered the same way when it
 * comes again, though its deadline has passed or the address policy has changed since. One that parsing altered is another.
 */
export async function findReplay(engine: Engine, tenant: TenantId, key: Key | null, { findings }: Written): Promise<Job | undefined> {
  if (key === null || findings.length > 0) return undefined;
  const id: JobId = jobIdOfKey(tenant, key.text);
  const job = await engine.store.load({ tenant, id });
  return job?.fingerprint === key.fingerprint ? job : undefined;
}

/** What makes a text no JSON that could be relied on. */
export function brokenJson(findings: readonly Finding[]): Problem | undefined {
  for (const { kind, path, text } of findings) {
    if (kind === "duplicate_key")
      return problem("invalid_json", `expected each name once, got ${quote(text)} twice at ${formatPath(path)}`);
    if (kind === "too_deep") {
      return problem(
        "invalid_json",
        `expected at most ${limits.jsonDepthMax} levels of nesting, got more at ${formatPath(path)}; send deep data as bodyText`,
      );
    }
  }
  return undefined;
}

export function inexactNumbers(findings: readonly Finding[]): FieldError[] {
  return findings
    .filter(({ kind }) => kind === "inexact_number")
    .map(({ path, text }) => {
      const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
      const message = `${shown} would be altered by a double; send it as a JSON string, or the whole body as bodyText with a content-type header`;
      return { field: formatPath(path), code: "inexact_number", message };
    });
}

export function notAnObject(raw: unknown): Problem {
  return fieldProblem("invalid_request", [{ field: "", code: "invalid_type", message: `expected a JSON object, got ${kindOf(raw)}` }]);
}

type BodyFields = Pick<CreateFields, "body" | "bodyText" | "bodyBase64">;

/** The bytes to send and the type they have where the target's headers name none; null where the request has no body. */
export function bodyOf({ body, bodyText, bodyBase64 }: BodyFields): BodyBytes | null {
  if (bodyBase64 !== undefined) return { contentType: "application/octet-stream", bytes: bodyBase64 };
  if (body !== undefined) return { contentType: "application/json", bytes: Buffer.from(JSON.stringify(body)) };
  if (bodyText === undefined) return null;
  const bytes = Buffer.from(bodyText);
  // Without a charset, text/plain is ASCII (RFC 2046); it is named where the bytes are more than that.
  return { contentType: bytes.byteLength === bodyText.length ? "text/plain" : "text/plain; charset=utf-8", bytes };
}

export function bodyTooLarge(body: BodyBytes | null): Problem | undefined {
  const wrong = wrongSize(body);
  return wrong && fieldProblem("payload_too_large", [wrong]);
}

export function wrongSize(body: BodyBytes | null): FieldError | undefined {
  const byteCount = body?.bytes.byteLength ?? 0;
  if (byteCount <= limits.bodyBytesMax) return undefined;
  const message = `expected at most ${limits.bodyBytesMax} bytes as sent, got ${byteCount}; put large data where the target can fetch it, and send a link`;
  return { field: "body", code: "too_large", message };
}

export function deniedTarget(url: string, allow: AllowList): Problem | undefined {
  const wrong = wrongTarget(url, allow);
  return wrong && fieldProblem("target_denied", [wrong]);
}

export function wrongTarget(url: string, allow: AllowList): FieldError | undefined {
  const judged = judgeUrl(url, allow);
  return judged === "open" || judged === "name" ? undefined : { field: "target.url", code: "target_denied", message: judged.denied };
}
