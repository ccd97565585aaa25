/** What a home of the engine is to the simulation, whatever it is built of. */

import { homeParams as embeddedParams } from "../../local/params.ts";
import { dayMs, minuteMs, secondMs, toEpochMs } from "../../src/core/time.ts";
import type { Params } from "../../src/engine/engine.ts";
import type { Dice } from "./chance.ts";
import type { Desk } from "./clients.ts";

export type House = {
  /** Where a client's request is served; undefined while nobody is there. */
  openDesk(): Desk;
  /** Whether nothing is under way any more: no message waits, no call runs. */
  isQuiet(): boolean;
};

/** How large the house is: drawn for each seed, for a bound shows itself only where it is reached. */
export type Capacity = {
  /** Calls at once of one executor. */
  readonly slots: number;
  /** Executors at once for each queue, in the cloud. */
  readonly executors: number;
  /** F: when the platform kills an executor. Both shorter and longer than the grace: a lease shows what it is worth only where others come before the kill. */
  readonly executorTimeoutMs: number;
  /** Messages that one invocation gets at most. */
  readonly batch: number;
  /** Names that a home holds in memory. */
  readonly names: number;
};

export function drawCapacity(dice: Dice, weather: { calm: boolean; overload: boolean }): Capacity {
  const executorTimeoutMs = dice.pick([45, 180]) * secondMs;
  // Few enough that one invocation's time does not suffice for a stretch.
  if (weather.overload) {
    return {
      executorTimeoutMs: 45 * secondMs,
      slots: dice.pick([1, 1, 3]),
      executors: dice.pick([1, 2]),
      batch: 1,
      names: dice.pick([4, 1_000]),
    };
  }
  if (weather.calm) return { executorTimeoutMs, slots: 64, executors: 64, batch: 1, names: dice.pick([1, 3, 1_000]) };
  const batch = dice.pick([1, 1, 4]);
  // Batches form where executors are few.
  const executors = dice.pick(batch > 1 ? [1, 2, 4] : [4, 16, 64]);
  return { executorTimeoutMs, batch, executors, slots: dice.pick([3, 6, 64]), names: dice.pick([1, 3, 1_000]) };
}

export const dispatcherTimeoutMs = 55 * secondMs;
/** V ≥ 6F. */
export const visibilityPerTimeout = 6;
export const receivesMax = 5;

/** Each range of shards has a tick of its own. */
export const ranges = [
  { range: 0, shards: [0, 1] },
  { range: 1, shards: [2, 3] },
] as const;

/** What the AWS home sets. Pages are small, so that forty jobs fill several. */
export function cloudParams(dice: Dice): Params {
  return {
    shards: 4,
    tickMs: minuteMs,
    lookaheadMs: 300 * secondMs,
    graceMs: 65 * secondMs,
    namesAgeMsMax: 65 * secondMs,
    stretchAgeMsMax: minuteMs,
    leadMs: 200,
    connectLeadMs: 100,
    claimLeadMs: 50,
    namesPerHint: dice.pick([3, 20]),
    pageEntries: dice.pick([4, 50]),
    stretchesPerPartition: dice.pick([1, 3]),
    lonelySpreadMs: 10 * secondMs,
    hintedAnewBefore: toEpochMs(0),
    leaseRule: { kind: "invocation" },
    cancelWatch: { kind: "asks", leadMs: 20, everyMs: 2 * secondMs },
    retentionMs: 30 * dayMs,
    keepResponses: "failures",
    userAgent: "onthedot/simulated",
  };
}

/** What the embedded home sets, but for the bounds that forty jobs would not reach. `hintedAnewBefore` follows from each start of its process. */
export function homeParams(dice: Dice): Params {
  const real = embeddedParams({ leaseSlackMs: 5 * secondMs, retentionMs: 30 * dayMs }, toEpochMs(0), "simulated");
  return { ...real, shards: dice.pick([1, 3]), pageEntries: dice.pick([4, 200]), keepResponses: "failures" };
}
