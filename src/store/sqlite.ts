/**
 * The store in one SQLite file: what was answered is on the disk. Writes go to a thread, where those that wait together share one
 * transaction and one sync; reads happen here, through a connection of their own, and see every write that was answered.
 */

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { setImmediate as yieldToCalls } from "node:timers/promises";
import { shardOf, type WheelEntry } from "../core/hint.ts";
import type { ItemId, JobId, TenantId } from "../core/ids.ts";
import {
  type AnyRef,
  type Change,
  changesOf,
  expiresAtOf,
  type Item,
  type ItemOf,
  isJob,
  isOnWheel,
  type OnWheel,
  priorityOf,
} from "../core/item.ts";
import { priorities } from "../core/job.ts";
import { type EpochMs, toEpochMs } from "../core/time.ts";
import { type ListKey, type Named, type NamedKind, type NamedPage, OutageError, type Store } from "../engine/ports.ts";
import { openForReads, prepareDatabase } from "./database.ts";
import type { Write, WriteAnswer } from "./group.ts";
import { decodeItem, encodeItem, refuseLargePayload } from "./item.ts";
import { incarnationOf } from "./keys.ts";
import { startWriter } from "./writer.ts";

export type SqliteStore = Store & {
  readonly shards: number;
  /**
   * Removes items whose retention is over, with their payloads, and payloads that outlived their owner: at most `limit` of each, so
   * that a step is short. Answers how many went; 0 means that nothing is left to remove now.
   */
  removeExpired(limit: number): Promise<number>;
  /** Live jobs, and the oldest instant at which a waiting one, or a schedule, is owed a look. Costs the same for ten jobs and for ten million. */
  counts(): Promise<{ readonly waiting: number; readonly running: number; readonly oldestWakeAt: EpochMs | null }>;
  /** Resolves when writing has become impossible for good: only a new process can help. */
  readonly died: Promise<Error>;
  /** Writes what is owed, then closes the file. Writes and reads after it fail. */
  close(): Promise<void>;
};

export type SqliteOptions = {
  readonly path: string;
  readonly now: () => EpochMs;
  readonly shards: number;
  /** Told of each record that cannot be read, once. It is left out of pages, so that it does not stand in the way of the others. */
  readonly onUnreadable: (id: ItemId, cause: unknown) => void;
};

/** Opens the database at `path`, or makes it; its folder stands. Throws `DatabaseRefusedError` for a file that it must not touch. */
export async function openSqliteStore({ path, now, shards, onUnreadable }: SqliteOptions): Promise<SqliteStore> {
  prepareDatabase(path, shards);
  const reader = openForReads(path);
  const writer = await startWriter(path);
  const reads = readsOf(reader, { now, shards, onUnreadable });

  return {
    ...reads,
    shards,
    died: writer.died,
    async insert(item) {
      return expectAnswer(await writer.write(insertOf(item, shards, now())), ["inserted", "exists"]);
    },
    async commit(change) {
      return expectAnswer(await writer.write(writeOf(change, now())), ["committed", "stale"]);
    },
    async writePayload(owner, { id, bytes, keptUntil }) {
      refuseLargePayload(bytes);
      // A copy of these bytes alone: a Buffer is often a view of a larger block, all of which would cross to the thread.
      const own = new Uint8Array(bytes);
      await writer.write({ kind: "payload", tenant: owner.tenant, owner: owner.id, id, keptUntil, bytes: own });
    },
    async removeExpired(limit) {
      const answer = await writer.write({ kind: "remove", now: now(), limit });
      if (typeof answer === "string") throw new Error(`expected a number of removed items, got ${answer}`);
      return answer.removed;
    },
    async close() {
      // First, so that the writer's connection is the last one, which writes the log back.
      if (reader.isOpen) reader.close();
      await writer.close();
    },
  };
}

function expectAnswer<Expected extends WriteAnswer>(answer: WriteAnswer, expected: readonly Expected[]): Expected {
  const found = expected.find((one) => one === answer);
  if (found === undefined) throw new Error(`expected ${expected.join(" or ")}, got ${JSON.stringify(answer)}`);
  return found;
}

function placeOf(item: OnWheel) {
  return { priority: priorities.indexOf(priorityOf(item)), wakeAt: item.wakeAt, hinted: item.hinted ? 1 : 0 };
}

function insertOf(item: Item, shards: number, now: EpochMs): Write {
  const { tenant, id, version, createdAt, state } = item;
  const place = isOnWheel(item) ? { shard: shardOf(id, shards), ...placeOf(item) } : null;
  const named = isJob(item) ? null : ({ kind: "spec" in item ? "schedule" : "calendar", name: item.name } as const);
  const change = changesOf(item).at(-1) ?? "";
  const stored = { tenant, id, version, createdAt, incarnation: incarnationOf(item), state, record: encodeItem(item) };
  return { kind: "insert", ...stored, place, named, change, now };
}

function writeOf({ from, to, change }: Change, now: EpochMs): Write {
  const { tenant, id, version: fromVersion, createdAt, state: fromState } = from;
  const seen = { tenant, id, fromVersion, createdAt, incarnation: incarnationOf(from), fromState };
  const shared = { ...seen, change, state: to.state, record: encodeItem(to), now };
  const expiresAt = expiresAtOf(to);
  if (expiresAt !== null) return { kind: "end", ...shared, expiresAt };
  if (!isOnWheel(to) || (isOnWheel(from) && isInPlace(from, to))) return { kind: "stay", ...shared };
  return { kind: "move", ...shared, ...placeOf(to) };
}

function isInPlace(from: OnWheel, to: OnWheel): boolean {
  return to.wakeAt === from.wakeAt && to.hinted === from.hinted && priorityOf(to) === priorityOf(from);
}

/** Finds nothing where no item stands, or one that has expired. */
const oneItem = "SELECT record FROM jobs WHERE tenant = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)";
/** `shard = ?` keeps final items out: theirs is null. */
const wheelPage = `
  SELECT tenant, id, wake_at, hinted FROM jobs
  WHERE shard = ? AND priority = ? AND (wake_at, id) > (?, ?) AND (wake_at, id) <= (?, ?) ORDER BY wake_at, id LIMIT ?`;
/** `which` is what its index is of. Only a job can be failed. */
const listOf = (which: string) => `
  SELECT created_at, id, record FROM jobs
  WHERE ${which} AND tenant = ? AND (created_at, id) < (?, ?) AND (expires_at IS NULL OR expires_at > ?)
  ORDER BY created_at DESC, id DESC LIMIT ?`;
const namedPage = `
  SELECT name, id, record FROM jobs WHERE tenant = ? AND kind = ? AND name > ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY name LIMIT ?`;
const onePayload = "SELECT bytes FROM payloads WHERE tenant = ? AND owner = ? AND id = ?";
const liveCounts = "SELECT waiting, running FROM counts";
/** Of waiting jobs and of schedules. Walks past running jobs, of which there are no more than calls in flight. */
const oldestWaiting = `
  SELECT wake_at FROM jobs WHERE shard = ? AND priority = ? AND state <> 'running' ORDER BY wake_at, id LIMIT 1`;

/** Comes before the newest job of any list. */
const beforeAll: ListKey = { createdAt: toEpochMs(Number.MAX_SAFE_INTEGER), id: "" };

type Reads = Pick<SqliteStore, "load" | "loadMany" | "wheel" | "list" | "listNamed" | "readPayloads" | "counts">;

function readsOf(reader: DatabaseSync, { now, shards, onUnreadable }: Omit<SqliteOptions, "path">): Reads {
  const statements = {
    ...{ oneItem: reader.prepare(oneItem), wheelPage: reader.prepare(wheelPage), listPage: reader.prepare(listOf("kind IS NULL")) },
    ...{
      namedPage: reader.prepare(namedPage),
      failedPage: reader.prepare(listOf("state = 'failed'")),
      onePayload: reader.prepare(onePayload),
      liveCounts: reader.prepare(liveCounts),
      oldestWaiting: reader.prepare(oldestWaiting),
    },
  };
  const rowOf = ({ tenant, id }: AnyRef) => read(() => statements.oneItem.get(tenant, id, now()));
  const told = new Set<ItemId>();

  /** Damage, or a format of a newer version, in one record must not stop the work on all that stand beside it. */
  function unlessUnreadable<Id extends ItemId>(id: Id, row: Row | undefined): readonly ItemOf<Id>[] {
    try {
      return row === undefined ? [] : [itemOf(row, id)];
    } catch (cause) {
      if (!told.has(id)) onUnreadable(id, cause);
      told.add(id);
      return [];
    }
  }

  return {
    async load(ref) {
      const row = rowOf(ref);
      return row === undefined ? undefined : itemOf(row, ref.id);
    },
    async loadMany(refs) {
      return refs.flatMap((ref) => unlessUnreadable(ref.id, rowOf(ref)));
    },
    async wheel({ shard, priority, after, until, limit }) {
      const partition = [shard, priorities.indexOf(priority)] as const;
      const rows = read(() => statements.wheelPage.all(...partition, after.wakeAt, after.id, until.wakeAt, until.id, limit));
      return rows.map((row) => ({
        ...{ tenant: String(row["tenant"]) as TenantId, id: String(row["id"]) as WheelEntry["id"] },
        ...{ wakeAt: toEpochMs(Number(row["wake_at"])), hinted: row["hinted"] === 1 },
      }));
    },
    async list({ tenant, among, after, limit }) {
      // Reading and decoding some hundred records takes milliseconds; between two pages of a long scan calls come first.
      await yieldToCalls();
      const { createdAt, id } = after ?? beforeAll;
      // One more than asked for tells whether this page is the last.
      const rows = read(() => statements[among === "failed" ? "failedPage" : "listPage"].all(tenant, createdAt, id, now(), limit + 1));
      const page = rows.slice(0, limit);
      const jobs = page.flatMap((row) => unlessUnreadable(String(row["id"]) as JobId, row));
      const last = page.at(-1);
      if (last === undefined || rows.length <= limit) return { jobs, next: null };
      return { jobs, next: { createdAt: toEpochMs(Number(last["created_at"])), id: String(last["id"]) } };
    },
    async listNamed<Kind extends NamedKind>({ tenant, kind, after, limit }: NamedPage<Kind>) {
      await yieldToCalls();
      const rows = read(() => statements.namedPage.all(tenant, kind, after ?? "", now(), limit + 1));
      const page = rows.slice(0, limit);
      const items = page.flatMap((row) => unlessUnreadable(String(row["id"]) as ItemId, row)) as Named[Kind][];
      return { items, next: rows.length > limit ? String(page.at(-1)?.["name"]) : null };
    },
    async readPayloads(owner, ids) {
      return ids.map((id) => {
        const bytes = read(() => statements.onePayload.get(owner.tenant, owner.id, id))?.["bytes"];
        return bytes instanceof Uint8Array ? bytes : undefined;
      });
    },
    async counts() {
      const row = read(() => statements.liveCounts.get());
      const oldest: number[] = [];
      for (let shard = 0; shard < shards; shard++) {
        for (const priority of priorities.keys()) {
          const wakeAt = statements.oldestWaiting.get(shard, priority)?.["wake_at"];
          if (wakeAt !== undefined) oldest.push(Number(wakeAt));
        }
      }
      const oldestWakeAt = oldest.length === 0 ? null : toEpochMs(Math.min(...oldest));
      return { waiting: Number(row?.["waiting"]), running: Number(row?.["running"]), oldestWakeAt };
    },
  };
}

/** A disk that cannot be read is out, and not a bug of whoever asks. */
function read<T>(ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    throw new OutageError("the store could not be read", { cause });
  }
}

type Row = Record<string, SQLOutputValue>;

function itemOf<Id extends ItemId>(row: Row, id: Id): ItemOf<Id> {
  return decodeItem(String(row["record"]), id);
}
