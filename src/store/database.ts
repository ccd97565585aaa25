/**
 * The database file: who may read it, how it is set up, and how an older format becomes this one. Nothing of a newer format is touched.
 */

import { closeSync, existsSync, fchmodSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { shardOf } from "../core/hint.ts";
import { migrations } from "./migrations.ts";

/** The file cannot be used by this program. The message is one line for the person who started it, with the remedy. */
export class DatabaseRefusedError extends Error {
  override readonly name = "DatabaseRefusedError";
}

/** Another process may hold the write lock for a moment (a backup, a shell). Longer than that is an outage. */
const busyTimeoutMs = 2_000;

/**
 * FULL: a commit returns after the log was synced. The two others make a sync reach the disk on macOS, where it otherwise
 * stops at the drive's cache. The log is written back by the commit that makes it 1,000 pages long (SQLite's default), which
 * bounds it, as no reader holds it back.
 */
const writerPragmas = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
`;

/** Makes the database, or brings it to this format. After it, {@link openForWrites} and {@link openForReads} hold. */
export function prepareDatabase(path: string, shards: number): void {
  if (existsSync(path)) refuseForeign(path);
  ownFile(path);
  const database = openForWrites(path);
  try {
    database.exec("PRAGMA journal_mode = WAL");
    migrate(database);
    placeOnShards(database, shards);
  } finally {
    database.close();
  }
}

export function openForWrites(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  database.exec(writerPragmas);
  return database;
}

/** Sees what was committed when a statement begins. Never holds a read transaction longer than a statement, so the log can start over. */
export function openForReads(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
}

/** Looks through a connection that cannot write, so that what is refused stays as it was, byte for byte. */
function refuseForeign(path: string): void {
  const version = versionOf(path);
  if (version <= migrations.length) return;
  throw new DatabaseRefusedError(
    `the database ${path} was written by a newer onthedot (format ${version}, this one knows up to ${migrations.length}): start that version, or choose another data folder`,
  );
}

function versionOf(path: string): number {
  try {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
    try {
      return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    } finally {
      database.close();
    }
  } catch (cause) {
    throw new DatabaseRefusedError(
      `the file ${path} cannot be read as a database: restore it from a backup, or choose another data folder`,
      {
        cause,
      },
    );
  }
}

/** Bodies and credentials stand in it: for its owner alone. The log beside it takes over the file's mode. */
function ownFile(path: string): void {
  const file = openSync(path, "a", 0o600);
  fchmodSync(file, 0o600);
  closeSync(file);
}

function migrate(database: DatabaseSync): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

/** Jobs on a partition that no turn visits would never be called: with another number of shards, each moves to its new one. */
function placeOnShards(database: DatabaseSync, shards: number): void {
  const standing = database.prepare("SELECT shards FROM layout").get()?.["shards"];
  if (standing === shards) return;
  database.function("shard_of", { deterministic: true }, (id) => shardOf(String(id), shards));
  database.exec("BEGIN IMMEDIATE");
  database.exec("UPDATE jobs SET shard = shard_of(id) WHERE shard IS NOT NULL");
  database.prepare("UPDATE layout SET shards = ?").run(shards);
  database.exec("COMMIT");
}
