import { describe, expect, it } from "vitest";
import { billOf, idleMonth, lineNames, millionJobs, type Shape, type Sizes, sharePerMillion, sumOf, totalOf } from "./cost.ts";
import { prices } from "./prices.ts";

const sizes: Sizes = { ranges: 1, memoryMb: 512, dispatcherMemoryMb: 512, apiMemoryMb: 512, provisionedPollers: 0 };
const turn = { ms: 6_000, readUnits: 256, writeUnits: 5 };
const shape: Shape = { namesPerHint: 20, sendsPerHint: 0.1, msPerHint: 1_100, pageUnitsPerJob: 0 };
const alone: Shape = { ...shape, namesPerHint: 1, sendsPerHint: 1 };
const perJob = { writes: 6, reads: 2 };
const million = (given: Shape, more: Partial<Sizes> = {}) => millionJobs(given, { ...sizes, ...more }, { jobsPerRequest: 1, perJob });

describe("a bill", () => {
  it("is nothing for nothing, and grows with each thing that has a price", () => {
    expect(totalOf(billOf({}))).toBe(0);
    for (const priced of Object.keys(prices)) expect(totalOf(billOf({ [priced]: 1e9 })), priced).toBeGreaterThan(0);
    expect(totalOf(billOf({ writeUnits: 1e6, sqsRequests: 1e6 }))).toBeCloseTo(0.625 + 0.4);
  });

  it("has every line that anything is counted for", () => {
    const bill = billOf(sumOf(idleMonth({ ...sizes, provisionedPollers: 2 }, turn), million(shape)));
    expect(lineNames.filter((line) => bill[line] === 0)).toEqual([]);
  });
});

describe("a month in which nothing happens", () => {
  it("turns 43,200 times, and reads the empty wheel each time", () => {
    const month = idleMonth(sizes, turn);
    expect(month.readUnits).toBe(43_200 * 256);
    expect(month.writeUnits).toBe(43_200 * 5);
    expect(month.lambdaGbSeconds).toBeCloseTo(43_200 * 6 * 0.5);
    expect(billOf(month)["DynamoDB reads"]).toBeCloseTo(1.38, 2);
  });

  it("polls nine empty queues each twenty seconds, five times at once", () => {
    expect(idleMonth(sizes, turn).sqsRequests).toBe(9 * 5 * 3 * 43_200);
  });

  it("reads no more where more ranges share the shards, for each reads its own", () => {
    expect(idleMonth({ ...sizes, ranges: 4 }, turn).readUnits).toBe(idleMonth(sizes, turn).readUnits);
    expect(idleMonth({ ...sizes, ranges: 4 }, turn).lambdaRequests).toBe(4 * 43_200);
  });
});

describe("a million jobs", () => {
  it("write six million units: 3.75 dollars", () => {
    expect(billOf(million(shape))["DynamoDB writes"]).toBeCloseTo(3.75);
  });

  it("that share hints by twenty hold a twentieth of the executors' time of those that are alone", () => {
    const time = (given: Shape) => (million(given).lambdaGbSeconds ?? 0) - 1e6 * 0.03 * 0.5;
    expect(time(alone) / time(shape)).toBeCloseTo(20);
    expect(million(alone).sqsRequests).toBe(3e6);
    expect(million(shape).sqsRequests).toBe(105_000);
  });

  it("that are alone cost executors' time in proportion to memory and hold", () => {
    const time = (memoryMb: number, msPerHint: number) =>
      billOf(millionJobs({ ...alone, msPerHint }, { ...sizes, memoryMb }, { jobsPerRequest: 1e6, perJob }))["Lambda time"];
    expect(time(1_024, 1_000) / time(512, 1_000)).toBeCloseTo(2, 0);
    expect(time(512, 2_000) / time(512, 1_000)).toBeCloseTo(2, 0);
  });

  it("bear the month alone at one a second, and hardly feel it at ten thousand", () => {
    const share = (perSecond: number) => totalOf(billOf(sharePerMillion(idleMonth(sizes, turn), perSecond)));
    expect(share(1)).toBeCloseTo(totalOf(billOf(idleMonth(sizes, turn))) / 2.592, 2);
    expect(share(10_000)).toBeCloseTo(share(1) / 10_000, 6);
  });
});
