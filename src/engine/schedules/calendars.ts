/** Calendars, and the schedules that go by them: a change is in force for every occurrence that is taken after its answer. */

import { type Calendar, createCalendar, type Kept, removeCalendar, rewriteCalendar } from "../../core/calendar.ts";
import { calendarIdOf, type TenantId } from "../../core/ids.ts";
import type { WrittenCalendar } from "../../core/recurrence/calendar.ts";
import type { Standing } from "../../core/schedule.ts";
import { replan } from "../../core/scheduleChange.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { commitSchedule } from "./commit.ts";
import { agendaOf } from "./rule.ts";
import { settled } from "./taken.ts";

type NamedCalendar = { readonly tenant: TenantId; readonly name: string };

export type CalendarPutAnswer =
  | {
      readonly kind: "created" | "replaced";
      readonly calendar: Kept /** Whose next occurrence was sought anew. */;
      readonly schedules: number;
    }
  | { readonly kind: "exists" }
  | { readonly kind: "version_conflict"; readonly version: number };

export async function findCalendar(engine: Engine, { tenant, name }: NamedCalendar): Promise<Kept | undefined> {
  const calendar: Calendar | undefined = await engine.store.load({ tenant, id: calendarIdOf(tenant, name) });
  return calendar?.state === "kept" ? calendar : undefined;
}

/** Written first; then every schedule that names it seeks its next occurrence anew. Where this breaks off, asking again goes on with it. */
export async function putCalendar(
  engine: Engine,
  named: NamedCalendar,
  { written, version }: { readonly written: WrittenCalendar; readonly version: number | "none" | null },
): Promise<CalendarPutAnswer> {
  for (;;) {
    const standing = await findCalendar(engine, named);
    if (standing !== undefined && version === "none") return { kind: "exists" };
    if (typeof version === "number" && standing?.version !== version) return { kind: "version_conflict", version: standing?.version ?? 0 };
    const facts = scheduleFactsNow(engine);
    if (standing === undefined) {
      const calendar = createCalendar({ ...named, id: calendarIdOf(named.tenant, named.name), written }, facts);
      if ((await engine.store.insert(calendar)) === "exists") continue;
      return { kind: "created", calendar, schedules: await replanAll(engine, named) };
    }
    // Nothing would change but its version. An earlier try may have broken off before every schedule knew of it.
    if (JSON.stringify(standing.written) === JSON.stringify(written)) {
      return { kind: "replaced", calendar: standing, schedules: await replanAll(engine, named) };
    }
    const change = rewriteCalendar(standing, written, facts);
    if ((await engine.store.commit(change)) === "stale") continue;
    return { kind: "replaced", calendar: change.to, schedules: await replanAll(engine, named) };
  }
}

async function replanAll(engine: Engine, named: NamedCalendar): Promise<number> {
  let count = 0;
  for await (const schedule of usersOf(engine, named)) if ((await replanned(engine, schedule)) === "replanned") count += 1;
  return count;
}

/** A schedule seeks its next occurrence anew, by the calendars as they stand now. Writes nothing where it has it already. */
export async function replanned(engine: Engine, { tenant, id }: Standing): Promise<"replanned" | "same"> {
  for (;;) {
    const schedule = await settled(engine, { tenant, id });
    if (schedule === undefined) return "same";
    const agenda = await agendaOf(engine, schedule);
    // Its next look pauses it, with the reason.
    if (typeof agenda === "string") return "same";
    const change = replan(schedule, { entries: [], agenda }, scheduleFactsNow(engine));
    const { next, soughtUntil } = change.to;
    const isSame = next?.nominalAt === schedule.next?.nominalAt && next?.dueAt === schedule.next?.dueAt;
    if (isSame && soughtUntil === schedule.soughtUntil) return "same";
    if ((await commitSchedule(engine, change)) === "committed") return "replanned";
  }
}

export type CalendarDeleteAnswer =
  | { readonly kind: "deleted" }
  | { readonly kind: "not_found" }
  | { readonly kind: "version_conflict"; readonly version: number }
  /** The first schedules that name it. */
  | { readonly kind: "in_use"; readonly schedules: readonly string[] };

const shownUsers = 5;

export async function deleteCalendar(engine: Engine, named: NamedCalendar, version: number | null): Promise<CalendarDeleteAnswer> {
  for (;;) {
    const calendar = await findCalendar(engine, named);
    if (calendar === undefined) return { kind: "not_found" };
    if (version !== null && calendar.version !== version) return { kind: "version_conflict", version: calendar.version };
    const users: string[] = [];
    for await (const { name } of usersOf(engine, named)) {
      users.push(name);
      if (users.length === shownUsers) break;
    }
    if (users.length > 0) return { kind: "in_use", schedules: users };
    if ((await engine.store.commit(removeCalendar(calendar, scheduleFactsNow(engine)))) === "committed") return { kind: "deleted" };
  }
}

const pageSize = 200;

async function* usersOf(engine: Engine, { tenant, name }: NamedCalendar): AsyncGenerator<Standing> {
  for await (const schedule of allSchedules(engine, tenant)) {
    if (schedule.spec.except.some(({ calendar }) => calendar === name)) yield schedule;
  }
}

/** By name. */
export async function* allSchedules(engine: Engine, tenant: TenantId): AsyncGenerator<Standing> {
  for (let after: string | null | undefined; after !== null; ) {
    const page = await engine.store.listNamed({ tenant, kind: "schedule", after: after ?? null, limit: pageSize });
    yield* page.items;
    after = page.next;
  }
}
