/** Making a schedule, or writing it anew. What it had taken has its job, what it owed by the old rule is decided, and the rest goes by the new one. */

import type { Agenda } from "../../core/agenda.ts";
import { type ScheduleId, scheduleIdOf, type TenantId } from "../../core/ids.ts";
import { yieldsFrom } from "../../core/recurrence/occurrences.ts";
import { type JobTemplate, type ScheduleSpec, type Standing, scheduleBounds } from "../../core/schedule.ts";
import { createSchedule } from "../../core/scheduleChange.ts";
import { editSchedule, type PendingAnswer } from "../../core/scheduleEdit.ts";
import type { PauseWish } from "../../core/standing.ts";
import { type EpochMs, later } from "../../core/time.ts";
import { hintNamed } from "../commit.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { type BodyBytes, keepBody, readBody } from "../payload.ts";
import { replanned } from "./calendars.ts";
import { commitSchedule } from "./commit.ts";
import { excludedUpToNow, upToDate } from "./past.ts";
import { pauseSchedule, resumeSchedule } from "./pause.ts";
import { agendaOf } from "./rule.ts";

/** A schedule as a caller wants it. A body that is "kept" stays as it is. */
export type Wanted = Omit<ScheduleSpec, "job"> & {
  readonly job: Omit<JobTemplate, "body"> & { readonly body: BodyBytes | null | "kept" };
};

/** `pause`: undefined leaves the pause, or its absence, as it is; null ends it. */
export type PutRequest = { readonly wanted: Wanted; readonly pause: PauseWish | null | undefined };

export type Refusal = { readonly kind: "invalid"; readonly field: string; readonly message: string };

export type PutAnswer =
  | { readonly kind: "created"; readonly schedule: Standing }
  /** `unchanged`: it was just so already. */
  | { readonly kind: "replaced"; readonly schedule: Standing; readonly pending: PendingAnswer; readonly unchanged: boolean }
  | { readonly kind: "not_found" }
  | { readonly kind: "exists"; readonly schedule: Standing }
  | { readonly kind: "version_conflict"; readonly version: number }
  | Refusal;

/** `version`: only this revision, or only where there is none. */
export type Precondition = { readonly version: number | "none" | null };

/** `decide` is asked for what is wanted, given what stands, and again where that has changed meanwhile; "not_found" where it takes something to stand. */
export async function putSchedule(
  engine: Engine,
  named: { readonly tenant: TenantId; readonly name: string },
  decide: (standing: Standing | undefined) => PutRequest | Refusal | "not_found",
  { version }: Precondition = { version: null },
): Promise<PutAnswer> {
  const ref = { tenant: named.tenant, id: scheduleIdOf(named.tenant, named.name) };
  for (;;) {
    const standing = await upToDate(engine, ref);
    if (standing !== undefined && version === "none") return { kind: "exists", schedule: standing };
    if (typeof version === "number" && standing?.revision !== version)
      return { kind: "version_conflict", version: standing?.revision ?? 0 };
    const request = decide(standing);
    if (request === "not_found") return { kind: "not_found" };
    if ("kind" in request) return request;
    const answer = standing === undefined ? await create(engine, { ...named, ...ref }, request) : await replace(engine, standing, request);
    if (answer !== "stale") return answer;
    // With a version given, whoever was first has changed it.
  }
}

type Named = { readonly tenant: TenantId; readonly id: ScheduleId; readonly name: string };

async function create(engine: Engine, named: Named, { wanted, pause }: PutRequest): Promise<PutAnswer | "stale"> {
  const facts = scheduleFactsNow(engine);
  const agenda = await agendaOf(engine, { ...named, createdAt: facts.now, spec: wanted });
  const refusal = refusalOf(agenda, later(facts.now, -1));
  if (refusal !== undefined || typeof agenda === "string") return refusal ?? unread("");
  const spec = await specOf(engine, named, wanted, undefined);
  const schedule = createSchedule({ ...named, spec, agenda, pause: pause ?? null }, facts);
  if ((await engine.store.insert(schedule)) === "exists") return "stale";
  engine.observe({ kind: "schedule_created", schedule });
  if (schedule.hinted) await hintNamed(engine, schedule);
  await meetCalendars(engine, schedule);
  return { kind: "created", schedule };
}

async function replace(engine: Engine, standing: Standing, { wanted, pause }: PutRequest): Promise<PutAnswer | "stale"> {
  const agenda = await agendaOf(engine, { ...standing, spec: wanted });
  const isChanged = isRuleChanged(wanted, standing.spec);
  const refusal = isChanged ? refusalOf(agenda, engine.clock.now()) : undefined;
  if (refusal !== undefined || typeof agenda === "string") return refusal ?? unread(String(agenda));
  const pauses = pause !== undefined && pause !== null && standing.state !== "paused" ? pause : null;
  if (pauses === null && (await isSame(engine, standing, wanted)))
    return paused(engine, { kind: "replaced", schedule: standing, pending: "none", unchanged: true }, pause);
  const spec = await specOf(engine, standing, wanted, standing.spec);
  const old = isChanged ? await agendaOf(engine, standing) : "";
  const excluded = typeof old === "string" ? [] : await excludedUpToNow(engine, standing, old);
  if (excluded === "again") return "stale";
  const change = editSchedule(standing, { spec, agenda, isRuleChanged: isChanged, excluded, pause: pauses }, scheduleFactsNow(engine));
  if ((await commitSchedule(engine, change)) === "stale") return "stale";
  await meetCalendars(engine, change.to);
  return paused(engine, { kind: "replaced", schedule: change.to, pending: change.pending, unchanged: false }, pause);
}

/** A calendar that changed since it was read here was written before it looked for who goes by it, and may not have found this one. */
async function meetCalendars(engine: Engine, schedule: Standing): Promise<void> {
  if (schedule.spec.except.some(({ calendar }) => calendar !== undefined)) await replanned(engine, schedule);
}

/** The pause as it is wanted, once all else is. */
async function paused(
  engine: Engine,
  answer: Extract<PutAnswer, { kind: "replaced" }>,
  pause: PauseWish | null | undefined,
): Promise<PutAnswer> {
  const { schedule } = answer;
  if (pause === undefined || isPausedAs(schedule, pause)) return answer;
  const changed = pause === null ? await resumeSchedule(engine, schedule, "none") : await pauseSchedule(engine, schedule, pause);
  return changed.kind === "changed" ? { ...answer, schedule: changed.schedule, unchanged: false } : answer;
}

/** Whether a pause, or none, is what stands; nothing can pause what is finished. */
export function isPausedAs({ state }: Standing, pause: PutRequest["pause"]): boolean {
  return pause === undefined || (pause === null ? state !== "paused" : state !== "active");
}

function refusalOf(agenda: Agenda | string, after: EpochMs): Refusal | undefined {
  if (typeof agenda === "string") return unread(agenda);
  if (yieldsFrom(agenda.rule, later(after, 1)) !== "nothing") return undefined;
  return {
    kind: "invalid",
    field: "when",
    message:
      "expected a rule that fires, got one that never does: its instants have passed, or its exceptions, startAt and endAt leave none",
  };
}

function unread(message: string): Refusal {
  return { kind: "invalid", field: "when", message };
}

type RuleFields = Pick<ScheduleSpec, "when" | "except" | "startAt" | "endAt" | "window">;

/** Whether a rule is another one, as written: in whatever order its fields stand. */
export function isRuleChanged(wanted: RuleFields, standing: RuleFields): boolean {
  const text = ({ when, except, startAt, endAt, window }: RuleFields) => plain([when, except, startAt, endAt, window]);
  return text(wanted) !== text(standing);
}

/** The same text for the same values: a caller, or a store, may order names as it likes. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Whether nothing at all would change. Bodies beside the item are compared by what is in them. */
export async function isSame(engine: Engine, standing: Standing, { job, ...wanted }: Wanted): Promise<boolean> {
  const { job: standingJob, ...spec } = standing.spec;
  const { body, ...rest } = job;
  const { body: standingBody, ...standingRest } = standingJob;
  if (plain(spec) !== plain(wanted) || plain(rest) !== plain(standingRest)) return false;
  if (body === "kept") return true;
  const bytes = await readBody(engine, { ...standing, body: standingBody });
  if (body === null || bytes === null || bytes === "gone") return body === null && bytes === null;
  return body.contentType === standingBody?.contentType && Buffer.compare(body.bytes, bytes) === 0;
}

async function specOf(engine: Engine, owner: Named, wanted: Wanted, standing: ScheduleSpec | undefined): Promise<ScheduleSpec> {
  const { body } = wanted.job;
  if (body === "kept") return { ...wanted, job: { ...wanted.job, body: standing?.job.body ?? null } };
  const until = later(engine.clock.now(), scheduleBounds.bodyKeptMs);
  const { tenant, id } = owner;
  return { ...wanted, job: { ...wanted.job, body: await keepBody(engine, { tenant, id }, body, until) } };
}
