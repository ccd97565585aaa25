/** Query parameters: each known one read once, every other refused. */

import * as z from "zod";
import { limits } from "../core/limits.ts";
import { state } from "./answers.ts";
import { instant, wrongLabel } from "./fields.ts";
import { fieldErrors } from "./issues.ts";
import { quote } from "./path.ts";
import { fieldProblem, type Read, refused } from "./problem.ts";

const limit = z
  .string()
  .meta({ description: `1–${limits.listLimitMax}. Default ${limits.listLimitDefault}.`, examples: ["50"] })
  .transform((written, context): number => {
    const got = /^\d{1,3}$/.test(written) ? Number(written) : 0;
    if (got >= 1 && got <= limits.listLimitMax) return got;
    const message = `expected a whole number from 1 to ${limits.listLimitMax}, got ${quote(written)}`;
    context.issues.push({ code: "custom", input: written, message, params: { code: "invalid_value" } });
    return z.NEVER;
  });

const label = z
  .string()
  .meta({ description: "key:value. Given several times, a job must have them all.", examples: ["team:billing"] })
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

export const ListQuery = z.strictObject({
  state: z.array(state).optional().meta({ description: "Given several times, any of them." }),
  label: z.array(label).max(limits.labelsMax).optional(),
  dueFrom: queryInstant.optional(),
  dueTo: queryInstant.optional(),
  limit: limit.optional(),
  cursor: z.string().optional().meta({ description: "The nextCursor of the page before, with the same filter." }),
});
export type ListQuery = z.output<typeof ListQuery>;

/** Of a list that is not filtered. */
export const PageQuery = z.strictObject({
  limit: limit.optional(),
  cursor: z.string().optional().meta({ description: "The nextCursor of the page before." }),
});

const NoQuery = z.strictObject({});

/** Parameters that may be given several times. */
const repeatable = new Set(["state", "label"]);

export function readListQuery(url: string): Read<ListQuery> {
  return readQuery(ListQuery, url);
}

export function readPageQuery(url: string): Read<z.output<typeof PageQuery>> {
  return readQuery(PageQuery, url);
}

/** For paths that take none. */
export function readNoQuery(url: string): Read<unknown> {
  return url.includes("?") ? readQuery(NoQuery, url) : { ok: true, value: undefined };
}

function readQuery<T extends z.ZodType>(shape: T, url: string): Read<z.output<T>> {
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
