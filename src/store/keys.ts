/**
 * Where things stand: the orders of the wheel and of lists. Every store orders by
 * these, so that a place in a walk means the same in each. Part of the storage format.
 */

import type { WheelKey } from "../core/hint.ts";
import type { AnyRef, Item } from "../core/item.ts";
import type { ListKey } from "../engine/ports.ts";

/** A text that names an item among all tenants'. Neither part holds a line break. */
export function itemKey(ref: AnyRef): string {
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

/** The order of schedules and of calendars: by name. */
export function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return compareTexts(a.name, b.name);
}

/**
 * What tells an item from an earlier one that was created under its id at the same instant. Only a schedule needs it: its id is free
 * as soon as it is deleted, while a job's is taken for days.
 */
export function incarnationOf(item: Item): string | null {
  return "incarnation" in item ? item.incarnation : null;
}

/** By code unit, which for ids and names (ASCII) is the order of their bytes in every database. A locale's order would differ between machines. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The one table of the AWS home, as it is built and as it is read. Short names, for each is billed in every item; items of the house
 * itself (cursors, the plan of the ticks) begin with "~", which no tenant does.
 */
export const table = {
  /** An item's owner: `<tenant>#<id>`. A job or schedule and its payloads share it. */
  partitionKey: "pk",
  /** What it is of its owner's: the job, schedule or calendar itself, or one payload. */
  sortKey: "sk",
  /** Epoch seconds. DynamoDB removes the item within days after it, at no cost. */
  expiry: "ttl",
  indexes: {
    /** Every live job and schedule, at the instant at which someone looks at it. Projects `h` (hinted) beside the keys, so a turn reads no item. */
    wheel: { name: "wheel", partitionKey: "w", sortKey: "at", projects: ["h"] },
    /**
     * Every job of a tenant by creation, in `listBuckets` partitions, and every schedule and calendar by name, in a partition for each
     * kind. Keys that never change: written once. Keys alone.
     */
    list: { name: "list", partitionKey: "l", sortKey: "c", projects: [] },
    /** Failed jobs, by creation. Sparse: a job that succeeds costs nothing here. Keys alone. */
    failures: { name: "failures", partitionKey: "f", sortKey: "c", projects: [] },
  },
} as const;

/** Partitions of a tenant's list: 16 creates of 1,000 a second each. Part of the storage format. */
export const listBuckets = 16;

/** The first partition key of each kind of item of the house; a function's policy names those that it may touch. */
export const houseKeys = { cursor: "~cursor#", ticks: "~ticks", deadLetter: "~dead#" } as const;
