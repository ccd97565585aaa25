/**
 * An index that follows its table when it can: each change of an item removes one entry and adds another, and the two become visible
 * each in its own time. Between them an item stands at two places, or at none.
 */

import { type EpochMs, later } from "../../src/core/time.ts";
import type { Item } from "../../src/store/dynamo/table.ts";

export type WheelIndex = {
  /** An item was written. `lagMs` is asked for each entry that changes. */
  change(before: Item | undefined, after: Item, now: EpochMs, lagMs: () => number): void;
  /** The entries of one partition that can be seen now, from one sort key to another, both included. */
  isEmpty(partition: string, now: EpochMs): boolean;
  query(page: { partition: string; from: string; to: string; limit: number }, now: EpochMs): { items: Item[]; hasMore: boolean };
};

type Entry = { readonly at: string; readonly item: Item };
type Pending = { readonly visibleAt: number; readonly partition: string; readonly at: string; readonly item: Item | undefined };

export function createWheelIndex(): WheelIndex {
  const partitions = new Map<string, Entry[]>();
  const pending: Pending[] = [];
  const visibleFrom = new Map<string, number>();

  function put({ partition, at, item }: Omit<Pending, "visibleAt">): void {
    const entries = partitions.get(partition) ?? [];
    partitions.set(partition, entries);
    const place = placeOf(entries, at);
    const standing = entries[place]?.at === at ? 1 : 0;
    if (item === undefined) entries.splice(place, standing);
    else entries.splice(place, standing, { at, item });
  }

  /** The changes of one entry become visible in the order they were made. */
  function follow(item: Item, to: Item | undefined, visibleAt: number): void {
    const change = { partition: String(item["w"]), at: String(item["at"]), item: to };
    const key = `${change.partition} ${change.at}`;
    const at = Math.max(visibleAt, visibleFrom.get(key) ?? 0);
    visibleFrom.set(key, at);
    const place = pending.findLastIndex((other) => other.visibleAt <= at) + 1;
    pending.splice(place, 0, { ...change, visibleAt: at });
  }

  function catchUp(now: EpochMs): void {
    let count = 0;
    for (const change of pending) {
      if (change.visibleAt > now) break;
      put(change);
      count += 1;
    }
    if (count > 0) pending.splice(0, count);
  }

  return {
    change(before, after, now, lagMs) {
      if (!movesEntry(before, after)) return;
      const leaves = before?.["w"] !== undefined && (before["w"] !== after["w"] || before["at"] !== after["at"]);
      if (leaves) follow(before, undefined, later(now, lagMs()));
      if (after["w"] !== undefined) follow(after, projected(after), later(now, lagMs()));
    },
    isEmpty(partition, now) {
      catchUp(now);
      return (partitions.get(partition)?.length ?? 0) === 0;
    },
    query({ partition, from, to, limit }, now) {
      catchUp(now);
      const entries = partitions.get(partition) ?? [];
      const first = placeOf(entries, from);
      const items: Item[] = [];
      for (let place = first; place < entries.length; place++) {
        const entry = entries[place];
        if (entry === undefined || entry.at > to) break;
        if (items.length === limit) return { items, hasMore: true };
        items.push(entry.item);
      }
      return { items, hasMore: false };
    },
  };
}

/** Whether a write costs the index anything: a claim, a settling that ends nothing and a cancel's mark leave its entry as it is. */
export function movesEntry(before: Item | undefined, after: Item): boolean {
  return before?.["w"] !== after["w"] || before?.["at"] !== after["at"] || before?.["h"] !== after["h"];
}

function projected({ pk, sk, w, at, h }: Item): Item {
  if (pk === undefined || sk === undefined || w === undefined || at === undefined || h === undefined)
    throw new Error("expected an item of the wheel to have its keys and `h`");
  return { pk, sk, w, at, h };
}

/** The first entry that does not come before the key. */
function placeOf(entries: readonly Entry[], at: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.at ?? "") < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
