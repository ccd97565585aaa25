/**
 * A rule: the union of its members less its exceptions, each instant once. What comes next follows from a nominal instant alone, so that
 * neither lateness nor jitter moves it.
 */

import { type EpochMs, formatInstant } from "../time.ts";
import { firstAt, horizonAt, ruleBounds } from "./bounds.ts";
import { type Calendars, type Exception, readException, type WrittenException } from "./exception.ts";
import { type Member, type Mistake, type Path, type Reading, readMember, type WrittenMember } from "./member.ts";
import { type Voice, voiceOf, voicesOf } from "./voice.ts";

/** What is written, plain data: it is stored, and the rule is derived from it. */
export type WrittenRule = {
  readonly when: WrittenMember | readonly WrittenMember[];
  readonly except?: readonly WrittenException[] | undefined;
  /** Nothing before it, and where `rate` begins. */
  readonly startAt?: EpochMs | null | undefined;
  /** Nothing at or after it. */
  readonly endAt?: EpochMs | null | undefined;
};

export type Rule = {
  /** As they are written, but for those that are written twice. */
  readonly members: readonly Member[];
  /** What they come to, and what is searched. */
  readonly voices: readonly Voice[];
  readonly exceptions: readonly Exception[];
  readonly startAt: EpochMs;
  readonly endAt: EpochMs;
};

/**
 * `createdAt` is the anchor of an `every` that names none, and of a `rate` without `startAt`. `calendars` has those that the exceptions
 * use, by `calendarsOf`: one that is not among them is a mistake.
 */
export function parseRule(
  written: WrittenRule,
  createdAt: EpochMs,
  calendars: Calendars = new Map(),
): { readonly ok: true; readonly rule: Rule } | { readonly ok: false; readonly mistakes: readonly Mistake[] } {
  const reading: Reading = { anchorAt: written.startAt ?? createdAt, mistakes: [] };
  const { mistakes } = reading;
  const isList = Array.isArray as (when: WrittenRule["when"]) => when is readonly WrittenMember[];
  const when = isList(written.when) ? written.when : [written.when];
  mistakes.push(...wrongBounds(written, when.length));
  if (mistakes.some(({ code, path }) => code === "too_large" && path.length === 1)) return { ok: false, mistakes };
  const members: Member[] = [];
  const texts = new Set<string>();
  for (const [index, member] of when.entries()) {
    if (mistakes.length >= ruleBounds.mistakesMax) break;
    const path: Path = isList(written.when) ? ["when", index] : ["when"];
    const text = JSON.stringify(member);
    // A rule that is written a thousand times is read once.
    if (texts.has(text)) continue;
    texts.add(text);
    const read = readMember(member, path, reading);
    if (read !== undefined) members.push(read);
  }
  const exceptions = readExceptions(written.except ?? [], calendars, mistakes);
  if (mistakes.length > 0) return { ok: false, mistakes };
  const [startAt, endAt] = [written.startAt ?? firstAt, written.endAt ?? horizonAt];
  return { ok: true, rule: { members, voices: voicesOf(members), exceptions, startAt, endAt } };
}

/** What is wrong with a rule as a whole. A list that is too long is not looked into. */
function wrongBounds({ except = [], startAt, endAt }: WrittenRule, members: number): Mistake[] {
  const { rulesMax, exceptionsMax } = ruleBounds;
  const wrong: Mistake[] = [];
  if (members < 1 || members > rulesMax) {
    const code = members < 1 ? "too_small" : "too_large";
    wrong.push({ path: ["when"], code, message: `expected 1–${rulesMax} entries, got ${members}` });
  }
  if (except.length > exceptionsMax) {
    wrong.push({ path: ["except"], code: "too_large", message: `expected 0–${exceptionsMax} entries, got ${except.length}` });
  }
  if (typeof startAt === "number" && typeof endAt === "number" && endAt <= startAt) {
    const message = `expected an end after startAt, ${formatInstant(startAt)}, got "${formatInstant(endAt)}"`;
    wrong.push({ path: ["endAt"], code: "too_small", message });
  }
  return wrong;
}

/** Each of their mistakes is collected, and one that is written several times is read once. */
function readExceptions(except: readonly WrittenException[], calendars: Calendars, mistakes: Mistake[]): Exception[] {
  const exceptions = new Map<string, Exception>();
  for (const [index, written] of except.entries()) {
    if (mistakes.length >= ruleBounds.mistakesMax) break;
    const text = JSON.stringify(written);
    const read = exceptions.has(text) ? undefined : readException(written, ["except", index], { calendars, mistakes });
    if (read !== undefined) exceptions.set(text, read);
  }
  return [...exceptions.values()];
}

/** Members that never fire at or after an instant, exceptions aside: a year that has passed, or a time that the clocks jump over. */
export function spentMembers({ members }: Rule, at: EpochMs): Mistake[] {
  return members
    .filter((member) => voiceOf([member]).hitFrom(at) === undefined)
    .slice(0, ruleBounds.mistakesMax)
    .map((member) => {
      const { path, zone } = member;
      const fired = voiceOf([member]).hitFrom(firstAt) !== undefined;
      const got = fired
        ? "one whose last occurrence has passed; name a later year or instant"
        : `one that ${zone.name} has no such time for; see gap`;
      return { path, code: "invalid_value", message: `expected a rule that fires again, got ${got}` };
    });
}
