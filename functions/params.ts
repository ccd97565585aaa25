/** The engine's parameters on AWS, each with its reason. Many short invocations, a store that answers in milliseconds, hints that may be lost. */

import { limits } from "../src/core/limits.ts";
import { secondMs, toEpochMs } from "../src/core/time.ts";
import type { Params } from "../src/engine/engine.ts";

/** What a deploy chooses. */
export type Choices = {
  readonly shards: number;
  readonly tickMs: number;
  readonly lookaheadMs: number;
  readonly retentionMs: number;
  readonly maxTimeoutMs: number;
  readonly keepResponses: "failures" | "all";
};

/** Calls at once of one executor: sockets and buffers of so many fit its memory, and a stretch of the past is worked off in a few rounds. */
export const executorSlots = 64;

/** The default timeout of a call and five seconds of slack: what is further in the past was hinted in vain, or runs longer than most. */
const graceMs = limits.timeoutMsDefault + 5 * secondMs;

export function awsParams({ shards, tickMs, lookaheadMs, retentionMs, keepResponses, maxTimeoutMs }: Choices, version: string): Params {
  return {
    ...{ shards, tickMs, lookaheadMs, retentionMs, keepResponses, graceMs },
    // The past's own hints have taken over by then.
    namesAgeMsMax: graceMs,
    // The next turn has cut the past anew.
    stretchAgeMsMax: tickMs,
    // A queue's delivery and a cold start, and no more: the hold is what a lone job costs.
    leadMs: 500,
    connectLeadMs: 250,
    // A conditional write and the last look at their worst; the record is durable before the instant.
    claimLeadMs: 60,
    takeLeadMs: 2 * secondMs,
    callMsMax: maxTimeoutMs,
    // With 640 MB the last of so many in one instant is sent 7 ms late, by what docs/hints.md measures.
    namesPerHint: 15,
    pageEntries: 500,
    // Executors for one partition's backlog, until the next tick.
    stretchesPerPartition: 4,
    lonelySpreadMs: 10 * secondMs,
    // Whoever promised a hint sent it into a queue that outlives him.
    hintedAnewBefore: toEpochMs(0),
    leaseRule: { kind: "invocation" },
    // Twenty milliseconds: a consistent read at its worst, so that it ends before the instant.
    cancelWatch: { kind: "asks", leadMs: 20, everyMs: 2 * secondMs },
    userAgent: `onthedot/${version}`,
  };
}
