/**
 * The embedded home: the whole building in one process. Composes the engine from the store, hints, deliver and API, runs a turn each
 * second, and takes everything down again in the order that loses nothing.
 */

import { join } from "node:path";
import type { Access } from "../src/api/auth.ts";
import { createApi } from "../src/api/routes.ts";
import type { Hint } from "../src/core/hint.ts";
import { soleTenant } from "../src/core/ids.ts";
import { limits } from "../src/core/limits.ts";
import { createDeliver } from "../src/deliver/http.ts";
import { admitAll } from "../src/engine/admit.ts";
import type { Invocation } from "../src/engine/attempt.ts";
import type { Engine } from "../src/engine/engine.ts";
import { type Observation, OutageError } from "../src/engine/ports.ts";
import { createRegister } from "../src/engine/register.ts";
import { createSlots } from "../src/engine/slots.ts";
import { wake } from "../src/engine/wake.ts";
import { createMemoryHints } from "../src/hints/memory.ts";
import { DatabaseRefusedError } from "../src/store/database.ts";
import { memoryCursors } from "../src/store/memory.ts";
import { openSqliteStore, type SqliteStore } from "../src/store/sqlite.ts";
import { chance, createIds } from "../src/system/chance.ts";
import { createNodeClock, type NodeClock } from "../src/system/clock.ts";
import type { Log } from "../src/system/log.ts";
import { observationLog } from "../src/system/observationLog.ts";
import { createOutageLog } from "../src/system/outages.ts";
import { createHealth } from "./health.ts";
import { KeyRefusedError, readKey } from "./key.ts";
import { lockFolder } from "./lock.ts";
import { createMetrics } from "./metrics.ts";
import { homeParams, namesMax, shards } from "./params.ts";
import { listen } from "./server.ts";
import type { Settings } from "./settings.ts";
import { startTicks } from "./ticks.ts";

/** Within the data folder; its write-ahead log and index lie beside it. */
export const databaseFile = "onthedot.db";

export type Host = {
  readonly kind: "started";
  readonly url: string;
  readonly engine: Engine;
  /** True where no job was ever kept in the folder: this is somebody's first run. */
  readonly isFirstRun: boolean;
  /** Resolves when only a new process can help. */
  readonly died: Promise<Error>;
  /** Takes nothing new, lets calls in flight end for up to ten seconds, and closes what is open. */
  stop(): Promise<void>;
};

/** `message`: one line for the operator, with the remedy. Nothing is left open. */
export type Refused = { readonly kind: "refused"; readonly message: string };

/** How long a shutdown waits for calls in flight, and then for the records of those it aborted. */
const patienceMs = 10_000;
const recordMs = 2_000;

export async function startHost(settings: Settings, log: Log, version: string): Promise<Host | Refused> {
  const lock = lockFolder(settings.data);
  switch (lock.kind) {
    case "unwritable":
      return { kind: "refused", message: lock.message };
    case "taken":
      return {
        kind: "refused",
        message: `another onthedot works on the folder ${settings.data}; stop it, or choose another folder with --data or ONTHEDOT_DATA`,
      };
    case "locked":
      break;
  }
  const clock = createNodeClock();
  let store: SqliteStore | undefined;
  try {
    const onUnreadable = (job: string, cause: unknown) =>
      log("error", `the record of ${job} cannot be read, and is passed over; is it damaged, or of a newer version?`, { job, cause });
    store = await openSqliteStore({ path: join(settings.data, databaseFile), now: clock.now, shards, onUnreadable });
    const host = await openDoors({ settings, log, version, store, clock, unlock: lock.release });
    if (host.kind === "started") return host;
    await store.close();
    lock.release();
    return host;
  } catch (error) {
    await store?.close();
    lock.release();
    if (error instanceof DatabaseRefusedError || error instanceof KeyRefusedError) return { kind: "refused", message: error.message };
    throw error;
  }
}

type Building = {
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  readonly store: SqliteStore;
  readonly clock: NodeClock;
  unlock(): void;
};

async function openDoors(building: Building): Promise<Host | Refused> {
  const { settings, log, version, store, clock } = building;
  const { list, counts } = store;
  const isFirstRun =
    (await list({ tenant: soleTenant, among: "all", after: null, limit: 1 })).jobs.length === 0 && (await counts()).waiting === 0;
  const metrics = createMetrics({ version });
  const health = createHealth(store, clock.now);
  const tellOutage = createOutageLog(log);
  const listeners = [metrics.observe, health.observe, observationLog(log, tellOutage)];
  const { engine, invocation, hints, closeDeliver } = compose(building, (observation) => {
    for (const observe of listeners) observe(observation);
  });
  const onBug = (cause: unknown) => log("error", "a bug: the work it met stays on the wheel and is tried again", { cause });
  const api = createApi({
    ...{ engine, tenant: soleTenant, allow: settings.allowTargets, access: accessOf(settings), version },
    maxTimeoutMs: limits.timeoutMsMax,
    cursorKey: readKey(settings.data, "cursor.key"),
    health: () => health.report(ticks.lastTurnAt()),
    async metrics() {
      const { waiting, running, oldestWakeAt: oldestDueAt } = await counts();
      return metrics.text({ waiting, running, oldestDueAt, queueDepth: hints.depth(), lastTickAt: ticks.lastTurnAt(), now: clock.now() });
    },
    log({ level, message, requestId, cause }) {
      if (!(cause instanceof OutageError)) return log(level, message, { requestId, cause });
      tellOutage(message, { requestId, cause });
      for (const tell of [metrics.observe, health.observe]) tell({ kind: "outage", where: "store", cause });
    },
  });
  const server = await listen({ host: settings.host, port: settings.port, fetch: api.fetch });
  if (server.kind === "refused") return server;
  const ticks = startTicks(engine, clock, store, onBug);

  async function stop(): Promise<void> {
    ticks.stop();
    hints.stop();
    invocation.endsAt = clock.now();
    const closed = server.kind === "listening" ? server.close() : undefined;
    await settled(clock, invocation, patienceMs);
    engine.register.abortAll();
    await settled(clock, invocation, recordMs);
    await Promise.race([closed, clock.after(recordMs)]);
    await closeDeliver();
    await store.close();
    building.unlock();
  }
  return { kind: "started", url: server.url, engine, isFirstRun, died: store.died, stop };
}

function accessOf({ apiKey }: Settings): Access {
  return apiKey === null ? { kind: "loopback" } : { kind: "key", key: apiKey };
}

function compose({ settings, log, version, store, clock }: Building, observe: (observation: Observation) => void) {
  const params = homeParams(settings, clock.now(), version);
  const invocation: Invocation = { slots: createSlots(settings.concurrency), endsAt: null, warm: 0 };
  const { close: closeDeliver, ...deliver } = createDeliver({ allow: settings.allowTargets, now: clock.now });
  const hints = createMemoryHints({
    ...{ clock, shards, namesMax, leadMs: params.leadMs, deliver: handle },
    namesPerStepMax: 2 * settings.concurrency,
  });
  const engine: Engine = {
    ...{ params, store, cursors: memoryCursors(), hints, deliver, admit: admitAll, clock, chance, ids: createIds(), observe },
    register: createRegister(),
  };

  /** The door of the hints: whatever goes wrong, the wheel still holds the work, and the next turn hints it again. */
  async function handle(hint: Hint, started: () => void): Promise<void> {
    try {
      await wake(engine, hint, invocation, started);
    } catch (cause) {
      if (cause instanceof OutageError) observe({ kind: "outage", where: "store", cause });
      else log("error", "a bug: the work it met stays on the wheel and is tried again", { cause });
    }
  }
  return { engine, invocation, hints, closeDeliver };
}

async function settled(clock: NodeClock, invocation: Invocation, patience: number): Promise<void> {
  const pollMs = 20;
  for (let waitedMs = 0; invocation.slots.taken() > 0 && waitedMs < patience; waitedMs += pollMs) await clock.after(pollMs);
}
