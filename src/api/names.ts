/** The names under which callers keep schedules and calendars: each is a word of a path. */

import { scheduleBounds } from "../core/schedule.ts";
import { quote } from "./path.ts";
import { type FieldError, fieldProblem, type Problem } from "./problem.ts";

export type NamedKind = "schedule" | "calendar" | "set";

const named = new RegExp(`^[A-Za-z0-9._-]{1,${scheduleBounds.nameCharsMax}}$`);

const dots = { ".": "it means the path itself", "..": "it means the path above" };

/** Words that stand for something else in the place of a name; a client would resolve the dots away before it asks. */
const untaken: Readonly<Record<NamedKind, Readonly<Record<string, string>>>> = {
  schedule: { ...dots, preview: "POST /v1/schedules/preview is a path of its own" },
  calendar: dots,
  set: {},
};

type WrongName = Omit<FieldError, "field">;

/** What is wrong with a name, or undefined. */
export function wrongName(text: string, kind: NamedKind): WrongName | undefined {
  if (!named.test(text)) {
    return { code: "invalid_format", message: `expected 1–${scheduleBounds.nameCharsMax} of A–Z a–z 0–9 . _ -, got ${quote(text)}` };
  }
  const why = Object.hasOwn(untaken[kind], text) ? untaken[kind][text] : undefined;
  return why === undefined ? undefined : { code: "forbidden", message: `${quote(text)} is not taken as a name: ${why}; choose another` };
}

export function nameProblem(wrong: WrongName): Problem {
  return fieldProblem("invalid_request", [{ field: "name", ...wrong }]);
}
