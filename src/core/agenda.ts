/** What a schedule's rule owes and when: pure, and from nominal instants alone, so that neither lateness nor a window moves what follows. */

import type { ScheduleId } from "./ids.ts";
import type { Happened } from "./occurrence.ts";
import { horizonAt } from "./recurrence/bounds.ts";
import type { WrittenCalendar } from "./recurrence/calendar.ts";
import { excludedBetween } from "./recurrence/excluded.ts";
import type { Mistake } from "./recurrence/member.ts";
import { instants } from "./recurrence/occurrences.ts";
import { parseRule, type Rule } from "./recurrence/rule.ts";
import { dueWithin, placeOf, type Window } from "./recurrence/window.ts";
import { type Owed, type ScheduleSpec, scheduleBounds } from "./schedule.ts";
import { type EpochMs, earlierOf, later } from "./time.ts";

/** A schedule's rule, read, and its place in its window. */
export type Agenda = { readonly rule: Rule; readonly window: Window | null; readonly place: number };

export type AgendaRead = { readonly ok: true; readonly agenda: Agenda } | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** `calendars`: those that the exceptions name. */
export function readAgenda(
  { id, createdAt, spec }: { readonly id: ScheduleId; readonly createdAt: EpochMs; readonly spec: Omit<ScheduleSpec, "job"> },
  calendars: ReadonlyMap<string, WrittenCalendar>,
): AgendaRead {
  const read = parseRule(spec, createdAt, calendars);
  return read.ok ? { ok: true, agenda: { rule: read.rule, window: spec.window, place: placeOf(id) } } : read;
}

/** What follows a nominal instant. Both null: nothing does. */
export type Following = { readonly next: Owed | null; readonly soughtUntil: EpochMs | null };

export function followingOf(agenda: Agenda, nominalAt: EpochMs): Following {
  const { at, goOnAt } = instants(agenda.rule, { from: later(nominalAt, 1), until: horizonAt, max: agenda.window === null ? 1 : 2 });
  const [first, second] = at;
  if (first === undefined) return { next: null, soughtUntil: goOnAt };
  return { next: owedAt(agenda, first, second ?? goOnAt), soughtUntil: null };
}

/** `nextAt`: the nominal instant after it, where a window ends; null where none comes. */
function owedAt({ window, place }: Agenda, nominalAt: EpochMs, nextAt: EpochMs | null): Owed {
  return { nominalAt, dueAt: window === null ? nominalAt : dueWithin(window, place, nominalAt, nextAt) };
}

/** Whether a rule has a nominal instant, and when its call is due; undefined where it does not. */
export function owedFor(agenda: Agenda, nominalAt: EpochMs): Owed | undefined {
  const { next } = followingOf(agenda, later(nominalAt, -1));
  return next?.nominalAt === nominalAt ? next : undefined;
}

/** From `first` on, what is due by `dueBy`, oldest first, and whether that is all of it. `first` itself need not be the rule's any more. */
export function owedFrom(
  agenda: Agenda,
  first: Owed,
  after: EpochMs,
  dueBy: EpochMs,
): { readonly owed: readonly Owed[]; readonly complete: boolean } {
  const { lookMax } = scheduleBounds;
  const { at, goOnAt } = instants(agenda.rule, { from: later(after, 1), until: later(dueBy, 1), max: lookMax });
  // One that is due by then lies not after it, but a window of the last may end at one that is beyond.
  const beyond = goOnAt ?? followingOf(agenda, at.at(-1) ?? after).next?.nominalAt ?? null;
  const rest = at.map((nominalAt, index) => owedAt(agenda, nominalAt, at[index + 1] ?? beyond)).filter(({ dueAt }) => dueAt <= dueBy);
  return { owed: first.dueAt <= dueBy ? [first, ...rest] : [], complete: goOnAt === null };
}

/** What exceptions left out strictly between two nominal instants, as one entry; `complete`: whether it is all. */
export function excludedEntry(
  { rule }: Agenda,
  between: { readonly after: EpochMs; readonly before: EpochMs },
): { readonly entry: Happened; readonly complete: boolean } | undefined {
  if (rule.exceptions.length === 0) return undefined;
  const excluded = excludedBetween(rule, { ...between, max: scheduleBounds.lookMax });
  if (excluded === undefined) return undefined;
  const { count, first: firstAt, last: lastAt, goOnAt } = excluded;
  return {
    entry: { state: "excluded", because: "exception", firstAt, lastAt, count, offsetMs: 0 },
    complete: goOnAt === null,
  };
}

/** How long before it is due an occurrence is taken: not so early that the job before it could not have ended. */
export function takeAtOf(
  { spec, next, decidedUntil }: { readonly spec: ScheduleSpec; readonly next: Owed; readonly decidedUntil: EpochMs },
  takeLeadMs: number,
): EpochMs {
  const gapMs = next.nominalAt > decidedUntil ? next.dueAt - decidedUntil : takeLeadMs * 2;
  const leadMs = spec.overlap === "allow" ? takeLeadMs : Math.min(takeLeadMs, Math.floor(gapMs / 2));
  return earlierOf(next.dueAt, later(next.dueAt, -leadMs));
}
