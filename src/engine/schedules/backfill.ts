/** Firing instants of the past: some at a time, beside the rule, each of them once however often the range is asked for. */

import type { Agenda } from "../../core/agenda.ts";
import type { ScheduleRef } from "../../core/hint.ts";
import { instants } from "../../core/recurrence/occurrences.ts";
import { type Active, jobIdOf, type Schedule, type Standing, scheduleBounds } from "../../core/schedule.ts";
import { beginBackfill, goOnBackfill, type ScheduleChange } from "../../core/scheduleChange.ts";
import { type EpochMs, earlierOf, toEpochMs } from "../../core/time.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { commitSchedule } from "./commit.ts";
import { agendaOf } from "./rule.ts";
import { settled } from "./taken.ts";

const { backfillMax, backfillStep } = scheduleBounds;

/** `from` inclusive, `to` exclusive. */
export type Range = { readonly from: EpochMs; readonly to: EpochMs };

export type BackfillAnswer =
  | { readonly kind: "counted" | "begun"; readonly schedule: Standing; readonly total: number; readonly existing: number }
  | { readonly kind: "not_found" }
  /** `isMore`: counting was given up. */
  | { readonly kind: "too_many"; readonly total: number; readonly isMore: boolean }
  /** Paused: a pause lets nothing of the rule through. Backfilling: one at a time. */
  | { readonly kind: "state_conflict"; readonly why: "paused" | "backfilling"; readonly schedule: Standing }
  | { readonly kind: "unreadable"; readonly message: string };

export async function backfill(engine: Engine, ref: ScheduleRef, range: Range, mode: "dry_run" | "fire"): Promise<BackfillAnswer> {
  for (;;) {
    const schedule = await settled(engine, ref);
    if (schedule === undefined) return { kind: "not_found" };
    const agenda = await agendaOf(engine, schedule);
    if (typeof agenda === "string") return { kind: "unreadable", message: agenda };
    const counted = await count(engine, schedule, agenda, range);
    if ("isMore" in counted) return { kind: "too_many", ...counted };
    if (mode === "dry_run") return { kind: "counted", schedule, ...counted };
    if (schedule.state === "paused") return { kind: "state_conflict", why: "paused", schedule };
    if (schedule.backfill !== null) return { kind: "state_conflict", why: "backfilling", schedule };
    const { from, to } = range;
    const begun = { from, to, goOnAt: from, total: counted.total, done: 0 };
    const change = beginBackfill(schedule, begun, scheduleFactsNow(engine));
    if ((await commitSchedule(engine, change)) === "committed") return { kind: "begun", schedule: change.to, ...counted };
  }
}

/** What is pending or waits for its turn is the rule's, and no past yet. */
function isOwn({ next, buffered }: Schedule, nominalAt: EpochMs): boolean {
  return next?.nominalAt === nominalAt || buffered.some((owed) => owed.nominalAt === nominalAt);
}

function lastOf({ next }: Schedule, to: EpochMs): EpochMs {
  return next === null ? to : earlierOf(to, next.nominalAt);
}

/** A counting goes on this far beyond the most that may be fired, to say how many they are. */
const countMax = 20 * backfillMax;

async function count(
  engine: Engine,
  schedule: Standing,
  agenda: Agenda,
  { from, to }: Range,
): Promise<{ readonly total: number; readonly existing: number } | { readonly total: number; readonly isMore: boolean }> {
  const { at, goOnAt } = instants(agenda.rule, { from, until: lastOf(schedule, to), max: countMax });
  if (at.length > backfillMax || goOnAt !== null) return { total: at.length, isMore: goOnAt !== null };
  const wanted = at.filter((nominalAt) => !isOwn(schedule, nominalAt));
  const missing = await missingOf(engine, schedule, wanted);
  return { total: wanted.length, existing: wanted.length - missing.length };
}

const lookedUpAtOnce = 500;

/** Those that have no job that is kept. */
async function missingOf(engine: Engine, schedule: Standing, at: readonly EpochMs[]): Promise<readonly EpochMs[]> {
  const missing: EpochMs[] = [];
  for (let start = 0; start < at.length; start += lookedUpAtOnce) {
    const part = at.slice(start, start + lookedUpAtOnce);
    const refs = part.map((nominalAt) => ({ tenant: schedule.tenant, id: jobIdOf(schedule, "rule", nominalAt) }));
    const found = new Set((await engine.store.loadMany(refs)).map(({ id }) => id));
    missing.push(...part.filter((_, index) => !found.has(refs[index]?.id as never)));
  }
  return missing;
}

/** The next few instants. Those that have a job already are passed over, and count as done. */
export async function stepBackfill(engine: Engine, schedule: Active, agenda: Agenda): Promise<ScheduleChange> {
  const { backfill } = schedule;
  if (backfill === null) throw new Error(`expected a backfill of ${schedule.id}, got none`);
  const { at, goOnAt } = instants(agenda.rule, { from: backfill.goOnAt, until: lastOf(schedule, backfill.to), max: backfillStep });
  const missing = await missingOf(
    engine,
    schedule,
    at.filter((nominalAt) => !isOwn(schedule, nominalAt)),
  );
  const facts = scheduleFactsNow(engine);
  const owed = missing.map((nominalAt) => ({ nominalAt, dueAt: facts.now }));
  const rest = goOnAt === null ? null : { ...backfill, goOnAt: toEpochMs(goOnAt), done: backfill.done + at.length };
  return goOnBackfill(schedule, { owed, backfill: rest }, facts);
}
