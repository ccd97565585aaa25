/** The shapes of answers about schedules, their occurrences, sets and calendars. */

import * as z from "zod";
import { happenings, occurrenceBecauses } from "../core/occurrence.ts";
import { misfirePolicies, overlaps, pauseBecauses } from "../core/schedule.ts";
import { callFields, count, duration, instant, jobId, PreviewAnswer } from "./answers.ts";
import { ProblemDocument } from "./problem.ts";
import { scheduleStates } from "./query.ts";

const timezone = z.string().meta({ examples: ["Europe/Berlin"] });

const member = z.union([
  z.strictObject({ cron: z.string(), timezone, gap: z.enum(["shift", "skip"]), fold: z.enum(["first", "last", "both"]) }),
  z.strictObject({ every: duration, from: instant.meta({ description: "The anchor: an occurrence itself." }), timezone }),
  z.strictObject({ at: z.array(instant), timezone }),
  z.strictObject({ expression: z.string(), timezone }),
]);

const date = z.union([z.string(), z.strictObject({ from: z.string(), to: z.string() })]);
const exception = z.union([
  z.strictObject({ calendar: z.string() }),
  z.strictObject({ cron: z.string(), timezone: timezone.optional() }),
  z.strictObject({ dates: z.array(date), timezone: timezone.optional() }),
]);

export const OccurrenceAnswer = z
  .strictObject({
    nominalAt: instant.meta({ description: "When the rule says; of a stretch, the first." }),
    lastNominalAt: instant.meta({ description: "Of a stretch of occurrences that met the same, the last; else the same as nominalAt." }),
    count: count.meta({ description: "How many the stretch has; 1 for one." }),
    dueAt: instant.meta({ description: "When the call is, or would have been, owed: of a stretch, that of the first." }),
    state: z.enum([...happenings, "pending"]),
    because: z.enum(occurrenceBecauses).nullable().meta({ description: "Why; null while it is pending." }),
    job: jobId.nullable().meta({ description: "The job that it fired; null where it fired none." }),
  })
  .meta({ description: "An occurrence, or a stretch of them that met the same." });
export type OccurrenceAnswer = z.infer<typeof OccurrenceAnswer>;

export const OccurrenceListAnswer = z
  .strictObject({ data: z.array(OccurrenceAnswer), nextCursor: z.string().nullable() })
  .meta({ description: "A page of occurrences, newest first; what is pending leads." });
export type OccurrenceListAnswer = z.infer<typeof OccurrenceListAnswer>;

const shown = PreviewAnswer.shape.occurrences.element;
const next = shown
  .extend({
    local: shown.shape.local.nullable().meta({ description: "As in a preview; null in lists." }),
    note: shown.shape.note.meta({ description: "As in a preview; null in lists." }),
  })
  .meta({ description: "An occurrence to come. While the schedule is paused they pass." });

const backfill = z
  .strictObject({
    from: instant,
    to: instant.meta({ description: "Exclusive." }),
    done: count,
    total: count,
    goOnAt: instant.meta({ description: "Every instant before it has been seen to." }),
  })
  .nullable()
  .meta({ description: "Instants of the past that are being fired; null where none are." });

export const ScheduleAnswer = z
  .strictObject({
    name: z.string(),
    id: z.string().meta({ pattern: "^sch_[0-7][0-9A-HJKMNP-TV-Z]{25}$", description: "Stands for the name." }),
    state: z.enum(scheduleStates),
    version: z.int().min(1).meta({
      description: "Raised by every change that a caller makes, and by none that an occurrence does. The ETag is this number in quotes.",
    }),
    createdAt: instant,
    updatedAt: instant.meta({ description: "When a caller last changed what is written." }),
    set: z.string().nullable().meta({ description: "The set that it was written with; null where it stands alone." }),
    when: z.union([member, z.array(member)]),
    except: z.array(exception),
    job: z.strictObject({ ...callFields, expireAfter: duration.nullable() }).meta({ description: "What each job is made of." }),
    overlap: z.enum(overlaps),
    misfire: z.strictObject({ policy: z.enum(misfirePolicies), within: duration, max: z.int() }),
    window: z
      .string()
      .nullable()
      .meta({ examples: ["10m", "50%"] }),
    startAt: instant.nullable(),
    endAt: instant.nullable(),
    maxRuns: z.int().nullable(),
    paused: z.boolean(),
    pauseAfterFailures: z.int().nullable(),
    labels: z.record(z.string(), z.string()),
    pause: z
      .strictObject({
        at: instant,
        because: z.enum(pauseBecauses).meta({ description: "paused: by a call. failures, unreadable: by itself." }),
        until: instant.nullable().meta({ description: "When it resumes by itself; null where it does not." }),
        reason: z.string().nullable(),
      })
      .nullable(),
    next: z.array(next).meta({ description: "The next five; in lists at most one." }),
    counts: z.strictObject({ fired: count, skipped: count, missed: count, dropped: count, excluded: count }),
    recent: z.array(OccurrenceAnswer).meta({ description: "The last ten, newest first." }),
    taken: z.array(OccurrenceAnswer).meta({ description: "Taken already and due after now: no change of the schedule stops them." }),
    buffered: count.meta({ description: "Occurrences that wait for the job before them to end." }),
    backfill,
  })
  .meta({ description: "A schedule: what was written with every default filled in, and what became of it." });
export type ScheduleAnswer = z.infer<typeof ScheduleAnswer>;

export const ScheduleWrittenAnswer = ScheduleAnswer.extend({
  pending: z.enum(["none", "kept", "moved", "dropped"]).meta({
    description:
      "What the change did to an occurrence whose nominal instant had come and whose place in the window had not. none: there was none.",
  }),
}).meta({ description: "A schedule as it stands after it was written." });
export type ScheduleWrittenAnswer = z.infer<typeof ScheduleWrittenAnswer>;

export const ScheduleListAnswer = z
  .strictObject({
    data: z.array(ScheduleAnswer),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: "Where the next page begins; null on the last page. A page may be empty and still have one." }),
  })
  .meta({ description: "A page of schedules, by name." });
export type ScheduleListAnswer = z.infer<typeof ScheduleListAnswer>;

export const ScheduleDeletedAnswer = z
  .strictObject({
    name: z.string(),
    deleted: z.literal(true),
    taken: ScheduleAnswer.shape.taken,
    cancelled: count.meta({ description: "Jobs that were called off, or asked to end: with jobs=cancel." }),
  })
  .meta({ description: "Its name is free, and nothing of it fires any more but what was taken." });
export type ScheduleDeletedAnswer = z.infer<typeof ScheduleDeletedAnswer>;

export const BackfillAnswer = z
  .strictObject({
    dryRun: z.boolean(),
    from: instant,
    to: instant,
    total: count.meta({ description: "Occurrences of the rule in the range." }),
    existing: count.meta({ description: "Those of them that have a job already, which is not made again." }),
    backfill,
  })
  .meta({ description: "What a backfill comes to. Its progress is in the schedule." });
export type BackfillAnswer = z.infer<typeof BackfillAnswer>;

export const SetAnswer = z
  .strictObject({
    set: z.string(),
    dryRun: z.boolean(),
    results: z.array(
      z.strictObject({
        name: z.string(),
        did: z.enum(["created", "replaced", "unchanged", "deleted", "foreign", "refused"]).meta({
          description: "Or would do. foreign: a schedule of this name stands outside the set, and was left alone.",
        }),
        problem: ProblemDocument.optional(),
      }),
    ),
  })
  .meta({ description: "What became of each schedule of a set, and of those that have left it." });
export type SetAnswer = z.infer<typeof SetAnswer>;

export const CalendarAnswer = z
  .strictObject({
    name: z.string(),
    id: z.string().meta({ pattern: "^cal_[0-7][0-9A-HJKMNP-TV-Z]{25}$", description: "Stands for the name." }),
    version: z.int().min(1).meta({ description: "Raised by every change. The ETag is this number in quotes." }),
    createdAt: instant,
    updatedAt: instant,
    timezone: timezone.nullable().meta({ description: "null: that of each rule that names it." }),
    dates: z.array(date),
    weekly: z.array(z.string()),
  })
  .meta({ description: "Days that schedules leave out." });
export type CalendarAnswer = z.infer<typeof CalendarAnswer>;

export const CalendarWrittenAnswer = CalendarAnswer.extend({
  schedules: count.meta({ description: "Schedules that name it, whose next occurrence was sought anew." }),
}).meta({ description: "A calendar as it stands after it was written." });
export type CalendarWrittenAnswer = z.infer<typeof CalendarWrittenAnswer>;

export const CalendarListAnswer = z
  .strictObject({ data: z.array(CalendarAnswer), nextCursor: z.string().nullable() })
  .meta({ description: "A page of calendars, by name." });
export type CalendarListAnswer = z.infer<typeof CalendarListAnswer>;

export const CalendarDeletedAnswer = z
  .strictObject({ name: z.string(), deleted: z.literal(true) })
  .meta({ description: "Its name is free." });
export type CalendarDeletedAnswer = z.infer<typeof CalendarDeletedAnswer>;
