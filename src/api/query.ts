/** Query parameters: each known one read once, every other refused. */

import * as z from "zod";
import { limits } from "../core/limits.ts";
import { happenings } from "../core/occurrence.ts";
import { ruleBounds } from "../core/recurrence/bounds.ts";
import { state } from "./answers.ts";
import { instant, wrongLabel } from "./fields.ts";
import { fieldErrors } from "./issues.ts";
import { quote } from "./path.ts";
import { fieldProblem, type Read, refused } from "./problem.ts";
import { resourceName, ruleStart } from "./ruleFields.ts";

function countUpTo(max: number, standard: number) {
  return z
    .string()
    .meta({ description: `1–${max}. Default ${standard}.`, examples: [String(standard)] })
    .transform((written, context): number => {
      const got = /^\d{1,4}$/.test(written) ? Number(written) : 0;
      if (got >= 1 && got <= max) return got;
      const message = `expected a whole number from 1 to ${max}, got ${quote(written)}`;
      context.issues.push({ code: "custom", input: written, message, params: { code: "invalid_value" } });
      return z.NEVER;
    });
}

const limit = countUpTo(limits.listLimitMax, limits.listLimitDefault);

const label = z
  .string()
  .meta({ description: "key:value. Given several times, all of them must be there.", examples: ["team:billing"] })
  .transform((written, context): readonly [string, string] => {
    const colon = written.indexOf(":");
    const [key, value] = colon < 0 ? [written, ""] : [written.slice(0, colon), written.slice(colon + 1)];
    const wrong =
      colon < 0 ? { code: "invalid_format" as const, message: `expected key:value, got ${quote(written)}` } : wrongLabel(key, value);
    if (wrong === undefined) return [key, value];
    context.issues.push({ code: "custom", input: written, message: wrong.message, params: { code: wrong.code } });
    return z.NEVER;
  });

/** A `+` in a query is a space, so an offset east of Greenwich arrives broken unless it is encoded. */
const queryInstant = instant.meta({ description: "Encode the + of an offset as %2B, or use Z." });

const anyOfThem = { description: "Given several times, any of them." };
const cursor = z.string().optional().meta({ description: "The nextCursor of the page before, with the same filter." });

export const ListQuery = z.strictObject({
  state: z.array(state).optional().meta(anyOfThem),
  label: z.array(label).max(limits.labelsMax).optional(),
  schedule: resourceName.optional().meta({ description: "Jobs that the schedule of this name made.", examples: ["nightly"] }),
  dueFrom: queryInstant.optional(),
  dueTo: queryInstant.optional(),
  limit: limit.optional(),
  cursor,
});
export type ListQuery = z.output<typeof ListQuery>;

/** Of a list that is not filtered. */
export const PageQuery = z.strictObject({
  limit: limit.optional(),
  cursor: z.string().optional().meta({ description: "The nextCursor of the page before." }),
});

export const scheduleStates = ["active", "paused", "finished"] as const;

export const ScheduleListQuery = z.strictObject({
  state: z.array(z.enum(scheduleStates)).optional().meta(anyOfThem),
  label: z.array(label).max(limits.labelsMax).optional(),
  set: resourceName.optional().meta({ description: "Those of this set.", examples: ["billing"] }),
  limit: limit.optional(),
  cursor,
});

export const OccurrencesQuery = z.strictObject({
  state: z
    .array(z.enum([...happenings, "pending"]))
    .optional()
    .meta(anyOfThem),
  limit: limit.optional(),
  cursor,
});

export const PreviewQuery = z.strictObject({
  from: ruleStart.optional(),
  count: countUpTo(ruleBounds.previewMax, ruleBounds.previewDefault).optional(),
});

export const DeleteQuery = z.strictObject({
  jobs: z.enum(["keep", "cancel"]).optional().meta({ description: "What becomes of its jobs that have not ended. Default keep." }),
});

const NoQuery = z.strictObject({});

/** Parameters that may be given several times. */
const repeatable = new Set(["state", "label"]);

/** For paths that take none. */
export function readNoQuery(url: string): Read<unknown> {
  return url.includes("?") ? readQuery(NoQuery, url) : { ok: true, value: undefined };
}

export function readQuery<T extends z.ZodType>(shape: T, url: string): Read<z.output<T>> {
  const parameters = new URL(url).searchParams;
  const raw: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    if (values.length > 1 && !repeatable.has(name)) {
      return refused(
        fieldProblem("invalid_request", [{ field: name, code: "duplicate", message: `expected once, got ${values.length} times` }]),
      );
    }
    raw[name] = repeatable.has(name) ? values : values[0];
  }
  const parsed = shape.safeParse(raw);
  if (parsed.success) return { ok: true, value: parsed.data };
  return refused(fieldProblem("invalid_request", fieldErrors(parsed.error.issues, raw, shape)));
}
