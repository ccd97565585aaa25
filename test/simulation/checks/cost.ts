/** What a house may cost, however bad the day: hints and writes are bounded by jobs and turns, never by how long a backlog or an outage lasts. */

import type { StretchHint } from "../../../src/core/hint.ts";
import { formatInstant } from "../../../src/core/time.ts";
import { compareWheelKeys } from "../../../src/store/keys.ts";
import type { Capacity } from "../house.ts";
import type { World } from "../world.ts";
import type { Chronicle, Violation } from "./chronicle.ts";

/** One item at one instant: its maker, a turn, whoever had no time or no slot; and one more each time its wait after an outage doubles. */
const namesPerInstant = 24;
/** How often a wait doubles until names are too old. */
const doublings = 8;
/** Within one tick a stretch is handed on so often: each invocation works for most of its timeout. */
const followUpsPerStretch = 3;

/** The chain of a stretch ends when a later turn has cut the past anew: whoever took it before then hands it on at its invocation's end at the latest. */
export function chainsEnd({ history, params, weather, profile }: World, { spans }: Capacity): Violation[] {
  if (profile === "home") return [];
  const lastMs = params.stretchAgeMsMax + spans.executorTimeoutMs + 2 * weather.skewMsMax;
  return history.flatMap((one) => {
    if (one.kind !== "hinted" || one.hint.kind !== "stretch" || one.at <= one.hint.cutAt + lastMs) return [];
    return [{ invariant: "bounded hints", message: `${one.by} handed on a stretch at ${formatInstant(one.at)}, long after it was cut` }];
  });
}

/** A turn hints the past of a partition whole: from its beginning to the grace, stretch by stretch. */
export function pastIsCutWhole({ lives }: Chronicle, { history, params, weather, profile }: World): Violation[] {
  if (profile === "home" || weather.mishaps.refusedSends > 0) return [];
  const cuts = new Map<string, { readonly by: string; readonly stretches: StretchHint[] }>();
  for (const happening of history) {
    if (happening.kind !== "hinted" || happening.hint.kind === "names" || !happening.by.startsWith("dispatcher")) continue;
    const { hint, by } = happening;
    const key = `${hint.shard} ${hint.priority} by ${by}`;
    const cut = cuts.get(key) ?? { by, stretches: [] };
    cuts.set(key, cut);
    cut.stretches.push(hint);
  }
  return [...cuts].flatMap(([key, { by, stretches }]) => {
    // Of a turn for which something went wrong, a part may not have been sent.
    if ((lives.get(by)?.faults.length ?? 0) > 0 || isWhole(stretches, params.graceMs)) return [];
    return [{ invariant: "the past is hinted whole", message: `the stretches of ${key} leave a gap` }];
  });
}

function isWhole(stretches: readonly StretchHint[], graceMs: number): boolean {
  const ordered = stretches.toSorted((a, b) => compareWheelKeys(a.after, b.after));
  return ordered.every(({ after, until, cutAt }, index) => {
    const next = ordered[index + 1];
    if (index === 0 && after.wakeAt !== 0) return false;
    if (next === undefined) return until.wakeAt === cutAt - graceMs;
    // One that was sent twice stands there twice.
    return compareWheelKeys(next.after, until) === 0 || compareWheelKeys(next.until, until) === 0;
  });
}

export function hintsAreBounded(chronicle: Chronicle, { history, params, weather, profile }: World): Violation[] {
  if (profile === "home") return [];
  const names = new Map<string, number>();
  const cuts = new Map<string, Set<string>>();
  let cut = 0;
  let turns = 0;
  let named = 0;
  let places = 0;
  let followUps = 0;
  for (const happening of history) {
    if (happening.kind === "turned") turns += 1;
    if (happening.kind !== "hinted") continue;
    const { hint, by } = happening;
    if (hint.kind === "names") {
      named += hint.names.length;
      for (const { id, wakeAt } of hint.names) names.set(`${id} for ${wakeAt}`, (names.get(`${id} for ${wakeAt}`) ?? 0) + 1);
    } else if (by.startsWith("dispatcher")) {
      const partition = `${hint.shard} ${hint.priority} by ${by}`;
      // The same one may be sent again, where a reply was lost or a part of its batch was refused.
      cuts.set(
        partition,
        (cuts.get(partition) ?? new Set()).add(`${hint.after.wakeAt} ${hint.after.id} ${hint.until.wakeAt} ${hint.until.id}`),
      );
      cut += 1;
    } else if (hint.after.wakeAt === hint.until.wakeAt) {
      // One item that found no slot.
      places += 1;
    } else {
      followUps += 1;
    }
  }
  // Each message that is sent twice, doubled by the queue, or brought back because its deletion failed, has followers of its own.
  const { doubled, doubledMuchLater, deleteFails, expires } = weather.queue;
  const copies = 1 + doubled + doubledMuchLater + deleteFails + expires + weather.mishaps.perCall.repeated;
  const violations: Violation[] = [];
  const bound = (what: string, count: number, countMax: number) => {
    if (count > countMax)
      violations.push({ invariant: "bounded hints", message: `${what}: ${count}, expected at most ${Math.ceil(countMax)}` });
  };
  for (const [item, count] of names) bound(`names of ${item}`, count, namesPerInstant * copies ** doublings + turns);
  for (const [partition, stretches] of cuts) bound(`stretches cut of ${partition}`, stretches.size, params.stretchesPerPartition);
  bound("items that found no slot", places, copies * named);
  bound("stretches handed on", followUps, copies ** 2 * followUpsPerStretch * (cut + places));
  return [...violations, ...writesAreBounded(chronicle, history)];
}

/** A write that finds another version costs as much as one that counts: they are the exception. */
function writesAreBounded({ stories }: Chronicle, history: World["history"]): Violation[] {
  const stale = history.filter((happening) => happening.kind === "stale").length;
  const ruled = history.filter((happening) => happening.kind === "ruled").length;
  const changes = [...stories.values()].reduce((sum, story) => sum + story.changes.length, ruled);
  if (stale <= changes) return [];
  return [{ invariant: "bounded writes", message: `${stale} writes changed nothing, ${changes} did` }];
}
