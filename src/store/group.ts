/**
 * Writes a group of writes in one transaction, so that many share one sync of the disk. Nothing of a group is answered before its
 * COMMIT returned; a group whose COMMIT failed left nothing behind.
 */

import type { DatabaseSync } from "node:sqlite";
import type { Job } from "../core/job.ts";
import { dayMs } from "../core/time.ts";
import { decodeJob } from "./item.ts";

/** Where a live job stands on the wheel. `hinted`: 0 or 1. */
type Place = { readonly priority: number; readonly wakeAt: number; readonly hinted: number };
type Key = { readonly tenant: string; readonly id: string };
type State = Job["state"];

/** What stands of the job that a change was made from: it holds only while this is so. */
type Change = Key & {
  readonly change: string;
  readonly fromVersion: number;
  readonly createdAt: number;
  readonly fromState: State;
  readonly state: State;
  readonly record: string;
  readonly now: number;
};

/** One write, as it crosses to the writer's thread. */
export type Write =
  | (Key & Place & { kind: "insert"; version: number; shard: number; createdAt: number; change: string; record: string; now: number })
  /** The job stays where it is on the wheel. */
  | (Change & { kind: "stay" })
  | (Change & Place & { kind: "move" })
  /** The job is final and leaves the wheel. */
  | (Change & { kind: "end"; expiresAt: number })
  | { kind: "payload"; tenant: string; owner: string; id: string; keptUntil: number; bytes: Uint8Array }
  /** Removes what has expired, at most `limit` jobs and as many payloads. */
  | { kind: "remove"; now: number; limit: number };

export type WriteAnswer = "inserted" | "exists" | "committed" | "stale" | "kept" | { readonly removed: number };

/** What became of a group. `bug`: this write alone was refused, and nothing of it was written; its neighbours stand. */
export type GroupAnswer =
  | { readonly kind: "committed"; readonly answers: readonly (WriteAnswer | { readonly bug: string })[] }
  | { readonly kind: "outage"; readonly message: string };

/** Changes nothing where an item that has not expired stands under the key. Takes the place of one that has. */
const insertJob = `
  INSERT INTO jobs (tenant, id, version, created_at, state, shard, priority, wake_at, hinted, expires_at, record)
  VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, ?8, NULL, ?9)
  ON CONFLICT (tenant, id) DO UPDATE SET
    version = ?3, created_at = ?4, state = 'waiting', shard = ?5, priority = ?6, wake_at = ?7, hinted = ?8, expires_at = NULL, record = ?9
  WHERE jobs.expires_at <= ?10`;
/** The item is the very one that the change was made from. Else someone changed it first, it is gone, or another took its expired key. */
const unchanged = "tenant = ? AND id = ? AND version = ? AND created_at = ?";
/** Names no column of an index, so that none is written. Changes nothing where the item is not `unchanged`. */
const stay = `UPDATE jobs SET version = ?, state = ?, record = ? WHERE ${unchanged}`;
/** Changes nothing where the item is not `unchanged`. */
const move = `UPDATE jobs SET version = ?, state = ?, record = ?, priority = ?, wake_at = ?, hinted = ? WHERE ${unchanged}`;
/** Changes nothing where the item is not `unchanged`. */
const end = `
  UPDATE jobs SET version = ?, state = ?, record = ?, expires_at = ?, shard = NULL, priority = NULL, wake_at = NULL, hinted = NULL
  WHERE ${unchanged}`;
/** Finds nothing where no item stands, or one that has expired. */
const standing = "SELECT record FROM jobs WHERE tenant = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)";
/** Changes nothing where a payload of this name stands: a payload never changes. */
const keepPayload = "INSERT INTO payloads (tenant, owner, id, kept_until, bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
/** There is one row, always. */
const count = "UPDATE counts SET waiting = waiting + ?, running = running + ?";
const expired = "SELECT rowid, record FROM jobs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
const removeJob = "DELETE FROM jobs WHERE rowid = ?";
/** Changes nothing where the payload went before its job. */
const removePayload = "DELETE FROM payloads WHERE tenant = ? AND owner = ? AND id = ?";
const outlived = "SELECT tenant, owner, id FROM payloads WHERE kept_until <= ? ORDER BY kept_until LIMIT ?";
/** Changes nothing where no live job owns the payload. */
const postpone = `
  UPDATE payloads SET kept_until = ?1 WHERE tenant = ?2 AND owner = ?3 AND id = ?4
  AND EXISTS (SELECT 1 FROM jobs WHERE jobs.tenant = ?2 AND jobs.id = ?3 AND shard IS NOT NULL)`;

const texts = { insertJob, stay, move, end, standing, keepPayload, count, expired, removeJob, removePayload, outlived, postpone };
type Statements = { readonly [Name in keyof typeof texts]: ReturnType<DatabaseSync["prepare"]> };
/** How the counts of live jobs change by one group. */
type Tally = { waiting: number; running: number };
/** What a group's writes share. */
type Desk = { readonly statements: Statements; readonly tally: Tally };

export function groupWriter(database: DatabaseSync): (writes: readonly Write[]) => GroupAnswer {
  const entries = Object.entries(texts).map(([name, text]) => [name, database.prepare(text)] as const);
  const statements = Object.fromEntries(entries) as Statements;
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");

  /** A statement that its own values made fail has written nothing, and its neighbours go on. */
  function answerOrBug(desk: Desk, write: Write): WriteAnswer | { readonly bug: string } {
    try {
      return answer(desk, write);
    } catch (error) {
      if (isOutage(error) || !database.isTransaction || !(error instanceof Error)) throw error;
      return { bug: error.message };
    }
  }

  return (writes) => {
    const tally: Tally = { waiting: 0, running: 0 };
    try {
      begin.run();
      const answers = writes.map((write) => answerOrBug({ statements, tally }, write));
      if (tally.waiting !== 0 || tally.running !== 0) statements.count.run(tally.waiting, tally.running);
      commit.run();
      return { kind: "committed", answers };
    } catch (error) {
      // Some failures have rolled back already. Where a rollback fails too the thread ends, for nobody knows what stands.
      if (database.isTransaction) database.exec("ROLLBACK");
      return { kind: "outage", message: messageOf(error) };
    }
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** SQLite's primary codes for a fault of the statement or its values: too big, constraint, mismatch, misuse, range. */
const faults: readonly number[] = [18, 19, 20, 21, 25];

/** Whether the database, and not a write, is what failed. */
function isOutage(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && !faults.includes(error.errcode & 0xff);
}

function answer({ statements, tally }: Desk, write: Write): WriteAnswer {
  switch (write.kind) {
    case "insert": {
      const { tenant, id, version, createdAt, shard, priority, wakeAt, hinted, record, now } = write;
      const { changes } = statements.insertJob.run(tenant, id, version, createdAt, shard, priority, wakeAt, hinted, record, now);
      if (changes === 0) return isOwn(statements, write) ? "inserted" : "exists";
      tally.waiting += 1;
      return "inserted";
    }
    case "stay":
    case "move":
    case "end": {
      const { tenant, id, fromVersion, createdAt, fromState, state, record } = write;
      const values = [fromVersion + 1, state, record, ...columnsOf(write), tenant, id, fromVersion, createdAt];
      const { changes } = statements[write.kind].run(...values);
      if (changes === 0) return isOwn(statements, write) ? "committed" : "stale";
      if (fromState === "waiting" || fromState === "running") tally[fromState] -= 1;
      if (state === "waiting" || state === "running") tally[state] += 1;
      return "committed";
    }
    case "payload":
      statements.keepPayload.run(write.tenant, write.owner, write.id, write.keptUntil, write.bytes);
      return "kept";
    case "remove":
      return { removed: removeJobs(statements, write) + removePayloads(statements, write) };
  }
}

/** The columns beside the record that a change of this kind writes, in its statement's order. */
function columnsOf(write: Extract<Write, { kind: "stay" | "move" | "end" }>): readonly number[] {
  switch (write.kind) {
    case "stay":
      return [];
    case "move":
      return [write.priority, write.wakeAt, write.hinted];
    case "end":
      return [write.expiresAt];
  }
}

/** Whether this change stands in the item's history: its answer was lost, and the writer asks again. */
function isOwn(statements: Statements, { tenant, id, change, now }: Key & { change: string; now: number }): boolean {
  const row = statements.standing.get(tenant, id, now);
  return row !== undefined && decodeJob(String(row["record"])).history.some((entry) => entry.change === change);
}

/**
 * Of an expired job's payloads, those that it names go with it. Others under its id may belong to a new job that is about to take
 * its key: a body is written before the job that names it.
 */
function removeJobs(statements: Statements, { now, limit }: { now: number; limit: number }): number {
  const rows = statements.expired.all(now, limit);
  for (const row of rows) {
    const job = decodeJob(String(row["record"]));
    for (const id of payloadIdsOf(job)) statements.removePayload.run(job.tenant, job.id, id);
    statements.removeJob.run(Number(row["rowid"]));
  }
  return rows.length;
}

function payloadIdsOf({ body, attempts }: Job): readonly string[] {
  const excerpts = attempts.map((attempt) => attempt.response?.excerptId ?? null).filter((id) => id !== null);
  return body?.kept === "beside" ? [body.payloadId, ...excerpts] : excerpts;
}

/** A payload may go at its `keptUntil`. That of a job which is live still, for it is late, is looked at again in a day. */
function removePayloads(statements: Statements, { now, limit }: { now: number; limit: number }): number {
  let removed = 0;
  for (const row of statements.outlived.all(now, limit)) {
    const key = [String(row["tenant"]), String(row["owner"]), String(row["id"])] as const;
    if (statements.postpone.run(now + dayMs, ...key).changes !== 0) continue;
    statements.removePayload.run(...key);
    removed += 1;
  }
  return removed;
}
