/**
 * Writes a group of writes in one transaction, so that many share one sync of the disk. Nothing of a group is answered before its
 * COMMIT returned; a group whose COMMIT failed left nothing behind.
 */

import type { DatabaseSync } from "node:sqlite";
import type { ItemId } from "../core/ids.ts";
import { hasChange, type Item } from "../core/item.ts";
import type { Body } from "../core/job.ts";
import { dayMs } from "../core/time.ts";
import type { NamedKind } from "../engine/ports.ts";
import { decodeItem } from "./item.ts";

/** Where a live job or a schedule stands on the wheel. `hinted`: 0 or 1. */
type Place = { readonly priority: number; readonly wakeAt: number; readonly hinted: number };
type Key = { readonly tenant: string; readonly id: ItemId };
type State = Item["state"];

/** A new item. `place`: null where it does not stand on the wheel. `named`: of a schedule or a calendar. */
type Insert = Key & {
  readonly version: number;
  readonly createdAt: number;
  readonly incarnation: string | null;
  readonly state: State;
  readonly place: (Place & { readonly shard: number }) | null;
  readonly named: { readonly kind: NamedKind; readonly name: string } | null;
  readonly change: string;
  readonly record: string;
  readonly now: number;
};

/** What stands of the item that a change was made from: it holds only while this is so. */
type Change = Key & {
  readonly change: string;
  readonly fromVersion: number;
  readonly createdAt: number;
  readonly incarnation: string | null;
  readonly fromState: State;
  readonly state: State;
  readonly record: string;
  readonly now: number;
};

/** One write, as it crosses to the writer's thread. */
export type Write =
  | (Insert & { kind: "insert" })
  /** The item stays where it is on the wheel, or off it. */
  | (Change & { kind: "stay" })
  | (Change & Place & { kind: "move" })
  /** The item is final and leaves the wheel. */
  | (Change & { kind: "end"; expiresAt: number })
  | { kind: "payload"; tenant: string; owner: string; id: string; keptUntil: number; bytes: Uint8Array }
  /** Removes what has expired, at most `limit` items and as many payloads. */
  | { kind: "remove"; now: number; limit: number };

export type WriteAnswer = "inserted" | "exists" | "committed" | "stale" | "kept" | { readonly removed: number };

/** What became of a group. `bug`: this write alone was refused, and nothing of it was written; its neighbours stand. */
export type GroupAnswer =
  | { readonly kind: "committed"; readonly answers: readonly (WriteAnswer | { readonly bug: string })[] }
  | { readonly kind: "outage"; readonly message: string };

/** Changes nothing where an item that has not expired stands under the key. Takes the place of one that has. */
const insertItem = `
  INSERT INTO jobs
    (tenant, id, version, created_at, incarnation, state, shard, priority, wake_at, hinted, kind, name, record, expires_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, NULL)
  ON CONFLICT (tenant, id) DO UPDATE SET
    version = ?3, created_at = ?4, incarnation = ?5, state = ?6, shard = ?7, priority = ?8, wake_at = ?9, hinted = ?10, kind = ?11,
    name = ?12, record = ?13, expires_at = NULL
  WHERE jobs.expires_at <= ?14`;
/** The item is the very one that the change was made from. Else someone changed it first, it is gone, or another took its expired key. */
const unchanged = "tenant = ? AND id = ? AND version = ? AND created_at = ? AND incarnation IS ?";
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
const expired = "SELECT rowid, tenant, id, record FROM jobs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
const removeItem = "DELETE FROM jobs WHERE rowid = ?";
/** Changes nothing where the payload went before its owner. */
const removePayload = "DELETE FROM payloads WHERE tenant = ? AND owner = ? AND id = ?";
const outlived = "SELECT tenant, owner, id FROM payloads WHERE kept_until <= ? ORDER BY kept_until LIMIT ?";
/** Changes nothing where no live job owns the payload. A schedule lives on while its older payloads go. */
const postpone = `
  UPDATE payloads SET kept_until = ?1 WHERE tenant = ?2 AND owner = ?3 AND id = ?4
  AND EXISTS (SELECT 1 FROM jobs WHERE jobs.tenant = ?2 AND jobs.id = ?3 AND shard IS NOT NULL AND kind IS NULL)`;

const texts = { insertItem, stay, move, end, standing, keepPayload, count, expired, removeItem, removePayload, outlived, postpone };
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
      const { tenant, id, version, createdAt, incarnation, state, place, named, record, now } = write;
      const columns = [place?.shard ?? null, place?.priority ?? null, place?.wakeAt ?? null, place?.hinted ?? null];
      const names = [named?.kind ?? null, named?.name ?? null];
      const values = [tenant, id, version, createdAt, incarnation, state, ...columns, ...names, record, now];
      if (statements.insertItem.run(...values).changes === 0) return isOwn(statements, write) ? "inserted" : "exists";
      if (state === "waiting") tally.waiting += 1;
      return "inserted";
    }
    case "stay":
    case "move":
    case "end": {
      const { tenant, id, fromVersion, createdAt, incarnation, fromState, state, record } = write;
      const values = [fromVersion + 1, state, record, ...columnsOf(write), tenant, id, fromVersion, createdAt, incarnation];
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
      return { removed: removeItems(statements, write) + removePayloads(statements, write) };
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

/** Whether this change is among those that the item remembers: its answer was lost, and the writer asks again. */
function isOwn(statements: Statements, { tenant, id, change, now }: Key & { change: string; now: number }): boolean {
  const row = statements.standing.get(tenant, id, now);
  return row !== undefined && hasChange(decodeItem(String(row["record"]), id), change);
}

/**
 * Of an expired item's payloads, those that it names go with it. Others under its id may belong to a new item that is about to take
 * its key: a body is written before the item that names it.
 */
function removeItems(statements: Statements, { now, limit }: { now: number; limit: number }): number {
  const rows = statements.expired.all(now, limit);
  for (const row of rows) {
    const [tenant, id] = [String(row["tenant"]), String(row["id"]) as ItemId];
    const item = decodeItem(String(row["record"]), id);
    for (const payloadId of payloadIdsOf(item)) statements.removePayload.run(tenant, id, payloadId);
    statements.removeItem.run(Number(row["rowid"]));
  }
  return rows.length;
}

function payloadIdsOf(item: Item): readonly string[] {
  if ("written" in item) return [];
  if ("spec" in item) return besideOf(item.spec.job.body);
  const excerpts = item.attempts.map((attempt) => attempt.response?.excerptId ?? null).filter((id) => id !== null);
  return [...besideOf(item.body), ...excerpts];
}

function besideOf(body: Body | null): readonly string[] {
  return body?.kept === "beside" ? [body.payloadId] : [];
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
