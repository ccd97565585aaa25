/** A schedule's rule, with the calendars that it names as they stand now. */

import { type Agenda, readAgenda } from "../../core/agenda.ts";
import { calendarIdOf, type ScheduleId, type TenantId } from "../../core/ids.ts";
import type { WrittenCalendar } from "../../core/recurrence/calendar.ts";
import { calendarsOf } from "../../core/recurrence/exception.ts";
import type { ScheduleSpec } from "../../core/schedule.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Engine } from "../engine.ts";

export async function loadCalendars(
  engine: Engine,
  tenant: TenantId,
  names: readonly string[],
): Promise<ReadonlyMap<string, WrittenCalendar>> {
  if (names.length === 0) return new Map();
  const found = await engine.store.loadMany(names.map((name) => ({ tenant, id: calendarIdOf(tenant, name) })));
  return new Map(found.map(({ name, written }) => [name, written]));
}

type Ruled = {
  readonly tenant: TenantId;
  readonly id: ScheduleId;
  readonly createdAt: EpochMs;
  readonly spec: Omit<ScheduleSpec, "job">;
};

/**
 * What was accepted once is read again: a text says why it cannot be, for this runtime may lack a zone. A calendar that was removed in the
 * very moment in which the schedule came to name it leaves nothing out.
 */
export async function agendaOf(engine: Engine, schedule: Ruled): Promise<Agenda | string> {
  const { except } = schedule.spec;
  const calendars = await loadCalendars(engine, schedule.tenant, calendarsOf(except));
  const standing = except.filter(({ calendar }) => calendar === undefined || calendars.has(calendar));
  const read = readAgenda({ ...schedule, spec: { ...schedule.spec, except: standing } }, calendars);
  return read.ok ? read.agenda : read.mistakes.map(({ message }) => message).join("; ");
}
