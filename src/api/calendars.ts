/** The calls on calendars: days that schedules leave out, kept under a name. */

import type { Kept } from "../core/calendar.ts";
import { limits } from "../core/limits.ts";
import { parseCalendar, type WrittenCalendar } from "../core/recurrence/calendar.ts";
import { formatInstant, toEpochMs } from "../core/time.ts";
import { findCalendar, putCalendar as put, deleteCalendar as remove } from "../engine/schedules/calendars.ts";
import { readIfMatch } from "./change.ts";
import { type CursorScope, cursorProblem, readCursor, writeCursor } from "./cursor.ts";
import type { Handler, NameHandler } from "./desk.ts";
import { formatPath } from "./path.ts";
import { readPrecondition } from "./precondition.ts";
import { type FieldError, type Problem, problem } from "./problem.ts";
import { PageQuery, readQuery } from "./query.ts";
import { jsonReply } from "./reply.ts";
import type { CalendarAnswer, CalendarDeletedAnswer, CalendarListAnswer, CalendarWrittenAnswer } from "./scheduleAnswers.ts";
import { nameTaken, versionConflict } from "./scheduleReply.ts";
import { calendarShape } from "./scheduleShape.ts";
import { readFields } from "./shaped.ts";

export const putCalendar: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const wanted = readPrecondition(request.headers);
  if (!wanted.ok) return wanted.problem;
  const read = await readFields(request, { shape: calendarShape, need: "body", relations: (fields) => wrongDays(writtenOf(fields)) });
  if (!read.ok) return read.problem;
  const { version, exists } = wanted.value;
  if (exists && version === null && (await findCalendar(engine, { tenant, name })) === undefined) return versionConflict("calendar", 0);
  const answer = await put(engine, { tenant, name }, { written: writtenOf(read.value), version });
  switch (answer.kind) {
    case "created":
    case "replaced": {
      const { calendar, schedules, kind } = answer;
      const headers = { etag: `"${calendar.version}"`, ...(kind === "created" && { location: `/v1/calendars/${name}` }) };
      return jsonReply(kind === "created" ? 201 : 200, { ...viewOf(calendar), schedules } satisfies CalendarWrittenAnswer, headers);
    }
    case "exists":
      return nameTaken("calendar");
    case "version_conflict":
      return versionConflict("calendar", answer.version);
  }
};

type CalendarFields = {
  timezone?: string | undefined;
  dates?: WrittenCalendar["dates"] | undefined;
  weekly?: readonly string[] | undefined;
};

function writtenOf({ timezone, dates = [], weekly = [] }: CalendarFields): WrittenCalendar {
  return { ...(timezone !== undefined && { timezone }), dates, weekly: weekly.map((day) => day.toUpperCase()) };
}

function wrongDays(written: WrittenCalendar): FieldError[] {
  const read = parseCalendar(written);
  return read.ok ? [] : read.mistakes.map(({ path, code, message }) => ({ field: formatPath(path), code, message }));
}

export const getCalendar: NameHandler = async ({ engine, tenant }, _call, name) => {
  const calendar = await findCalendar(engine, { tenant, name });
  return calendar === undefined ? calendarNotFound() : jsonReply(200, viewOf(calendar), { etag: `"${calendar.version}"` });
};

export const deleteCalendar: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const ifMatch = readIfMatch(request.headers.get("if-match"));
  if (!ifMatch.ok) return ifMatch.problem;
  const answer = await remove(engine, { tenant, name }, ifMatch.value);
  switch (answer.kind) {
    case "deleted":
      return jsonReply(200, { name, deleted: true } satisfies CalendarDeletedAnswer);
    case "not_found":
      return calendarNotFound();
    case "version_conflict":
      return versionConflict("calendar", answer.version);
    case "in_use":
      return problem(
        "state_conflict",
        `The calendar is in use by ${answer.schedules.join(", ")}: take it out of their except first. Nothing was deleted.`,
      );
  }
};

export const listCalendars: Handler = async ({ engine, tenant, cursorKey }, { request }) => {
  const query = readQuery(PageQuery, request.url);
  if (!query.ok) return query.problem;
  const scope: CursorScope = { key: cursorKey, tenant, filter: "calendars" };
  const { cursor, limit = limits.listLimitDefault } = query.value;
  const after = cursor === undefined ? null : readCursor(cursor, scope);
  if (after === undefined) return cursorProblem();
  const page = await engine.store.listNamed({ tenant, kind: "calendar", after: after?.id ?? null, limit });
  const nextCursor = page.next === null ? null : writeCursor({ createdAt: toEpochMs(0), id: page.next }, scope);
  return jsonReply(200, { data: page.items.map(viewOf), nextCursor } satisfies CalendarListAnswer);
};

export function calendarNotFound(): Problem {
  return problem("not_found", "There is no calendar of this name; PUT /v1/calendars/{name} makes one.");
}

function viewOf({ name, id, version, createdAt, updatedAt, written }: Kept): CalendarAnswer {
  const { timezone = null, dates, weekly = [] } = written;
  return {
    ...{ name, id, version, createdAt: formatInstant(createdAt), updatedAt: formatInstant(updatedAt), timezone },
    dates: dates.map((date) => (typeof date === "string" ? date : { from: date.from, to: date.to })),
    weekly: [...weekly],
  };
}
