import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hasSettled,
  lateRanges,
  planDeploy,
  type StandingTick,
  type Step,
  shardsOf,
  statusOf,
  stepsTo,
  type TickPlan,
  wrongRanges,
} from "../../src/core/tickPlan.ts";
import { hourMs, later, minuteMs, toEpochMs } from "../../src/core/time.ts";

const now = toEpochMs(1_800_000_000_000);

function planWith(fields: Partial<TickPlan> = {}): TickPlan {
  return { wantedRanges: 1, paused: false, ranges: 1, rangesAt: null, shards: 64, deployed: null, changes: 0, tickedAt: {}, ...fields };
}

type World = { readonly plan: TickPlan; readonly standing: readonly StandingTick[] };

/** What a step makes of the world, as the Scheduler and the store do it. */
function taken({ plan, standing }: World, step: Step): World {
  switch (step.kind) {
    case "ranges":
      return { plan: { ...plan, ranges: step.ranges }, standing };
    case "create":
    case "update": {
      const { tick } = step;
      expect(standing.some(({ range }) => range === tick.range)).toBe(step.kind === "update");
      return { plan, standing: [...standing.filter(({ range }) => range !== tick.range), { ...tick, intact: true }] };
    }
    case "delete":
      expect(standing.some(({ range }) => range === step.range)).toBe(true);
      return { plan, standing: standing.filter(({ range }) => range !== step.range) };
  }
}

/** The shards that no tick looks after. Written from what the dispatcher does, not from what the steps mean to do. */
function uncovered({ plan, standing }: World): number[] {
  const isTicked = (shard: number) =>
    shard % plan.ranges === 0 ||
    standing.some(({ range, of, enabled, intact }) => enabled && intact && of !== null && shard % of === range);
  return Array.from({ length: plan.shards }, (_, shard) => shard).filter((shard) => !isTicked(shard));
}

const shardCount = 12;
const ranges = fc.integer({ min: 1, max: shardCount });
const tick = fc.record({
  range: fc.integer({ min: 1, max: shardCount + 2 }),
  of: fc.option(ranges),
  enabled: fc.boolean(),
  intact: fc.boolean(),
});
const standing = fc.uniqueArray(tick, { selector: ({ range }) => range, maxLength: 14 });
const wanted = fc.record({ wantedRanges: ranges, paused: fc.boolean() });

/** Anything may stand: made by hand, left by a run that broke off, or by another version. */
const anyWorld: fc.Arbitrary<World> = fc
  .tuple(wanted, ranges, standing)
  .map(([asked, inEffect, ticks]) => ({ plan: planWith({ ...asked, ranges: inEffect, shards: shardCount }), standing: ticks }));

describe("the steps to a plan", () => {
  it("leave no shard without a tick, whatever is wanted next and wherever each run breaks off", () => {
    const run = fc.record({ asked: wanted, stepsTaken: fc.nat(40) });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), (runs) => {
        let world: World = { plan: planWith({ shards: shardCount }), standing: [] };
        for (const { asked, stepsTaken } of runs) {
          // Also of a plan that is paused: a resume is one write, and must find all shards covered.
          world = { ...world, plan: { ...world.plan, ...asked } };
          for (const step of stepsTo(world.plan, world.standing).slice(0, stepsTaken)) {
            world = taken(world, step);
            expect(uncovered(world)).toEqual([]);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("bring all shards back by the first step, whatever stands", () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        let at = world;
        for (const step of stepsTo(world.plan, world.standing)) {
          at = taken(at, step);
          expect(uncovered(at)).toEqual([]);
        }
        expect(uncovered(at)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("end at what is wanted, and then there are none", () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const end = stepsTo(world.plan, world.standing).reduce(taken, world);
        const { wantedRanges, paused } = world.plan;
        expect(end.plan.ranges).toBe(paused ? 1 : wantedRanges);
        expect(end.standing.toSorted((a, b) => a.range - b.range)).toEqual(
          Array.from({ length: wantedRanges - 1 }, (_, index) => ({ range: index + 1, of: wantedRanges, enabled: !paused, intact: true })),
        );
        expect(stepsTo(end.plan, end.standing)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("may each be taken twice", () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(40), (world, broken) => {
        const first = stepsTo(world.plan, world.standing);
        const half = first.slice(0, broken).reduce(taken, world);
        const end = first.reduce(taken, world);
        expect(stepsTo(half.plan, half.standing).reduce(taken, half)).toEqual({
          plan: end.plan,
          standing: expect.arrayContaining([...end.standing]),
        });
      }),
    );
  });

  it("do not touch the base tick's share to take away a tick too many", () => {
    const stands = [1, 2, 3].map((range) => ({ range, of: 3, enabled: true, intact: true }));
    expect(stepsTo({ wantedRanges: 3, paused: false, ranges: 3 }, stands)).toEqual([{ kind: "delete", range: 3 }]);
  });

  it("are, for a resize: all to the base tick, the further ticks, then the base tick's share", () => {
    const stands = [{ range: 1, of: 2, enabled: true, intact: true }];
    expect(stepsTo({ wantedRanges: 3, paused: false, ranges: 2 }, stands)).toEqual([
      { kind: "ranges", ranges: 1 },
      { kind: "update", tick: { range: 1, of: 3, enabled: true } },
      { kind: "create", tick: { range: 2, of: 3, enabled: true } },
      { kind: "ranges", ranges: 3 },
    ]);
  });
});

describe("the ranges of one plan", () => {
  it("share the shards: each shard is in one range", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (of, shards) => {
        const all = Array.from({ length: of }, (_, range) => shardsOf({ range, of }, shards)).flat();
        expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: shards }, (_, shard) => shard));
      }),
    );
  });

  it("are counted in the status, where no shard is counted twice", () => {
    fc.assert(
      fc.property(ranges, ranges, (wantedRanges, inEffect) => {
        const status = statusOf(planWith({ wantedRanges, ranges: inEffect, shards: shardCount }));
        expect(status.reduce((sum, { shards }) => sum + shards, 0)).toBe(shardCount);
        expect(status).toHaveLength(Math.max(wantedRanges, inEffect));
        expect(status.filter(({ scheduled }) => scheduled)).toHaveLength(inEffect);
      }),
    );
  });

  it("say when each last ticked", () => {
    expect(statusOf(planWith({ wantedRanges: 3, ranges: 1, tickedAt: { 0: now, 7: now } }))).toEqual([
      { range: 0, shards: 64, lastTickAt: now, scheduled: true },
      { range: 1, shards: 0, lastTickAt: null, scheduled: false },
      { range: 2, shards: 0, lastTickAt: null, scheduled: false },
    ]);
  });

  it.each([
    [1, 1, true],
    [64, 64, true],
    [0, 64, false],
    [65, 64, false],
    [1.5, 64, false],
    [Number.NaN, 64, false],
  ])("%d over %d shards: %s", (count, shards, isRight) => {
    expect(wrongRanges(count, shards) === undefined).toBe(isRight);
  });
});

describe("a range is late", () => {
  const tickMs = minuteMs;
  const late = (fields: Partial<TickPlan>) => lateRanges(planWith({ ranges: 3, ...fields }), { now, tickMs });
  const fresh = later(now, -3 * minuteMs);
  const old = later(fresh, -1);

  it("when its last tick is older than three, and not when it is paused, or beyond those in effect", () => {
    const tickedAt = { 0: fresh, 1: old, 3: old };
    expect(late({ tickedAt })).toEqual([1]);
    expect(late({ tickedAt, paused: true })).toEqual([]);
    expect(late({ tickedAt, ranges: 1 })).toEqual([]);
  });

  it("when it never ticked, but not in a new stack", () => {
    expect([late({ rangesAt: old }), late({})]).toEqual([[0, 1, 2], []]);
  });

  it("not before three ticks had time to come after a change of the ranges", () => {
    const tickedAt = { 0: fresh, 1: old };
    expect([late({ tickedAt, rangesAt: fresh }), late({ tickedAt, rangesAt: old })]).toEqual([[], [1, 2]]);
  });
});

describe("a deploy", () => {
  const deploy = (plan: TickPlan, ask: { ranges: number; shards: number }, loads: Parameters<typeof planDeploy>[2]["loads"] = []) =>
    planDeploy(plan, ask, { now, loads });

  it("of a new stack asks for its ranges and shards", () => {
    expect(deploy(planWith(), { ranges: 4, shards: 64 })).toEqual({
      kind: "planned",
      change: { wantedRanges: 4, shards: 64, deployed: { ranges: 4, shards: 64, previousShards: 64, at: now } },
    });
  });

  it("that asks for the same ranges again leaves what was resized by hand, and one that asks for others does not", () => {
    const byHand = planWith({ wantedRanges: 8, deployed: { ranges: 4, shards: 64, previousShards: 64, at: now } });
    expect(deploy(byHand, { ranges: 4, shards: 64 })).toMatchObject({ change: { wantedRanges: 8 } });
    expect(deploy(byHand, { ranges: 2, shards: 64 })).toMatchObject({ change: { wantedRanges: 2, deployed: { ranges: 2 } } });
  });

  it("with fewer shards than are in use is refused, with what stands on those that would go", () => {
    const loads = [3, 9, 40, 41, 50, 60, 61].map((shard) => ({ shard, count: shard, hasMore: shard === 40 }));
    const { kind, reason } = deploy(planWith(), { ranges: 1, shards: 3 }, loads) as { kind: string; reason: string };
    expect(kind).toBe("refused");
    expect(reason).toBe(
      "expected at least the 64 shards in use, got 3: jobs that are not ended stand on those that would go (shard 3 holds 3, shard 9 holds 9, " +
        "shard 40 holds more than 40, shard 41 holds 41, shard 50 holds 50 and 2 more shards are not empty); " +
        "deploy with 64 shards, or wait until those jobs have ended, or cancel them",
    );
  });

  it("with fewer shards is taken when nothing stands on the others, which are looked after until no function of before can write", () => {
    const before = { ranges: 8, shards: 64, previousShards: 64, at: now };
    const deployed = { ranges: 8, shards: 16, previousShards: 64, at: now };
    const answer = deploy(planWith({ wantedRanges: 8, deployed: before }), { ranges: 8, shards: 16 });
    expect(answer).toEqual({ kind: "planned", change: { wantedRanges: 8, shards: 64, deployed } });
    const plan = planWith({ shards: 64, deployed });
    expect(hasSettled(plan, later(now, 15 * minuteMs))).toBe(false);
    expect(hasSettled(plan, later(now, 16 * minuteMs))).toBe(true);
    expect(hasSettled({ ...plan, shards: 16 }, later(now, 16 * minuteMs))).toBe(false);
    expect(hasSettled(planWith(), later(now, 16 * minuteMs))).toBe(false);
  });

  it("with fewer shards than ranges were made by hand keeps a shard for each range", () => {
    const plan = planWith({ wantedRanges: 32, deployed: { ranges: 1, shards: 64, previousShards: 64, at: now } });
    expect(deploy(plan, { ranges: 1, shards: 16 })).toMatchObject({ change: { wantedRanges: 16 } });
  });

  describe("that fails after it gave more shards", () => {
    const loads = [{ shard: 100, count: 7, hasMore: false }];
    const step = (plan: TickPlan, shards: number, at = now): TickPlan => {
      const planned = planDeploy(plan, { ranges: 1, shards }, { now: at, loads });
      if (planned.kind === "refused") throw new Error(planned.reason);
      return { ...plan, ...planned.change };
    };
    const before = planWith({ deployed: { ranges: 1, shards: 64, previousShards: 64, at: later(now, -720 * hourMs) } });
    const refusal = /^expected at least the 128 shards in use, got 64: .*shard 100 holds 7/;

    it("is rolled back whatever stands on them, and they are looked after", () => {
      const after = step(step(before, 128), 64, later(now, hourMs - 1));
      expect(after).toMatchObject({ shards: 128, deployed: { shards: 64, previousShards: 128 } });
      // Nothing more is given up: neither by the next rollback of the same, nor by a deploy of other code on another day.
      expect(step(step(after, 64), 64, later(now, 720 * hourMs)).shards).toBe(128);
    });

    it("is rolled back also where its request came twice", () => {
      expect(step(step(step(before, 128), 128, later(now, minuteMs)), 64, later(now, 2 * minuteMs)).shards).toBe(128);
    });

    it("is no way to give them up later, nor others", () => {
      const raised = step(before, 128);
      expect(() => step(raised, 64, later(now, hourMs))).toThrow(refusal);
      expect(() => step(step(raised, 128, later(now, 720 * hourMs)), 64, later(now, 720 * hourMs))).toThrow(refusal);
      expect(() => step(raised, 65)).toThrow(/^expected at least the 128 shards in use, got 65/);
    });
  });

  it("with more ranges than shards is refused", () => {
    expect(deploy(planWith(), { ranges: 65, shards: 64 })).toEqual({
      kind: "refused",
      reason: "expected ranges from 1 to 64, the number of shards, got 65; deploy with other ranges, or with more shards",
    });
  });
});
