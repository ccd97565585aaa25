/**
 * One dispatcher pass over a range of shards: hints the past by stretches, then the near future by names. It needs nothing but
 * the index, writes nothing per job, and may run twice at once without harm. A tick starts it and tells it nothing.
 */

import { endOf, type StretchHint, startOf, type WheelKey } from "../core/hint.ts";
import { type Priority, priorities } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { type EpochMs, earlierOf, later, toEpochMs } from "../core/time.ts";
import { sendHints } from "./commit.ts";
import type { Engine } from "./engine.ts";
import { hintNearFuture } from "./nearFuture.ts";
import type { Cursor } from "./ports.ts";

/** The shards that one turn looks after. */
export type ShardRange = { readonly range: number; readonly shards: readonly number[] };

export type TurnAnswer =
  | { readonly kind: "turned"; readonly named: number; readonly stretches: number }
  /** Another turn runs over the range. */
  | { readonly kind: "leased" };

/** `endsAt`: when the platform ends the invocation; what it did not come to is the next turn's. */
export async function turn(engine: Engine, range: ShardRange, endsAt: EpochMs | null): Promise<TurnAnswer> {
  const cursor = await lease(engine, range, endsAt);
  if (cursor === "leased") return { kind: "leased" };
  const hasTime = () => endsAt === null || engine.clock.now() < endsAt;
  const { stretches, oldestWakeAt } = await hintPast(engine, range, hasTime);
  const { cursor: moved, named } = await hintNearFuture(engine, range.shards, cursor, hasTime);
  // A stale cursor means that another turn took over; its places stand, and ours cost nothing but doubled hints.
  await engine.cursors.save({ ...moved, version: moved.version + 1, leaseUntil: null });
  engine.observe({ kind: "turned", range: range.range, named, stretches, oldestWakeAt });
  return { kind: "turned", named, stretches };
}

/** No longer than the invocation lasts, so that a turn that died does not cost the next tick too. */
function lease(engine: Engine, { range }: ShardRange, endsAt: EpochMs | null): Promise<Cursor | "leased"> {
  const now = engine.clock.now();
  const longest = later(now, engine.params.tickMs);
  // A lease beyond what one taken now could have was written before the clock was set back; its turn is long over.
  return engine.cursors.lease(range, { now, until: earlierOf(longest, endsAt ?? longest), beyond: later(longest, limits.clockSkewMsMax) });
}

/** Where a partition still holds entries older than the grace, its past is cut into stretches, each hinted once. */
async function hintPast(
  engine: Engine,
  range: ShardRange,
  hasTime: () => boolean,
): Promise<{ readonly stretches: number; readonly oldestWakeAt: EpochMs | null }> {
  let count = 0;
  let oldestWakeAt: EpochMs | null = null;
  // Each turn begins with another shard, so that none is always the one for which no time is left.
  const first = Math.floor(engine.clock.now() / engine.params.tickMs) % range.shards.length;
  for (const shard of [...range.shards.slice(first), ...range.shards.slice(0, first)]) {
    const hints: StretchHint[] = [];
    for (const priority of priorities) {
      const past = await cutPast(engine, shard, priority);
      hints.push(...past.stretches);
      if (past.oldestWakeAt !== null) oldestWakeAt = earlierOf(oldestWakeAt ?? past.oldestWakeAt, past.oldestWakeAt);
    }
    if (hints.length > 0) await sendHints(engine, hints);
    count += hints.length;
    if (!hasTime()) break;
  }
  return { stretches: count, oldestWakeAt };
}

/** Cuts by the count of the oldest page, so that each stretch is a like amount of work; the last one reaches to the end of the past. */
async function cutPast(
  engine: Engine,
  shard: number,
  priority: Priority,
): Promise<{ readonly stretches: readonly StretchHint[]; readonly oldestWakeAt: EpochMs | null }> {
  const now = engine.clock.now();
  const stretchMax = engine.params.stretchesPerPartition;
  const end = endOf(later(now, -engine.params.graceMs));
  const begin = startOf(toEpochMs(0));
  const limit = stretchMax === 1 ? 1 : engine.params.pageEntries;
  const page = await engine.store.wheel({ shard, priority, after: begin, until: end, limit });
  const oldest = page[0];
  if (oldest === undefined) return { stretches: [], oldestWakeAt: null };
  const entriesPerStretch = Math.ceil(page.length / stretchMax);
  const stretches: StretchHint[] = [];
  let after: WheelKey = begin;
  for (let cutIndex = entriesPerStretch - 1; cutIndex < page.length - 1; cutIndex += entriesPerStretch) {
    const cutEntry = page[cutIndex];
    if (cutEntry === undefined) break;
    const until = { wakeAt: cutEntry.wakeAt, id: cutEntry.id };
    stretches.push({ kind: "stretch", shard, priority, after, until, cutAt: now, startAt: now });
    after = until;
  }
  stretches.push({ kind: "stretch", shard, priority, after, until: end, cutAt: now, startAt: now });
  return { stretches, oldestWakeAt: oldest.wakeAt };
}
