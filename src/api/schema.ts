/**
 * The shapes of requests: the single source of their types, of the OpenAPI document, and of what is refused. Instants and
 * durations leave here as epoch milliseconds. What depends on two fields or on the clock stands in `relations.ts`.
 */

import * as z from "zod";
import { limits } from "../core/limits.ts";
import { ruleBounds } from "../core/recurrence/bounds.ts";
import { duration, instant, key } from "./fields.ts";
import { jobFieldsFor, type ShapeParams } from "./jobFields.ts";
import { except, ruleStart, when, window } from "./ruleFields.ts";
import { scheduleShapesFor } from "./scheduleShape.ts";

/** Shown in the OpenAPI document. zod leaves them out of a schema that reads one spelling into another. */
export const createExample = {
  target: { url: "https://example.com/hook" },
  body: { order: 17 },
  dueAt: "2027-01-01T00:00:00Z",
  retry: { maxAttempts: 5, minBackoff: "10s" },
  labels: { team: "billing" },
  key: "order-17",
};

export const patchExample = { dueAt: "2027-01-01T01:00:00Z", priority: "high" };

export const batchExample = { jobs: [createExample, { ...createExample, key: "order-18" }] };

const due = { min: 0, max: limits.dueAheadMsMax };
const deadlineText = "No attempt starts after it. Not before dueAt.";

export type Shapes = ReturnType<typeof shapesFor>;
export type CreateFields = z.output<Shapes["create"]>;
export type PatchFields = z.output<Shapes["patch"]>;

export function shapesFor(params: ShapeParams) {
  const fields = jobFieldsFor(params);
  const { target, body, bodyText, bodyBase64, timeout, expireAfter, retry, priority, labels } = fields;
  const dueAt = instant.meta({ description: "When the call is owed, up to 10 years ahead; in the past means at once. Default: now." });
  const delay = duration(due, "Instead of dueAt: this long from now.");

  const create = z
    .strictObject({
      ...{ target, body, bodyText, bodyBase64 },
      dueAt: dueAt.optional(),
      delay: delay.optional(),
      timeout,
      deadline: instant.meta({ description: deadlineText }).optional(),
      ...{ expireAfter, retry, priority, labels },
      key: key.optional(),
    })
    .meta({ description: "A job: one call owed at one instant." });

  const patch = z
    .strictObject({
      target: target.optional(),
      ...{ body, bodyText, bodyBase64 },
      dueAt: dueAt.optional(),
      delay: delay.optional(),
      timeout: timeout.unwrap().optional(),
      deadline: instant
        .nullable()
        .optional()
        .meta({ description: `${deadlineText} null takes it away.` }),
      expireAfter,
      retry: retry.unwrap().optional(),
      priority: priority.unwrap().optional(),
      labels: labels.unwrap().optional(),
    })
    .meta({
      description: "What to change of a waiting job. target, retry and labels are replaced whole; a delay counts from now.",
    });

  const batch = z
    .strictObject({ jobs: z.array(z.unknown()).min(1).max(limits.batchItemsMax) })
    .meta({ description: "Jobs, each taken or refused on its own." });

  return { create, patch, batch, ...scheduleShapesFor(fields) };
}

export const patchTicksExample = { ranges: 4 };

export const patchTicksShape = z
  .strictObject({
    ranges: z.int().min(1).optional().meta({ description: "Over how many dispatchers the shards are spread, up to the number of shards." }),
    paused: z.boolean().optional().meta({ description: "While true, ticks do nothing: only what is hinted already is called." }),
  })
  .meta({ description: "What is wanted of the ticks. What is left out stays." });

export const previewExample = {
  when: { cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin" },
  except: [{ dates: ["2027-01-01"] }],
  count: 3,
};

export const previewShape = z
  .strictObject({
    when,
    except: except.optional(),
    window: window.optional(),
    from: ruleStart.optional(),
    count: z
      .int()
      .min(1)
      .max(ruleBounds.previewMax)
      .optional()
      .meta({ description: `Default ${ruleBounds.previewDefault}.` }),
  })
  .meta({ description: "A rule to look at: what it would yield, without a schedule." });

/** Cancel and replay take no fields; an empty object is as good as no body. */
export const emptyShape = z.strictObject({}).meta({ description: "No fields." });
