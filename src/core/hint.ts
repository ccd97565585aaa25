/**
 * Hints wake an executor. They carry no job and no truth: a lost one costs time, a doubled one costs a read, and what they name
 * may have moved, ended or never existed.
 */

import { hashOf, type JobId, type ScheduleId, type TenantId } from "./ids.ts";
import type { Priority } from "./job.ts";
import type { EpochMs } from "./time.ts";

export type JobRef = { readonly tenant: TenantId; readonly id: JobId };
export type ScheduleRef = { readonly tenant: TenantId; readonly id: ScheduleId };

/** An item of the wheel by name. The id's prefix tells its kind. */
export type ItemRef = { readonly tenant: TenantId; readonly id: JobId | ScheduleId };

/** A place in one partition of the wheel. Equal instants are ordered by id, so that a stretch can end between them. */
export type WheelKey = { readonly wakeAt: EpochMs; readonly id: string };

/** An entry of the wheel: what stands in the index, and no more. */
export type WheelEntry = ItemRef & { readonly wakeAt: EpochMs; readonly hinted: boolean };

/** Items that are owed soon, each with the instant at which the sender saw it stand. */
export type NamesHint = {
  readonly kind: "names";
  readonly priority: Priority;
  /** When the first of them is owed: the hint should arrive a lead before it. */
  readonly startAt: EpochMs;
  readonly names: readonly (ItemRef & { readonly wakeAt: EpochMs })[];
};

/** A stretch of one partition's past: whatever stands in it needs someone to look at it. */
export type StretchHint = {
  readonly kind: "stretch";
  readonly shard: number;
  readonly priority: Priority;
  /** Exclusive: what came before belongs to another stretch, or is done. */
  readonly after: WheelKey;
  /** Inclusive. */
  readonly until: WheelKey;
  /** When the turn that cut the stretch ran. A follow-up keeps it, so that chains end when the next turn's hints come. */
  readonly cutAt: EpochMs;
  /** When the hint should arrive. */
  readonly startAt: EpochMs;
};

export type Hint = NamesHint | StretchHint;

/** Sorts before every id of its instant. */
const firstId = "";
/** Sorts after every id of its instant. */
const lastId = "~";

/** The place right before every entry of an instant. */
export function startOf(wakeAt: EpochMs): WheelKey {
  return { wakeAt, id: firstId };
}

/** The place right after every entry of an instant. */
export function endOf(wakeAt: EpochMs): WheelKey {
  return { wakeAt, id: lastId };
}

/** Which shard of the wheel an item stands on: the same wherever it is asked, for as long as the number of shards stays. */
export function shardOf(id: string, shards: number): number {
  return hashOf(id) % shards;
}
