/**
 * A store in memory: the model that other stores are compared with, and what the simulation runs on. It promises no durability and
 * otherwise the least that the port allows: a payload is gone at `keptUntil`, though a database may keep it longer.
 */

import { shardOf, type WheelEntry } from "../core/hint.ts";
import { hasChange, isLive, type Job, type Priority } from "../core/job.ts";
import type { EpochMs } from "../core/time.ts";
import type { Cursor, Cursors, ListKey, Store } from "../engine/ports.ts";
import { refuseLargePayload } from "./item.ts";
import { compareListKeys, compareWheelKeys, itemKey } from "./keys.ts";

export function memoryStore({ now, shards }: { now: () => EpochMs; shards: number }): Store {
  const jobs = new Map<string, Job>();
  const wheel = new Map<string, WheelEntry[]>();
  const lists = new Map<string, ListKey[]>();
  const payloads = new Map<string, { readonly bytes: Uint8Array; readonly keptUntil: EpochMs }>();

  const partition = (shard: number, priority: Priority) => arrayAt(wheel, `${shard}#${priority}`);
  const partitionOf = (job: Job) => partition(shardOf(job.id, shards), job.priority);
  const present = (job: Job | undefined) => (job === undefined || isExpired(job, now()) ? undefined : job);

  /** Replaces what stands under the job's key, on the wheel too. */
  function put(before: Job | undefined, job: Job): void {
    jobs.set(itemKey(job), job);
    if (before !== undefined && isLive(before)) removeSorted(partitionOf(before), before, compareWheelKeys);
    if (isLive(job)) {
      const { tenant, id, wakeAt, hinted } = job;
      insertSorted(partitionOf(job), { tenant, id, wakeAt, hinted }, compareWheelKeys);
    }
  }

  return {
    async insert(job) {
      const before = jobs.get(itemKey(job));
      const standing = present(before);
      if (standing !== undefined) return hasChange(standing, job.history.at(-1)?.change) ? "inserted" : "exists";
      const list = arrayAt(lists, job.tenant);
      if (before !== undefined) removeSorted(list, before, compareListKeys);
      insertSorted(list, { createdAt: job.createdAt, id: job.id }, compareListKeys);
      put(before, job);
      return "inserted";
    },
    async load(ref) {
      return present(jobs.get(itemKey(ref)));
    },
    async loadMany(refs) {
      return refs.map((ref) => present(jobs.get(itemKey(ref)))).filter((job) => job !== undefined);
    },
    async commit({ from, to, change }) {
      const standing = present(jobs.get(itemKey(from)));
      if (standing === undefined) return "stale";
      // The creation instant tells a job from an earlier one whose expired key it took.
      const unchanged = standing.version === from.version && standing.createdAt === from.createdAt;
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
        const job = present(jobs.get(`${tenant}\n${keys[index]?.id}`));
        if (job === undefined || (among === "failed" && job.state !== "failed")) continue;
        const last = found.at(-1);
        if (last !== undefined && found.length === limit) return { jobs: found, next: { createdAt: last.createdAt, id: last.id } };
        found.push(job);
      }
      return { jobs: found, next: null };
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

function isExpired(job: Job, now: EpochMs): boolean {
  return !isLive(job) && job.expiresAt <= now;
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
