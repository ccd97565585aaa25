/**
 * The store in one SQLite file: what was answered is on the disk. Writes go to a thread, where those that wait together share one
 * transaction and one sync; reads happen here, through a connection of their own, and see every write that was answered.
 */

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { setImmediate as yieldToCalls } from "node:timers/promises";
import { type ItemRef, shardOf } from "../core/hint.ts";
import type { JobId, TenantId } from "../core/ids.ts";
import { isLive, type Job, priorities } from "../core/job.ts";
import { type EpochMs, toEpochMs } from "../core/time.ts";
import type { Transition } from "../core/transition.ts";
import { type ListKey, OutageError, type Store } from "../engine/ports.ts";
import { openForReads, prepareDatabase } from "./database.ts";
import type { Write, WriteAnswer } from "./group.ts";
import { decodeJob, encodeJob, refuseLargePayload } from "./item.ts";
import { startWriter } from "./writer.ts";

export type SqliteStore = Store & {
  readonly shards: number;
  /**
   * Removes jobs whose retention is over, with their payloads, and payloads that outlived their job: at most `limit` of each, so
   * that a step is short. Answers how many went; 0 means that nothing is left to remove now.
   */
  removeExpired(limit: number): Promise<number>;
  /** Live jobs, and the oldest instant at which a waiting one is owed a look. Costs the same for ten jobs and for ten million. */
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
  readonly onUnreadable: (id: JobId, cause: unknown) => void;
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
    async insert(job) {
      const { tenant, id, version, createdAt } = job;
      const change = job.history.at(-1)?.change ?? "";
      const place = { shard: shardOf(id, shards), ...placeOf(job) };
      const item = { tenant, id, version, createdAt, change, record: encodeJob(job), now: now() };
      const answer = await writer.write({ kind: "insert", ...item, ...place });
      return expectAnswer(answer, ["inserted", "exists"]);
    },
    async commit(transition) {
      return expectAnswer(await writer.write(writeOf(transition, now())), ["committed", "stale"]);
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

function placeOf(job: Extract<Job, { wakeAt: EpochMs }>) {
  return { priority: priorities.indexOf(job.priority), wakeAt: job.wakeAt, hinted: job.hinted ? 1 : 0 };
}

function writeOf({ from, to, change }: Transition, now: EpochMs): Write {
  const { tenant, id, version: fromVersion, createdAt, state: fromState } = from;
  const shared = { tenant, id, change, fromVersion, createdAt, fromState, state: to.state, record: encodeJob(to), now };
  if (!isLive(to)) return { kind: "end", ...shared, expiresAt: to.expiresAt };
  const stays = to.wakeAt === from.wakeAt && to.hinted === from.hinted && to.priority === from.priority;
  return stays ? { kind: "stay", ...shared } : { kind: "move", ...shared, ...placeOf(to) };
}

/** Finds nothing where no item stands, or one that has expired. */
const oneJob = "SELECT record FROM jobs WHERE tenant = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)";
/** `shard = ?` keeps final jobs out: theirs is null. */
const wheelPage = `
  SELECT tenant, id, wake_at, hinted FROM jobs
  WHERE shard = ? AND priority = ? AND (wake_at, id) > (?, ?) AND (wake_at, id) <= (?, ?) ORDER BY wake_at, id LIMIT ?`;
const listOf = (which: string) => `
  SELECT created_at, id, record FROM jobs WHERE tenant = ? AND (created_at, id) < (?, ?) AND (expires_at IS NULL OR expires_at > ?) ${which}
  ORDER BY created_at DESC, id DESC LIMIT ?`;
const onePayload = "SELECT bytes FROM payloads WHERE tenant = ? AND owner = ? AND id = ?";
const liveCounts = "SELECT waiting, running FROM counts";
/** Walks past running jobs, of which there are no more than calls in flight. */
const oldestWaiting = `
  SELECT wake_at FROM jobs WHERE shard = ? AND priority = ? AND state = 'waiting' ORDER BY wake_at, id LIMIT 1`;

/** Comes before the newest job of any list. */
const beforeAll: ListKey = { createdAt: toEpochMs(Number.MAX_SAFE_INTEGER), id: "" };

type Reads = Pick<SqliteStore, "load" | "loadMany" | "wheel" | "list" | "readPayloads" | "counts">;

function readsOf(reader: DatabaseSync, { now, shards, onUnreadable }: Omit<SqliteOptions, "path">): Reads {
  const statements = {
    ...{ oneJob: reader.prepare(oneJob), wheelPage: reader.prepare(wheelPage), listPage: reader.prepare(listOf("")) },
    ...{
      failedPage: reader.prepare(listOf("AND state = 'failed'")),
      onePayload: reader.prepare(onePayload),
      liveCounts: reader.prepare(liveCounts),
      oldestWaiting: reader.prepare(oldestWaiting),
    },
  };
  const rowOf = ({ tenant, id }: ItemRef) => read(() => statements.oneJob.get(tenant, id, now()));
  const told = new Set<JobId>();

  /** Damage, or a format of a newer version, in one record must not stop the work on all that stand beside it. */
  function jobUnlessUnreadable(id: JobId, row: Row): Job | undefined {
    try {
      return jobOf(row);
    } catch (cause) {
      if (!told.has(id)) onUnreadable(id, cause);
      told.add(id);
      return undefined;
    }
  }

  return {
    async load(ref) {
      const row = rowOf(ref);
      return row === undefined ? undefined : jobOf(row);
    },
    async loadMany(refs) {
      return refs.flatMap((ref) => {
        const row = rowOf(ref);
        return row === undefined ? [] : (jobUnlessUnreadable(ref.id, row) ?? []);
      });
    },
    async wheel({ shard, priority, after, until, limit }) {
      const partition = [shard, priorities.indexOf(priority)] as const;
      const rows = read(() => statements.wheelPage.all(...partition, after.wakeAt, after.id, until.wakeAt, until.id, limit));
      return rows.map((row) => ({
        ...{ tenant: String(row["tenant"]) as TenantId, id: String(row["id"]) as JobId },
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
      const jobs = page.flatMap((row) => jobUnlessUnreadable(String(row["id"]) as JobId, row) ?? []);
      const last = page.at(-1);
      if (last === undefined || rows.length <= limit) return { jobs, next: null };
      return { jobs, next: { createdAt: toEpochMs(Number(last["created_at"])), id: String(last["id"]) } };
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

function jobOf(row: Row): Job {
  return decodeJob(String(row["record"]));
}
