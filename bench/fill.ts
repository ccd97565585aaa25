/** Fills a data folder with jobs that wait, through the store itself: a million in well under a minute. */

import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { databaseFile } from "../local/host.ts";
import { soleTenant } from "../src/core/ids.ts";
import { limits } from "../src/core/limits.ts";
import { retryDefault } from "../src/core/retry.ts";
import { dayMs, later, toEpochMs } from "../src/core/time.ts";
import { create } from "../src/core/transition.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { createIds } from "../src/system/chance.ts";

/** Inserts that wait for one answer together: a few groups' worth. */
const together = 2_000;

export async function fill(folder: string, count: number): Promise<void> {
  await chmod(folder, 0o700);
  const now = toEpochMs(Date.now());
  const store = await openSqliteStore({ path: join(folder, databaseFile), now: () => now, shards: 1, onUnreadable: raise });
  const ids = createIds();
  for (let done = 0; done < count; done += together) {
    const inserts = Array.from({ length: Math.min(together, count - done) }, (_, index) => store.insert(waiting(done + index)));
    await Promise.all(inserts);
  }
  await store.close();

  function raise(_id: string, cause: unknown): never {
    throw cause;
  }

  function waiting(index: number) {
    const text = JSON.stringify({ order: index, note: "x".repeat(120) });
    const facts = { now, change: ids.change(), hintBefore: now, retentionMs: 30 * dayMs };
    // Spread over a month, a day from now on: none is due while the bench runs.
    const dueAt = later(now, dayMs + (index / count) * 30 * dayMs);
    return create(
      {
        ...{ tenant: soleTenant, id: ids.job(now), dueAt, deadline: null, labels: {}, fingerprint: null, replayOf: null, schedule: null },
        target: { url: "http://127.0.0.1:9/", method: "POST", headers: {} },
        body: { contentType: "application/json", byteCount: text.length, kept: "inline", text },
        timeoutMs: limits.timeoutMsDefault,
        priority: "normal",
        retry: retryDefault,
      },
      facts,
    );
  }
}
