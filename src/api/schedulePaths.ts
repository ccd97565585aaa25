/** The paths and shapes of schedules and calendars in the OpenAPI document. */

import type * as z from "zod";
import {
  answer,
  body,
  etag,
  ifMatch,
  ifNoneMatch,
  type Json,
  location,
  operation,
  problems,
  queryParameters,
  ref,
  schemaOf,
} from "./operation.ts";
import { DeleteQuery, OccurrencesQuery, PageQuery, PreviewQuery, ScheduleListQuery } from "./query.ts";
import {
  BackfillAnswer,
  CalendarAnswer,
  CalendarDeletedAnswer,
  CalendarListAnswer,
  CalendarWrittenAnswer,
  OccurrenceAnswer,
  OccurrenceListAnswer,
  ScheduleAnswer,
  ScheduleDeletedAnswer,
  ScheduleListAnswer,
  ScheduleWrittenAnswer,
  SetAnswer,
} from "./scheduleAnswers.ts";
import {
  backfillExample,
  backfillShape,
  calendarExample,
  calendarShape,
  callNowExample,
  callNowShape,
  patchScheduleExample,
  pauseExample,
  pauseShape,
  resumeExample,
  resumeShape,
  scheduleExample,
  setExample,
  setShape,
} from "./scheduleShape.ts";
import { previewExample, type Shapes } from "./schema.ts";

export function scheduleSchemas(shapes: Shapes): Json {
  return {
    PutSchedule: schemaOf(shapes.schedule, "input"),
    PatchSchedule: schemaOf(shapes.schedulePatch, "input"),
    PutSet: withProperties(setShape, "input", { schedules: { additionalProperties: ref("PutSchedule") } }),
    PauseSchedule: schemaOf(pauseShape, "input"),
    ResumeSchedule: schemaOf(resumeShape, "input"),
    TriggerSchedule: schemaOf(callNowShape, "input"),
    BackfillSchedule: schemaOf(backfillShape, "input"),
    PutCalendar: schemaOf(calendarShape, "input"),
    Schedule: schemaOf(ScheduleAnswer, "output"),
    ScheduleWritten: schemaOf(ScheduleWrittenAnswer, "output"),
    ScheduleList: withProperties(ScheduleListAnswer, "output", { data: { items: ref("Schedule") } }),
    ScheduleDeleted: schemaOf(ScheduleDeletedAnswer, "output"),
    Occurrence: schemaOf(OccurrenceAnswer, "output"),
    OccurrenceList: withProperties(OccurrenceListAnswer, "output", { data: { items: ref("Occurrence") } }),
    Backfill: schemaOf(BackfillAnswer, "output"),
    SetResults: schemaOf(SetAnswer, "output"),
    Calendar: schemaOf(CalendarAnswer, "output"),
    CalendarWritten: schemaOf(CalendarWrittenAnswer, "output"),
    CalendarList: withProperties(CalendarListAnswer, "output", { data: { items: ref("Calendar") } }),
    CalendarDeleted: schemaOf(CalendarDeletedAnswer, "output"),
  };
}

function withProperties(shape: z.ZodType, io: "input" | "output", more: Readonly<Record<string, Json>>): Json {
  const schema = schemaOf(shape, io);
  const properties = schema["properties"] as Readonly<Record<string, Json>>;
  const own = Object.entries(more).map(([name, part]) => [name, { ...properties[name], ...part }]);
  return { ...schema, properties: { ...properties, ...Object.fromEntries(own) } };
}

const pattern = "^[A-Za-z0-9._-]{1,128}$";
const name: Json = {
  ...{ name: "name", in: "path", required: true, schema: { type: "string", pattern }, example: "nightly" },
  description: "Not `.`, `..`, and for a schedule not `preview`, whose path is taken.",
};
const write = [name, ifMatch, ifNoneMatch];

export function schedulePaths(): Json {
  return {
    "/v1/schedules": {
      get: operation("listSchedules", "schedules", "List schedules by name", {
        parameters: queryParameters(ScheduleListQuery),
        responses: { 200: answer("A page. It looks at 2,000 schedules at most, and may be short.", "ScheduleList"), ...problems() },
      }),
      put: operation("putSchedules", "schedules", "Write a whole set: make, replace, and delete what has left it", {
        requestBody: body("PutSet", setExample),
        responses: { 200: answer("What became of each.", "SetResults"), ...problems(413, 415, 422) },
      }),
    },
    "/v1/schedules/preview": {
      post: operation("previewRule", "schedules", "Show when a rule would fire, and store nothing", {
        requestBody: body("PreviewSchedule", previewExample),
        responses: { 200: answer("The next occurrences; none where the exceptions leave nothing.", "Preview"), ...problems(413, 415) },
      }),
    },
    "/v1/schedules/{name}": onePath(),
    ...actionPaths(),
    ...calendarPaths(),
  };
}

function onePath(): Json {
  return {
    get: operation("getSchedule", "schedules", "Look at a schedule", {
      parameters: [name],
      responses: { 200: answer("The schedule.", "Schedule", etag), ...problems(404) },
    }),
    put: operation("putSchedule", "schedules", "Make a schedule, or write it anew", {
      parameters: write,
      requestBody: body("PutSchedule", scheduleExample),
      responses: {
        200: answer("Replaced.", "ScheduleWritten", etag),
        201: answer("Made, and durable.", "ScheduleWritten", { ...etag, ...location }),
        ...problems(409, 412, 413, 415, 422),
      },
    }),
    patch: operation("changeSchedule", "schedules", "Change a schedule in part", {
      parameters: [name, ifMatch],
      requestBody: body("PatchSchedule", patchScheduleExample),
      responses: { 200: answer("The schedule as it stands now.", "ScheduleWritten", etag), ...problems(404, 412, 413, 415, 422) },
    }),
    delete: operation("deleteSchedule", "schedules", "Delete a schedule, with or without its jobs", {
      parameters: [name, ifMatch, ...queryParameters(DeleteQuery)],
      responses: { 200: answer("Deleted.", "ScheduleDeleted"), ...problems(404, 412) },
    }),
  };
}

function actionPaths(): Json {
  const at = (verb: string) => `/v1/schedules/{name}/${verb}`;
  return {
    [at("pause")]: {
      post: operation("pauseSchedule", "schedules", "Pause a schedule: from the answer on no occurrence is taken", {
        parameters: [name],
        requestBody: body("PauseSchedule", pauseExample, "any"),
        responses: { 200: answer("Paused. `taken` has what nothing stops any more.", "Schedule", etag), ...problems(404, 409, 413, 415) },
      }),
    },
    [at("resume")]: {
      post: operation("resumeSchedule", "schedules", "Resume a schedule; the past is not replayed unasked", {
        parameters: [name],
        requestBody: body("ResumeSchedule", resumeExample, "any"),
        responses: { 200: answer("Active.", "Schedule", etag), ...problems(404, 409, 413, 415) },
      }),
    },
    [at("trigger")]: {
      post: operation("triggerSchedule", "schedules", "Make a job now, beside the rule", {
        parameters: [name],
        requestBody: body("TriggerSchedule", callNowExample, "any"),
        responses: { 201: answer("The job.", "Job", { ...etag, ...location }), ...problems(404, 409, 413, 415) },
      }),
    },
    [at("backfill")]: {
      post: operation("backfillSchedule", "schedules", "Fire instants of the past, each once", {
        parameters: [name],
        requestBody: body("BackfillSchedule", backfillExample),
        responses: {
          200: answer("A dry run: what it would come to.", "Backfill"),
          202: answer("Begun. The schedule's answer has the progress.", "Backfill"),
          ...problems(404, 409, 413, 415),
        },
      }),
    },
    [at("occurrences")]: {
      get: operation("listOccurrences", "schedules", "List what became of occurrences, newest first", {
        parameters: [name, ...queryParameters(OccurrencesQuery)],
        responses: { 200: answer("A page.", "OccurrenceList"), ...problems(404) },
      }),
    },
    [at("preview")]: {
      get: operation("previewSchedule", "schedules", "Show when a schedule's rule fires", {
        parameters: [name, ...queryParameters(PreviewQuery)],
        responses: { 200: answer("The next occurrences, whatever its state.", "Preview"), ...problems(404, 409) },
      }),
    },
  };
}

function calendarPaths(): Json {
  return {
    "/v1/calendars": {
      get: operation("listCalendars", "calendars", "List calendars by name", {
        parameters: queryParameters(PageQuery),
        responses: { 200: answer("A page.", "CalendarList"), ...problems() },
      }),
    },
    "/v1/calendars/{name}": {
      get: operation("getCalendar", "calendars", "Look at a calendar", {
        parameters: [name],
        responses: { 200: answer("The calendar.", "Calendar", etag), ...problems(404) },
      }),
      put: operation("putCalendar", "calendars", "Make a calendar, or write it anew: in force from the next occurrence on", {
        parameters: write,
        requestBody: body("PutCalendar", calendarExample),
        responses: {
          200: answer("Replaced.", "CalendarWritten", etag),
          201: answer("Made, and durable.", "CalendarWritten", { ...etag, ...location }),
          ...problems(409, 412, 413, 415),
        },
      }),
      delete: operation("deleteCalendar", "calendars", "Delete a calendar that no schedule names", {
        parameters: [name, ifMatch],
        responses: { 200: answer("Deleted.", "CalendarDeleted"), ...problems(404, 409, 412) },
      }),
    },
  };
}
