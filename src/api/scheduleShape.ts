/** The shapes of requests about schedules and calendars. A schedule is written whole (PUT), or in part (PATCH), by the same fields. */

import * as z from "zod";
import { limits } from "../core/limits.ts";
import { ruleBounds } from "../core/recurrence/bounds.ts";
import { misfirePolicies, overlaps, recoveries, scheduleBounds } from "../core/schedule.ts";
import { duration, instant, labels, note } from "./fields.ts";
import type { JobFields } from "./jobFields.ts";
import { dates, except, ruleInstant, when, window } from "./ruleFields.ts";

export const scheduleExample = {
  when: { cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin" },
  job: { target: { url: "https://example.com/hook" }, body: { report: "daily" } },
  window: "10m",
  labels: { team: "billing" },
};
export const patchScheduleExample = { when: { every: "15m" }, overlap: "buffer_one" };
export const setExample = { set: "billing", schedules: { nightly: scheduleExample }, dryRun: true };
export const pauseExample = { until: "2027-06-01T00:00:00Z", reason: "the endpoint moves" };
export const resumeExample = { recover: "latest" };
export const callNowExample = { overlap: "allow" };
export const backfillExample = { from: "2026-12-01T00:00:00Z", to: "2026-12-08T00:00:00Z", dryRun: true };
export const calendarExample = { dates: ["2027-01-01", { from: "2027-12-24", to: "2027-12-26" }], weekly: ["SAT", "SUN"] };

export type ScheduleFields = z.output<ReturnType<typeof scheduleShapesFor>["schedule"]>;

const { misfireWithinMsDefault, misfireWithinMsMin, misfireWithinMsMax, misfireMaxDefault, misfireMaxMax } = scheduleBounds;

const misfireDefault = { policy: "latest" as const, within: misfireWithinMsDefault, max: misfireMaxDefault };

const misfire = z
  .strictObject({
    policy: z.enum(misfirePolicies).default("latest").meta({ description: "Which of them are still fired." }),
    within: duration(
      { min: misfireWithinMsMin, max: misfireWithinMsMax, default: misfireWithinMsDefault },
      "Those that are later are missed, whatever the policy.",
    ).default(misfireWithinMsDefault),
    max: z.int().min(1).max(misfireMaxMax).default(misfireMaxDefault).meta({ description: "Of `all`, the newest so many." }),
  })
  .meta({ description: "What becomes of occurrences that nobody took in time, after an outage." });

const ruleSpan = {
  startAt: ruleInstant("Nothing fires before it, and `rate` begins there.").nullable(),
  endAt: ruleInstant("Nothing fires at or after it. Later than startAt.").nullable(),
};

const overlap = z
  .enum(overlaps)
  .meta({ description: `What to do while the job before it has not ended. buffer_all: at most ${scheduleBounds.bufferMax} wait.` });
const maxRuns = z
  .int()
  .min(1)
  .max(scheduleBounds.maxRunsMax)
  .nullable()
  .meta({ description: "The schedule is finished when it has fired so often." });
const pauseAfterFailures = z
  .int()
  .min(1)
  .max(scheduleBounds.pauseAfterFailuresMax)
  .nullable()
  .meta({ description: "It pauses itself when so many of its jobs failed in a row." });
const paused = z.boolean().optional().meta({ description: "Left out: as it is; a new one is active." });

export function scheduleShapesFor({ expireAfter, ...fields }: JobFields) {
  const job = z
    .strictObject({
      ...fields,
      expireAfter: expireAfter.meta({ description: "No attempt starts later than this after the job is due." }),
    })
    .meta({ description: "What each job is made of. When it is due is the rule's matter." });

  const schedule = z
    .strictObject({
      when,
      except: except.default([]),
      job,
      overlap: overlap.default("skip"),
      misfire: misfire.default(misfireDefault),
      window: window.optional(),
      startAt: ruleSpan.startAt.default(null),
      endAt: ruleSpan.endAt.default(null),
      maxRuns: maxRuns.default(null),
      paused,
      pauseAfterFailures: pauseAfterFailures.default(null),
      labels: labels.default({}),
    })
    .meta({ description: "A recurring rule, and the jobs that it owes." });

  const schedulePatch = z
    .strictObject({
      when: when.optional(),
      except: except.optional(),
      job: job.optional(),
      overlap: overlap.optional(),
      misfire: misfire.optional(),
      window: window.nullable().optional(),
      startAt: ruleSpan.startAt.optional(),
      endAt: ruleSpan.endAt.optional(),
      maxRuns: maxRuns.optional(),
      paused,
      pauseAfterFailures: pauseAfterFailures.optional(),
      labels: labels.optional(),
    })
    .meta({
      description:
        "What to change. when, except, job, misfire and labels are replaced whole; what is left out stays. null takes a bound or the window away.",
    });

  return { schedule, schedulePatch };
}

const nameText = `1–${scheduleBounds.nameCharsMax} of A–Z a–z 0–9 . _ -`;

export const setShape = z
  .strictObject({
    set: z.string().meta({ description: `The set's name: ${nameText}.`, examples: ["billing"] }),
    schedules: z.unknown().meta({
      type: "object",
      description: `By name, each as PUT of a single one takes it. At most ${scheduleBounds.setMax}. What has left the set is deleted.`,
      maxProperties: scheduleBounds.setMax,
    }),
    dryRun: z.boolean().default(false).meta({ description: "Say what would be done, and do nothing." }),
  })
  .meta({ description: "A whole set of schedules. Safe to send twice, and from two places." });

export const pauseShape = z
  .strictObject({
    until: instant.optional().meta({ description: "When it resumes by itself. In the future." }),
    reason: note(scheduleBounds.reasonCharsMax, "Shown with the pause.").optional(),
  })
  .meta({ description: "From the answer on no occurrence is taken." });

export const resumeShape = z
  .strictObject({
    recover: z.enum(recoveries).default("none").meta({ description: "Which occurrences of the pause are still fired." }),
  })
  .meta({ description: "Fires again: from the next future instant, unless recover says more." });

export const callNowShape = z
  .strictObject({
    overlap: z
      .enum(overlaps)
      .default("allow")
      .meta({
        description:
          "What to do while the last job of the rule has not ended: allow, skip or replace. A call that is made now cannot wait.",
        enum: ["allow", "skip", "replace"],
      }),
  })
  .meta({ description: "A job now, beside the rule." });

export const backfillShape = z
  .strictObject({
    from: ruleInstant("The first instant that counts."),
    to: ruleInstant("Exclusive. Not after now."),
    dryRun: z.boolean().default(false).meta({ description: "Count, and do nothing." }),
  })
  .meta({ description: `Fires instants of the past, at most ${scheduleBounds.backfillMax}, a few at a time.` });

export const calendarShape = z
  .strictObject({
    timezone: z
      .string()
      .optional()
      .meta({ description: "IANA's name. Default: that of the rule that names the calendar.", examples: ["Europe/Berlin"] }),
    dates: dates.optional(),
    weekly: z
      .array(z.string())
      .max(7)
      .optional()
      .meta({ description: "Days of the week.", examples: [["SAT", "SUN"]] }),
  })
  .meta({ description: `Days that schedules leave out. At most ${ruleBounds.datesMax} dates or stretches of them.` });

/** The longest names, times and durations leave a set far below it. */
export const setBounds = { bytesMax: limits.batchBytesMax, depthMax: limits.jsonDepthMax + 2 };
