/**
 * What two fields mean to each other, or a field to the clock. Judged on the request as written and apart from the shapes, so
 * that a caller hears of these mistakes together with all others.
 */

import { limits } from "../core/limits.ts";
import { type EpochMs, formatInstant, later, parseDuration, parseInstant, toEpochMs } from "../core/time.ts";
import type { FieldError } from "./problem.ts";

type Raw = Readonly<Record<string, unknown>>;

export const bodyNames = ["body", "bodyText", "bodyBase64"] as const;

export function isRecord(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A new job: it is due now unless it says otherwise. */
export function createRelations(raw: Raw, now: EpochMs): FieldError[] {
  const errors = sharedRelations(raw);
  if (isRecord(raw["target"])) bodyless(raw["target"], raw, errors);
  const dueAt = dueOf(raw, now) ?? (raw["dueAt"] === undefined && raw["delay"] === undefined ? now : undefined);
  judgeInstants(dueAt, instantOf(raw, "deadline"), now, errors);
  return errors;
}

/** A change: what it leaves out is the job's matter, and is judged on the job. */
export function patchRelations(raw: Raw, now: EpochMs): FieldError[] {
  const errors = sharedRelations(raw);
  if (isRecord(raw["target"])) bodyless(raw["target"], raw, errors);
  judgeInstants(dueOf(raw, now), instantOf(raw, "deadline"), now, errors);
  if (Object.keys(raw).length === 0)
    errors.push({ field: "", code: "required", message: "expected at least one field to change, got none" });
  return errors;
}

/** What a schedule's jobs are made of: when they are due is not theirs to say. */
export function templateRelations(raw: Raw): FieldError[] {
  const errors = bodyRelations(raw);
  if (isRecord(raw["target"])) bodyless(raw["target"], raw, errors);
  return errors;
}

function bodyRelations(raw: Raw): FieldError[] {
  const errors: FieldError[] = [];
  const bodies = bodyNames.filter((name) => raw[name] !== undefined);
  for (const name of bodies.slice(1)) {
    errors.push({ field: name, code: "conflict", message: `expected one body, got ${bodies.join(" and ")}; leave all but one out` });
  }
  if (raw["body"] === null) {
    const message = 'expected a JSON value, got null; leave the field out for no body, or send bodyText "null" with a content-type header';
    errors.push({ field: "body", code: "invalid_type", message });
  }
  return errors;
}

function sharedRelations(raw: Raw): FieldError[] {
  const errors = bodyRelations(raw);
  for (const [name, other] of [
    ["delay", "dueAt"],
    ["expireAfter", "deadline"],
  ] as const) {
    if (raw[name] === undefined || raw[other] === undefined) continue;
    errors.push({ field: name, code: "conflict", message: `expected either ${other} or ${name}, got both; leave one out` });
  }
  return errors;
}

function bodyless(target: Raw, raw: Raw, errors: FieldError[]): void {
  const method = target["method"];
  if (method !== "GET" && method !== "HEAD") return;
  for (const name of bodyNames) {
    if (raw[name] !== undefined)
      errors.push({ field: name, code: "conflict", message: `${method} carries no body; leave it out, or use POST` });
  }
}

function judgeInstants(dueAt: EpochMs | undefined, deadline: EpochMs | undefined, now: EpochMs, errors: FieldError[]): void {
  if (dueAt === undefined) return;
  const dueMax = later(now, limits.dueAheadMsMax);
  if (dueAt > dueMax) {
    errors.push({
      field: "dueAt",
      code: "too_large",
      message: `expected at most 10 years ahead (${formatInstant(dueMax)}), got ${formatInstant(dueAt)}`,
    });
  }
  const wrong = deadline === undefined ? undefined : wrongDeadline(deadline, dueAt);
  if (wrong !== undefined) errors.push({ field: "deadline", ...wrong });
}

/** What is wrong with a deadline for a job due then. */
export function wrongDeadline(deadline: EpochMs, dueAt: EpochMs): Omit<FieldError, "field"> | undefined {
  if (deadline < dueAt) {
    const message = `expected a deadline at or after the instant the job is due (${formatInstant(dueAt)}), got ${formatInstant(deadline)}`;
    return { code: "too_small", message };
  }
  const max = later(dueAt, limits.expireAfterMsMax);
  if (deadline <= max) return undefined;
  return { code: "too_large", message: `expected a deadline at most 10 years after the job is due, got ${formatInstant(deadline)}` };
}

/** When the request says that the job is due; undefined when it does not say, or not in a way that can be read. */
function dueOf(raw: Raw, now: EpochMs): EpochMs | undefined {
  const delay = raw["delay"];
  const delayMs = typeof delay === "string" ? parseDuration(delay) : undefined;
  // A delay beyond the bound is its own field's error already.
  if (delayMs !== undefined) return delayMs <= limits.dueAheadMsMax ? toEpochMs(now + delayMs) : undefined;
  return instantOf(raw, "dueAt");
}

export function instantOf(raw: Raw, name: string): EpochMs | undefined {
  const written = raw[name];
  return typeof written === "string" ? parseInstant(written) : undefined;
}
