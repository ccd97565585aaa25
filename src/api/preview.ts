/** What a rule would yield, before there is a schedule: nothing is stored. */

import { limits } from "../core/limits.ts";
import { ruleBounds } from "../core/recurrence/bounds.ts";
import { occurrences } from "../core/recurrence/occurrences.ts";
import { parseRule, type Rule, spentMembers } from "../core/recurrence/rule.ts";
import { dueWithin, placeOf, type Window } from "../core/recurrence/window.ts";
import { type EpochMs, earlierOf, formatInstant } from "../core/time.ts";
import type { PreviewAnswer } from "./answers.ts";
import { type Handler, readWritten } from "./desk.ts";
import { fieldErrors } from "./issues.ts";
import { formatPath } from "./path.ts";
import { type FieldError, fieldProblem } from "./problem.ts";
import { isRecord } from "./relations.ts";
import { jsonReply } from "./reply.ts";
import { readableException, readableMember } from "./ruleFields.ts";
import { previewShape } from "./schema.ts";
import { brokenJson, inexactNumbers, notAnObject } from "./submission.ts";

const bounds = { bytesMax: limits.requestBytesMax, depthMax: limits.jsonDepthMax };

export const previewSchedule: Handler = async ({ engine }, { request }) => {
  const written = await readWritten(request, bounds);
  if (!written.ok) return written.problem;
  const { value: raw, findings } = written.value;
  const broken = brokenJson(findings);
  if (broken !== undefined) return broken;
  if (!isRecord(raw)) return notAnObject(raw);
  const now = engine.clock.now();
  const parsed = previewShape.safeParse(raw);
  const from = (parsed.success ? parsed.data.from : undefined) ?? now;
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, previewShape);
  errors.push(...inexactNumbers(findings));
  const read = readRule(raw["when"], raw["except"], from, earlierOf(from, now));
  if ("wrong" in read) errors.push(...read.wrong.filter(({ field }) => !errors.some((error) => covers(error.field, field))));
  if (errors.length > 0 || !parsed.success || "wrong" in read) {
    return fieldProblem("invalid_request", errors.slice(0, ruleBounds.mistakesMax));
  }
  const { window, count = ruleBounds.previewDefault } = parsed.data;
  return jsonReply(200, preview(read.rule, { from, count, window, seed: JSON.stringify(raw["when"]) }));
};

/** Whether an error names a field or one that it is in. */
function covers(field: string, inner: string): boolean {
  return inner === field || inner.startsWith(`${field}.`) || inner.startsWith(`${field}[`);
}

/**
 * The rule in a request, or what is wrong with it beside its structure. `createdAt` anchors an `every` without one; a member that
 * never fires from `aliveAt` on is wrong.
 */
function readRule(when: unknown, except: unknown, createdAt: EpochMs, aliveAt: EpochMs): { rule: Rule } | { wrong: FieldError[] } {
  // Of a list that is too long no more is read than shows that it is.
  const written = {
    when: Array.isArray(when) ? when.slice(0, ruleBounds.rulesMax + 1).map(readableMember) : readableMember(when),
    except: Array.isArray(except) ? except.slice(0, ruleBounds.exceptionsMax + 1).map(readableException) : [],
  };
  const parsed = parseRule(written, createdAt);
  const mistakes = parsed.ok ? spentMembers(parsed.rule, aliveAt) : parsed.mistakes;
  if (mistakes.length === 0 && parsed.ok) return { rule: parsed.rule };
  return { wrong: mistakes.map(({ path, code, message }) => ({ field: formatPath(path), code, message })) };
}

type Look = { readonly from: EpochMs; readonly count: number; readonly window: Window | undefined; readonly seed: string };

/** One occurrence more than is shown is looked for: a window ends at the next. */
function preview(rule: Rule, { from, count, window, seed }: Look): PreviewAnswer {
  const { found, stoppedAt } = occurrences(rule, { from, count: window === undefined ? count : count + 1 });
  const place = placeOf(seed);
  const shown = found.slice(0, count);
  return {
    occurrences: shown.map(({ nominalAt, local, note }, index) => {
      const nextAt = found[index + 1]?.nominalAt ?? stoppedAt;
      const dueAt = window === undefined ? nominalAt : dueWithin(window, place, nominalAt, nextAt);
      return { nominalAt: formatInstant(nominalAt), dueAt: formatInstant(dueAt), local, note };
    }),
    searchedUntil: stoppedAt === null || shown.length === count ? null : formatInstant(stoppedAt),
  };
}
