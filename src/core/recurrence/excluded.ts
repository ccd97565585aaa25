/** What exceptions took from a rule, so that it can be counted and shown. */

import { type EpochMs, later } from "../time.ts";
import { type Instants, instants } from "./occurrences.ts";
import type { Rule } from "./rule.ts";

/** `max`: the most that are counted, at least 1. */
export type ExcludedLook = { readonly after: EpochMs; readonly before: EpochMs; readonly max: number };

/** `goOnAt`: null where all were counted, else the `after` by which to ask for the rest. */
export type Excluded = { readonly count: number; readonly first: EpochMs; readonly last: EpochMs; readonly goOnAt: EpochMs | null };

/**
 * The instants between two, both of them left out, that the rule would have without its exceptions and does not have with them;
 * undefined where there are none. The work grows with `max` and, where the two are not neighbours, with the rule's instants between them.
 */
export function excludedBetween(rule: Rule, { after, before, max }: ExcludedLook): Excluded | undefined {
  if (max < 1) throw new Error(`expected a max of at least 1, got ${max}`);
  if (rule.exceptions.length === 0) return undefined;
  let from: EpochMs | null = later(after, 1);
  while (from !== null && from < before) {
    const { at, goOnAt }: Instants = leftOut(rule, from, before, max);
    const [first] = at;
    const last = at.at(-1);
    if (first !== undefined && last !== undefined)
      return { count: at.length, first, last, goOnAt: goOnAt === null ? null : later(goOnAt, -1) };
    from = goOnAt;
  }
  return undefined;
}

/** Of the next `max` instants without exceptions, those that the rule does not have: what its exceptions are is judged in one place. */
function leftOut(rule: Rule, from: EpochMs, until: EpochMs, max: number): Instants {
  const all = instants({ ...rule, exceptions: [] }, { from, until, max });
  const kept = instants(rule, { from, until: all.goOnAt ?? until, max });
  // A search that met its bound says nothing of what comes later.
  const goOnAt = kept.goOnAt ?? all.goOnAt;
  const have = new Set(kept.at);
  return { at: all.at.filter((at) => !have.has(at) && at < (goOnAt ?? until)), goOnAt };
}
