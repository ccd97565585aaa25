/** Keys of the home's own that outlive the process: random, in the data folder, readable by its owner alone. */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const keyBytes = 32;

/** The key kept under the name; made on first use. A torn file (a crash while it was written) is made anew. */
export function readKey(folder: string, name: string): Uint8Array {
  const path = join(folder, name);
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
