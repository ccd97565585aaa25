/**
 * How an item lies in the table: its record as one text, and beside it only what the indexes, the conditions and DynamoDB itself look at.
 * That of an ordinary job or schedule stays below 1 KB in every state, which is one write unit.
 */

import { shardOf, type WheelEntry, type WheelKey } from "../../core/hint.ts";
import { hashOf, type ItemId, type TenantId } from "../../core/ids.ts";
import { type AnyRef, expiresAtOf, type Item, type ItemOf, isJob, isOnWheel, priorityOf } from "../../core/item.ts";
import type { Priority } from "../../core/job.ts";
import { type EpochMs, secondMs, toEpochMs } from "../../core/time.ts";
import type { ListKey, NamedKind } from "../../engine/ports.ts";
import { decodeItem, encodeItem, kindOf } from "../item.ts";
import { incarnationOf, listBuckets } from "../keys.ts";
import type { Key, Item as TableItem } from "./table.ts";

export function ownerKey({ tenant, id }: AnyRef): string {
  return `${tenant}#${id}`;
}

export function ownerOf<Id extends ItemId>(pk: string): AnyRef<Id> {
  // An id holds no "#"; what a tenant's name may hold is decided elsewhere.
  const cut = pk.lastIndexOf("#");
  return { tenant: pk.slice(0, cut) as TenantId, id: pk.slice(cut + 1) as Id };
}

export function keyOf(ref: AnyRef): Key {
  return { pk: ownerKey(ref), sk: kindOf(ref.id) };
}

export function payloadKey(owner: AnyRef, payloadId: string): Key {
  return { pk: ownerKey(owner), sk: `p#${payloadId}` };
}

/** The attributes: `v` version, `j` the record, `w` and `at` its place on the wheel, `h` hinted, `l` and `c` its place in lists, `f` a failure's, `x` the instant of expiry. */
export function itemOf(item: Item, shards: number): Key & TableItem {
  const base = { ...keyOf(item), v: item.version, j: encodeItem(item), l: listOf(item), c: createdKeyOf(item) };
  if (isOnWheel(item)) {
    return { ...base, w: wheelPartition(shardOf(item.id, shards), priorityOf(item)), at: wheelSortKey(item), h: item.hinted };
  }
  const expiresAt = expiresAtOf(item);
  if (expiresAt === null) return base;
  const ended = { ...base, x: expiresAt, ttl: ttlOf(expiresAt) };
  return item.state === "failed" ? { ...ended, f: base.l } : ended;
}

/** Undefined where the item has expired: DynamoDB removes it days later. */
export function present<Id extends ItemId>(found: TableItem | undefined, id: Id, now: EpochMs): ItemOf<Id> | undefined {
  return found === undefined || isExpired(found, now) ? undefined : decodeItem(String(found["j"]), id);
}

export function isExpired(item: TableItem, now: EpochMs): boolean {
  return typeof item["x"] === "number" && item["x"] <= now;
}

/** Whole seconds, after the instant and never before it. */
export function ttlOf(expiresAt: EpochMs): number {
  return Math.ceil(expiresAt / secondMs);
}

export function wheelPartition(shard: number, priority: Priority): string {
  return `w1#${shard}#${priority}`;
}

/** The order of the wheel as texts: instants in thirteen digits (until the year 2286), then ids. */
export function wheelSortKey({ wakeAt, id }: WheelKey): string {
  return `${digits(wakeAt)}#${id}`;
}

/** Comes right after the text and before every longer one: no key of ours holds a space. */
export function rightAfter(sortKey: string): string {
  return `${sortKey} `;
}

export function wheelEntryOf(item: TableItem): WheelEntry {
  const wakeAt = toEpochMs(Number(String(item["at"]).slice(0, instantDigits)));
  return { ...ownerOf<WheelEntry["id"]>(String(item["pk"])), wakeAt, hinted: item["h"] === true };
}

function listOf(item: Item): string {
  return isJob(item)
    ? listPartition(item.tenant, hashOf(item.id) % listBuckets)
    : namedPartition(item.tenant, kindOf(item.id) as NamedKind);
}

/** The place in its list, which tells an item from an earlier one under the same key. It never changes. */
export function createdKeyOf(item: Item): string {
  return isJob(item) ? listSortKey(item) : `${item.name}#${digits(item.createdAt)}#${incarnationOf(item) ?? ""}`;
}

const letterOfKind: Readonly<Record<NamedKind, string>> = { schedule: "s", calendar: "c" };

export function namedPartition(tenant: string, kind: NamedKind): string {
  return `${tenant}#${letterOfKind[kind]}`;
}

/** Comes right after every entry of a name and before those of the next: each character of a name sorts after "#". */
export function afterName(name: string): string {
  return `${name}#~`;
}

export function listPartition(tenant: string, bucket: number): string {
  return `${tenant}#${bucket}`;
}

export function listSortKey({ createdAt, id }: ListKey): string {
  return `${digits(createdAt)}#${id}`;
}

export function keyOfListEntry(item: TableItem): ListKey {
  const c = String(item["c"]);
  return { createdAt: toEpochMs(Number(c.slice(0, instantDigits))), id: c.slice(instantDigits + 1) };
}

const instantDigits = 13;

function digits(at: EpochMs): string {
  return String(at).padStart(instantDigits, "0");
}
