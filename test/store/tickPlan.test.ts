/** The plan of the ticks in DynamoDB, and in a Map as the tests of its users have it: the same answers. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TickPlan, TickPlans } from "../../src/core/tickPlan.ts";
import { later, minuteMs, toEpochMs } from "../../src/core/time.ts";
import { createTable, type Table } from "../../src/store/dynamo/table.ts";
import { dynamoTickPlans } from "../../src/store/dynamo/tickPlan.ts";
import { memoryTickPlans } from "../ticks/memoryTickPlans.ts";
import { buildTable, type Database, startDynalite } from "./dynalite.ts";

const now = toEpochMs(1_800_000_000_000);
const until = later(now, minuteMs);
const first: TickPlan = {
  ...{ wantedRanges: 1, paused: false, ranges: 1, rangesAt: null },
  ...{ shards: 64, deployed: null, changes: 0, tickedAt: {} },
};

let database: Database;
let table: Table;
let tableCount = 0;
beforeAll(async () => {
  database = await startDynalite();
});
afterAll(() => database.close());
beforeEach(async () => {
  const name = `onthedot-plan-${tableCount++}`;
  await buildTable(database.client, name);
  table = createTable({ client: database.client, name });
});

const made = {
  dynamo: (shards = 64): TickPlans => dynamoTickPlans(table, shards),
  memory: (shards = 64): TickPlans => memoryTickPlans(shards),
};

describe.each(["dynamo", "memory"] as const)("the plan of the ticks in %s", (home) => {
  it("is one range, not paused, before anything was written", async () => {
    expect(await made[home]().read()).toEqual(first);
  });

  it("keeps what is wanted, field by field", async () => {
    const plans = made[home]();
    const deployed = { ranges: 4, shards: 128, previousShards: 64, at: now };
    expect(await plans.write({ wantedRanges: 4, deployed, shards: 128 }, first)).toBe("written");
    expect(await plans.write({ paused: true }, await plans.read())).toBe("written");
    expect(await plans.read()).toEqual({
      ...first,
      ...{ wantedRanges: 4, paused: true, shards: 128, deployed, changes: 2 },
    });
    await plans.write({ paused: false, deployed: null }, await plans.read());
    expect(await plans.read()).toMatchObject({ wantedRanges: 4, paused: false, deployed: null });
  });

  it("takes one of two that want something at the same time", async () => {
    const plans = made[home]();
    const answers = await Promise.all([2, 3].map((wantedRanges) => plans.write({ wantedRanges }, first)));
    expect(answers.toSorted()).toEqual(["stale", "written"]);
    const plan = await plans.read();
    expect(plan).toMatchObject({ changes: 1, wantedRanges: answers[0] === "written" ? 2 : 3 });
    expect(await plans.write({ paused: true }, first)).toBe("stale");
  });

  it("lets each range's tick sign in, whatever else is written, and answers the plan", async () => {
    const plans = made[home]();
    expect(await plans.signIn(0, now)).toEqual({ ...first, tickedAt: { 0: now } });
    await plans.write({ wantedRanges: 2, paused: true }, first);
    expect(await plans.signIn(11, later(now, 5))).toEqual({
      ...first,
      ...{ wantedRanges: 2, paused: true, changes: 1, tickedAt: { 0: now, 11: later(now, 5) } },
    });
    expect(await plans.read()).toMatchObject({ tickedAt: { 0: now, 11: later(now, 5) } });
  });

  it("has one holder at a time, until its time is over", async () => {
    const plans = made[home]();
    expect(await plans.hold("a", { now, until })).toEqual(first);
    // A repetition whose first reply was lost.
    expect(await plans.hold("a", { now, until })).toEqual(first);
    expect(await plans.hold("b", { now: later(now, minuteMs - 1), until: later(until, minuteMs) })).toBe("held");
    expect(await plans.setRanges(3, "b", now)).toBe("lost");
    expect(await plans.setRanges(3, "a", later(now, 7))).toBe("set");
    expect(await plans.hold("b", { now: until, until: later(until, minuteMs) })).toEqual({ ...first, ranges: 3, rangesAt: later(now, 7) });
    expect(await plans.setRanges(5, "a", until)).toBe("lost");
    expect(await plans.release("a", first)).toBe("released");
    expect(await plans.setRanges(2, "b", until)).toBe("set");
  });

  it("is not released by who has not seen what was wanted meanwhile", async () => {
    const plans = made[home]();
    const seen = await plans.hold("a", { now, until });
    if (seen === "held") throw new Error("expected a plan that nobody holds");
    await plans.write({ wantedRanges: 2 }, first);
    expect(await plans.release("a", seen)).toBe("changed");
    expect(await plans.hold("b", { now, until })).toBe("held");
    const again = await plans.read();
    expect(await plans.release("a", again)).toBe("released");
    // The reply was lost, and it is asked again.
    expect(await plans.release("a", again)).toBe("released");
    expect(await plans.hold("b", { now, until })).toMatchObject({ wantedRanges: 2 });
  });

  it("has no fewer shards than this deploy, and those of the one before until they are given up", async () => {
    expect(await made[home](128).read()).toMatchObject({ shards: 128 });
    const plans = made[home](16);
    await plans.write({ shards: 64, deployed: { ranges: 1, shards: 16, previousShards: 64, at: now } }, first);
    expect(await plans.signIn(0, now)).toMatchObject({ shards: 64 });
    await plans.write({ shards: 16 }, await plans.read());
    expect(await plans.signIn(0, now)).toMatchObject({ shards: 16 });
    const few = made[home](32);
    await few.write({ shards: 16 }, await few.read());
    expect(await few.signIn(0, now)).toMatchObject({ shards: 32 });
  });
});

describe("the plan's item", () => {
  it("has keys that the dispatcher's and the API's rights name", async () => {
    await dynamoTickPlans(table, 64).signIn(0, now);
    expect(await table.get({ pk: "~ticks", sk: "plan" })).toEqual({ pk: "~ticks", sk: "plan", t0: now });
  });
});
