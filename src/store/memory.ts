/**
 * A store in memory: the model that other stores are compared with, and what the simulation runs on. It promises no durability and
 * otherwise the least that the port allows: a payload is gone at `keptUntil`, though a database may keep it longer.
 */

import { shardOf, type WheelEntry } from "../core/hint.ts";
import type { ItemId } from "../core/ids.ts";
import {
  type AnyRef,
  changesOf,
  expiresAtOf,
  hasChange,
  type Item,
  type ItemOf,
  isJob,
  isOnWheel,
  type OnWheel,
  priorityOf,
} from "../core/item.ts";
import type { Job, Priority } from "../core/job.ts";
import type { EpochMs } from "../core/time.ts";
import type { Cursor, Cursors, ListKey, Named, NamedKind, NamedPage, Store } from "../engine/ports.ts";
import { kindOf, refuseLargePayload } from "./item.ts";
import { compareListKeys, compareNames, compareWheelKeys, incarnationOf, itemKey } from "./keys.ts";

type NameKey = { readonly name: string; readonly id: ItemId };

export function memoryStore({ now, shards }: { now: () => EpochMs; shards: number }): Store {
  const items = new Map<string, Item>();
  const wheel = new Map<string, WheelEntry[]>();
  const lists = new Map<string, ListKey[]>();
  const names = new Map<string, NameKey[]>();
  const payloads = new Map<string, { readonly bytes: Uint8Array; readonly keptUntil: EpochMs }>();

  const partition = (shard: number, priority: Priority) => arrayAt(wheel, `${shard}#${priority}`);
  const partitionOf = (item: OnWheel) => partition(shardOf(item.id, shards), priorityOf(item));
  const present = (item: Item | undefined) => (item === undefined || isExpired(item, now()) ? undefined : item);

  /** The item's kind is in its id's prefix, and the compiler is told of it by the id's type. */
  function find<Id extends ItemId>(ref: AnyRef<Id>): ItemOf<Id> | undefined {
    return present(items.get(itemKey(ref))) as ItemOf<Id> | undefined;
  }

  /** Replaces what stands under the item's key, on the wheel too. */
  function put(before: Item | undefined, item: Item): void {
    items.set(itemKey(item), item);
    if (before !== undefined && isOnWheel(before)) removeSorted(partitionOf(before), before, compareWheelKeys);
    if (isOnWheel(item)) {
      const { tenant, id, wakeAt, hinted } = item;
      insertSorted(partitionOf(item), { tenant, id, wakeAt, hinted }, compareWheelKeys);
    }
  }

  /** Puts a new item into the list of its kind, in place of the expired one whose id it takes. */
  function enlist(before: Item | undefined, item: Item): void {
    if (isJob(item)) {
      const list = arrayAt(lists, item.tenant);
      if (before !== undefined) removeSorted(list, before, compareListKeys);
      insertSorted(list, { createdAt: item.createdAt, id: item.id }, compareListKeys);
    } else if (before === undefined) {
      insertSorted(arrayAt(names, `${item.tenant}\n${kindOf(item.id)}`), { name: item.name, id: item.id }, compareNames);
    }
  }

  return {
    async insert(item) {
      const before = items.get(itemKey(item));
      const standing = present(before);
      if (standing !== undefined) return hasChange(standing, changesOf(item).at(-1)) ? "inserted" : "exists";
      enlist(before, item);
      put(before, item);
      return "inserted";
    },
    async load(ref) {
      return find(ref);
    },
    async loadMany(refs) {
      return refs.map((ref) => find(ref)).filter((item) => item !== undefined);
    },
    async commit({ from, to, change }) {
      const standing = present(items.get(itemKey(from)));
      if (standing === undefined) return "stale";
      // The creation tells an item from an earlier one whose expired key it took.
      const isOfSameCreation = standing.createdAt === from.createdAt && incarnationOf(standing) === incarnationOf(from);
      const unchanged = standing.version === from.version && isOfSameCreation;
      if (!unchanged) return hasChange(standing, change) ? "committed" : "stale";
      put(standing, to);
      return "committed";
    },
    async wheel({ shard, priority, after, until, limit }) {
      const entries = partition(shard, priority);
      const start = placeAfter(entries, after, compareWheelKeys);
      const end = placeAfter(entries, until, compareWheelKeys);
      return entries.slice(start, Math.min(end, start + limit));
    },
    async list({ tenant, among, after, limit }) {
      const keys = arrayAt(lists, tenant);
      const found: Job[] = [];
      for (let index = after === null ? 0 : placeAfter(keys, after, compareListKeys); index < keys.length; index++) {
        const job = present(items.get(`${tenant}\n${keys[index]?.id}`)) as Job | undefined;
        if (job === undefined || (among === "failed" && job.state !== "failed")) continue;
        const last = found.at(-1);
        if (last !== undefined && found.length === limit) return { jobs: found, next: { createdAt: last.createdAt, id: last.id } };
        found.push(job);
      }
      return { jobs: found, next: null };
    },
    async listNamed<Kind extends NamedKind>({ tenant, kind, after, limit }: NamedPage<Kind>) {
      const found: Named[Kind][] = [];
      for (const { name, id } of arrayAt(names, `${tenant}\n${kind}`)) {
        const item = after !== null && name <= after ? undefined : find({ tenant, id });
        if (item === undefined) continue;
        if (found.length === limit) return { items: found, next: found.at(-1)?.name ?? null };
        found.push(item as Named[Kind]);
      }
      return { items: found, next: null };
    },
    async writePayload(owner, { id, bytes, keptUntil }) {
      refuseLargePayload(bytes);
      const key = `${itemKey(owner)}\n${id}`;
      if (!payloads.has(key)) payloads.set(key, { bytes: new Uint8Array(bytes), keptUntil });
    },
    async readPayloads(owner, ids) {
      return ids.map((id) => {
        const payload = payloads.get(`${itemKey(owner)}\n${id}`);
        return payload === undefined || payload.keptUntil <= now() ? undefined : new Uint8Array(payload.bytes);
      });
    },
  };
}

export function memoryCursors(): Cursors {
  const cursors = new Map<number, Cursor>();
  return {
    async lease(range, { now, until, beyond }) {
      const { version, places, leaseUntil } = cursors.get(range) ?? { version: 0, places: {}, leaseUntil: null };
      if (leaseUntil !== null && leaseUntil > now && leaseUntil <= beyond) return "leased";
      const leased: Cursor = { range, version: version + 1, places, leaseUntil: until };
      cursors.set(range, leased);
      return leased;
    },
    async save(cursor) {
      if (cursors.get(cursor.range)?.version !== cursor.version - 1) return "stale";
      cursors.set(cursor.range, cursor);
      return "saved";
    },
  };
}

function isExpired(item: Item, now: EpochMs): boolean {
  const expiresAt = expiresAtOf(item);
  return expiresAt !== null && expiresAt <= now;
}

function arrayAt<T>(map: Map<string, T[]>, key: string): T[] {
  const standing = map.get(key);
  if (standing !== undefined) return standing;
  const items: T[] = [];
  map.set(key, items);
  return items;
}

/** The index of the first item that comes after `key`. */
function placeAfter<Key>(sorted: readonly Key[], key: Key, compare: (a: Key, b: Key) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && compare(item, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insertSorted<Key, Item extends Key>(sorted: Item[], item: Item, compare: (a: Key, b: Key) => number): void {
  sorted.splice(placeAfter<Key>(sorted, item, compare), 0, item);
}

function removeSorted<Key>(sorted: Key[], key: Key, compare: (a: Key, b: Key) => number): void {
  const index = placeAfter(sorted, key, compare) - 1;
  const item = sorted[index];
  if (item !== undefined && compare(item, key) === 0) sorted.splice(index, 1);
}
