/** The engine's parameters at home, each with its reason. One process, one disk, hints that cannot be lost without the process. */

import { limits } from "../src/core/limits.ts";
import { dayMs, type EpochMs, later, secondMs } from "../src/core/time.ts";
import type { Params } from "../src/engine/engine.ts";
import type { Settings } from "./settings.ts";

/** One is enough for one process: shards spread writes over machines. */
export const shards = 1;

/**
 * Names held in memory for their instant. Two look-aheads of ten thousand calls a second, more than one process makes; what finds no
 * room is read from the wheel when its instant comes.
 */
export const namesMax = 20_000;

const tickMs = secondMs;
const lookaheadMs = 2 * tickMs;

export function homeParams(settings: Pick<Settings, "leaseSlackMs" | "retentionMs">, startedAt: EpochMs, version: string): Params {
  return {
    shards,
    tickMs,
    lookaheadMs,
    // A hint is lost only with the process, and a new process starts with the past.
    graceMs: 0,
    // Within one process no hint is stale: it waits for a free slot, and is merged with those that come meanwhile.
    namesAgeMsMax: dayMs,
    stretchAgeMsMax: dayMs,
    // Time to load a burst of jobs and to open their connections.
    leadMs: 150,
    connectLeadMs: 100,
    // The 99th percentile of a commit when the disk is busy with others.
    claimLeadMs: 25,
    takeLeadMs: 2 * secondMs,
    callMsMax: limits.timeoutMsMax,
    namesPerHint: 100,
    pageEntries: 500,
    stretchesPerPartition: 1,
    lonelySpreadMs: 2 * secondMs,
    // What an earlier process promised to hint died with it.
    hintedAnewBefore: later(startedAt, lookaheadMs + tickMs),
    leaseRule: { kind: "register", slackMs: settings.leaseSlackMs },
    cancelWatch: { kind: "told" },
    retentionMs: settings.retentionMs,
    keepResponses: "all",
    userAgent: `onthedot/${version}`,
  };
}
