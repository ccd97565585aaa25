/** What is simulated: a stack with its settings, what AWS gives it, how long things take, and the load. */

import { awsParams, executorSlots } from "../../functions/params.ts";
import { dispatcherTimeoutMs, spansFor } from "../../src/core/invocation.ts";
import { limits } from "../../src/core/limits.ts";
import { minuteMs, secondMs } from "../../src/core/time.ts";
import type { Params } from "../../src/engine/engine.ts";
import { quotas } from "./quotas.ts";

/** What an operator chooses or asks AWS for. */
export type Setup = {
  readonly shards: number;
  readonly ranges: number;
  readonly memoryMb: number;
  readonly dispatcherMemoryMb: number;
  readonly namesPerHint: number;
  readonly leadMs: number;
  /** Provisioned pollers of the queue in use, least and most; null: those that Lambda makes as it sees fit. */
  readonly pollers: { readonly min: number; readonly max: number } | null;
  /** Executors at once: the mapping's bound, or what the account has for them. */
  readonly concurrency: number;
  /** Write units a second for which the table and each index are warm. Reads are three times as many. */
  readonly warmWrites: number;
  /**
   * Whether DynamoDB has met such a load before, and has put keys that were hot together on partitions of their own. It does so by itself
   * within some time that it does not name; a table that is warmed beforehand has the partitions, but no reason yet to part the keys.
   */
  readonly keysApart: boolean;
};

/** What `cdk deploy` makes when nothing is said (`infra/onTheDot.ts`), in an account where nothing was asked for. */
export const defaults: Setup = {
  shards: 64,
  ranges: 1,
  memoryMb: 640,
  dispatcherMemoryMb: 512,
  namesPerHint: awsParams(choices(64), "scale").namesPerHint,
  leadMs: awsParams(choices(64), "scale").leadMs,
  pollers: null,
  concurrency: 100,
  warmWrites: quotas.newTableWrites,
  keysApart: false,
};

/** How much is asked of it. Jobs are numbered by their instants; all have the priority `normal` and the same target. */
export type Load = {
  readonly jobCount: number;
  /** The instants are spread evenly over this span; 1 s is the worst case that the hints' grouping knows. */
  readonly spreadMs: number;
  /** How long before its instant a job is created. Longer than the run: they all stand on the wheel from the start. */
  readonly delayMs: number;
  /** Only jobs due after this much of the spread count in the figures: a steady state is not judged by its first minutes. */
  readonly settleInMs: number;
  readonly callMs: number;
};

export const longBefore = 24 * 60 * minuteMs;

export const load = (given: Partial<Load>): Load => ({
  jobCount: 1_000_000,
  spreadMs: minuteMs,
  delayMs: longBefore,
  settleInMs: 0,
  callMs: 100,
  ...given,
});

/** The engine's own parameters of this home, with what the setup varies. */
export function paramsOf(setup: Setup): Params {
  return { ...awsParams(choices(setup.shards), "scale"), namesPerHint: setup.namesPerHint, leadMs: setup.leadMs };
}

function choices(shards: number) {
  return {
    shards,
    tickMs: minuteMs,
    lookaheadMs: 5 * minuteMs,
    retentionMs: limits.retentionMsDefault,
    maxTimeoutMs: 2 * minuteMs,
    keepResponses: "failures",
  } as const;
}

/** The default longest call, and what follows from it. */
export const maxTimeoutMs = 2 * minuteMs;
export const executorTimeoutMs = spansFor(maxTimeoutMs).executorTimeoutMs;
/** A turn stops taking up shards this long before its function would be ended. */
export const turnMs = dispatcherTimeoutMs - 5 * secondMs;
export const jobTimeoutMs = limits.timeoutMsDefault;
export const slotCount = executorSlots;

/**
 * How long things take. The CPU of a name is what `npm run bench:hints` measured (docs/hints.md), compiled, with half a millisecond more
 * for a chain of certificates; a page of 500 entries and a SendMessageBatch were measured in the same way on the same kind of machine, with
 * the pinned SDK: 4.9 ms and 1.0 ms. Latencies of AWS are assumptions, on the high side of its "single-digit milliseconds".
 */
export const durations = {
  /** Handshake, claim and last look. */
  cpuBeforeMs: 1.16 + 0.5 + 0.43 + 0.42,
  /** Writing the request, of the time for request and answer. */
  cpuToSendMs: 0.06,
  /** The answer, its settling and its line of the log. */
  cpuAfterMs: 0.05 + 0.43 + 0.1,
  /** The message, and the read of its names. */
  cpuPerHintMs: 1.2,
  cpuPerEntryMs: 4.9 / 500,
  cpuPerRequestMs: 1,
  writeMs: 7,
  readMs: 5,
  queryMs: 8,
  sendMs: 12,
  /** Batches of messages on their way at once, as `hints/sqs` has it. */
  sendsAtOnce: 8,
  /** From a message that may be received to the function's first line, in a warm environment. */
  deliveryMs: 40,
  /** The sandbox and the bundle's way into it: an assumption. Then the CPU of an executor's start, as docs/coldStart.md measured it. */
  coldStartMs: 150,
  cpuColdStartMs: 281,
  /** Throttled for longer than the SDK's own retries last, a request is an outage. */
  patienceMs: secondMs,
  /** A message that could not be handled is seen again after it. */
  seenAgainMs: 5 * secondMs,
  /** The store's index follows the table. */
  indexLagMs: 20,
} as const;

/** Units of DynamoDB for one job of the reference size. `docs/units.ts` counts the real ones. */
export const units = { base: 1, wheel: 1, list: 1, read: 1, entryBytes: 150, readUnitBytes: 4_096 } as const;
