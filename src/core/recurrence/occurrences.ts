/**
 * What a rule yields, in order: its members are merged, each instant counts once, and what is excepted is left out. What comes next follows
 * from a nominal instant alone, so that neither lateness nor jitter moves it.
 */

import { type EpochMs, later } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { excludedUntil } from "./exception.ts";
import type { Note } from "./firing.ts";
import type { Member } from "./member.ts";
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

/** A member and its place among those that are written. */
type Seat = { readonly member: Member; readonly index: number };

/** Where a member stands: its next occurrence, or the instant up to which it was searched in vain. */
type Place = Seat & {
  readonly at: EpochMs;
  readonly note: Note | null;
  readonly stopped: boolean;
  /** Members further down that fire at the same instants as this one until `alikeUntil`. */
  readonly followers: readonly Seat[];
  readonly alikeUntil: EpochMs;
};

type Search = { readonly rule: Rule; stepsLeft: number; readonly places: Place[] };

/** The first `count` occurrences at or after `from`, ascending. `stoppedAt`: the search met its bound there; null where it did not. */
export function occurrences(
  rule: Rule,
  { from, count }: { readonly from: EpochMs; readonly count: number },
): { readonly found: readonly Occurrence[]; readonly stoppedAt: EpochMs | null } {
  const search: Search = { rule, stepsLeft: ruleBounds.stepsMax, places: [] };
  const startAt = from > rule.startAt ? from : rule.startAt;
  for (const [index, member] of rule.members.entries()) advance(search, { member, index }, startAt);
  const found: Occurrence[] = [];
  while (found.length < count) {
    const first = takeFirst(search.places);
    if (first === undefined) break;
    const { at, note, member, stopped } = first;
    if (stopped) return { found, stoppedAt: at };
    // Of members that meet in one instant the first that is written speaks for it.
    found.push({ nominalAt: at, local: formatZoned(member.zone, at), note });
    if (found.length < count) goOn(search, first);
  }
  return { found, stoppedAt: null };
}

/** Moves everyone on who stands at an instant. Members that met in it are likely to meet again, and those that must go on as one. */
function goOn(search: Search, first: Place): void {
  const from = later(first.at, 1);
  const met: Seat[] = [];
  for (
    let place: Place | undefined = first;
    place !== undefined;
    place = isAt(search.places, first.at) ? takeFirst(search.places) : undefined
  ) {
    const next = place.followers.length > 0 && from < place.alikeUntil ? placeFrom(search, place, from) : undefined;
    if (next !== undefined && next.at < place.alikeUntil)
      insert(search.places, { ...next, followers: place.followers, alikeUntil: place.alikeUntil });
    else met.push(place, ...place.followers);
  }
  if (met.length > 1) gather(search, met, from);
  else for (const seat of met) advance(search, seat, from);
}

function isAt([first]: readonly Place[], at: EpochMs): boolean {
  return first?.at === at && !first.stopped;
}

/** Members that are alike for some time follow the first of them, where it fires within that time. */
function gather(search: Search, seats: readonly Seat[], from: EpochMs): void {
  const groups = new Map<string, { seats: Seat[]; until: EpochMs }>();
  for (const seat of seats.toSorted((a, b) => a.index - b.index)) {
    const alike = seat.member.likeness(from);
    const key = alike?.key ?? `alone ${seat.index}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { seats: [seat], until: alike?.until ?? from });
    else {
      group.seats.push(seat);
      if (alike !== undefined && alike.until < group.until) group.until = alike.until;
    }
  }
  for (const { seats: group, until } of groups.values()) {
    const [leader, ...followers] = group;
    if (leader === undefined) continue;
    const place = placeFrom(search, leader, from);
    if (place !== undefined && place.at < until) insert(search.places, { ...place, followers, alikeUntil: until });
    else {
      if (place !== undefined) insert(search.places, place);
      for (const follower of followers) advance(search, follower, from);
    }
  }
}

function advance(search: Search, seat: Seat, from: EpochMs): void {
  const place = placeFrom(search, seat, from);
  if (place !== undefined) insert(search.places, place);
}

function placeFrom(search: Search, { member, index }: Seat, from: EpochMs): Place | undefined {
  const { exceptions, endAt } = search.rule;
  const alone = { member, index, followers: [], alikeUntil: from };
  let at = from;
  for (;;) {
    const hit = member.hitFrom(at);
    if (hit === undefined || hit.at >= endAt) return undefined;
    const until = exceptions.length === 0 ? undefined : excludedUntil(exceptions, member.zone, hit.at);
    if (until === undefined) return { ...alone, at: hit.at, note: hit.note, stopped: false };
    at = until;
    search.stepsLeft -= exceptions.length;
    if (search.stepsLeft < 0) return { ...alone, at, note: null, stopped: true };
  }
}

/** A binary heap, by instant and then by the order in which members are written. */
function insert(heap: Place[], place: Place): void {
  let child = heap.length;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(place, above)) break;
    heap[child] = above;
    child = parent;
  }
  heap[child] = place;
}

function takeFirst(heap: Place[]): Place | undefined {
  const first = heap[0];
  const moved = heap.pop();
  if (first === undefined || moved === undefined || heap.length === 0) return first;
  let parent = 0;
  for (;;) {
    const [left, right] = [heap[2 * parent + 1], heap[2 * parent + 2]];
    if (left === undefined) break;
    const isLeft = right === undefined || isBefore(left, right);
    const least = isLeft ? left : right;
    if (!isBefore(least, moved)) break;
    heap[parent] = least;
    parent = 2 * parent + (isLeft ? 1 : 2);
  }
  heap[parent] = moved;
  return first;
}

function isBefore(a: Place, b: Place): boolean {
  return a.at < b.at || (a.at === b.at && a.index < b.index);
}
