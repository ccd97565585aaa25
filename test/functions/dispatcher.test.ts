/** The door of the ticks, over the engine on a virtual clock: which shards a tick turns, and what a tick cannot make it do. */

import { afterAll, describe, expect, it, vi } from "vitest";
import type { Hint } from "../../src/core/hint.ts";
import { type EpochMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { OutageError, type Store } from "../../src/engine/ports.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { startAt } from "../builders.ts";
import { type Fault, faultyStore } from "../engine/faultyStore.ts";
import { openHome } from "../engine/home.ts";
import { createVirtualClock } from "../engine/virtualClock.ts";
import { memoryTickPlans } from "../ticks/memoryTickPlans.ts";
import { contextOf } from "./environment.ts";
import { stubEnvironment, writtenBy } from "./instance.ts";
import { foreignEvents } from "./sqsEvents.ts";

stubEnvironment("dispatcher");
const { createDispatcher, handler } = await import("../../functions/dispatcher.ts");
afterAll(() => {
  vi.unstubAllEnvs();
});

const shards = 8;

type Given = {
  readonly refusal?: () => string | undefined;
  readonly fault?: (method: keyof Store) => Fault | undefined;
};

function open({ refusal = () => undefined, fault = () => undefined }: Given = {}) {
  const clock = createVirtualClock(startAt);
  const looked: number[] = [];
  const store = faultyStore(memoryStore({ now: clock.now, shards }), (method, argument) => {
    if (method === "wheel") looked.push((argument as { shard: number }).shard);
    return fault(method);
  });
  const params = { shards, tickMs: minuteMs, lookaheadMs: 5 * minuteMs, graceMs: 35 * secondMs };
  const home = openHome({ clock, store, params });
  home.hints.stop();
  const sent: Hint[] = [];
  const hints: Engine["hints"] = {
    async send(hinted) {
      sent.push(...hinted);
      return "sent";
    },
  };
  const plans = memoryTickPlans(shards);
  const counted: string[] = [];
  const dispatch = createDispatcher({
    engine: { ...home.engine, hints },
    ...{ plans, skew: { refusal }, metrics: { count: (name) => void counted.push(name) } },
  });
  const tick = (event: unknown, remainingMs = 55 * secondMs) => dispatch(event, { getRemainingTimeInMillis: () => remainingMs });
  /** As `reconcile` leaves the plan. */
  const spread = async (ranges: number) => {
    await plans.write({ wantedRanges: ranges }, await plans.read());
    await plans.hold("reconcile", { now: clock.now(), until: later(clock.now(), minuteMs) });
    await plans.setRanges(ranges, "reconcile", clock.now());
  };
  /** The shards whose entries were read since the last time this was asked. */
  const turned = () => [...new Set(looked.splice(0))].toSorted((a, b) => a - b);
  return { home, clock, plans, counted, sent, tick, spread, turned };
}

const at = (ms: number): EpochMs => later(startAt, ms);

describe("the base tick", () => {
  it("turns all shards, signs in, and is counted", async () => {
    const { plans, counted, tick, turned } = open();
    expect(await tick({ range: 0 })).toEqual({ kind: "turned", range: 0 });
    expect(turned()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([(await plans.read()).tickedAt, counted]).toEqual([{ 0: startAt }, ["Ticks"]]);
  });

  it("names what is due within the look-ahead", async () => {
    const { home, clock, sent, tick } = open();
    const job = await home.submit({ dueAt: at(10 * minuteMs) });
    await tick({ range: 0 });
    expect(sent).toEqual([]);
    await clock.runUntil(at(6 * minuteMs));
    await tick({ range: 0 });
    expect(sent).toMatchObject([{ kind: "names", names: [{ id: job.id }] }]);
  });

  it("turns one range of the plan's, whatever the deploy had", async () => {
    const { tick, turned, spread } = open();
    await spread(4);
    await tick({ range: 0 });
    expect(turned()).toEqual([0, 4]);
    await spread(1);
    await tick({ range: 0 });
    // The lease of the turn before is given back, so the next one is not kept out.
    expect(turned()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("goes by what stands, and not by what is wanted: until all further ticks are there it turns all shards", async () => {
    const { plans, tick, turned, spread } = open();
    await plans.write({ wantedRanges: 4 }, await plans.read());
    await tick({ range: 0 });
    expect(turned()).toHaveLength(shards);
    await spread(4);
    await plans.write({ wantedRanges: 1 }, await plans.read());
    await tick({ range: 0 });
    expect(turned()).toEqual([0, 4]);
  });

  it("looks after the shards of an earlier deploy too, until the plan gives them up", async () => {
    const { plans, tick, turned } = open();
    await plans.write({ shards: 12 }, await plans.read());
    await tick({ range: 0 });
    expect(turned()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe("a further tick", () => {
  it("turns the shards that it says itself, whatever the plan says", async () => {
    const { plans, tick, turned, spread } = open();
    expect(await tick({ range: 3, of: 4 })).toEqual({ kind: "turned", range: 3 });
    expect(turned()).toEqual([3, 7]);
    await spread(2);
    await tick({ range: 1, of: 4 });
    expect(turned()).toEqual([1, 5]);
    expect((await plans.read()).tickedAt).toEqual({ 1: startAt, 3: startAt });
  });

  it("that does not say over how many ranges, as one made by hand, goes by what is wanted", async () => {
    const { plans, tick, turned } = open();
    await plans.write({ wantedRanges: 4 }, await plans.read());
    await tick({ range: 3 });
    expect(turned()).toEqual([3, 7]);
  });

  it("turns every shard of a range once: all ranges together leave none out and none twice", async () => {
    for (const of of [2, 3, 5, 8]) {
      const { tick, turned, spread } = open();
      await spread(of);
      const all: number[] = [];
      for (let range = 0; range < of; range++) {
        await tick(range === 0 ? { range } : { range, of });
        all.push(...turned());
      }
      expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  it("that stays away is told by the others, and not while paused", async () => {
    const { clock, counted, plans, spread, tick } = open();
    const told = () => counted.splice(0).filter((name) => name === "RangesLate").length;
    await spread(2);
    for (const ms of [0, 3 * minuteMs]) {
      await clock.runUntil(at(ms));
      await tick({ range: 0 });
    }
    expect(told()).toBe(0);
    await clock.runUntil(at(4 * minuteMs));
    await tick({ range: 0 });
    expect(told()).toBe(1);
    await plans.write({ paused: true }, await plans.read());
    await tick({ range: 0 });
    await plans.write({ paused: false }, await plans.read());
    await tick({ range: 1, of: 2 });
    expect(told()).toBe(0);
  });

  it("beyond the shards has nothing to turn", async () => {
    const { home, counted, tick, turned } = open();
    expect(await tick({ range: 9, of: 10 })).toEqual({ kind: "turned", range: 9 });
    expect([turned(), counted, home.seen]).toEqual([[], ["Ticks"], []]);
  });
});

describe("a tick carries no truth:", () => {
  it("one that is hours old turns by this clock", async () => {
    const { home, clock, plans, sent, tick } = open();
    await clock.runUntil(at(180 * minuteMs));
    await home.submit({ dueAt: at(190 * minuteMs) });
    await clock.runUntil(at(186 * minuteMs));
    await tick({ range: 0, time: new Date(startAt).toISOString(), "aws.scheduler.scheduled-time": new Date(startAt).toISOString() });
    expect(sent).toMatchObject([{ kind: "names", startAt: at(190 * minuteMs) }]);
    expect((await plans.read()).tickedAt).toEqual({ 0: at(186 * minuteMs) });
  });

  it("of two at once one turns, and the other meets the lease", async () => {
    const { counted, tick } = open();
    const answers = await Promise.all([tick({ range: 0 }), tick({ range: 0 })]);
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(["leased", "turned"]);
    expect(counted).toEqual(["Ticks", "Ticks"]);
  });

  it("a doubled one that comes after the first names nothing anew", async () => {
    const { home, clock, sent, tick } = open();
    await home.submit({ dueAt: at(10 * minuteMs) });
    await clock.runUntil(at(6 * minuteMs));
    await tick({ range: 0 });
    await tick({ range: 0 });
    expect(sent).toHaveLength(1);
  });

  it("fields of EventBridge's own beside the range are passed over", async () => {
    const { tick, turned } = open();
    const event = {
      ...{ version: "0", id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event", source: "aws.scheduler" },
      ...{ account: "123456789012", time: "2027-01-01T00:00:00Z", region: "us-east-1", resources: [], detail: "{}", range: 2, of: 4 },
    };
    expect(await tick(event)).toEqual({ kind: "turned", range: 2 });
    expect(turned()).toEqual([2, 6]);
  });
});

describe("while the plan is paused", () => {
  it("a tick returns at once: it signs in, is counted, and reads nothing", async () => {
    const { plans, counted, sent, tick, turned } = open();
    await plans.write({ paused: true }, await plans.read());
    for (const event of [{ range: 0 }, { range: 1, of: 2 }]) expect(await tick(event)).toEqual({ kind: "paused", range: event.range });
    expect([turned(), sent, counted]).toEqual([[], [], ["Ticks", "Paused", "Ticks", "Paused"]]);
    expect((await plans.read()).tickedAt).toEqual({ 0: startAt, 1: startAt });
  });

  it("no lease is taken: the first tick after it turns", async () => {
    const { plans, tick } = open();
    await plans.write({ paused: true }, await plans.read());
    await tick({ range: 0 });
    await plans.write({ paused: false }, await plans.read());
    expect(await tick({ range: 0 })).toEqual({ kind: "turned", range: 0 });
  });
});

describe("a turn", () => {
  it("takes on no more so shortly before the platform ends it, and the next tick goes on with the rest", async () => {
    const { clock, tick, turned } = open();
    await tick({ range: 0 }, 5 * secondMs);
    const first = turned();
    expect(first).toHaveLength(1);
    await clock.runUntil(at(minuteMs));
    await tick({ range: 0 }, 5 * secondMs);
    expect(turned()).not.toEqual(first);
  });

  it("whose store is out fails: the next tick does what this one left undone", async () => {
    let isOut = true;
    const { tick, turned, clock } = open({ fault: (method) => (isOut && method === "wheel" ? "out" : undefined) });
    await expect(tick({ range: 0 })).rejects.toBeInstanceOf(OutageError);
    isOut = false;
    turned();
    // The lease of the turn that failed lasts until the next tick.
    await clock.runUntil(at(minuteMs));
    expect(await tick({ range: 0 })).toEqual({ kind: "turned", range: 0 });
    expect(turned()).toHaveLength(shards);
  });

  it("does not begin where the clock is off: the tick fails, and is not counted", async () => {
    const sentence = "expected a clock within 3000 ms of the store's, and it is 9000 ms ahead";
    const { counted, sent, tick, turned } = open({ refusal: () => sentence });
    await expect(tick({ range: 0 })).rejects.toEqual(new OutageError(sentence));
    expect([turned(), sent, counted]).toEqual([[], [], []]);
  });
});

describe("an event of another shape", () => {
  const { "a tick": _, ...others } = foreignEvents;

  it.each([
    ...Object.entries(others),
    ["a tick of no range", { range: null }],
    ["a tick of a range before the first", { range: -1 }],
    ["a tick of half a range", { range: 1.5 }],
    ["a tick of a range in words", { range: "0" }],
    ["a tick of no ranges", { range: 0, of: 0 }],
    ["a tick of more ranges than there can be", { range: 1, of: 1e9 }],
    ["a wish to reconcile", { reconcile: true }],
  ])("(%s) is refused in one line, and nothing is done", async (_, event) => {
    const { plans, counted, tick, turned } = open();
    const refused = tick(event);
    await expect(refused).rejects.toThrow(/^expected a tick such as \{"range":0\}, got an event in which [^\n]+$/);
    await expect(refused).rejects.toMatchObject({ name: "ForeignEventError" });
    expect([turned(), counted, (await plans.read()).tickedAt]).toEqual([[], [], {}]);
  });
});

describe("the function", () => {
  it("fails for an event that is not its own, and writes no metric", async () => {
    const lines = await writtenBy(() =>
      expect(handler({ Records: [] }, contextOf("dispatcher"))).rejects.toMatchObject({ name: "ForeignEventError" }),
    );
    expect(lines.filter((line) => "_aws" in line)).toEqual([]);
  });

  it("does not start without its queues, and names each", async () => {
    vi.resetModules();
    stubEnvironment("dispatcher", { ONTHEDOT_QUEUE_CRITICAL: "", ONTHEDOT_QUEUE_LOW: "" });
    await expect(import("../../functions/dispatcher.ts")).rejects.toThrow(
      /^ONTHEDOT_QUEUE_CRITICAL is not set; ONTHEDOT_QUEUE_LOW is not set: deploy the stack again, which sets them$/,
    );
  });
});
