/**
 * The fields of a recurring rule. Their structure is judged here; what an expression, a zone or a date means is judged by the core, on
 * the request as written, so that a caller hears of both at once.
 */

import * as z from "zod";
import { firstAt, horizonAt, ruleBounds } from "../core/recurrence/bounds.ts";
import type { WrittenException } from "../core/recurrence/exception.ts";
import type { WrittenMember } from "../core/recurrence/member.ts";
import { parseWindow, type Window } from "../core/recurrence/window.ts";
import { formatInstant } from "../core/time.ts";
import { instant, kindOf } from "./fields.ts";
import { fieldErrors } from "./issues.ts";
import { type Path, quote } from "./path.ts";
import type { FieldError } from "./problem.ts";

const gaps = ["shift", "skip"] as const;
const folds = ["first", "last", "both"] as const;

const expression = (description: string, example: string) =>
  z.string().meta({ description, maxLength: ruleBounds.expressionCharsMax, examples: [example] });
const timezone = z
  .string()
  .optional()
  .meta({ description: "IANA's name. Default UTC; in an exception, that of the rule.", examples: ["Europe/Berlin"] });
const instantText = z.string().meta({ format: "date-time", examples: ["2027-01-01T00:00:00Z"] });
const dateText = z.string().meta({ format: "date", examples: ["2027-01-01"] });

const members = {
  cron: z.strictObject({
    cron: expression("5 fields, 6 with seconds first, 7 with the year last.", "0 9 * * MON-FRI"),
    timezone,
    gap: z.enum(gaps).optional().meta({ description: "Times that the clocks jump over: fire when the gap ends (default), or not at all." }),
    fold: z.enum(folds).optional().meta({ description: "Which pass of a time that the clocks show twice. Default first." }),
  }),
  every: z.strictObject({
    every: z.string().meta({ description: "A duration of 1 s to ten years, counted in elapsed time.", examples: ["15m"] }),
    from: instantText.optional().meta({ description: "The anchor: the first occurrence. Default: when the schedule is made." }),
    timezone,
  }),
  at: z.strictObject({
    at: z.array(instantText).meta({ minItems: 1, maxItems: ruleBounds.instantsMax, description: "Instants, in any order." }),
    timezone,
  }),
  expression: z.strictObject({
    expression: expression("EventBridge's rate(…), cron(…) or at(…), with EventBridge's rules.", "rate(5 minutes)"),
    timezone,
  }),
};

const namePattern = /^[A-Za-z0-9._-]{1,128}$/;

/** The name that a caller gives to what is kept here. */
export const resourceName = z
  .string()
  .meta({ pattern: namePattern.source })
  .superRefine((name, context) => {
    if (namePattern.test(name)) return;
    report(context.issues, [], "invalid_format", `expected 1–128 of A–Z a–z 0–9 . _ -, got ${quote(name)}`);
  });

const calendarName = resourceName.meta({
  description: "The name of a calendar, which may have a zone of its own.",
  pattern: namePattern.source,
  examples: ["de-holidays"],
});

export const dates = z
  .array(z.union([dateText, z.strictObject({ from: dateText, to: dateText })]))
  .meta({ minItems: 1, maxItems: ruleBounds.datesMax, description: "Whole days, or stretches of days with both ends." });

const exceptions = {
  calendar: z.strictObject({ calendar: calendarName }),
  cron: z.strictObject({
    cron: expression("What is left out; 5 fields cover their whole minute.", "* * 24-26 12 *"),
    timezone,
  }),
  dates: z.strictObject({ dates, timezone }),
};

type Issues = { push(issue: z.core.$ZodRawIssue): unknown };
type Kinds = Readonly<Record<string, z.ZodObject>>;

function report(issues: Issues, path: Path, code: FieldError["code"], message: string): void {
  issues.push({ code: "custom", input: undefined, message, path: [...path], params: { code } });
}

/** An object that is one of several kinds, each told by its first field. zod's own union would only say that none fits. */
function judgeKinds(kinds: Kinds, written: unknown, path: Path, issues: Issues): void {
  const names = Object.keys(kinds);
  const choices = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    report(issues, path, "invalid_type", `expected an object with ${choices}, got ${kindOf(written)}`);
    return;
  }
  const [kind, ...more] = names.filter((name) => Object.hasOwn(written, name));
  for (const name of more) {
    report(issues, [...path, name], "conflict", `expected one of ${choices}, got ${kind} and ${name}; make two entries of them`);
  }
  if (kind === undefined) report(issues, path, "required", `expected one of ${choices}, got none`);
  const known = kind === undefined ? anyOf(kinds) : (kinds[kind] ?? anyOf(kinds));
  const judged = Object.fromEntries(Object.entries(written).filter(([name]) => !more.includes(name)));
  const parsed = known.safeParse(judged);
  if (!parsed.success) passOn(parsed.error.issues, judged, known, path, issues);
}

/** Knows each field of each kind and needs none: for an object whose kind cannot be told. */
function anyOf(kinds: Kinds): z.ZodObject {
  return z.strictObject(Object.assign({}, ...Object.values(kinds).map((kind) => kind.partial().shape)));
}

/** What a shape found in a part of a request, in the words of every other error. */
function passOn(found: readonly z.core.$ZodIssue[], written: unknown, shape: z.ZodType, path: Path, issues: Issues): void {
  for (const issue of found) {
    const errors = fieldErrors([issue], written, shape);
    for (const [index, { code, message }] of errors.entries()) {
      const own = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[index] ?? ""] : issue.path;
      report(issues, [...path, ...own], code, message);
    }
  }
}

function judgeList(written: readonly unknown[], bounds: { min: number; max: number }, kinds: Kinds, issues: z.core.$ZodRawIssue[]): void {
  if (written.length < bounds.min || written.length > bounds.max) {
    const code = written.length < bounds.min ? "too_small" : "too_large";
    report(issues, [], code, `expected ${bounds.min}–${bounds.max} entries, got ${written.length}`);
    return;
  }
  for (const [index, one] of written.entries()) {
    if (issues.length >= ruleBounds.mistakesMax) return;
    judgeKinds(kinds, one, [index], issues);
  }
}

function jsonSchemas(kinds: Kinds): { anyOf: unknown[] } {
  const schemas = Object.values(kinds).map((kind) => {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(kind, { io: "input", reused: "inline" });
    return schema;
  });
  return { anyOf: schemas };
}

export const when = z
  .unknown()
  .meta({
    description: "When it is due: one rule, or the union of several, in which each instant counts once.",
    // Made when the OpenAPI document is: a function that never answers it should not start slower for it.
    get anyOf() {
      const one = jsonSchemas(members);
      return [...one.anyOf, { type: "array", minItems: 1, maxItems: ruleBounds.rulesMax, items: one }];
    },
    examples: [{ cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin" }],
  })
  .transform((written, context): WrittenMember | readonly WrittenMember[] => {
    if (Array.isArray(written)) judgeList(written, { min: 1, max: ruleBounds.rulesMax }, members, context.issues);
    else if (written === undefined) report(context.issues, [], "required", "expected a rule, got nothing; this field is required");
    else judgeKinds(members, written, [], context.issues);
    return written as WrittenMember;
  });

export const except = z
  .unknown()
  .meta({
    description: "What is left out, judged on the local time of an occurrence.",
    type: "array",
    maxItems: ruleBounds.exceptionsMax,
    get items() {
      return jsonSchemas(exceptions);
    },
    examples: [[{ cron: "* * 24-26 12 *" }, { dates: ["2027-01-01"] }]],
  })
  .transform((written, context): readonly WrittenException[] => {
    if (!Array.isArray(written)) report(context.issues, [], "invalid_type", `expected an array, got ${kindOf(written)}`);
    else judgeList(written, { min: 0, max: ruleBounds.exceptionsMax }, exceptions, context.issues);
    return written as readonly WrittenException[];
  });

const years = `${ruleBounds.yearMin}–${ruleBounds.yearMax}`;

/** An instant that a rule can reach. */
export function ruleInstant(description: string) {
  return instant.meta({ description: `${description} ${years}.` }).transform((at, context) => {
    if (at >= firstAt && at < horizonAt) return at;
    const code = at < firstAt ? "too_small" : "too_large";
    report(context.issues, [], code, `expected a year of ${years}, got "${formatInstant(at)}"`);
    return z.NEVER;
  });
}

/** Where to begin to look. */
export const ruleStart = ruleInstant("The first instant that counts. Default: now.");

export const window = z
  .string()
  .meta({ description: 'Spreads occurrences over this long, or over a share such as "50%" of the time to the next.', examples: ["10m"] })
  .transform((written, context): Window => {
    const read = parseWindow(written);
    if ("window" in read) return read.window;
    report(context.issues, [], read.code, read.wrong);
    return z.NEVER;
  });

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** What of a written rule has the type that the core reads: the rest is a mistake that was named already. */
export function readableMember(written: unknown): WrittenMember {
  const fields = fieldsOf(written);
  const text = (name: string) => (typeof fields[name] === "string" ? { [name]: fields[name] } : {});
  const { at, gap, fold } = fields;
  return {
    ...Object.assign({}, ...["cron", "every", "expression", "timezone", "from"].map(text)),
    ...(Array.isArray(at) && at.every((one) => typeof one === "string") && { at }),
    ...((gaps as readonly unknown[]).includes(gap) && { gap }),
    ...((folds as readonly unknown[]).includes(fold) && { fold }),
  };
}

export function readableException(written: unknown): WrittenException {
  const { calendar, cron, dates: listed, timezone: zone } = fieldsOf(written);
  const isDate = (one: unknown) => {
    const { from, to } = fieldsOf(one);
    return typeof one === "string" || (typeof from === "string" && typeof to === "string");
  };
  return {
    ...(typeof zone === "string" && { timezone: zone }),
    ...(typeof calendar === "string" && { calendar }),
    ...(typeof cron === "string" && { cron }),
    ...(Array.isArray(listed) && listed.every(isDate) && { dates: listed }),
  };
}
