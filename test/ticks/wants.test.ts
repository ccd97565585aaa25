import { describe, expect, it } from "vitest";
import type { TickPlans } from "../../src/core/tickPlan.ts";
import { dayMs, later, minuteMs } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { loadsOf } from "../../src/ticks/loads.ts";
import { wantByDeploy, wantByHand, wantNothing } from "../../src/ticks/wants.ts";
import { nextJobId, startAt, waitingJob } from "../builders.ts";
import { createVirtualClock } from "../engine/virtualClock.ts";
import { memoryTickPlans } from "./memoryTickPlans.ts";

const shards = 8;
const clock = createVirtualClock(startAt);

/** Jobs on the wheel, one a millisecond. */
async function storeWith(count: number, priority: "high" | "low" = "high") {
  const store = memoryStore({ now: clock.now, shards });
  for (let index = 0; index < count; index++)
    await store.insert(waitingJob({ id: nextJobId(), dueAt: later(startAt, index * minuteMs), priority }));
  return store;
}

describe("what stands on shards", () => {
  it("is counted by shard, whenever it is owed, and empty shards are left out", async () => {
    const loads = await loadsOf(await storeWith(60), 0, shards);
    expect(loads.reduce((sum, { count }) => sum + count, 0)).toBe(60);
    expect(loads.map(({ shard }) => shard)).toEqual([...new Set(loads.map(({ shard }) => shard))].toSorted());
    expect(loads.some(({ hasMore }) => hasMore)).toBe(false);
    expect(await loadsOf(await storeWith(0), 0, shards)).toEqual([]);
  });

  it("is counted also where it is due in ten years", async () => {
    const store = memoryStore({ now: clock.now, shards });
    await store.insert(waitingJob({ id: nextJobId(), dueAt: later(startAt, 3_652 * dayMs) }));
    expect(await loadsOf(store, 0, shards)).toMatchObject([{ count: 1 }]);
  });

  it("is asked of the shards within the bounds alone", async () => {
    const all = await loadsOf(await storeWith(60), 0, shards);
    const store = await storeWith(60);
    const asked = new Set<number>();
    const wheel: typeof store.wheel = (page) => {
      asked.add(page.shard);
      return store.wheel(page);
    };
    expect((await loadsOf({ wheel }, 3, 6)).every(({ shard }) => shard >= 3 && shard < 6)).toBe(true);
    expect([...asked].toSorted()).toEqual([3, 4, 5]);
    expect(await loadsOf({ wheel }, 6, 6)).toEqual([]);
    expect(all.length).toBeGreaterThan(5);
  });

  it("is counted up to a hundred of each priority", async () => {
    const wheel = async ({ priority, limit }: { priority: string; limit: number }) =>
      Array.from({ length: priority === "low" ? limit : 2 }, () => waitingJob());
    expect(await loadsOf({ wheel }, 4, 5)).toEqual([{ shard: 4, count: 106, hasMore: true }]);
  });
});

describe("what is wanted", () => {
  it("by hand changes what is asked for, and no more", async () => {
    const plans = memoryTickPlans(shards);
    expect(await wantByHand(plans, { ranges: 4 })).toEqual({ kind: "wanted" });
    expect(await wantByHand(plans, { paused: true })).toEqual({ kind: "wanted" });
    expect(await plans.read()).toMatchObject({ wantedRanges: 4, paused: true, ranges: 1 });
    expect(await wantByHand(plans, { ranges: 2, paused: false })).toEqual({ kind: "wanted" });
    expect(await plans.read()).toMatchObject({ wantedRanges: 2, paused: false });
  });

  it.each([0, 9])("by hand is refused for %d ranges over 8 shards, and nothing is written", async (ranges) => {
    const plans = memoryTickPlans(shards);
    const message = `expected ranges from 1 to 8, the number of shards, got ${ranges}`;
    expect(await wantByHand(plans, { ranges, paused: true })).toEqual({ kind: "refused", message });
    expect(await plans.read()).toMatchObject({ wantedRanges: 1, paused: false, changes: 0 });
  });

  it("by two at the same time is all written, the one after the other", async () => {
    const plans = memoryTickPlans(shards);
    await Promise.all([wantByHand(plans, { ranges: 4 }), wantByHand(plans, { paused: true })]);
    expect(await plans.read()).toMatchObject({ wantedRanges: 4, paused: true, changes: 2 });
  });

  it("is an outage where the plan never stands still", async () => {
    const plans: TickPlans = { ...memoryTickPlans(shards), write: async () => "stale" };
    await expect(wantByHand(plans, { ranges: 4 })).rejects.toThrow(OutageError);
  });

  it("by a deploy with fewer shards is refused while something stands on the others, and written when nothing does", async () => {
    const plans = memoryTickPlans(2);
    const first = { ranges: 1, shards };
    expect(await wantByDeploy({ plans, clock, store: await storeWith(60) }, first)).toEqual({ kind: "wanted" });
    const before = await plans.read();
    const refused = await wantByDeploy({ plans, clock, store: await storeWith(60) }, { ranges: 1, shards: 2 });
    expect(refused).toEqual({
      kind: "refused",
      reason: expect.stringMatching(/^expected at least the 8 shards in use, got 2: .*shard 2 holds \d+/),
    });
    expect(await plans.read()).toEqual(before);
    expect(await wantByDeploy({ plans, clock, store: await storeWith(0) }, { ranges: 2, shards: 2 })).toEqual({ kind: "wanted" });
    expect(await plans.read()).toMatchObject({ wantedRanges: 2, shards, deployed: { ranges: 2, shards: 2, at: startAt } });
  });

  it("by the end of a stack is no further tick, and the next deploy is a first one", async () => {
    const plans = memoryTickPlans(shards);
    const store = await storeWith(0);
    await wantByDeploy({ plans, clock, store }, { ranges: 4, shards });
    await wantNothing(plans);
    expect(await plans.read()).toMatchObject({ wantedRanges: 1, deployed: null });
    await wantByDeploy({ plans, clock, store }, { ranges: 4, shards });
    expect(await plans.read()).toMatchObject({ wantedRanges: 4 });
  });
});
