/** A folder of its own for one test. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In these tests every record can be read, unless one says otherwise. */
export function onUnreadable(_id: string, cause: unknown): never {
  throw cause;
}

export type Folder = { file(name: string): string; remove(): Promise<void> };

export async function freshFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "onthedot-"));
  return { file: (name) => join(path, name), remove: () => rm(path, { recursive: true, force: true }) };
}
