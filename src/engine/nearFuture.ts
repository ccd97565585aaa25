/** Naming what is owed soon: from each shard's place to the look-ahead, over all shards of a range, so that one hint holds many names. */

import { endOf, type WheelEntry, type WheelKey } from "../core/hint.ts";
import { type Priority, priorities } from "../core/job.ts";
import { type EpochMs, earlierOf, later, laterOf, secondMs } from "../core/time.ts";
import { sendHints } from "./commit.ts";
import type { Engine } from "./engine.ts";
import { groupNames, type Named } from "./group.ts";
import type { Cursor } from "./ports.ts";

/** A cursor is written this often within a turn, so that one that is cut short repeats few hints. */
const saveEveryMs = 5 * secondMs;

/** Names gathered before they are sent: enough to fill hints, few enough to hold. */
const gatherMax = 2_000;

export async function hintNearFuture(
  engine: Engine,
  shards: readonly number[],
  leased: Cursor,
  hasTime: () => boolean,
): Promise<{ readonly cursor: Cursor; readonly named: number }> {
  const now = engine.clock.now();
  const until = later(now, engine.params.lookaheadMs);
  const gatherer = createGatherer(engine);
  // The shard that is furthest behind comes first.
  const behind = shards.map((shard) => ({ shard, place: placeOf(engine, leased, shard, now) })).toSorted((a, b) => a.place - b.place);
  let cursor = leased;
  let savedAt = now;
  for (const { shard, place } of behind) {
    if ((await gatherShard(engine, gatherer, shard, { after: endOf(place), until: endOf(until) })) === "failed") break;
    gatherer.reach(shard, until);
    if (!hasTime()) break;
    if (engine.clock.now() < savedAt + saveEveryMs) continue;
    await gatherer.flush();
    const saved = withPlaces(cursor, gatherer);
    if ((await engine.cursors.save(saved)) === "stale") break;
    cursor = saved;
    savedAt = engine.clock.now();
  }
  await gatherer.flush();
  return { cursor: { ...cursor, places: { ...cursor.places, ...gatherer.places() } }, named: gatherer.named() };
}

function withPlaces(cursor: Cursor, gatherer: Gatherer): Cursor {
  // The lease stays as it was taken: a turn that outlives it may be overtaken, which costs doubled hints.
  return { ...cursor, version: cursor.version + 1, places: { ...cursor.places, ...gatherer.places() } };
}

async function gatherShard(
  engine: Engine,
  gatherer: Gatherer,
  shard: number,
  stretch: { after: WheelKey; until: WheelKey },
): Promise<"gathered" | "failed"> {
  for (const priority of priorities) {
    for await (const entries of pagesOf(engine, { ...stretch, shard, priority })) {
      const answer = await gatherer.add(priority, unhinted(engine, entries));
      if (answer === "failed") return "failed";
      // Nobody can take more of this partition: the rest is found on the wheel when someone is free.
      if (answer === "full") break;
    }
  }
  return "gathered";
}

type Gatherer = {
  add(priority: Priority, entries: readonly WheelEntry[]): Promise<"sent" | "full" | "failed">;
  /** The shard was read up to the instant: its place, once what was gathered is sent. */
  reach(shard: number, until: EpochMs): void;
  flush(): Promise<"sent" | "full" | "failed">;
  /** How far each shard's names have been sent. */
  places(): Readonly<Record<number, EpochMs>>;
  named(): number;
};

function createGatherer(engine: Engine): Gatherer {
  let gathered: Named[] = [];
  let reached: Record<number, EpochMs> = {};
  let places: Record<number, EpochMs> = {};
  let named = 0;

  async function flush(): Promise<"sent" | "full" | "failed"> {
    const answer = gathered.length === 0 ? "sent" : await sendHints(engine, groupNames(gathered, engine.params.namesPerHint));
    // What was not sent is named by the next turn, from the old places.
    if (answer !== "failed") {
      named += gathered.length;
      places = { ...places, ...reached };
    }
    gathered = [];
    reached = {};
    return answer;
  }

  return {
    async add(priority, entries) {
      for (const { tenant, id, wakeAt } of entries) gathered.push({ tenant, id, wakeAt, priority });
      return gathered.length < gatherMax ? "sent" : flush();
    },
    reach(shard, until) {
      reached[shard] = until;
    },
    flush,
    places: () => places,
    named: () => named,
  };
}

/** Never earlier than the past's own hints reach, never later than the look-ahead. */
function placeOf(engine: Engine, cursor: Cursor, shard: number, now: EpochMs): EpochMs {
  const earliest = later(now, -engine.params.graceMs);
  const latest = later(now, engine.params.lookaheadMs);
  return earlierOf(laterOf(cursor.places[shard] ?? earliest, earliest), latest);
}

function unhinted(engine: Engine, entries: readonly WheelEntry[]): readonly WheelEntry[] {
  return entries.filter((entry) => !entry.hinted || entry.wakeAt < engine.params.hintedAnewBefore);
}

async function* pagesOf(
  engine: Engine,
  stretch: { shard: number; priority: Priority; after: WheelKey; until: WheelKey },
): AsyncGenerator<readonly WheelEntry[]> {
  const limit = engine.params.pageEntries;
  let { after } = stretch;
  for (;;) {
    const page = await engine.store.wheel({ ...stretch, after, limit });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    after = { wakeAt: last.wakeAt, id: last.id };
  }
}
