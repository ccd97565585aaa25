/**
 * What the engine needs from a home, and nothing about how a home does it. Expected outcomes are answers that the caller must
 * switch on; an outage is thrown as `OutageError`, anything else thrown is a bug.
 */

import type { Kept } from "../core/calendar.ts";
import type { Hint, WheelEntry, WheelKey } from "../core/hint.ts";
import type { ChangeId, ItemId, JobId, LeaseToken, PayloadId, TenantId } from "../core/ids.ts";
import type { AnyRef, Change, Item, ItemOf } from "../core/item.ts";
import type { Job, Priority, Running, Waiting } from "../core/job.ts";
import type { Answer } from "../core/outcome.ts";
import type { Trace } from "../core/request.ts";
import type { Standing } from "../core/schedule.ts";
import type { ScheduleChange } from "../core/scheduleChange.ts";
import type { EpochMs } from "../core/time.ts";
import type { Transition } from "../core/transition.ts";

/** The store or another part of the home does not answer now; the same call may succeed later. `cause` says why. */
export class OutageError extends Error {
  override readonly name = "OutageError";
}

/**
 * Durable items, each changed by a condition on itself alone. Every implementation passes `test/store/conformance.ts`.
 * A lost race is an answer, not an exception. An item whose `expiresAt` has passed is absent from every answer.
 */
export type Store = {
  /** "exists": an item with this id stands, and was not touched. A second insert of the very same value (same change id) is "inserted". */
  insert(item: Item): Promise<"inserted" | "exists">;
  /** Consistent: sees every commit that was answered before the call. */
  load<Id extends ItemId>(ref: AnyRef<Id>): Promise<ItemOf<Id> | undefined>;
  /** As `load`, for many at once, in the order asked, repeated ones repeatedly; absent ones are left out. */
  loadMany<Id extends ItemId>(refs: readonly AnyRef<Id>[]): Promise<readonly ItemOf<Id>[]>;
  /**
   * Writes `to` where the stored item is `from.version` of the same creation (`createdAt`). "stale": someone else changed the item first, or it is gone; nothing
   * was written. A change that is among those the item remembers is "committed", also when others were written on top of it.
   */
  commit(change: Change): Promise<"committed" | "stale">;
  /** Entries of one partition from `after` (exclusive) up to `until` (inclusive), in order. May lag behind commits. */
  wheel(page: WheelPage): Promise<readonly WheelEntry[]>;
  /** A tenant's jobs, newest first, from `after` (exclusive); at most `limit`, unfiltered. `next` is null at the end. */
  list(page: ListPage): Promise<{ readonly jobs: readonly Job[]; readonly next: ListKey | null }>;
  /** A tenant's schedules or calendars by name, ascending, from `after` (exclusive); at most `limit`. `next` is null at the end. May lag behind commits. */
  listNamed<Kind extends NamedKind>(
    page: NamedPage<Kind>,
  ): Promise<{ readonly items: readonly Named[Kind][]; readonly next: string | null }>;
  /** Keeps bytes that a later commit will name. They can be read until `keptUntil`, and never change: a second write of an id keeps the first. */
  writePayload(owner: AnyRef, payload: { id: PayloadId; bytes: Uint8Array; keptUntil: EpochMs }): Promise<void>;
  /** In the order asked; undefined for those that are gone. */
  readPayloads(owner: AnyRef, ids: readonly PayloadId[]): Promise<readonly (Uint8Array | undefined)[]>;
};

/** What is kept under a name. */
export type Named = { readonly schedule: Standing; readonly calendar: Kept };
export type NamedKind = keyof Named;
export type NamedPage<Kind extends NamedKind> = {
  readonly tenant: TenantId;
  readonly kind: Kind;
  readonly after: string | null;
  readonly limit: number;
};

export type WheelPage = {
  readonly shard: number;
  readonly priority: Priority;
  readonly after: WheelKey;
  readonly until: WheelKey;
  readonly limit: number;
};

/** A place in a tenant's list: ordered by creation, newest first, then by id, descending. */
export type ListKey = { readonly createdAt: EpochMs; readonly id: string };

/** `among`: the failed ones alone stand in an index of their own, for they are few and looked for. */
export type ListPage = {
  readonly tenant: TenantId;
  readonly among: "all" | "failed";
  readonly after: ListKey | null;
  readonly limit: number;
};

/** How far a range of shards has been hinted. Losing it only repeats hints. */
export type Cursor = {
  readonly range: number;
  readonly version: number;
  /** For each shard of the range, the instant up to which its near future has been named. */
  readonly places: Readonly<Record<number, EpochMs>>;
  /** No other turn runs over this range before then; null when none does. */
  readonly leaseUntil: EpochMs | null;
};

export type Cursors = {
  /**
   * Takes the range's lease until `until`, by one conditional write, and answers its cursor. "leased": another turn holds it at `now`. One
   * that ends after `beyond` was written before a clock was set back, and holds nothing.
   */
  lease(range: number, at: { readonly now: EpochMs; readonly until: EpochMs; readonly beyond: EpochMs }): Promise<Cursor | "leased">;
  /** Writes where the stored version is one less. */
  save(cursor: Cursor): Promise<"saved" | "stale">;
};

/** Sends hints; they may be lost, doubled, late or reordered, and nothing depends on them but time. */
export type Hints = {
  /** "full": the receiver holds as many as it can; what is not sent is found on the wheel when someone is free. */
  send(hints: readonly Hint[]): Promise<"sent" | "full">;
};

/** One call, ready to go. Every prepared call must be sent or released. */
export type PreparedCall = {
  /** Sends the request and reads the answer. Never throws. Aborting the signal ends it as "aborted". */
  send(request: CallRequest, signal: AbortSignal): Promise<Answer>;
  /** Gives up a call that will not be sent. */
  release(): void;
};

export type CallRequest = {
  readonly method: string;
  /** Complete but for what HTTP itself sets (host, content-length, connection). */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** No byte leaves after it, however long the connection took to open. */
  readonly startBy: EpochMs | null;
};

export type Deliver = {
  /**
   * Looks the name up, judges its addresses and opens a connection, in the background. The total deadline starts now.
   * Never throws: what went wrong is the answer of `send`.
   */
  prepare(url: string, timeoutMs: number): PreparedCall;
};

export type Clock = {
  now(): EpochMs;
  /** Resolves at the instant, at once when it has passed, or early when the signal is aborted; never rejects. */
  until(at: EpochMs, signal?: AbortSignal): Promise<void>;
};

/** A fraction in [0, 1), uniformly drawn. */
export type Chance = () => number;

export type Ids = {
  job(createdAt: EpochMs): JobId;
  payload(): PayloadId;
  change(): ChangeId;
  token(): LeaseToken;
  trace(): Trace;
};

/** What the engine saw happen. A home makes log lines and metrics of it; nothing depends on who listens. */
export type Observation =
  | { readonly kind: "created"; readonly job: Waiting }
  | { readonly kind: "changed"; readonly transition: Transition }
  | { readonly kind: "schedule_created"; readonly schedule: Standing }
  | { readonly kind: "schedule_changed"; readonly change: ScheduleChange }
  /** The rule of a schedule could not be read any more, by this release or with this runtime's zones: it pauses itself. */
  | { readonly kind: "rule_unreadable"; readonly schedule: Standing; readonly message: string }
  /** One call ended, whatever its answer. */
  | { readonly kind: "called"; readonly job: Running; readonly answer: Answer; readonly trace: Trace }
  /** An outcome that came too late: another holder has the job, and its record stands. */
  | { readonly kind: "lease_lost"; readonly job: Running }
  /** `oldestWakeAt`: of what the turn found standing beyond the grace; null where nothing did. */
  | {
      readonly kind: "turned";
      readonly range: number;
      readonly named: number;
      readonly stretches: number;
      readonly oldestWakeAt: EpochMs | null;
    }
  /** A hint that nothing was done for: "old": newer hints cover what it names; "moved": what it names is gone, final, or owed at another instant. */
  | { readonly kind: "hint_dropped"; readonly why: "old" | "moved" }
  /** Something outside failed and will be tried again: the wheel still holds the work. */
  | { readonly kind: "outage"; readonly where: string; readonly cause: unknown };

export type Observe = (observation: Observation) => void;
