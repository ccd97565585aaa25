/**
 * From the wall to the world: the instants at which a pattern fires in a zone. The zone maps local times to instants one to one but at
 * its changes; what happens there is the policies' matter.
 */

import { type EpochMs, later, secondMs, toEpochMs } from "../time.ts";
import { firstAt, horizonAt } from "./bounds.ts";
import { type LocalMs, toLocalMs } from "./civil.ts";
import type { Union } from "./union.ts";
import { farMs, foldMsMax, type Pass, passesOf, type Stretch, type Zone } from "./zone.ts";

/** What becomes of times that the clocks jump over. */
export type Gap = "shift" | "skip";
/** Which pass counts where the clocks show a time twice. */
export type Fold = "first" | "last" | "both";
/** What a caller should know of an occurrence: it took the place of times in a gap, or it is one pass of a fold. */
export type Note = "gap_shifted" | "fold_first" | "fold_last";

/** A wall-clock rule. */
export type Firing = { readonly pattern: Union; readonly zone: Zone; readonly gap: Gap; readonly fold: Fold };

export type Hit = { readonly at: EpochMs; readonly note: Note | null };

/** The first instant at or after one at which the rule fires; undefined where there is none before the horizon. */
export function firingFrom(firing: Firing, from: EpochMs): Hit | undefined {
  const { pattern, zone } = firing;
  let at = from < firstAt ? firstAt : from;
  while (at < horizonAt) {
    const stretch = zone.stretchAt(at);
    if (at === stretch.startAt && firing.gap === "shift" && firesInGap(firing, stretch)) return { at, note: "gap_shifted" };
    const local = pattern.from(toLocalMs(at + stretch.offsetMs));
    if (local !== undefined && local < stretch.endAt + stretch.offsetMs) {
      const judged = judge(firing, local, stretch);
      if ("at" in judged) return judged.at < horizonAt ? judged : undefined;
      at = judged.goOnAt;
    } else if (stretch.endAt - at <= farMs) {
      at = stretch.endAt;
    } else {
      // No local time before `local` matches, and no fold from here on reaches back before this one: stretches are passed over.
      if (local === undefined) return undefined;
      at = toEpochMs(Math.max(stretch.endAt, local - foldMsMax));
    }
  }
  return undefined;
}

/** Whether the pattern has a time in the gap at whose end a stretch begins. */
function firesInGap({ pattern, zone }: Firing, stretch: Stretch): boolean {
  const before = zone.stretchAt(later(stretch.startAt, -1));
  if (before.offsetMs >= stretch.offsetMs) return false;
  const end = stretch.startAt + stretch.offsetMs;
  let local = pattern.from(toLocalMs(stretch.startAt + before.offsetMs));
  // A time that another stretch shows is no gap's, though two changes a few hours apart make it look so.
  while (local !== undefined && local < end) {
    if (passesOf(zone, local).length === 0) return true;
    local = pattern.from(toLocalMs(local + secondMs));
  }
  return false;
}

/** A matching time as the stretch shows it: it fires, or another pass does and the search goes on behind the times of which that is so. */
function judge({ zone, fold }: Firing, local: LocalMs, stretch: Stretch): Hit | { readonly goOnAt: EpochMs } {
  const at = toEpochMs(local - stretch.offsetMs);
  const isInside = at - stretch.startAt >= foldMsMax && stretch.endAt - at > foldMsMax;
  if (isInside) return { at, note: null };
  const passes = passesOf(zone, local);
  const [first] = passes;
  const last = passes.at(-1);
  if (first === undefined || last === undefined) throw new Error(`expected ${local} to be shown in ${zone.name}, got no pass of it`);
  if (first === last) return { at, note: null };
  const note = at === first.at ? "fold_first" : "fold_last";
  if (fold === "first" && at !== first.at) return { goOnAt: behind(first, stretch) };
  if (fold === "last" && at !== last.at) return { goOnAt: behind(last, stretch) };
  return { at, note };
}

/** The first instant of a stretch whose local time another one, which fires instead, does not show. */
function behind(pass: Pass, stretch: Stretch): EpochMs {
  const end = pass.stretch.endAt + pass.stretch.offsetMs - stretch.offsetMs;
  return toEpochMs(Math.min(end, stretch.endAt));
}
