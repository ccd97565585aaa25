/**
 * The walk through what a rule yields: its voices are merged, each instant counts once, and what is excepted is left out. Voices that
 * fire alike for a time go as one. What is turned down by exceptions is bounded in steps.
 */

import { type EpochMs, later, laterOf, minuteMs, secondMs, toEpochMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { excludedUntil } from "./exception.ts";
import type { Note } from "./firing.ts";
import type { Rule } from "./rule.ts";
import type { Voice } from "./voice.ts";

/** A voice and its place among those of the rule. */
type Seat = { readonly voice: Voice; readonly index: number };

/** Voices that fire at the same instants as the first of them until `alikeUntil`; that one is asked for all. */
type Group = Seat & { readonly followers: readonly Seat[]; readonly alikeUntil: EpochMs };

/** Where a group stands: at an instant of the rule, or at one up to which it was searched in vain. */
export type Place = Group & {
  readonly at: EpochMs;
  readonly note: Note | null;
  readonly isHit: boolean;
  /** Voices further down that do not fire before this instant, in order; whether they do in it does not matter. */
  readonly sleepers: readonly Seat[];
  /** That of the voice, its followers and its sleepers. */
  readonly gridMs: number | null;
};

/** A walk through a rule's instants. `last` is where it stands. */
export type Search = { readonly rule: Rule; stepsLeft: number; readonly places: Place[]; last: Place | undefined };

/** Stands before the first instant at or after `from`. */
export function openSearch(rule: Rule, from: EpochMs): Search {
  const search: Search = { rule, stepsLeft: 0, places: [], last: undefined };
  const startAt = laterOf(from, rule.startAt);
  for (const [index, voice] of rule.voices.entries()) advance(search, { voice, index }, startAt);
  // Each voice's first look is free, so that every search gets further.
  search.stepsLeft = ruleBounds.stepsMax;
  return search;
}

/**
 * The next instant, for which the first of the voices that meet in it speaks; undefined where there is none. No hit: the search met its
 * bound and is over; all instants before this one were found, and another search goes on from it.
 */
export function takeNext(search: Search): Place | undefined {
  if (search.last !== undefined) goOn(search, search.last);
  let place = takeFirst(search.places);
  // In the order of time, so that no voice uses up for what lies far ahead what another needs now.
  while (place !== undefined && !place.isHit && search.stepsLeft >= 0) {
    move(search, place, place.at);
    place = takeFirst(search.places);
  }
  search.last = place;
  return place;
}

/** Moves everyone on who stands at an instant. Voices that met in it are likely to meet again, and those that must go on as one. */
function goOn(search: Search, first: Place): void {
  const from = later(first.at, 1);
  const places = [first];
  while (search.places[0]?.at === first.at) places.push(takeFirst(search.places) ?? first);
  if (places.length === 1 && first.followers.length === 0 && first.sleepers.length === 0) {
    advance(search, first, from);
    return;
  }
  const met: Seat[] = [];
  for (const place of sleepOn(search, places)) {
    const { followers, alikeUntil, sleepers } = place;
    const next = followers.length > 0 && from < alikeUntil ? look(search, place, from) : undefined;
    if (next !== undefined && next.at < alikeUntil) insert(search.places, { ...next, followers, alikeUntil });
    else met.push(place, ...followers);
    met.push(...sleepers);
  }
  if (met.length > 1) gather(search, met, from);
  else for (const seat of met) advance(search, seat, from);
}

/** How many of those that wait are tried before they are taken to go apart. */
const triesMax = 4;

/**
 * Where one of those that met fires again at the next instant at which any of them can, those after it cannot come before it, nor speak
 * for it: they need not be looked at, and wait beside it. Answers who has to go on in another way.
 */
function sleepOn(search: Search, places: readonly Place[]): readonly Place[] {
  const [first, ...others] = places;
  const gridMs = gridOf(places);
  if (first === undefined || gridMs === null) return places;
  const from = later(first.at, 1);
  const tried: Place[] = [];
  let seats: readonly Seat[] = [first];
  for (let index = 0; index < seats.length && index < triesMax; index++) {
    const next = look(search, seats[index] ?? first, from);
    if (next !== undefined) tried.push(next);
    const isNext = next?.isHit === true && next.at === first.at + gridMs;
    // Those that do not wait yet begin to where the very first is the next.
    if (!isNext && first.sleepers.length === 0) break;
    if (index === 0) seats = inOrder(first, others);
    if (!isNext) continue;
    for (const one of tried) insert(search.places, one === next ? { ...next, gridMs, sleepers: seats.slice(index + 1) } : one);
    return [];
  }
  return places;
}

function inOrder(first: Place, others: readonly Place[]): readonly Seat[] {
  if (others.length === 0 && first.followers.length === 0) return [first, ...first.sleepers];
  return [first, ...others].flatMap((one) => [one, ...one.followers, ...one.sleepers]).sort((a, b) => a.index - b.index);
}

/** Zones had offsets with seconds until 1972: minutes on a wall are no minutes there. */
const wholeMinutesAt = toEpochMs(Date.UTC(1973, 0, 1));

/** What the instants of all are multiples of. */
function gridOf(places: readonly Place[]): number | null {
  let least: number = minuteMs;
  for (const { gridMs, at } of places) {
    if (gridMs === null) return null;
    least = Math.min(least, at < wholeMinutesAt ? secondMs : gridMs);
  }
  return least;
}

/** Voices that are alike for some time follow the first of them, where it fires within that time. */
function gather(search: Search, seats: readonly Seat[], from: EpochMs): void {
  const groups = new Map<string, { seats: Seat[]; until: EpochMs }>();
  for (const seat of seats.toSorted((a, b) => a.index - b.index)) {
    const alike = seat.voice.likeness(from);
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

function advance(search: Search, { voice, index }: Seat, from: EpochMs): void {
  move(search, { voice, index, followers: [], alikeUntil: from }, from);
}

/** Puts a group where its first voice comes next, or each of it for itself where that is past the time in which they are alike. */
function move(search: Search, group: Group, from: EpochMs): void {
  const { followers, alikeUntil } = group;
  const next = look(search, group, from);
  const staysTogether = next !== undefined && next.at < alikeUntil;
  if (next !== undefined) insert(search.places, staysTogether ? { ...next, followers, alikeUntil } : next);
  if (!staysTogether) for (const follower of followers) advance(search, follower, from);
}

/** To find an instant and to keep it in order costs as much as some looks at exceptions. */
const hitSteps = 4;

/** One look ahead: the next instant of a voice, or the end of what excepts it; undefined where nothing comes before the rule's end. */
function look(search: Search, { voice, index }: Seat, from: EpochMs): Place | undefined {
  const { exceptions, endAt } = search.rule;
  const hit = voice.hitFrom(from);
  if (hit === undefined || hit.at >= endAt) return undefined;
  const alone = { voice, index, followers: [], alikeUntil: from, sleepers: [], gridMs: voice.gridMs };
  const until = exceptions.length === 0 ? undefined : excludedUntil(exceptions, voice.zone, hit.at);
  if (until === undefined) return { ...alone, at: hit.at, note: hit.note, isHit: true };
  search.stepsLeft -= hitSteps + exceptions.length;
  return until < endAt ? { ...alone, at: until, note: null, isHit: false } : undefined;
}

/** A binary heap, by instant and then by the order of the voices. */
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
