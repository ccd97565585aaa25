/** A calendar: days that schedules leave out, kept under a name, so that a holiday is written once. */

import type { CalendarId, ChangeId, TenantId } from "./ids.ts";
import { limits } from "./limits.ts";
import type { WrittenCalendar } from "./recurrence/calendar.ts";
import { scheduleBounds } from "./schedule.ts";
import { type EpochMs, later } from "./time.ts";

type CalendarBase = {
  readonly tenant: TenantId;
  readonly id: CalendarId;
  readonly name: string;
  /** Raised by one with every commit; a commit holds only for the version it saw. */
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly written: WrittenCalendar;
  /** The names of the last commits. */
  readonly changes: readonly ChangeId[];
};

/** The calendar is kept. Next: kept with other days, or removed. */
export type Kept = CalendarBase & { readonly state: "kept" };
/** The calendar is removed. Final, and absent at once. */
export type Removed = CalendarBase & { readonly state: "removed"; readonly expiresAt: EpochMs };
export type Calendar = Kept | Removed;

export type CalendarChange<To extends Calendar = Calendar> = { readonly from: Kept; readonly to: To; readonly change: ChangeId };

type CalendarFacts = { readonly now: EpochMs; readonly change: ChangeId };

export function createCalendar(given: Pick<Calendar, "tenant" | "id" | "name" | "written">, { now, change }: CalendarFacts): Kept {
  return { ...given, version: 1, createdAt: now, updatedAt: now, changes: [change], state: "kept" };
}

export function rewriteCalendar(calendar: Kept, written: WrittenCalendar, facts: CalendarFacts): CalendarChange<Kept> {
  return { from: calendar, to: { ...calendar, ...changed(calendar, facts), written }, change: facts.change };
}

export function removeCalendar(calendar: Kept, facts: CalendarFacts): CalendarChange<Removed> {
  return {
    from: calendar,
    to: { ...calendar, ...changed(calendar, facts), state: "removed", expiresAt: later(facts.now, -limits.clockSkewMsMax) },
    change: facts.change,
  };
}

function changed({ version, changes }: Calendar, { now, change }: CalendarFacts) {
  return { version: version + 1, updatedAt: now, changes: [...changes, change].slice(-scheduleBounds.changesKept) };
}
