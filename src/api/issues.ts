/** What zod found wrong, in a caller's words: one error for each field, with what is expected, what was got, and what to do. */

import * as z from "zod";
import { nearest } from "../core/nearest.ts";
import { kindOf } from "./fields.ts";
import { formatPath, type Path } from "./path.ts";
import type { FieldError } from "./problem.ts";

/** More errors than this help nobody, and each costs work: a request of 10,000 unknown fields must not. */
const errorsMax = 50;

/** `raw` is what was parsed: zod's issues do not carry what they judged. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], raw: unknown, shape: z.ZodType): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    if (errors.length >= errorsMax) break;
    if (issue.code !== "unrecognized_keys") errors.push(fieldError(issue, raw));
    else for (const name of issue.keys.slice(0, errorsMax - errors.length)) errors.push(unknownField(issue.path, name, shape));
  }
  return errors;
}

function fieldError(issue: Exclude<z.core.$ZodIssue, z.core.$ZodIssueUnrecognizedKeys>, raw: unknown): FieldError {
  const field = formatPath(issue.path);
  const got = valueAt(raw, issue.path);
  switch (issue.code) {
    case "custom":
      return { field, code: customCode(issue.params), message: issue.message };
    case "invalid_type":
      return typeError(field, expectations[issue.expected] ?? `a ${issue.expected}`, got);
    case "too_small":
    case "too_big":
      return rangeError(field, issue, got);
    case "invalid_value":
      return valueError(field, issue.values, got);
    case "invalid_union":
      return { field, code: "invalid_value", message: `expected ${choicesOf(issue.path)}, got ${kindOf(got)}` };
    default:
      return { field, code: "invalid_value", message: `expected another value, got ${kindOf(got)}; see /openapi.json` };
  }
}

/** The unions in requests are those of `dates` and `retryOn`. */
function choicesOf(path: Path): string {
  if (path.includes("dates")) return 'a date, or { "from", "to" } with two';
  return '"4xx", "5xx", "network", "timeout" or a status from 400 to 599';
}

const expectations: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "an array",
};

function typeError(field: string, expected: string, got: unknown): FieldError {
  if (got === undefined) return { field, code: "required", message: `expected ${expected}, got nothing; this field is required` };
  const advice = got === null ? "; leave the field out instead" : "";
  return { field, code: "invalid_type", message: `expected ${expected}, got ${kindOf(got)}${advice}` };
}

function rangeError(field: string, issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, got: unknown): FieldError {
  const bound = issue.code === "too_small" ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  const code = issue.code === "too_small" ? "too_small" : "too_large";
  if (Array.isArray(got)) return { field, code, message: `expected ${bound} entries, got ${got.length}` };
  return { field, code, message: `expected ${bound}, got ${String(got)}` };
}

function valueError(field: string, values: readonly unknown[], got: unknown): FieldError {
  if (got === undefined) return { field, code: "required", message: "expected a value, got nothing; this field is required" };
  const choices = values.map((value) => JSON.stringify(value)).join(", ");
  const meant = typeof got === "string" ? nearest(got, values.map(String)) : undefined;
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return { field, code: "invalid_value", message: `expected one of ${choices}, got ${kindOf(got)}${hint}` };
}

function unknownField(path: Path, name: string, shape: z.ZodType): FieldError {
  const own = namesAt(shape, path);
  const meant = nearest(name, own) ?? nestedName(name, shape, { path, own });
  const hint = meant === undefined ? "; leave it out, or see /openapi.json for what there is" : `; did you mean \`${meant}\`?`;
  return { field: formatPath([...path, name]), code: "unknown_field", message: `this field is not known${hint}` };
}

/** `url` at the top is most likely `target.url`. */
function nestedName(name: string, shape: z.ZodType, { path, own }: { path: Path; own: readonly string[] }): string | undefined {
  const parent = own.find((one) => namesAt(shape, [...path, one]).includes(name));
  return parent === undefined ? undefined : formatPath([...path, parent, name]);
}

/** The fields that a shape knows at a place; none where it is no object of known fields. */
function namesAt(shape: z.ZodType, path: Path): string[] {
  let at: unknown = unwrap(shape);
  for (const step of path) {
    if (!(at instanceof z.ZodObject)) return [];
    at = unwrap(at.shape[String(step)]);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let at = schema;
  for (;;) {
    if (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodNullable) at = at.def.innerType;
    else if (at instanceof z.ZodPipe) at = at.def.in;
    else return at;
  }
}

function customCode(params: Record<string, unknown> | undefined): FieldError["code"] {
  return (params?.["code"] as FieldError["code"] | undefined) ?? "invalid_value";
}

function valueAt(raw: unknown, path: Path): unknown {
  let at = raw;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}
