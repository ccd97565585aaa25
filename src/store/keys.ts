/**
 * Where things stand: the orders of the wheel and of lists. Every store orders by
 * these, so that a place in a walk means the same in each. Part of the storage format.
 */

import type { ItemRef, WheelKey } from "../core/hint.ts";
import type { ListKey } from "../engine/ports.ts";

/** A text that names an item among all tenants'. Neither part holds a line break. */
export function itemKey(ref: ItemRef): string {
  return `${ref.tenant}\n${ref.id}`;
}

/** The order of the wheel: the oldest instant first, equal ones by id. */
export function compareWheelKeys(a: WheelKey, b: WheelKey): number {
  return a.wakeAt - b.wakeAt || compareTexts(a.id, b.id);
}

/** The order of a list: the newest first, equal ones by id, descending. */
export function compareListKeys(a: ListKey, b: ListKey): number {
  return b.createdAt - a.createdAt || compareTexts(b.id, a.id);
}

/** By code unit, which for ids (ASCII) is the order of their bytes in every database. A locale's order would differ between machines. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The one table of the AWS home, as it is built and as it is read. Short names, for each is billed in every item; items of the house
 * itself (cursors, the plan of the ticks) begin with "~", which no tenant does.
 */
export const table = {
  /** An item's owner: `<tenant>#<id>`. A job and its payloads share it. */
  partitionKey: "pk",
  /** What it is of its owner's: the job, or one payload. */
  sortKey: "sk",
  /** Epoch seconds. DynamoDB removes the item within days after it, at no cost. */
  expiry: "ttl",
  indexes: {
    /** Every live item, at the instant at which someone looks at it. Projects `h` (hinted) beside the keys, so a turn reads no item. */
    wheel: { name: "wheel", partitionKey: "w", sortKey: "at", projects: ["h"] },
    /** Every job of a tenant by creation, in `listBuckets` partitions. Keys that never change: written once. Keys alone. */
    list: { name: "list", partitionKey: "l", sortKey: "c", projects: [] },
    /** Failed jobs, by creation. Sparse: a job that succeeds costs nothing here. Keys alone. */
    failures: { name: "failures", partitionKey: "f", sortKey: "c", projects: [] },
  },
} as const;

/** Partitions of a tenant's list: 16 creates of 1,000 a second each. Part of the storage format. */
export const listBuckets = 16;

/** The first partition key of each kind of item of the house; a function's policy names those that it may touch. */
export const houseKeys = { cursor: "~cursor#", ticks: "~ticks", deadLetter: "~dead#" } as const;
