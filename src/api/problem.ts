/**
 * Problems: the one form of every error that a caller sees (RFC 9457). A problem says what to do, and holds nothing of the
 * program's inside and no secret.
 */

import * as z from "zod";

/** Every code there is, with its status. Callers branch on the code; the title is for people and never changes with the case. */
export const problemKinds = {
  invalid_json: { status: 400, title: "The body is not valid JSON" },
  invalid_request: { status: 400, title: "The request is not valid" },
  unauthorized: { status: 401, title: "A valid API key is needed" },
  forbidden: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "The path does not take this method" },
  idempotency_conflict: { status: 409, title: "The idempotency key stands for another request" },
  state_conflict: { status: 409, title: "Its state does not allow it" },
  in_flight: { status: 409, title: "An attempt is in flight" },
  exists: { status: 409, title: "The name is taken" },
  version_conflict: { status: 412, title: "It has changed" },
  payload_too_large: { status: 413, title: "Too large" },
  unsupported_media_type: { status: 415, title: "The body's type is not taken" },
  target_denied: { status: 422, title: "The target's address is not allowed" },
  internal: { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Unavailable for the moment" },
} as const;

export type ProblemCode = keyof typeof problemKinds;

/** What can be wrong with one field. */
const fieldErrorCodes = [
  "required",
  "unknown_field",
  "invalid_type",
  "invalid_value",
  "invalid_format",
  "too_small",
  "too_large",
  "conflict",
  "duplicate",
  "forbidden",
  "inexact_number",
  "target_denied",
] as const;

export const FieldError = z
  .strictObject({
    field: z.string().meta({ description: "Where, in the request's own names.", examples: ["retry.maxAttempts"] }),
    code: z.enum(fieldErrorCodes),
    message: z.string().meta({ description: "What is expected, what was got, and what to do. For people." }),
  })
  .meta({ description: "One wrong field." });
export type FieldError = z.infer<typeof FieldError>;

export const ProblemDocument = z
  .strictObject({
    type: z.string().meta({ description: "A URN that names the code.", examples: ["urn:onthedot:problem:invalid_request"] }),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string().meta({ description: "What happened and what to do." }),
    requestId: z.string().meta({ description: "The same as X-Request-Id. Give it when asking for help." }),
    errors: z.array(FieldError).meta({ description: "All wrong fields at once; empty where no field is at fault." }),
    checks: z.record(z.string(), z.unknown()).optional().meta({ description: "With `unavailable` from /v1/health: what is wrong." }),
  })
  .meta({ description: "Every error, from every layer (RFC 9457)." });
export type ProblemDocument = z.infer<typeof ProblemDocument>;

/** A problem as the program hands it on, before it belongs to a request. */
export type Problem = {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  /** What HTTP wants beside it: `Allow`, `Retry-After`, `WWW-Authenticate`. */
  readonly headers: Readonly<Record<string, string>>;
};

/** A result, or what is to be answered instead. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function problem(code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}): Problem {
  return { code, detail, errors: [], headers };
}

/** A problem of fields. The detail says what the fields' messages do not: that nothing was done. */
export function fieldProblem(code: ProblemCode, errors: readonly FieldError[]): Problem {
  const [first] = errors;
  if (errors.length === 1 && first !== undefined) return { code, detail: `${first.field}: ${first.message}`, errors, headers: {} };
  return { code, detail: `${errors.length} fields are wrong; each is named in errors. Nothing was done.`, errors, headers: {} };
}

export function refused(refusal: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: refusal };
}

export function problemDocument({ code, detail, errors }: Problem, requestId: string): ProblemDocument {
  const { status, title } = problemKinds[code];
  return { type: `urn:onthedot:problem:${code}`, title, status, code, detail, requestId, errors: [...errors] };
}

/** How long a caller should wait when a part of the home does not answer: about as long as a throttled store needs. */
const retryAfterSeconds = 2;

export function unavailable(detail = "A part of the service does not answer now; nothing is lost. Send the same request again."): Problem {
  return problem("unavailable", detail, { "retry-after": String(retryAfterSeconds) });
}
