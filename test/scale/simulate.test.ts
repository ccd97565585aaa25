import { beforeAll, describe, expect, it } from "vitest";
import { minuteMs, secondMs } from "../../src/core/time.ts";
import { quotas } from "./quotas.ts";
import { defaults, type Load, load, type Setup } from "./setup.ts";
import { type Run, simulate } from "./simulate.ts";

const run = (setup: Partial<Setup>, given: Partial<Load>, seed = 1) => simulate({ ...defaults, ...setup }, load(given), seed);

/** A tenth of a new table, so that some thousand jobs are a flood. */
const small = { warmWrites: 400, concurrency: 100 } as const;
/** Five times what the small table can write. */
const flood: Partial<Load> = { jobCount: 10_000, spreadMs: 10 * secondMs };

describe("a run", () => {
  it.each<[string, Partial<Setup>, Partial<Load>]>([
    ["in peace", {}, { jobCount: 3_000 }],
    ["at one instant", {}, { jobCount: 5_000, spreadMs: secondMs }],
    ["while they are created", {}, { jobCount: 3_000, delayMs: minuteMs }],
    ["over several ranges", { ranges: 5 }, { jobCount: 3_000 }],
    ["on a starved table", small, flood],
    ["with few executors", { concurrency: 3 }, { jobCount: 6_000, spreadMs: 10 * secondMs }],
  ])("starts each job once, and never before its instant: %s", async (_, setup, given) => {
    const { jobCount, startedCount, lateness, tally } = await run(setup, given);
    expect(startedCount).toBe(jobCount);
    expect(lateness.minMs).toBeGreaterThanOrEqual(0);
    // A second start of a job is thrown by the attempt itself; each write of a claim and of an end is counted.
    expect(tally.starts).toBe(jobCount);
  });

  it.each<[string, Partial<Setup>, Partial<Load>]>([
    ["on a starved table", small, flood],
    ["with few executors", { concurrency: 20 }, { jobCount: 20_000, spreadMs: secondMs }],
    ["with provisioned pollers", { concurrency: 300, pollers: { min: 10, max: 20 } }, { jobCount: 20_000, spreadMs: secondMs }],
  ])("never exceeds a limit: %s", async (_, setup, given) => {
    const { peaks, fleet } = await run(setup, given);
    for (const { name, peak, limit } of peaks) expect(peak, name).toBeLessThanOrEqual(limit * 1.001);
    const polls = setup.pollers === undefined ? quotas.pollsMax : (setup.pollers?.max ?? 0) * quotas.invocationsPerPoller;
    expect(fleet.runningMax).toBeLessThanOrEqual(Math.min(polls, setup.concurrency ?? 0));
  });

  it("is the same for the same seed, and another for another", async () => {
    const once = await run(small, flood, 3);
    expect(await run(small, flood, 3)).toEqual(once);
    expect((await run(small, flood, 4)).lateness).not.toEqual(once.lateness);
  });

  it("is on time when nothing is short: within the last look of the instant", async () => {
    const { lateness, causes } = await run({ concurrency: 1_000, pollers: { min: 100, max: 100 } }, { jobCount: 6_000 });
    expect(lateness.within100ms).toBeGreaterThan(0.99);
    expect(lateness.p50Ms).toBeLessThan(10);
    expect(causes.most === null || causes.most === "executor CPU").toBe(true);
  });

  it("counts six write units and two reads for a job that is created and called, and little beside them", async () => {
    const { jobCount, writeUnits, readUnits, tally } = await run({}, { jobCount: 3_000, delayMs: minuteMs });
    expect(writeUnits).toBe(6 * jobCount);
    expect(readUnits - tally.pageUnits).toBe(2 * jobCount);
  });
});

describe("more of one thing", () => {
  const hot: Partial<Load> = { jobCount: 20_000, spreadMs: 4 * secondMs };
  const ample = { warmWrites: 32_000, keysApart: true, concurrency: 800, pollers: { min: 80, max: 80 } } as const;
  it.each<[string, readonly Partial<Setup>[]]>([
    ["executors", [20, 60, 180].map((concurrency) => ({ ...ample, concurrency }))],
    ["pollers", [2, 10, 80].map((min) => ({ ...ample, pollers: { min, max: 80 } }))],
    ["writes of the table", [2_000, 8_000, 32_000].map((warmWrites) => ({ ...ample, warmWrites }))],
    ["memory", [128, 512, 1_769].map((memoryMb) => ({ ...ample, memoryMb }))],
  ])("%s makes jobs less late, where nothing else is short", async (_, setups) => {
    const means: number[] = [];
    for (const setup of setups) means.push((await run(setup, hot)).lateness.meanMs);
    expect(means).toEqual(means.toSorted((a, b) => b - a));
    expect(means.at(-1)).toBeLessThan((means[0] ?? 0) / 2);
  });
});

describe("an overload of ten times what the table can write", () => {
  const jobCount = 60_000;
  const starved = { warmWrites: 100, concurrency: 25 } as const;
  let flooded: Run;
  beforeAll(async () => {
    flooded = await run(starved, { jobCount, spreadMs: 2 * minuteMs });
  }, 60_000);

  it("is worked off oldest first, by and large, and at the table's pace", () => {
    const { medianStartPerPart, drainedMs } = flooded;
    // Four executors work side by side on a shard, so neighbours of twelve seconds may change places.
    for (const [part, median] of medianStartPerPart.slice(2).entries()) expect(median).toBeGreaterThan(medianStartPerPart[part] ?? 0);
    // Two writes of the table a job, once it was created.
    const idealMs = (jobCount * 2 * secondMs) / starved.warmWrites;
    expect(drainedMs).toBeGreaterThan(idealMs * 0.9);
    expect(drainedMs).toBeLessThan(idealMs * 1.6);
  });

  it("costs stretches by shards and minutes, and a few reads and hardly a write beyond what each job takes", () => {
    const { tally, drainedMs, readUnits, writeUnits } = flooded;
    const turns = Math.ceil(drainedMs / minuteMs) + 2;
    // Four from each shard's turn, and a follow-up of each.
    expect(tally.stretchHints).toBeLessThanOrEqual(turns * defaults.shards * 4 * 2);
    expect(tally.namesHints).toBeLessThanOrEqual(jobCount / 10);
    expect(tally.ownHints).toBeLessThan(jobCount / 2);
    expect(readUnits / jobCount).toBeLessThan(10);
    expect(writeUnits / jobCount).toBeLessThan(3.5);
  });
});
