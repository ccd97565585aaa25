/** What a caller requires of what stands before it is written. */

import { readIfMatch } from "./change.ts";
import { fieldProblem, problem, type Read, refused } from "./problem.ts";

/** `version`: only this one, or only where there is none. `exists`: whichever, but one must stand. */
export type Precondition = { readonly version: number | "none" | null; readonly exists: boolean };

/** Of `If-None-Match` only `*` means anything for a write (RFC 9110 §13.1.2). */
export function readPrecondition(headers: Headers): Read<Precondition> {
  const [match, noneMatch] = [headers.get("if-match"), headers.get("if-none-match")];
  if (noneMatch === null) {
    const version = readIfMatch(match);
    return version.ok ? { ok: true, value: { version: version.value, exists: match !== null } } : version;
  }
  if (match !== null) {
    const message = "expected If-Match or If-None-Match, got both; leave one out";
    return refused(fieldProblem("invalid_request", [{ field: "If-None-Match", code: "conflict", message }]));
  }
  if (noneMatch.trim() === "*") return { ok: true, value: { version: "none", exists: false } };
  return refused(
    problem(
      "invalid_request",
      `If-None-Match: expected *, got ${JSON.stringify(noneMatch.slice(0, 40))}; to replace one version send If-Match`,
    ),
  );
}
