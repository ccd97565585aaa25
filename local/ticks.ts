/** What recurs at home: a turn each second, and the removal of ended jobs in small steps. By elapsed time, so that no setting of the clock holds it up. */

import { type EpochMs, minuteMs, secondMs } from "../src/core/time.ts";
import type { Engine } from "../src/engine/engine.ts";
import { OutageError } from "../src/engine/ports.ts";
import { turn } from "../src/engine/turn.ts";
import type { SqliteStore } from "../src/store/sqlite.ts";
import type { NodeClock } from "../src/system/clock.ts";
import { shards } from "./params.ts";

/** One step of a removal holds the writer for some milliseconds; other writes go between two steps. */
const removedPerStep = 200;
const pauseBetweenStepsMs = 50;

export type Ticks = { lastTurnAt(): EpochMs | null; stop(): void };

/** Goes on whatever a turn or a removal meets: an outage is observed, a bug is told to `onBug`, and the next one comes in its time. */
export function startTicks(
  engine: Engine,
  clock: Pick<NodeClock, "now" | "after">,
  store: Pick<SqliteStore, "removeExpired">,
  onBug: (error: unknown) => void,
): Ticks {
  const stopped = new AbortController();
  let lastTurnAt: EpochMs | null = null;
  const range = { range: 0, shards: Array.from({ length: shards }, (_, shard) => shard) };

  async function turnOnce(): Promise<void> {
    await turn(engine, range, null);
    lastTurnAt = clock.now();
  }

  async function removeOnce(): Promise<void> {
    while (!stopped.signal.aborted && (await store.removeExpired(removedPerStep)) > 0)
      await clock.after(pauseBetweenStepsMs, stopped.signal);
  }

  async function repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!stopped.signal.aborted) {
      const startedAt = performance.now();
      try {
        await work();
      } catch (cause) {
        if (cause instanceof OutageError) engine.observe({ kind: "outage", where: "store", cause });
        else onBug(cause);
      }
      await clock.after(Math.max(0, everyMs - (performance.now() - startedAt)), stopped.signal);
    }
  }

  void repeat(secondMs, turnOnce);
  void repeat(minuteMs, removeOnce);
  return { lastTurnAt: () => lastTurnAt, stop: () => stopped.abort() };
}
