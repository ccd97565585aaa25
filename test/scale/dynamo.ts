/**
 * The table and its indexes at their limits: partitions that serve a thousand write units and three thousand read units a second, as many
 * of them as the table is warm for, twice as many after half an hour near the limit. A flow model: units, not items.
 *
 * What is not modelled, and would help: partitions that borrow unused seconds, and heat splits within minutes. What is not modelled, and
 * would hurt: retries of throttled requests that meet the next slot at a bad moment.
 */

import { hashOf } from "../../src/core/ids.ts";
import { type Budget, createBudget } from "./budget.ts";
import { quotas } from "./quotas.ts";
import { type Setup, units } from "./setup.ts";

/** Units spread over partitions by key. Keys never move within their lifetime but when partitions double. */
export type Partitioned = {
  take(key: number, at: number, amount: number, patienceMs: number): number | undefined;
  taken(): number;
  /** The most that one partition gave in one second. */
  peakOfOne(): number;
  /** What all gave in the busiest second is more than half of what they could. */
  isNearLimit(): boolean;
  double(partitionsMax: number): void;
};

type Generation = { readonly partitions: number; readonly budgets: Budget[] };

/** Where a key lies: by the hash of its text; "even" where keys are so many that no one counts; "apart" where each has a partition. */
type Placing = ((key: number) => string) | "even" | "apart";

function createPartitioned(perPartition: number, partitions: number, keyOf: Placing): Partitioned {
  let current = generation(partitions);
  const generations = [current];
  const places = new Map<number, number>();

  /** An even table is one budget of all its partitions, for any of its keys may come at any time. */
  function generation(count: number): Generation {
    const rate = keyOf === "even" ? perPartition * count : perPartition;
    const length = keyOf === "even" ? 1 : keyOf === "apart" ? 0 : count;
    return { partitions: count, budgets: Array.from({ length }, () => createBudget(rate)) };
  }

  /** The budget of the partition on which a key lies. */
  function budgetOf(key: number): Budget | undefined {
    const { budgets } = current;
    if (keyOf === "even") return budgets[0];
    if (keyOf === "apart") {
      while (budgets.length <= key) budgets.push(createBudget(perPartition));
      return budgets[key];
    }
    const place = places.get(key) ?? spread(keyOf(key));
    places.set(key, place);
    return budgets[Math.floor(place * budgets.length)];
  }

  const peakOf = ({ partitions: count, budgets }: Generation) =>
    Math.max(0, ...budgets.map((budget) => budget.peakPerSecond())) / (keyOf === "even" ? count : 1);

  return {
    take(key, at, amount, patienceMs) {
      return budgetOf(key)?.take(at, amount, patienceMs);
    },
    taken: () => generations.flatMap(({ budgets }) => budgets).reduce((sum, budget) => sum + budget.taken(), 0),
    peakOfOne: () => Math.max(...generations.map(peakOf)),
    isNearLimit() {
      const peak = current.budgets.reduce((sum, budget) => sum + budget.peakPerSecond(), 0);
      return peak > (current.partitions * perPartition) / 2;
    },
    double(partitionsMax) {
      if (current.partitions >= partitionsMax || keyOf === "apart") return;
      current = generation(Math.min(2 * current.partitions, partitionsMax));
      generations.push(current);
    },
  };
}

/** FNV-1a differs little in its high bits between texts that differ in their end, so they are mixed once more (murmur3's finish). */
function spread(text: string): number {
  let hash = hashOf(text);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export type Dynamo = {
  readonly writes: { readonly base: Partitioned; readonly wheel: Partitioned; readonly list: Partitioned };
  readonly reads: { readonly base: Partitioned; readonly wheel: Partitioned };
  /** Doubles what was near its limit. */
  review(): void;
  /** Each resource with what one partition of it gave at most in a second, and what it may give. */
  peaks(): readonly { readonly name: string; readonly peak: number; readonly limit: number }[];
};

export function createDynamo({ warmWrites, keysApart }: Setup): Dynamo {
  const count = Math.max(1, Math.ceil(warmWrites / quotas.partitionWrites));
  const perWrite = Math.min(quotas.partitionWrites, warmWrites / count);
  const perRead = (perWrite * quotas.partitionReads) / quotas.partitionWrites;
  const readPartitions = Math.max(1, Math.min(count, Math.floor(quotas.tableReads / perRead)));
  const of = createPartitioned;
  const placing = (keyOf: (key: number) => string) => (keysApart ? "apart" : keyOf);
  const onWheel = placing((shard) => `w1#${shard}#normal`);
  const writes = {
    base: of(perWrite, count, "even"),
    wheel: of(perWrite, count, onWheel),
    list: of(
      perWrite,
      count,
      placing((bucket) => `main#${bucket}`),
    ),
  };
  const reads = { base: of(perRead, readPartitions, "even"), wheel: of(perRead, count, onWheel) };
  return {
    writes,
    reads,
    review() {
      for (const one of Object.values(writes)) if (one.isNearLimit()) one.double(quotas.tableWrites / quotas.partitionWrites);
      for (const one of Object.values(reads)) if (one.isNearLimit()) one.double(Math.floor(quotas.tableReads / quotas.partitionReads));
    },
    peaks: () => [
      ...Object.entries(writes).map(([name, one]) => ({ name: `${name} writes`, peak: one.peakOfOne(), limit: perWrite })),
      ...Object.entries(reads).map(([name, one]) => ({ name: `${name} reads`, peak: one.peakOfOne(), limit: perRead })),
    ],
  };
}

/** Read units of a page of the wheel: eventually consistent, by size, never less than half a unit. */
export function pageUnits(entryCount: number): number {
  return Math.max(1, Math.ceil((entryCount * units.entryBytes) / units.readUnitBytes)) / 2;
}
