/** Lists of schedules, and of what became of one's occurrences, page by page. */

import { limits } from "../core/limits.ts";
import { toEpochMs } from "../core/time.ts";
import { listSchedules as find, type ScheduleFilter } from "../engine/schedules/list.ts";
import { listOccurrences as findOccurrences, findSchedule, type OccurrencePlace } from "../engine/schedules/read.ts";
import { type CursorScope, cursorProblem, readCursor, writeCursor } from "./cursor.ts";
import type { Handler, NameHandler } from "./desk.ts";
import { labelsText } from "./list.ts";
import { OccurrencesQuery, readQuery, ScheduleListQuery } from "./query.ts";
import { jsonReply } from "./reply.ts";
import type { OccurrenceListAnswer, ScheduleListAnswer } from "./scheduleAnswers.ts";
import { scheduleNotFound } from "./scheduleReply.ts";
import { listedView, occurrenceView } from "./scheduleView.ts";

const atName = toEpochMs(0);

export const listSchedules: Handler = async ({ engine, tenant, cursorKey }, { request }) => {
  const query = readQuery(ScheduleListQuery, request.url);
  if (!query.ok) return query.problem;
  const { state, label, set, cursor, limit = limits.listLimitDefault } = query.value;
  const filter: ScheduleFilter = { states: state ?? null, labels: label ?? [], set: set ?? null };
  const scope: CursorScope = { key: cursorKey, tenant, filter: textOf(filter) };
  const after = cursor === undefined ? null : readCursor(cursor, scope);
  if (after === undefined) return cursorProblem();
  const page = await find(engine, { tenant, filter, after: after?.id ?? null, limit });
  const nextCursor = page.next === null ? null : writeCursor({ createdAt: atName, id: page.next }, scope);
  const now = engine.clock.now();
  return jsonReply(200, { data: page.schedules.map((schedule) => listedView(schedule, now)), nextCursor } satisfies ScheduleListAnswer);
};

function textOf({ states, labels, set }: ScheduleFilter): string {
  return JSON.stringify(["schedules", states && [...states].sort(), labelsText(labels), set]);
}

/** A cursor is good for the schedule that it was made of, and for none that was made anew under the same name. */
export const listOccurrences: NameHandler = async ({ engine, tenant, cursorKey }, { request }, name) => {
  const query = readQuery(OccurrencesQuery, request.url);
  if (!query.ok) return query.problem;
  const { state = null, cursor, limit = limits.listLimitDefault } = query.value;
  const schedule = await findSchedule(engine, { tenant, name });
  if (schedule === undefined) return scheduleNotFound();
  const filter = JSON.stringify(["occurrences", schedule.id, schedule.incarnation, state && [...state].sort()]);
  const scope: CursorScope = { key: cursorKey, tenant, filter };
  const place = cursor === undefined ? null : readCursor(cursor, scope);
  if (place === undefined) return cursorProblem();
  const from: OccurrencePlace | null = place && { of: place.id === "pending" ? "pending" : "log", before: place.createdAt };
  const page = await findOccurrences(engine, { tenant, name }, { states: state, from, limit });
  if (page === undefined) return scheduleNotFound();
  const nextCursor = page.next === null ? null : writeCursor({ createdAt: toEpochMs(page.next.before), id: page.next.of }, scope);
  return jsonReply(200, { data: page.occurrences.map(occurrenceView), nextCursor } satisfies OccurrenceListAnswer);
};
