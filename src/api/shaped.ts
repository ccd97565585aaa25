/** The fields of a request of one shape, all of whose mistakes are named at once. */

import type * as z from "zod";
import { limits } from "../core/limits.ts";
import { readContent } from "./content.ts";
import { fieldErrors } from "./issues.ts";
import { readJson } from "./json.ts";
import { type FieldError, fieldProblem, problem, type Read, refused } from "./problem.ts";
import { isRecord } from "./relations.ts";
import { brokenJson, inexactNumbers, notAnObject } from "./submission.ts";

/** `need`: "any" takes no body at all for an empty object. `relations`: what else is wrong with fields that could be read. */
export type FieldsWanted<Shape extends z.ZodType> = {
  readonly shape: Shape;
  readonly need: "body" | "any";
  readonly relations?: (fields: z.output<Shape>) => readonly FieldError[];
};

export async function readFields<Shape extends z.ZodType>(
  request: Request,
  { shape, need, relations }: FieldsWanted<Shape>,
): Promise<Read<z.output<Shape>>> {
  const content = await readContent(request, limits.requestBytesMax);
  if (!content.ok) return content;
  const isEmpty = content.value.byteLength === 0 && need === "any";
  const json = isEmpty ? ({ ok: true, value: {}, findings: [] } as const) : readJson(content.value, limits.jsonDepthMax);
  if (!json.ok) return refused(problem("invalid_json", json.wrong));
  const { value: raw, findings } = json;
  const broken = brokenJson(findings);
  if (broken !== undefined) return refused(broken);
  if (!isRecord(raw)) return refused(notAnObject(raw));
  const parsed = shape.safeParse(raw);
  const errors = parsed.success ? [...(relations?.(parsed.data) ?? [])] : fieldErrors(parsed.error.issues, raw, shape);
  errors.push(...inexactNumbers(findings));
  return errors.length > 0 || !parsed.success ? refused(fieldProblem("invalid_request", errors)) : { ok: true, value: parsed.data };
}
