/** The store on DynamoDB: single items under a condition each, and three sparse indexes. No transaction, no scan. */

import type { ItemId, JobId } from "../../core/ids.ts";
import { type AnyRef, changesOf, hasChange, type ItemOf } from "../../core/item.ts";
import type { Job } from "../../core/job.ts";
import type { EpochMs } from "../../core/time.ts";
import type { ListKey, Named, NamedKind, NamedPage, Store } from "../../engine/ports.ts";
import { refuseLargePayload } from "../item.ts";
import { table as layout, listBuckets } from "../keys.ts";
import { unchangedSince, vacant, vacantAt } from "./conditions.ts";
import {
  afterName,
  createdKeyOf,
  isExpired,
  itemOf,
  keyOf,
  keyOfListEntry,
  listPartition,
  listSortKey,
  namedPartition,
  ownerKey,
  ownerOf,
  payloadKey,
  present,
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
  /** Told of a record that cannot be read where many are: it is passed over, so that one damaged item does not stop its neighbours. */
  readonly onUnreadable: (id: ItemId, cause: unknown) => void;
};

export function createDynamoStore({ table, now, shards, onUnreadable }: DynamoOptions): Store {
  const load = async <Id extends ItemId>(ref: AnyRef<Id>) => present(await table.get(keyOf(ref)), ref.id, now());

  /** What the table holds of some items, by their owner's key. */
  async function readMany(keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> {
    return new Map((await getOnce(table, keys)).map((item) => [String(item["pk"]), item]));
  }

  /** None where it has expired, or cannot be read. */
  function presentOrNone<Id extends ItemId>(item: Item | undefined, id: Id): readonly ItemOf<Id>[] {
    try {
      const found = present(item, id, now());
      return found === undefined ? [] : [found];
    } catch (cause) {
      onUnreadable(id, cause);
      return [];
    }
  }

  async function listed<Id extends ItemId>(entries: readonly ListEntry[]): Promise<readonly ItemOf<Id>[]> {
    const found = await readMany(entries);
    return entries.flatMap(({ pk, c }) => {
      const item = found.get(pk);
      // An entry whose key was taken anew since is that of an expired item; the index follows.
      return item?.["c"] === c ? presentOrNone(item, ownerOf<Id>(pk).id) : [];
    });
  }

  return {
    async insert(item) {
      const change = changesOf(item).at(-1);
      for (;;) {
        if ((await table.put(itemOf(item, shards), vacantAt(now()))) === "written") return "inserted";
        const standing = await load<ItemId>(item);
        // Nothing there: what stood has just expired. The key is free, and the write is made again.
        if (standing !== undefined) return hasChange(standing, change) ? "inserted" : "exists";
      }
    },
    load,
    async loadMany(refs) {
      const found = await readMany(refs.map(keyOf));
      return refs.flatMap((ref) => presentOrNone(found.get(ownerKey(ref)), ref.id));
    },
    async commit({ from, to, change }) {
      const seen = { version: from.version, createdKey: createdKeyOf(from) };
      if ((await table.put(itemOf(to, shards), unchangedSince(seen))) === "written") return "committed";
      // The SDK repeats a write whose reply was lost, and the repeated one meets the first: our own change is then among the item's.
      const standing = await load<ItemId>(from);
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
        jobs.push(...(await listed<JobId>(entries)));
        const last = entries.at(-1);
        if (last === undefined || !hasMore) break;
        place = last.key;
      }
      const last = jobs[limit - 1];
      return jobs.length <= limit || last === undefined
        ? { jobs, next: null }
        : { jobs: jobs.slice(0, limit), next: { createdAt: last.createdAt, id: last.id } };
    },
    async listNamed<Kind extends NamedKind>({ tenant, kind, after, limit }: NamedPage<Kind>) {
      const page = { index: layout.indexes.list, partition: namedPartition(tenant, kind), to: "~" };
      const items: Named[Kind][] = [];
      // As above: one more than asked for, and deleted ones are passed over.
      for (let from = after === null ? "!" : afterName(after); items.length <= limit; ) {
        const { items: entries, hasMore } = await table.query({ ...page, from, limit: limit + 1 - items.length });
        const found = await listed<ItemId>(entries.map((entry) => ({ ...keyOf(ownerOf(String(entry["pk"]))), c: String(entry["c"]) })));
        items.push(...(found as readonly Named[Kind][]));
        const last = entries.at(-1);
        if (last === undefined || !hasMore) break;
        from = rightAfter(String(last["c"]));
      }
      return items.length <= limit ? { items, next: null } : { items: items.slice(0, limit), next: items[limit - 1]?.name ?? null };
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

type ListEntry = Key & { readonly c: string };

/** The newest entries of all buckets, merged. Each bucket is asked for a whole page, for all of it may lie in one. */
async function newest(
  table: Table,
  page: { index: (typeof layout.indexes)["list" | "failures"]; tenant: string; after: ListKey | null; limit: number },
): Promise<{ readonly entries: readonly (ListEntry & { readonly key: ListKey })[]; readonly hasMore: boolean }> {
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

function listEntryOf(item: Item): ListEntry & { readonly key: ListKey } {
  const key = keyOfListEntry(item);
  return { ...keyOf(ownerOf(String(item["pk"]))), c: listSortKey(key), key };
}
