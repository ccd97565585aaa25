/**
 * What a rule yields, in order, each instant once. What comes next follows from a nominal instant alone, so that neither lateness nor
 * jitter moves it.
 */

import { type EpochMs, earlierOf, later } from "../time.ts";
import type { Note } from "./firing.ts";
import { openSearch, takeNext } from "./merge.ts";
import type { Rule } from "./rule.ts";
import { formatZoned } from "./zone.ts";

export type Occurrence = {
  readonly nominalAt: EpochMs;
  /** The nominal instant as the clocks of the rule's zone show it. */
  readonly local: string;
  readonly note: Note | null;
};

/** How a search ended: at an occurrence, with none left up to the horizon, or at its bound of steps, from where it can go on. */
export type Next =
  | { readonly kind: "next"; readonly occurrence: Occurrence }
  | { readonly kind: "never" }
  | { readonly kind: "stopped"; readonly at: EpochMs };

/** The occurrence that follows a nominal instant. */
export function nextAfter(rule: Rule, nominalAt: EpochMs): Next {
  const { found, stoppedAt } = occurrences(rule, { from: later(nominalAt, 1), count: 1 });
  const [occurrence] = found;
  if (occurrence !== undefined) return { kind: "next", occurrence };
  return stoppedAt === null ? { kind: "never" } : { kind: "stopped", at: stoppedAt };
}

/** The first `count` occurrences at or after `from`, ascending. `stoppedAt`: the search met its bound there; null where it did not. */
export function occurrences(
  rule: Rule,
  { from, count }: { readonly from: EpochMs; readonly count: number },
): { readonly found: readonly Occurrence[]; readonly stoppedAt: EpochMs | null } {
  const search = openSearch(rule, from);
  const found: Occurrence[] = [];
  while (found.length < count) {
    const next = takeNext(search);
    if (next === undefined) break;
    const { at, note, voice, isHit } = next;
    if (!isHit) return { found, stoppedAt: at };
    found.push({ nominalAt: at, local: formatZoned(voice.zone, at), note });
  }
  return { found, stoppedAt: null };
}

export type InstantsLook = { readonly from: EpochMs; readonly until: EpochMs; readonly max: number };

/** `goOnAt`: null where all were found, else where to ask for the rest from. It is later than `from`, or `max` was below one. */
export type Instants = { readonly at: readonly EpochMs[]; readonly goOnAt: EpochMs | null };

/**
 * The nominal instants in [from, until), ascending, at most `max`: for whoever catches up and needs no local times, of which each would
 * cost as much as the instant.
 */
export function instants(rule: Rule, { from, until, max }: InstantsLook): Instants {
  const search = openSearch({ ...rule, endAt: earlierOf(rule.endAt, until) }, from);
  const at: EpochMs[] = [];
  for (let next = takeNext(search); next !== undefined; next = takeNext(search)) {
    if (!next.isHit || at.length >= max) return { at, goOnAt: next.at };
    at.push(next.at);
  }
  return { at, goOnAt: null };
}

/** Rounds of a search that are worth it once, where a person waits for the answer: some tenths of a second. */
const roundsMax = 8;

/** Whether a rule yields anything from an instant on. "unknown": its exceptions turn down so much that the search was given up. */
export function yieldsFrom(rule: Rule, from: EpochMs): "something" | "nothing" | "unknown" {
  let at = from;
  for (let round = 0; round < roundsMax; round++) {
    const { found, stoppedAt } = occurrences(rule, { from: at, count: 1 });
    if (found.length > 0) return "something";
    if (stoppedAt === null) return "nothing";
    at = stoppedAt;
  }
  return "unknown";
}
