/**
 * The store in one SQLite file: what was answered is on the disk. Writes go to a thread, where those that wait together share one
 * transaction and one sync; reads happen here, through a connection of their own, and see every write that was answered.
 */

import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { shardOf } from "../core/hint.ts";
import type { JobId, TenantId } from "../core/ids.ts";
import { isLive, type Job, priorities } from "../core/job.ts";
import { type EpochMs, toEpochMs } from "../core/time.ts";
import type { Transition } from "../core/transition.ts";
import type { ListKey, Store } from "../engine/ports.ts";
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

/** Opens the database at `path`, or makes it; its folder stands. Throws `DatabaseRefusedError` for a file that it must not touch. */
export async function openSqliteStore({ path, now, shards }: { path: string; now: () => EpochMs; shards: number }): Promise<SqliteStore> {
  prepareDatabase(path, shards);
  const reader = openForReads(path);
  const writer = await startWriter(path);
  const reads = readsOf(reader, now, shards);

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
const listPage = `
  SELECT record FROM jobs WHERE tenant = ? AND (created_at, id) < (?, ?) AND (expires_at IS NULL OR expires_at > ?)
  ORDER BY created_at DESC, id DESC LIMIT ?`;
const onePayload = "SELECT bytes FROM payloads WHERE tenant = ? AND owner = ? AND id = ?";
const liveCounts = "SELECT waiting, running FROM counts";
/** Walks past running jobs, of which there are no more than calls in flight. */
const oldestWaiting = `
  SELECT wake_at FROM jobs WHERE shard = ? AND priority = ? AND state = 'waiting' ORDER BY wake_at, id LIMIT 1`;

/** Comes before the newest job of any list. */
const beforeAll: ListKey = { createdAt: toEpochMs(Number.MAX_SAFE_INTEGER), id: "" };

type Reads = Pick<SqliteStore, "load" | "loadMany" | "wheel" | "list" | "readPayloads" | "counts">;

function readsOf(reader: DatabaseSync, now: () => EpochMs, shards: number): Reads {
  const statements = {
    ...{ oneJob: reader.prepare(oneJob), wheelPage: reader.prepare(wheelPage), listPage: reader.prepare(listPage) },
    ...{ onePayload: reader.prepare(onePayload), liveCounts: reader.prepare(liveCounts), oldestWaiting: reader.prepare(oldestWaiting) },
  };
  const loadOne = ({ tenant, id }: { tenant: TenantId; id: JobId }) => {
    const row = statements.oneJob.get(tenant, id, now());
    return row === undefined ? undefined : jobOf(row);
  };

  return {
    async load(ref) {
      return loadOne(ref);
    },
    async loadMany(refs) {
      return refs.map(loadOne).filter((job) => job !== undefined);
    },
    async wheel({ shard, priority, after, until, limit }) {
      const partition = [shard, priorities.indexOf(priority)] as const;
      const rows = statements.wheelPage.all(...partition, after.wakeAt, after.id, until.wakeAt, until.id, limit);
      return rows.map((row) => ({
        ...{ tenant: String(row["tenant"]) as TenantId, id: String(row["id"]) as JobId },
        ...{ wakeAt: toEpochMs(Number(row["wake_at"])), hinted: row["hinted"] === 1 },
      }));
    },
    async list({ tenant, after, limit }) {
      const { createdAt, id } = after ?? beforeAll;
      // One more than asked for tells whether this page is the last.
      const rows = statements.listPage.all(tenant, createdAt, id, now(), limit + 1);
      const jobs = rows.slice(0, limit).map(jobOf);
      const last = jobs.at(-1);
      return { jobs, next: last === undefined || rows.length <= limit ? null : { createdAt: last.createdAt, id: last.id } };
    },
    async readPayloads(owner, ids) {
      return ids.map((id) => {
        const bytes = statements.onePayload.get(owner.tenant, owner.id, id)?.["bytes"];
        return bytes instanceof Uint8Array ? bytes : undefined;
      });
    },
    async counts() {
      const row = statements.liveCounts.get();
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

function jobOf(row: Record<string, SQLOutputValue>): Job {
  return decodeJob(String(row["record"]));
}
