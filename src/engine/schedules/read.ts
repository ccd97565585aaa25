/** Looking at schedules: one, what comes of it next, and what became of its occurrences. */

import type { Agenda } from "../../core/agenda.ts";
import { isSpent } from "../../core/decide.ts";
import type { ScheduleRef } from "../../core/hint.ts";
import { type JobId, scheduleIdOf, type TenantId } from "../../core/ids.ts";
import type { Happened, Happening, OccurrenceBecause } from "../../core/occurrence.ts";
import { type Occurrence, occurrences } from "../../core/recurrence/occurrences.ts";
import { dueWithin } from "../../core/recurrence/window.ts";
import { jobIdOf, type Owed, type Schedule, type Standing } from "../../core/schedule.ts";
import { type EpochMs, later, laterOf } from "../../core/time.ts";
import type { Engine } from "../engine.ts";
import { logBefore } from "./log.ts";
import { agendaOf } from "./rule.ts";

export async function findSchedule(
  engine: Engine,
  { tenant, name }: { readonly tenant: TenantId; readonly name: string },
): Promise<Standing | undefined> {
  return loadStanding(engine, { tenant, id: scheduleIdOf(tenant, name) });
}

async function loadStanding(engine: Engine, ref: ScheduleRef): Promise<Standing | undefined> {
  const schedule = await engine.store.load(ref);
  return schedule === undefined || schedule.state === "deleted" ? undefined : schedule;
}

/** An occurrence to come, with its nominal instant as the rule's clocks show it. */
export type Upcoming = Occurrence & { readonly dueAt: EpochMs };

/** What comes next of a schedule, whatever its state: while it is paused these pass. Where it is behind, the past is not what comes next. */
export async function upcoming(engine: Engine, schedule: Standing, count: number): Promise<readonly Upcoming[]> {
  const agenda = await agendaOf(engine, schedule);
  if (typeof agenda === "string") return [];
  const { spec, runs, buffered, decidedUntil } = schedule;
  const now = engine.clock.now();
  const left = spec.maxRuns === null ? count : Math.min(count, spec.maxRuns - runs - buffered.length);
  const next = schedule.next !== null && schedule.next.dueAt >= now ? schedule.next : null;
  const pending = next !== null && next.nominalAt <= decidedUntil ? next : undefined;
  const from = schedule.next === next ? later(decidedUntil, 1) : laterOf(later(decidedUntil, 1), now);
  const comes = upcomingFrom(agenda, pending === undefined ? (next?.nominalAt ?? from) : from, left).found;
  if (pending === undefined) return comes;
  const [own] = upcomingFrom(agenda, pending.nominalAt, 1).found;
  return own === undefined ? comes : [{ ...own, ...pending }, ...comes].slice(0, Math.max(0, left));
}

/** One occurrence more than is wanted is looked for: a window ends at the next. */
export function upcomingFrom(
  { rule, window, place }: Agenda,
  from: EpochMs,
  count: number,
): { readonly found: readonly Upcoming[]; readonly stoppedAt: EpochMs | null } {
  if (count <= 0) return { found: [], stoppedAt: null };
  const { found, stoppedAt } = occurrences(rule, { from, count: window === null ? count : count + 1 });
  const wanted = found.slice(0, count).map((occurrence, index) => {
    const { nominalAt } = occurrence;
    const nextAt = found[index + 1]?.nominalAt ?? stoppedAt;
    return { ...occurrence, dueAt: window === null ? nominalAt : dueWithin(window, place, nominalAt, nextAt) };
  });
  return { found: wanted, stoppedAt: wanted.length === count ? null : stoppedAt };
}

/** Of a stretch the first and the last nominal instant, which are the same where it is one occurrence. */
export type Logged = {
  readonly nominalAt: EpochMs;
  readonly lastNominalAt: EpochMs;
  readonly dueAt: EpochMs;
  readonly count: number;
  readonly state: Happening | "pending";
  readonly because: OccurrenceBecause | null;
  readonly job: JobId | null;
};

/** Newest first. */
export function recentOf(schedule: Standing, count: number): readonly Logged[] {
  return schedule.recent
    .slice(-count)
    .reverse()
    .map((entry) => loggedOf(schedule, entry));
}

/** Those that were taken before now and are due after it: nothing that comes after can stop them. */
export function takenOf(schedule: Standing, now: EpochMs): readonly Logged[] {
  return recentOf(schedule, schedule.recent.length).filter(({ state, dueAt }) => state === "fired" && dueAt > now);
}

/** Where a list goes on: among what is pending, before a nominal instant, or in the log, below a place. */
export type OccurrencePlace = { readonly of: "pending" | "log"; readonly before: number };

export type OccurrencePage = { readonly occurrences: readonly Logged[]; readonly next: OccurrencePlace | null };

const lookedAtMax = 100;

/** Newest first: what is pending, then the log. A page looks at a bounded number of entries, and may be short, or empty, and still go on. */
export async function listOccurrences(
  engine: Engine,
  named: { readonly tenant: TenantId; readonly name: string },
  look: { readonly states: readonly Logged["state"][] | null; readonly from: OccurrencePlace | null; readonly limit: number },
): Promise<OccurrencePage | undefined> {
  const schedule = await findSchedule(engine, named);
  if (schedule === undefined) return undefined;
  const { states, from, limit } = look;
  const isWanted = ({ state }: Logged) => states === null || states.includes(state);
  const found: Logged[] = [];
  if (from?.of !== "log") {
    const pending = pendingOf(schedule).filter((one) => isWanted(one) && (from === null || one.nominalAt < from.before));
    found.push(...pending.slice(0, limit));
    const last = found.at(-1);
    if (last !== undefined && pending.length > limit) return { occurrences: found, next: { of: "pending", before: last.nominalAt } };
  }
  let place = from?.of === "log" ? from.before : null;
  for (let looked = 0; looked < lookedAtMax; looked++) {
    const slice = await logBefore(engine, schedule, place);
    for (const { place: own, entry } of slice.entries) {
      if (found.length >= limit) return { occurrences: found, next: { of: "log", before: own + 1 } };
      const logged = loggedOf(schedule, entry);
      if (isWanted(logged)) found.push(logged);
    }
    place = slice.before;
    if (place === null) return { occurrences: found, next: null };
  }
  return { occurrences: found, next: { of: "log", before: place ?? 0 } };
}

/** What is taken is on record as fired already. Newest first. */
function pendingOf(schedule: Standing): readonly Logged[] {
  const next = pendingNextOf(schedule);
  const owed: readonly Owed[] = [...(next === null || schedule.state !== "active" ? [] : [next]), ...schedule.buffered.toReversed()];
  return owed.map(({ nominalAt, dueAt }) => {
    return { nominalAt, lastNominalAt: nominalAt, dueAt, count: 1, state: "pending", because: null, job: null };
  });
}

/** What follows, where it is to come: not of a schedule whose last runs wait already. */
export function pendingNextOf(schedule: Standing): Owed | null {
  return isSpent(schedule) ? null : schedule.next;
}

function loggedOf(schedule: Pick<Schedule, "id" | "incarnation">, { state, because, firstAt, lastAt, count, offsetMs }: Happened): Logged {
  const job = state === "fired" ? jobIdOf(schedule, because === "triggered" ? "trigger" : "rule", firstAt) : null;
  return { nominalAt: firstAt, lastNominalAt: lastAt, dueAt: later(firstAt, offsetMs), count, state, because, job };
}
