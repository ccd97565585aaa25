/**
 * The walk through what a rule yields: its members are merged, each instant counts once, and what is excepted is left out. Members that
 * fire alike go as one, so that a union of a thousand costs little more than one. What is turned down by exceptions is bounded in steps.
 */

import { type EpochMs, later, laterOf } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { excludedUntil } from "./exception.ts";
import type { Note } from "./firing.ts";
import type { Member } from "./member.ts";
import type { Rule } from "./rule.ts";

/** A member and its place among those that are written. */
type Seat = { readonly member: Member; readonly index: number };

/** Members that fire at the same instants as the first of them until `alikeUntil`; that one is asked for all. */
type Group = Seat & { readonly followers: readonly Seat[]; readonly alikeUntil: EpochMs };

/** Where a group stands: at an instant of the rule, or at one up to which it was searched in vain. */
export type Place = Group & { readonly at: EpochMs; readonly note: Note | null; readonly isHit: boolean };

/** A walk through a rule's instants. `last` is where it stands. */
export type Search = { readonly rule: Rule; stepsLeft: number; readonly places: Place[]; last: Place | undefined };

/** Stands before the first instant at or after `from`. */
export function openSearch(rule: Rule, from: EpochMs): Search {
  const search: Search = { rule, stepsLeft: 0, places: [], last: undefined };
  const startAt = laterOf(from, rule.startAt);
  for (const [index, member] of rule.members.entries()) advance(search, { member, index }, startAt);
  // Each member's first look is free, so that every search gets further.
  search.stepsLeft = ruleBounds.stepsMax;
  return search;
}

/**
 * The next instant, for which the first of its members that is written speaks; undefined where there is none. No hit: the search met its
 * bound and is over; all instants before this one were found, and another search goes on from it.
 */
export function takeNext(search: Search): Place | undefined {
  if (search.last !== undefined) goOn(search, search.last);
  let place = takeFirst(search.places);
  // In the order of time, so that no member uses up for what lies far ahead what another needs now.
  while (place !== undefined && !place.isHit && search.stepsLeft >= 0) {
    move(search, place, place.at);
    place = takeFirst(search.places);
  }
  search.last = place;
  return place;
}

/** Moves everyone on who stands at an instant. Members that met in it are likely to meet again, and those that must go on as one. */
function goOn(search: Search, first: Place): void {
  const from = later(first.at, 1);
  const met: Seat[] = [];
  for (
    let place: Place | undefined = first;
    place !== undefined;
    place = search.places[0]?.at === first.at ? takeFirst(search.places) : undefined
  ) {
    const { followers, alikeUntil } = place;
    const next = followers.length > 0 && from < alikeUntil ? look(search, place, from) : undefined;
    if (next !== undefined && next.at < alikeUntil) insert(search.places, { ...next, followers, alikeUntil });
    else met.push(place, ...followers);
  }
  if (met.length > 1) gather(search, met, from);
  else for (const seat of met) advance(search, seat, from);
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
    if (leader !== undefined) move(search, { ...leader, followers, alikeUntil: until }, from);
  }
}

function advance(search: Search, { member, index }: Seat, from: EpochMs): void {
  move(search, { member, index, followers: [], alikeUntil: from }, from);
}

/** Puts a group where its first member comes next, or each of it for itself where that is past the time in which they are alike. */
function move(search: Search, group: Group, from: EpochMs): void {
  const { followers, alikeUntil } = group;
  const next = look(search, group, from);
  const staysTogether = next !== undefined && next.at < alikeUntil;
  if (next !== undefined) insert(search.places, staysTogether ? { ...next, followers, alikeUntil } : next);
  if (!staysTogether) for (const follower of followers) advance(search, follower, from);
}

/** One look ahead: the next instant of a member, or the end of what excepts it; undefined where nothing comes before the rule's end. */
function look(search: Search, { member, index }: Seat, from: EpochMs): Place | undefined {
  const { exceptions, endAt } = search.rule;
  const hit = member.hitFrom(from);
  if (hit === undefined || hit.at >= endAt) return undefined;
  const alone = { member, index, followers: [], alikeUntil: from };
  const until = exceptions.length === 0 ? undefined : excludedUntil(exceptions, member.zone, hit.at);
  if (until === undefined) return { ...alone, at: hit.at, note: hit.note, isHit: true };
  search.stepsLeft -= exceptions.length;
  return until < endAt ? { ...alone, at: until, note: null, isHit: false } : undefined;
}

/** A binary heap, by {@link isBefore}. */
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

/** What is still searched comes first: it may yet have a part in the instant at which it stands. */
function isBefore(a: Place, b: Place): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.isHit === b.isHit ? a.index < b.index : b.isHit;
}
