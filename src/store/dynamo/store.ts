/** The store on DynamoDB: single items under a condition each, and three sparse indexes. No transaction, no scan. */

import type { ItemRef } from "../../core/hint.ts";
import type { JobId } from "../../core/ids.ts";
import { hasChange, type Job } from "../../core/job.ts";
import type { EpochMs } from "../../core/time.ts";
import type { ListKey, Store } from "../../engine/ports.ts";
import { refuseLargePayload } from "../item.ts";
import { table as layout, listBuckets } from "../keys.ts";
import { unchangedSince, vacant, vacantAt } from "./conditions.ts";
import {
  isExpired,
  itemOf,
  jobKey,
  keyOfListEntry,
  listPartition,
  listSortKey,
  ownerKey,
  ownerOf,
  payloadKey,
  presentJob,
  rightAfter,
  ttlOf,
  wheelEntryOf,
  wheelPartition,
  wheelSortKey,
} from "./record.ts";
import type { Item, Key, Table } from "./table.ts";

export type DynamoOptions = {
  readonly table: Table;
  readonly now: () => EpochMs;
  /** Of the wheel. More than before is safe: what stands on the old ones is still walked. Fewer is not. */
  readonly shards: number;
  /** Told of a record that cannot be read where many are: it is passed over, so that one damaged job does not stop its neighbours. */
  readonly onUnreadable: (job: JobId, cause: unknown) => void;
};

export function createDynamoStore({ table, now, shards, onUnreadable }: DynamoOptions): Store {
  const loadJob = async (ref: ItemRef) => presentJob(await table.get(jobKey(ref)), now());

  /** The items of some jobs, by their owner's key. */
  async function readJobs(keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> {
    return new Map((await getOnce(table, keys)).map((item) => [String(item["pk"]), item]));
  }

  function presentUnlessUnreadable(item: Item | undefined): Job | undefined {
    try {
      return presentJob(item, now());
    } catch (cause) {
      onUnreadable(ownerOf(String(item?.["pk"])).id, cause);
      return undefined;
    }
  }

  async function listed(entries: readonly ListEntry[]): Promise<Job[]> {
    const found = await readJobs(entries);
    return entries.flatMap(({ pk, c }) => {
      const item = found.get(pk);
      // An entry whose key was taken anew since is that of an expired job; the index follows.
      return item?.["c"] === c ? (presentUnlessUnreadable(item) ?? []) : [];
    });
  }

  return {
    async insert(job) {
      const change = job.history.at(-1)?.change;
      for (;;) {
        if ((await table.put(itemOf(job, shards), vacantAt(now()))) === "written") return "inserted";
        const standing = await loadJob(job);
        // Nothing there: what stood has just expired. The key is free, and the write is made again.
        if (standing !== undefined) return hasChange(standing, change) ? "inserted" : "exists";
      }
    },
    load: loadJob,
    async loadMany(refs) {
      const found = await readJobs(refs.map(jobKey));
      return refs.flatMap((ref) => presentUnlessUnreadable(found.get(ownerKey(ref))) ?? []);
    },
    async commit({ from, to, change }) {
      const seen = { version: from.version, createdKey: listSortKey(from) };
      if ((await table.put(itemOf(to, shards), unchangedSince(seen))) === "written") return "committed";
      // The SDK repeats a write whose reply was lost, and the repeated one meets the first: our own change is then in the history.
      const standing = await loadJob(from);
      return standing !== undefined && hasChange(standing, change) ? "committed" : "stale";
    },
    async wheel({ shard, priority, after, until, limit }) {
      const index = layout.indexes.wheel;
      const [from, to] = [rightAfter(wheelSortKey(after)), wheelSortKey(until)];
      // DynamoDB refuses a stretch that ends before it begins; there is nothing in it.
      if (from > to) return [];
      const { items } = await table.query({ index, partition: wheelPartition(shard, priority), from, to, limit });
      return items.map(wheelEntryOf);
    },
    async list({ tenant, among, after, limit }) {
      const index = among === "failed" ? layout.indexes.failures : layout.indexes.list;
      const jobs: Job[] = [];
      // One more than asked for tells whether this page is the last. Expired items are passed over, so one reading may not fill it.
      for (let place = after; jobs.length <= limit; ) {
        const { entries, hasMore } = await newest(table, { index, tenant, after: place, limit: limit + 1 - jobs.length });
        jobs.push(...(await listed(entries)));
        const last = entries.at(-1);
        if (last === undefined || !hasMore) break;
        place = last.key;
      }
      const last = jobs[limit - 1];
      return jobs.length <= limit || last === undefined
        ? { jobs, next: null }
        : { jobs: jobs.slice(0, limit), next: { createdAt: last.createdAt, id: last.id } };
    },
    async writePayload(owner, { id, bytes, keptUntil }) {
      refuseLargePayload(bytes);
      // A copy: the caller may use its array again before the request has left.
      const own = new Uint8Array(bytes);
      await table.put({ ...payloadKey(owner, id), b: own, x: keptUntil, ttl: ttlOf(keptUntil) }, vacant);
    },
    async readPayloads(owner, ids) {
      const items = await getOnce(
        table,
        ids.map((id) => payloadKey(owner, id)),
      );
      const found = new Map(items.filter((item) => !isExpired(item, now())).map((item) => [item["sk"], item["b"]]));
      return ids.map((id) => {
        const bytes = found.get(payloadKey(owner, id).sk);
        return bytes instanceof Uint8Array ? bytes : undefined;
      });
    },
  };
}

/** Repeated keys are asked for once: DynamoDB refuses a batch that names one twice. */
function getOnce(table: Table, keys: readonly Key[]): Promise<readonly Item[]> {
  const once = new Map(keys.map(({ pk, sk }) => [`${pk}\n${sk}`, { pk, sk }]));
  return table.getMany([...once.values()]);
}

type ListEntry = Key & { readonly c: string; readonly key: ListKey };

/** The newest entries of all buckets, merged. Each bucket is asked for a whole page, for all of it may lie in one. */
async function newest(
  table: Table,
  page: { index: (typeof layout.indexes)["list" | "failures"]; tenant: string; after: ListKey | null; limit: number },
): Promise<{ readonly entries: readonly ListEntry[]; readonly hasMore: boolean }> {
  const { index, tenant, after, limit } = page;
  const cut = after === null ? undefined : listSortKey(after);
  const buckets = Array.from({ length: listBuckets }, (_, bucket) => listPartition(tenant, bucket));
  const pages = await Promise.all(
    // One more, for the entry at the cut is not wanted again.
    buckets.map((partition) => table.query({ index, partition, from: "0", to: cut ?? "~", newestFirst: true, limit: limit + 1 })),
  );
  const entries = pages
    .flatMap(({ items }) => items)
    .filter((item) => item["c"] !== cut)
    .map(listEntryOf)
    .toSorted((a, b) => (a.c < b.c ? 1 : -1));
  return { entries: entries.slice(0, limit), hasMore: entries.length > limit || pages.some(({ hasMore }) => hasMore) };
}

function listEntryOf(item: Item): ListEntry {
  const key = keyOfListEntry(item);
  return { ...jobKey(ownerOf(String(item["pk"]))), c: listSortKey(key), key };
}
