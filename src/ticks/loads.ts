/** What stands on shards of the wheel: asked before they are given up, for nobody looks after a shard that is not counted. */

import { endOf, startOf } from "../core/hint.ts";
import { type Priority, priorities } from "../core/job.ts";
import type { ShardLoad } from "../core/tickPlan.ts";
import { toEpochMs } from "../core/time.ts";
import type { Store } from "../engine/ports.ts";

/** Of each priority. Enough to tell a few forgotten jobs from a shard in use. */
const countMax = 100;
/** Shards looked at at once. */
const looksAtOnce = 8;

const always = { after: startOf(toEpochMs(0)), until: endOf(toEpochMs(9_999_999_999_999)) };

/** The shards from one up to another (exclusive) that are not empty. May lag behind writes by the index's seconds. */
export async function loadsOf(store: Pick<Store, "wheel">, from: number, to: number): Promise<readonly ShardLoad[]> {
  const countOf = async (shard: number, priority: Priority) =>
    (await store.wheel({ shard, priority, ...always, limit: countMax + 1 })).length;
  const loadOf = async (shard: number): Promise<ShardLoad> => {
    const counts = await Promise.all(priorities.map((priority) => countOf(shard, priority)));
    const hasMore = counts.some((count) => count > countMax);
    return { shard, count: counts.reduce((sum, count) => sum + Math.min(count, countMax), 0), hasMore };
  };
  const loads: ShardLoad[] = [];
  for (let first = from; first < to; first += looksAtOnce) {
    const shards = Array.from({ length: Math.min(looksAtOnce, to - first) }, (_, index) => first + index);
    loads.push(...(await Promise.all(shards.map(loadOf))));
  }
  return loads.filter(({ count }) => count > 0);
}
