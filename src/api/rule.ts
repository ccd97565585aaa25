/** A recurring rule in a request: read into one that answers when it fires, with every mistake named by its field. */

import { ruleBounds } from "../core/recurrence/bounds.ts";
import { type Calendars, calendarsOf, type WrittenException } from "../core/recurrence/exception.ts";
import type { Mistake, WrittenMember } from "../core/recurrence/member.ts";
import { occurrences, yieldsFrom } from "../core/recurrence/occurrences.ts";
import { parseRule, type Rule, spentMembers, type WrittenRule } from "../core/recurrence/rule.ts";
import type { Window } from "../core/recurrence/window.ts";
import { type EpochMs, formatDuration, formatInstant, laterOf, parseDuration, parseInstant } from "../core/time.ts";
import { formatPath } from "./path.ts";
import type { FieldError } from "./problem.ts";
import { readableException, readableMember } from "./ruleFields.ts";

/** The part of a request that is its rule. `when` and `except` may be anything. */
export type AskedRule = {
  readonly when: unknown;
  readonly except: unknown;
  readonly startAt?: EpochMs | null | undefined;
  readonly endAt?: EpochMs | null | undefined;
};

export type RuleRead =
  | { readonly ok: true; readonly rule: Rule; readonly written: NormalRule }
  | { readonly ok: false; readonly wrong: FieldError[] };

/** A rule in one spelling, every default filled in. */
export type NormalRule = {
  readonly when: WrittenMember | readonly WrittenMember[];
  readonly except: readonly WrittenException[];
  readonly startAt: EpochMs | null;
  readonly endAt: EpochMs | null;
};

/** The calendars that a request names, in whatever shape it is. */
export function namedCalendars(except: unknown): readonly string[] {
  return Array.isArray(except) && except.length <= ruleBounds.exceptionsMax ? calendarsOf(except.map(readableException)) : [];
}

/** The rule, or what is wrong with it beside its structure. `createdAt` anchors an `every` without an anchor. */
export function readRule(
  { when, except, startAt = null, endAt = null }: AskedRule,
  { createdAt, calendars }: { readonly createdAt: EpochMs; readonly calendars: Calendars },
): RuleRead {
  const isWide = (list: unknown, max: number) => Array.isArray(list) && list.length > max;
  if (isWide(when, ruleBounds.rulesMax) || isWide(except, ruleBounds.exceptionsMax)) return { ok: false, wrong: [] };
  const written = {
    when: Array.isArray(when) ? when.map(readableMember) : readableMember(when),
    except: Array.isArray(except) ? except.map(readableException) : [],
    startAt,
    endAt,
  };
  const parsed = parseRule(written, createdAt, calendars);
  if (!parsed.ok) return { ok: false, wrong: inFields(parsed.mistakes) };
  return { ok: true, rule: parsed.rule, written: { ...written, when: normalWhen(written.when) } };
}

function inFields(mistakes: readonly Mistake[]): FieldError[] {
  return mistakes.map(({ path, code, message }) => ({ field: formatPath(path), code, message }));
}

/** Members that never fire at or after an instant. */
export function spentFields(rule: Rule, at: EpochMs): FieldError[] {
  return inFields(spentMembers(rule, at));
}

/** Whether an error names a field or one that it is in. */
function covers(field: string, inner: string): boolean {
  return inner === field || inner.startsWith(`${field}.`) || inner.startsWith(`${field}[`);
}

/** Those of the second that the first do not name already: of each field one thing is said. */
export function notCovered(errors: readonly FieldError[], more: readonly FieldError[]): FieldError[] {
  return more.filter(({ field }) => !errors.some((error) => covers(error.field, field)));
}

/** What is wrong with a rule that is read, for a schedule that is to fire by it from now on. */
export function uselessRule(
  { rule, written }: { readonly rule: Rule; readonly written: NormalRule },
  { now, endAt, window }: { now: EpochMs; endAt: EpochMs | null; window: Window | null },
): FieldError[] {
  const chars = JSON.stringify(written).length;
  if (chars > ruleBounds.keptCharsMax) {
    const message = `expected a rule of at most ${ruleBounds.keptCharsMax} characters in all, got ${chars}; keep dates in a calendar, and split what is left into several schedules`;
    return [{ field: "when", code: "too_large", message }];
  }
  if (endAt !== null && endAt <= now) {
    const message = `expected an instant in the future, got "${formatInstant(endAt)}"; nothing would fire before it`;
    return [{ field: "endAt", code: "too_small", message }];
  }
  const spent = spentFields(rule, now);
  if (spent.length > 0) return spent;
  const from = laterOf(now, rule.startAt);
  const { found } = occurrences(rule, { from, count: looks });
  if (found.length === 0 && yieldsFrom(rule, from) === "nothing") {
    const message = "expected a rule that fires, got one that never fires: its exceptions, startAt and endAt leave nothing of it";
    return [{ field: "when", code: "invalid_value", message }];
  }
  const wrong =
    window === null
      ? undefined
      : wrongWindow(
          window,
          found.map(({ nominalAt }) => nominalAt),
        );
  return wrong === undefined ? [] : [wrong];
}

/** Occurrences that are looked at for the shortest time between two. */
const looks = 4;

/** A share is never longer than the time to the next occurrence. */
function wrongWindow(window: Window, at: readonly EpochMs[]): FieldError | undefined {
  if (window.kind === "share") return undefined;
  const gaps = at.slice(1).map((next, index) => ({ from: at[index] ?? next, gapMs: next - (at[index] ?? next) }));
  const short = gaps.find(({ gapMs }) => gapMs < window.spanMs);
  if (short === undefined) return undefined;
  const gap = `${formatDuration(short.gapMs)}, from ${formatInstant(short.from)} on`;
  const message = `expected at most the time between two occurrences (${gap}), got "${formatDuration(window.spanMs)}"; a share such as "50%" fits any`;
  return { field: "window", code: "too_large", message };
}

function normalWhen(when: WrittenRule["when"]): NormalRule["when"] {
  const isList = Array.isArray as (one: WrittenRule["when"]) => one is readonly WrittenMember[];
  return isList(when) ? when.map(normalMember) : normalMember(when);
}

/** As it is kept and answered: the same for all that mean the same, as far as that is a matter of spelling. */
function normalMember({
  cron,
  every,
  at,
  expression,
  timezone = "UTC",
  gap = "shift",
  fold = "first",
  from,
}: WrittenMember): WrittenMember {
  if (cron !== undefined) return { cron, timezone, gap, fold };
  if (expression !== undefined) return { expression, timezone };
  if (at !== undefined) return { at: at.map(normalInstant), timezone };
  const everyMs = parseDuration(every ?? "");
  return {
    every: everyMs === undefined ? every : formatDuration(everyMs),
    ...(from !== undefined && { from: normalInstant(from) }),
    timezone,
  };
}

function normalInstant(written: string): string {
  const at = parseInstant(written);
  return at === undefined ? written : formatInstant(at);
}
