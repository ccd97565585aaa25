import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, shardOf, startOf } from "../../src/core/hint.ts";
import { jobIdAt } from "../../src/core/ids.ts";
import { compareWheelKeys } from "../../src/store/keys.ts";
import { always } from "../always.ts";
import { nextJobId, startAt } from "../builders.ts";

describe("the shard of an item", () => {
  it("is pinned, for it is part of the storage format", () => {
    const ids = ["job_01MB78QN000000000000000000", "job_01MB78QN000000000000000001", "job_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"];
    expect(ids.map((id) => shardOf(id, 64))).toEqual([1, 46, 0]);
  });

  it("is one of the shards there are", () => {
    const randoms = fc.uint8Array({ minLength: 10, maxLength: 10 });
    always(randoms, fc.integer({ min: 1, max: 1_024 }), (random, shards) => {
      const shard = shardOf(jobIdAt(startAt, random), shards);
      expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
    });
  });

  it("is any of 64 alike often, also for ids that follow one another", () => {
    const counts = new Array<number>(64).fill(0);
    for (let index = 0; index < 6_400; index++) {
      const shard = shardOf(nextJobId(), 64);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    // 100 each on average; 60 and 140 are four standard deviations off.
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(140);
  });
});

describe("a place on the wheel", () => {
  it("before or after an instant has every id of that instant on its other side", () => {
    const entry = { wakeAt: startAt, id: nextJobId() };
    expect(compareWheelKeys(startOf(startAt), entry)).toBeLessThan(0);
    expect(compareWheelKeys(endOf(startAt), entry)).toBeGreaterThan(0);
  });
});
