/**
 * What a rule is searched by: members of one zone that keep time in the same way are one voice, so that a thousand of them cost little
 * more than one.
 */

import { type EpochMs, minuteMs, secondMs, toEpochMs } from "../time.ts";
import { horizonAt } from "./bounds.ts";
import { type Fold, firingFrom, type Gap, type Hit } from "./firing.ts";
import type { Pattern } from "./pattern.ts";
import { type Every, everyFrom, listedFrom } from "./steady.ts";
import { unionOf } from "./union.ts";
import { farMs, foldMsMax, localAt, type Zone } from "./zone.ts";

/** How a member keeps time: by the wall, by so many milliseconds from an anchor, or by a list that ascends. */
export type Timing =
  | { readonly kind: "wall"; readonly pattern: Pattern; readonly gap: Gap; readonly fold: Fold }
  | ({ readonly kind: "every" } & Every)
  | { readonly kind: "list"; readonly instants: readonly EpochMs[] };

export type Timed = { readonly zone: Zone; readonly timing: Timing };

export type Voice = {
  readonly zone: Zone;
  /** A number of milliseconds of which all its instants since 1973 are multiples; null where nothing is sure. */
  readonly gridMs: number | null;
  /** The first instant at or after one at which it fires; undefined where there is none up to the horizon. */
  hitFrom(from: EpochMs): Hit | undefined;
  /** Until when it is sure to fire as every voice does that answers the same key; undefined where nothing is sure. */
  likeness(from: EpochMs): Likeness | undefined;
};

/** Zones are alike as long as their clocks are, so that exceptions that are judged on local times find them alike, too. */
export type Likeness = { readonly key: string; readonly until: EpochMs };

/** In the order in which the first of each is written. */
export function voicesOf(members: readonly Timed[]): Voice[] {
  const groups = new Map<string, [Timed, ...Timed[]]>();
  for (const member of members) {
    const key = `${member.zone.name} ${wayOf(member.timing)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return [...groups.values()].map(voiceOf);
}

/** Members of one zone with the same way can be one voice. */
function wayOf(timing: Timing): string {
  switch (timing.kind) {
    case "wall":
      return `wall ${timing.gap} ${timing.fold}`;
    case "every":
      return `every ${timing.everyMs} ${timing.anchorAt}`;
    case "list":
      return "list";
  }
}

/** `members`: of one zone, and of one way to keep time. */
export function voiceOf(members: readonly [Timed, ...Timed[]]): Voice {
  const [{ zone, timing }] = members;
  switch (timing.kind) {
    case "wall":
      return wallVoice(
        members.flatMap((one) => (one.timing.kind === "wall" ? [one.timing.pattern] : [])),
        timing,
        zone,
      );
    case "every":
      return everyVoice(timing, zone);
    case "list": {
      const listed = members.flatMap((one) => (one.timing.kind === "list" ? one.timing.instants : []));
      const sorted = members.length === 1 ? listed : [...new Set(listed)].sort((a, b) => a - b);
      return { zone, gridMs: null, hitFrom: (from) => hitAt(listedFrom(sorted, from)), likeness: () => undefined };
    }
  }
}

function hitAt(at: EpochMs | undefined): Hit | undefined {
  return at === undefined ? undefined : { at, note: null };
}

function wallVoice(patterns: readonly Pattern[], { gap, fold }: { readonly gap: Gap; readonly fold: Fold }, zone: Zone): Voice {
  const pattern = unionOf(patterns);
  const firing = { pattern, zone, gap, fold };
  const likeness = kept((from) => {
    const of = pattern.shapeAt(localAt(zone, from));
    const clocks = clocksFrom(zone, from, `${gap} ${fold}`);
    const until = of === undefined ? from : toEpochMs(Math.min(of.until - foldMsMax, clocks.until));
    return until > from ? { key: `${of?.shape} ${clocks.key}`, until } : undefined;
  });
  return { zone, gridMs: gridOf(patterns), likeness, hitFrom: (from) => firingFrom(firing, from) };
}

/** Cron of five fields fires on whole minutes, shifted or not: zones have offsets, and change them, on whole minutes since 1973. */
function gridOf(patterns: readonly Pattern[]): number {
  return patterns.every(({ seconds: [first, second] }) => first === 0 && second === -1) ? minuteMs : secondMs;
}

function everyVoice(every: Every, zone: Zone): Voice {
  const { everyMs, anchorAt } = every;
  const phase = `every ${everyMs} ${anchorAt % everyMs}`;
  // When it fires is the same in all zones. The clocks are in it for the sake of exceptions, which are judged on local times.
  const likeness = kept((from) => {
    if (from <= anchorAt) return undefined;
    const { key, until } = clocksFrom(zone, from, "");
    return { key: `${phase} ${key}`, until };
  });
  return { zone, gridMs: null, likeness, hitFrom: (from) => hitAt(everyFrom(every, from)) };
}

/** Asks again only for what lies outside of the last answer. */
function kept(read: Voice["likeness"]): Voice["likeness"] {
  let last = { from: horizonAt, likeness: undefined as Likeness | undefined };
  return (from) => {
    if (last.likeness === undefined || from < last.from || from >= last.likeness.until) last = { from, likeness: read(from) };
    return last.likeness;
  };
}

/** What a zone's clocks do from an instant on, so far as it can matter to what fires: zones that do the same have the same key. */
function clocksFrom(zone: Zone, from: EpochMs, policy: string): Likeness {
  const calm = zone.stretchAt(from);
  if (from - calm.startAt > farMs && calm.endAt - from > farMs) return { key: String(calm.offsetMs), until: toEpochMs(calm.endAt - farMs) };
  const until = toEpochMs(from + 2 * farMs);
  const steps: string[] = [policy];
  for (let stretch = zone.stretchAt(toEpochMs(from - farMs)); ; stretch = zone.stretchAt(stretch.endAt)) {
    steps.push(`${stretch.offsetMs} ${stretch.endAt}`);
    if (stretch.endAt > until + farMs) break;
  }
  // Where the last of them ends does not matter any more.
  return { key: `${steps.slice(0, -1).join(" ")} ${steps.at(-1)?.split(" ")[0]}`, until };
}
