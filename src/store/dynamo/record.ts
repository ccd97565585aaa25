/**
 * How a job lies in the table: its record as one text, and beside it only what the indexes, the conditions and DynamoDB itself look at.
 * An item of an ordinary job stays below 1 KB in every state, which is one write unit.
 */

import { shardOf, type WheelEntry, type WheelKey } from "../../core/hint.ts";
import { hashOf, type JobId, type TenantId } from "../../core/ids.ts";
import { isLive, type Job, type Priority } from "../../core/job.ts";
import { type EpochMs, secondMs, toEpochMs } from "../../core/time.ts";
import type { ListKey } from "../../engine/ports.ts";
import { decodeJob, encodeJob } from "../item.ts";
import { listBuckets } from "../keys.ts";
import type { Item, Key } from "./table.ts";

type Ref = { readonly tenant: string; readonly id: string };

export function ownerKey({ tenant, id }: Ref): string {
  return `${tenant}#${id}`;
}

export function ownerOf(pk: string): { tenant: TenantId; id: JobId } {
  // An id holds no "#"; what a tenant's name may hold is decided elsewhere.
  const cut = pk.lastIndexOf("#");
  return { tenant: pk.slice(0, cut) as TenantId, id: pk.slice(cut + 1) as JobId };
}

export function jobKey(ref: Ref): Key {
  return { pk: ownerKey(ref), sk: "job" };
}

export function payloadKey(owner: Ref, payloadId: string): Key {
  return { pk: ownerKey(owner), sk: `p#${payloadId}` };
}

/** The attributes: `v` version, `j` the record, `w` and `at` its place on the wheel, `h` hinted, `l` and `c` its place in lists, `f` a failure's, `x` the instant of expiry. */
export function itemOf(job: Job, shards: number): Key & Item {
  const base = { ...jobKey(job), v: job.version, j: encodeJob(job), l: listPartition(job.tenant, bucketOf(job.id)), c: listSortKey(job) };
  if (isLive(job)) return { ...base, w: wheelPartition(shardOf(job.id, shards), job.priority), at: wheelSortKey(job), h: job.hinted };
  const ended = { ...base, x: job.expiresAt, ttl: ttlOf(job.expiresAt) };
  return job.state === "failed" ? { ...ended, f: base.l } : ended;
}

/** Undefined where the item has expired: DynamoDB removes it days later. */
export function presentJob(item: Item | undefined, now: EpochMs): Job | undefined {
  return item === undefined || isExpired(item, now) ? undefined : decodeJob(String(item["j"]));
}

export function isExpired(item: Item, now: EpochMs): boolean {
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

export function wheelEntryOf(item: Item): WheelEntry {
  const wakeAt = toEpochMs(Number(String(item["at"]).slice(0, instantDigits)));
  return { ...ownerOf(String(item["pk"])), wakeAt, hinted: item["h"] === true };
}

function bucketOf(id: string): number {
  return hashOf(id) % listBuckets;
}

export function listPartition(tenant: string, bucket: number): string {
  return `${tenant}#${bucket}`;
}

export function listSortKey({ createdAt, id }: ListKey): string {
  return `${digits(createdAt)}#${id}`;
}

export function keyOfListEntry(item: Item): ListKey {
  const c = String(item["c"]);
  return { createdAt: toEpochMs(Number(c.slice(0, instantDigits))), id: c.slice(instantDigits + 1) };
}

const instantDigits = 13;

function digits(at: EpochMs): string {
  return String(at).padStart(instantDigits, "0");
}
