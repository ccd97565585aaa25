/** Data folders that vanish when their test file ends. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "onthedot-crash-"));
  folders.push(folder);
  return folder;
}
