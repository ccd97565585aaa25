/** What a home of the engine is to the simulation, whatever it is built of. */

import { awsParams } from "../../functions/params.ts";
import { homeParams as embeddedParams } from "../../local/params.ts";
import { brokenSpans, type Spans, spansFor } from "../../src/core/invocation.ts";
import { limits } from "../../src/core/limits.ts";
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
  /** F and V. */
  readonly spans: Spans;
  /** Messages that one invocation gets at most. */
  readonly batch: number;
  /** Names that a home holds in memory. */
  readonly names: number;
};

const spansDefault = spansFor(2 * minuteMs);
/** Hardly longer than the longest call of the workload: a lease shows what it is worth where others come before the platform's kill. */
const spansShort: Spans = { maxTimeoutMs: 20 * secondMs, executorTimeoutMs: 45 * secondMs, visibilityMs: 270 * secondMs };
for (const spans of [spansDefault, spansShort]) {
  if (brokenSpans(spans).length > 0) throw new Error(`expected spans that a deploy may have: ${brokenSpans(spans).join("; ")}`);
}

export function drawCapacity(dice: Dice, weather: { punctual: boolean; overload: boolean; sleepBeforeByte: number }): Capacity {
  const spans = dice.pick([spansShort, spansDefault]);
  // Few enough that one invocation's time does not suffice for a stretch.
  if (weather.overload) {
    return { spans: spansShort, slots: dice.pick([1, 1, 3]), executors: dice.pick([1, 2]), batch: 1, names: dice.pick([4, 1_000]) };
  }
  if (weather.punctual) return { spans, slots: 64, executors: 64, batch: 1, names: dice.pick([1, 3, 1_000]) };
  const batch = dice.pick([1, 1, 4]);
  // Batches form where executors are few.
  const drawn = dice.pick(batch > 1 ? [1, 2, 4] : [4, 16, 64]);
  // Where many sleep, others must be free to look at what they hold.
  const executors = weather.sleepBeforeByte > 0.1 ? 64 : drawn;
  return { spans, batch, executors, slots: dice.pick([3, 6, 64]), names: dice.pick([1, 3, 1_000]) };
}

/** How often a queue gives a message out before it goes to the dead letters. */
export const receivesMax = 5;

/** What the AWS home sets, but for the bounds that forty jobs would not reach. */
export function cloudParams(dice: Dice): Params {
  const choices = {
    tickMs: minuteMs,
    lookaheadMs: 300 * secondMs,
    retentionMs: 30 * dayMs,
    maxTimeoutMs: limits.timeoutMsMax,
    keepResponses: "failures",
  } as const;
  const real = awsParams({ ...choices, shards: 4 }, "simulated");
  return {
    ...real,
    namesPerHint: dice.pick([3, real.namesPerHint]),
    pageEntries: dice.pick([4, 50]),
    stretchesPerPartition: dice.pick([1, 3]),
  };
}

/** What the embedded home sets, but for the bounds that forty jobs would not reach. `hintedAnewBefore` follows from each start of its process. */
export function homeParams(dice: Dice): Params {
  const real = embeddedParams({ leaseSlackMs: 5 * secondMs, retentionMs: 30 * dayMs }, toEpochMs(0), "simulated");
  return { ...real, shards: dice.pick([1, 3]), pageEntries: dice.pick([4, 200]), keepResponses: "failures" };
}
