/** What a house may cost, however bad the day: hints and writes are bounded by jobs and turns, never by how long a backlog or an outage lasts. */

import type { World } from "../world.ts";
import type { Chronicle, Violation } from "./chronicle.ts";

/** One item at one instant: its maker, a turn, whoever had no time or no slot; and one more each time its wait after an outage doubles. */
const namesPerInstant = 24;
/** How often a wait doubles until names are too old. */
const doublings = 8;
/** Within one tick a stretch is handed on so often: each invocation works for most of its timeout. */
const followUpsPerStretch = 3;

export function hintsAreBounded(chronicle: Chronicle, { history, params, weather, profile }: World): Violation[] {
  if (profile === "home") return [];
  const names = new Map<string, number>();
  const cuts = new Map<string, number>();
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
      cuts.set(partition, (cuts.get(partition) ?? 0) + 1);
    } else if (hint.after.wakeAt === hint.until.wakeAt) {
      // One item that found no slot.
      places += 1;
    } else {
      followUps += 1;
    }
  }
  // Each message that is sent twice, doubled by the queue, or brought back because its deletion failed, has followers of its own.
  const { doubled, doubledMuchLater, deleteFails } = weather.queue;
  const copies = 1 + doubled + doubledMuchLater + deleteFails + weather.perCall.repeated;
  const violations: Violation[] = [];
  const bound = (what: string, count: number, countMax: number) => {
    if (count > countMax)
      violations.push({ invariant: "bounded hints", message: `${what}: ${count}, expected at most ${Math.ceil(countMax)}` });
  };
  for (const [item, count] of names) bound(`names of ${item}`, count, namesPerInstant * copies ** doublings + turns);
  let cut = 0;
  for (const [partition, count] of cuts) {
    cut += count;
    // Twice, where the send was made again after a lost reply.
    bound(`stretches cut of ${partition}`, count, 2 * params.stretchesPerPartition);
  }
  bound("items that found no slot", places, copies * named);
  bound("stretches handed on", followUps, copies ** 2 * followUpsPerStretch * (cut + places));
  return [...violations, ...writesAreBounded(chronicle, history)];
}

/** A write that finds another version costs as much as one that counts: they are the exception. */
function writesAreBounded({ stories }: Chronicle, history: World["history"]): Violation[] {
  const stale = history.filter((happening) => happening.kind === "stale").length;
  const changes = [...stories.values()].reduce((sum, story) => sum + story.changes.length, 0);
  if (stale <= changes) return [];
  return [{ invariant: "bounded writes", message: `${stale} writes changed nothing, ${changes} did` }];
}
