/** A schedule as a caller writes it, whole or in part, to what the engine is asked for. Its jobs are judged as jobs of their own are. */

import { ruleBounds } from "../core/recurrence/bounds.ts";
import type { Calendars } from "../core/recurrence/exception.ts";
import type { Window } from "../core/recurrence/window.ts";
import type { Standing } from "../core/schedule.ts";
import { formatInstant } from "../core/time.ts";
import { isRuleChanged, type PutRequest, type Wanted } from "../engine/schedules/put.ts";
import { loadCalendars } from "../engine/schedules/rule.ts";
import { type Desk, readingNow } from "./desk.ts";
import { kindOf } from "./fields.ts";
import { fieldErrors } from "./issues.ts";
import { type FieldError, fieldProblem, type Problem } from "./problem.ts";
import { instantOf, isRecord, templateRelations } from "./relations.ts";
import { type AskedRule, namedCalendars, notCovered, readRule, uselessRule } from "./rule.ts";
import type { ScheduleFields } from "./scheduleShape.ts";
import { bodyOf, inexactNumbers, type Reading, type Written, wrongSize, wrongTarget } from "./submission.ts";

export type ScheduleReading = Reading & {
  /** What stands under the name; undefined where nothing does. */
  readonly standing: Standing | undefined;
  readonly calendars: Calendars;
};

/** What is wrong, all of one status: a target is judged, and a body weighed, where every field can be read. */
export type Wrong = {
  readonly ok: false;
  readonly code: "invalid_request" | "payload_too_large" | "target_denied";
  readonly errors: readonly FieldError[];
};
export type ScheduleRead = { readonly ok: true; readonly value: PutRequest } | Wrong;

export function problemOf({ code, errors }: Wrong): Problem {
  return fieldProblem(code, errors);
}

/** What reading needs to know of the home and of the calendars that the requests, or what stands, may name. */
export async function scheduleReading(
  desk: Desk,
  raws: readonly unknown[],
  standing: readonly Standing[],
): Promise<Omit<ScheduleReading, "standing">> {
  const asked = raws.flatMap((raw) => (isRecord(raw) ? namedCalendars(raw["except"]) : []));
  const known = standing.flatMap(({ spec }) => namedCalendars(spec.except));
  const calendars = await loadCalendars(desk.engine, desk.tenant, [...new Set([...asked, ...known])]);
  return { ...readingNow(desk), calendars };
}

/** A schedule written whole: what it leaves out is as by default. */
export function readWhole({ value: raw, findings }: Written, reading: ScheduleReading): ScheduleRead {
  if (!isRecord(raw)) return wrongObject(raw);
  const { schedule } = reading.shapes;
  const parsed = schedule.safeParse(raw);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, schedule).map(explained);
  errors.push(...jobRelations(raw), ...inexactNumbers(findings));
  const { standing } = reading;
  const set = standing?.spec.set ?? null;
  const rule = ruleIn(raw, { when: undefined, except: [], startAt: null, endAt: null, window: null }, parsed.data?.window);
  return judge({ errors, rule, reading }, () => {
    if (!parsed.success) return undefined;
    const { job, overlap, misfire, maxRuns, paused, pauseAfterFailures, labels } = parsed.data;
    const { policy, within: withinMs, max } = misfire;
    const rest = { overlap, misfire: { policy, withinMs, max }, maxRuns, pauseAfterFailures, labels, set };
    return { job: templateOf(job), rest, paused };
  });
}

/** A change of a schedule: what it leaves out stays. */
export function readPart({ value: raw, findings }: Written, reading: ScheduleReading & { readonly standing: Standing }): ScheduleRead {
  if (!isRecord(raw)) return wrongObject(raw);
  const { schedulePatch } = reading.shapes;
  const parsed = schedulePatch.safeParse(raw);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, schedulePatch).map(explained);
  errors.push(...jobRelations(raw), ...inexactNumbers(findings));
  if (Object.keys(raw).length === 0)
    errors.push({ field: "", code: "required", message: "expected at least one field to change, got none" });
  const { spec } = reading.standing;
  return judge({ errors, rule: ruleIn(raw, spec, parsed.data?.window), reading }, () => {
    if (!parsed.success) return undefined;
    const { job, overlap = spec.overlap, misfire, paused, labels = spec.labels } = parsed.data;
    const { maxRuns = spec.maxRuns, pauseAfterFailures = spec.pauseAfterFailures } = parsed.data;
    const judged = misfire === undefined ? spec.misfire : { policy: misfire.policy, withinMs: misfire.within, max: misfire.max };
    const rest = { overlap, misfire: judged, maxRuns, pauseAfterFailures, labels, set: spec.set };
    return { job: job === undefined ? { ...spec.job, body: "kept" } : templateOf(job), rest, paused };
  });
}

type Judged = {
  readonly errors: FieldError[];
  readonly rule: AskedRule & { readonly window: Window | null };
  readonly reading: ScheduleReading;
};
/** What beside the rule is wanted; undefined where it could not be read. */
type Rest = {
  readonly job: Wanted["job"];
  readonly rest: Omit<Wanted, "when" | "except" | "startAt" | "endAt" | "window" | "job">;
  readonly paused: boolean | undefined;
};

function judge({ errors, rule: asked, reading }: Judged, restOf: () => Rest | undefined): ScheduleRead {
  const { now, standing, calendars, allow } = reading;
  const { window } = asked;
  const read = readRule(asked, { createdAt: standing?.createdAt ?? now, calendars });
  const span = wrongSpan(asked);
  errors.push(...span, ...notCovered(errors, read.ok ? [] : read.wrong));
  // What stands as it is asked for was judged when it came; its instants may have passed since.
  const isNew = read.ok && (standing === undefined || isRuleChanged({ ...read.written, window }, standing.spec));
  if (read.ok && isNew && span.length === 0)
    errors.push(...notCovered(errors, uselessRule(read, { now, endAt: read.written.endAt, window })));
  const rest = restOf();
  if (errors.length > 0 || !read.ok || rest === undefined) return wrong("invalid_request", errors);
  const { job, paused } = rest;
  const own = (error: FieldError) => ({ ...error, field: `job.${error.field}` });
  if (job.body !== "kept") {
    const heavy = wrongSize(job.body);
    if (heavy !== undefined) return wrong("payload_too_large", [own(heavy)]);
    const denied = wrongTarget(job.target.url, allow);
    if (denied !== undefined) return wrong("target_denied", [own(denied)]);
  }
  const wanted: Wanted = { ...read.written, window, job, ...rest.rest };
  return { ok: true, value: { wanted, pause: paused === undefined ? undefined : paused ? { until: null, reason: null } : null } };
}

function wrong(code: Wrong["code"], errors: readonly FieldError[]): Wrong {
  return { ok: false, code, errors: errors.slice(0, ruleBounds.mistakesMax) };
}

function wrongObject(raw: unknown): Wrong {
  return wrong("invalid_request", [{ field: "", code: "invalid_type", message: `expected a JSON object, got ${kindOf(raw)}` }]);
}

type StandingRule = AskedRule & { readonly window: Window | null };

/** The rule of a request, and what stands where it says nothing. `window`: as it was read. */
function ruleIn(raw: Readonly<Record<string, unknown>>, standing: StandingRule, window: Window | null | undefined): StandingRule {
  const instant = (name: "startAt" | "endAt") => {
    if (!Object.hasOwn(raw, name)) return standing[name];
    return raw[name] === null ? null : instantOf(raw, name);
  };
  return {
    when: Object.hasOwn(raw, "when") ? raw["when"] : standing.when,
    except: Object.hasOwn(raw, "except") ? raw["except"] : standing.except,
    startAt: instant("startAt"),
    endAt: instant("endAt"),
    window: window === undefined ? standing.window : window,
  };
}

function wrongSpan({ startAt, endAt }: AskedRule): FieldError[] {
  if (startAt == null || endAt == null || endAt > startAt) return [];
  const message = `expected an instant after startAt ("${formatInstant(startAt)}"), got "${formatInstant(endAt)}"`;
  return [{ field: "endAt", code: "too_small", message }];
}

function jobRelations({ job }: Readonly<Record<string, unknown>>): FieldError[] {
  return isRecord(job) ? templateRelations(job).map((error) => ({ ...error, field: `job.${error.field}` })) : [];
}

/** Fields of a job of its own that a schedule's jobs do not have, and what does their work. */
const notOfTemplate: ReadonlyMap<string, string> = new Map([
  ["job.dueAt", "each job is due at its occurrence, which `when` says"],
  ["job.delay", "each job is due at its occurrence, which `when` says; `window` spreads them"],
  ["job.deadline", "one instant for all of them would end the schedule; use expireAfter, counted from each occurrence"],
  ["job.key", "each occurrence has one job by itself, however often it is tried"],
]);

function explained(error: FieldError): FieldError {
  const why = error.code === "unknown_field" ? notOfTemplate.get(error.field) : undefined;
  return why === undefined ? error : { ...error, code: "forbidden", message: `the jobs of a schedule take no such field: ${why}` };
}

function templateOf({ target, timeout, expireAfter, retry, priority, labels, ...bodies }: ScheduleFields["job"]): Wanted["job"] {
  const timing = { timeoutMs: timeout, expireAfterMs: expireAfter ?? null };
  return { target, body: bodyOf(bodies), ...timing, retry, priority, labels };
}
