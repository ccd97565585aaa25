/** Keys of the home's own that outlive the process: random, in the data folder, readable by its owner alone. */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const keyBytes = 32;

/** The key can neither be read nor made. The message is one line for the person who started the program, with the remedy. */
export class KeyRefusedError extends Error {
  override readonly name = "KeyRefusedError";
}

/**
 * The key kept under the name; made on first use. A torn file (a crash while it was written) is made anew. Throws `KeyRefusedError`
 * where the system allows neither.
 */
export function readKey(folder: string, name: string): Uint8Array {
  const path = join(folder, name);
  try {
    return keptOrMade(path);
  } catch (cause) {
    // A system's code says what is in the way; anything else is a bug.
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new KeyRefusedError(`the key ${path} can be neither read nor made (${cause.message}): remove what lies there, or make room`, {
      cause,
    });
  }
}

function keptOrMade(path: string): Uint8Array {
  if (existsSync(path)) {
    const kept = readFileSync(path);
    if (kept.byteLength === keyBytes) return kept;
  }
  const made = randomBytes(keyBytes);
  // A mode counts only for a file that is made: one left by a crash would keep its own.
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, made, { mode: 0o600, flag: "wx" });
  renameSync(`${path}.new`, path);
  return made;
}
