/** What a rule would yield, before there is a schedule, or of one that stands: nothing is stored. */

import { limits } from "../core/limits.ts";
import { ruleBounds } from "../core/recurrence/bounds.ts";
import { placeOf } from "../core/recurrence/window.ts";
import { earlierOf, formatInstant } from "../core/time.ts";
import { findSchedule, upcomingFrom } from "../engine/schedules/read.ts";
import { agendaOf, loadCalendars } from "../engine/schedules/rule.ts";
import type { PreviewAnswer } from "./answers.ts";
import { type Handler, type NameHandler, readWritten } from "./desk.ts";
import { fieldErrors } from "./issues.ts";
import { fieldProblem } from "./problem.ts";
import { PreviewQuery, readQuery } from "./query.ts";
import { isRecord } from "./relations.ts";
import { jsonReply } from "./reply.ts";
import { namedCalendars, notCovered, readRule, spentFields } from "./rule.ts";
import { scheduleNotFound, unreadable } from "./scheduleReply.ts";
import { previewShape } from "./schema.ts";
import { brokenJson, inexactNumbers, notAnObject } from "./submission.ts";

const bounds = { bytesMax: limits.requestBytesMax, depthMax: limits.jsonDepthMax };

export const previewRule: Handler = async ({ engine, tenant }, { request }) => {
  const written = await readWritten(request, bounds);
  if (!written.ok) return written.problem;
  const { value: raw, findings } = written.value;
  const broken = brokenJson(findings);
  if (broken !== undefined) return broken;
  if (!isRecord(raw)) return notAnObject(raw);
  const now = engine.clock.now();
  const parsed = previewShape.safeParse(raw);
  const from = (parsed.success ? parsed.data.from : undefined) ?? now;
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, previewShape);
  errors.push(...inexactNumbers(findings));
  const { when, except } = raw;
  const calendars = await loadCalendars(engine, tenant, namedCalendars(except));
  const read = readRule({ when, except }, { createdAt: from, calendars });
  errors.push(...notCovered(errors, read.ok ? spentFields(read.rule, earlierOf(from, now)) : read.wrong));
  if (errors.length > 0 || !parsed.success || !read.ok) {
    return fieldProblem("invalid_request", errors.slice(0, ruleBounds.mistakesMax));
  }
  const { window = null, count = ruleBounds.previewDefault } = parsed.data;
  const agenda = { rule: read.rule, window, place: placeOf(JSON.stringify(when)) };
  return jsonReply(200, viewOf(upcomingFrom(agenda, from, count)));
};

/** What a schedule's rule yields with the calendars as they stand, whatever its state, and each call at its own place in the window. */
export const previewSchedule: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const query = readQuery(PreviewQuery, request.url);
  if (!query.ok) return query.problem;
  const schedule = await findSchedule(engine, { tenant, name });
  if (schedule === undefined) return scheduleNotFound();
  const agenda = await agendaOf(engine, schedule);
  if (typeof agenda === "string") return unreadable(agenda);
  const { from = engine.clock.now(), count = ruleBounds.previewDefault } = query.value;
  return jsonReply(200, viewOf(upcomingFrom(agenda, from, count)));
};

function viewOf({ found, stoppedAt }: ReturnType<typeof upcomingFrom>): PreviewAnswer {
  return {
    occurrences: found.map(({ nominalAt, dueAt, local, note }) => {
      return { nominalAt: formatInstant(nominalAt), dueAt: formatInstant(dueAt), local, note };
    }),
    searchedUntil: stoppedAt === null ? null : formatInstant(stoppedAt),
  };
}
