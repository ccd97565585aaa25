/**
 * One process on one data folder. The lock is an exclusive transaction on a small SQLite file of its own, held open for the life of
 * the process: the kernel frees it when the process ends, however it ends, so a crash leaves nothing to clean up and no process id to
 * guess about.
 *
 * It is a POSIX record lock underneath, with its trap: a process loses it when it opens and closes the same file by any other way.
 * Nothing else may open `lock.db`. On network file systems such locks are only as good as the file system's own; the data belongs on
 * a local disk.
 */

import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

export type FolderLock =
  | { readonly kind: "locked"; release(): void }
  /** Another process, or this one, works on the folder. */
  | { readonly kind: "taken" }
  /** The folder cannot be made or written. `message` is one line for the operator. */
  | { readonly kind: "unwritable"; readonly message: string };

export const lockFile = "lock.db";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); the extended ones carry them in their low byte. */
const sqliteBusy = 5;

/** An unreferenced database is closed by the garbage collector, and its lock would go with it, whatever the caller does with the answer. */
const held = new Set<DatabaseSync>();

/** Makes the folder and its parents (mode 0700, for job bodies and secrets lie in it) and locks it. A folder that exists keeps its mode. */
export function lockFolder(path: string): FolderLock {
  try {
    makeFolder(resolve(path));
    if (!statSync(path).isDirectory()) return refused(path, "it is a file");
  } catch (error) {
    return unwritable(path, error);
  }
  return lockDatabase(path);
}

/** Not `mkdir` with `recursive`: that never returns where the system answers ENOENT for a folder whose parent exists, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may be starting on the same folder; which of the two works on it, the lock decides.
    if (!existsSync(path)) throw error;
  }
}

function lockDatabase(path: string): FolderLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(path, lockFile), { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    // Written, not committed: shows now that the folder takes writes (the journal is a new file in it) and the disk has room.
    database.exec("PRAGMA user_version = 1");
    held.add(database);
    return { kind: "locked", release: releaseOnce(database) };
  } catch (error) {
    database?.close();
    return isBusy(error) ? { kind: "taken" } : unwritable(path, error);
  }
}

/** Closing rolls the empty transaction back and frees the lock. Again: nothing happens. */
function releaseOnce(database: DatabaseSync): () => void {
  return () => {
    if (held.delete(database)) database.close();
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === sqliteBusy;
}

/** Whatever has a system's code says why the folder cannot be had; anything else is a bug. */
function unwritable(path: string, error: unknown): FolderLock {
  if (!(error instanceof Error && "code" in error)) throw error;
  const ofDatabase = error.code === "ERR_SQLITE_ERROR";
  return refused(path, ofDatabase ? `${lockFile} in it: ${error.message}` : error.message);
}

function refused(path: string, reason: string): FolderLock {
  return {
    kind: "unwritable",
    message: `expected a folder that can be written, got ${path} (${reason}); make it writable or name another one by ONTHEDOT_DATA`,
  };
}
