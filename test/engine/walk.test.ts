import { describe, expect, it } from "vitest";
import { endOf, type Hint, type StretchHint, startOf } from "../../src/core/hint.ts";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Store } from "../../src/engine/ports.ts";
import { wake } from "../../src/engine/wake.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { startAt } from "../builders.ts";
import { faultyStore } from "./faultyStore.ts";
import { answerWith, openHome } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

const dueAt = later(startAt, secondMs);

/** The whole of the partition, as far as a test looks ahead. */
const everything: StretchHint = {
  ...{ kind: "stretch", shard: 0, priority: "normal", cutAt: startAt, startAt },
  ...{ after: startOf(later(startAt, -minuteMs)), until: endOf(later(startAt, 5 * minuteMs)) },
};

describe("a walk over the past", () => {
  it("leaves a job alone that this process claims while the walk loads it", async () => {
    const clock = createVirtualClock(startAt);
    let walking = false;
    const slowLoads = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method) => {
      if (!walking || method !== "loadMany") return undefined;
      walking = false;
      return clock.until(later(dueAt, -5));
    });
    const home = openHome({ clock, store: slowLoads });
    const job = await home.submit({ dueAt });
    await clock.runUntil(later(dueAt, -200));
    walking = true;
    const walked = wake(home.engine, everything, home.invocation);
    await home.runUntil(later(dueAt, 5 * secondMs));
    await walked;
    expect(home.calls).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 1, leaseLossCount: 0 });
  });

  it("takes no slot for an entry that the index shows and the record has left", async () => {
    const clock = createVirtualClock(startAt);
    const store = memoryStore({ now: clock.now, shards: 1 });
    const lagging: Store = {
      ...store,
      async wheel(page) {
        const entries = await store.wheel({ ...page, until: endOf(later(startAt, minuteMs)) });
        return entries.map((entry) => ({ ...entry, wakeAt: startAt }));
      },
    };
    const home = openHome({ clock, store: lagging, capacity: 1 });
    const job = await home.submit({ dueAt: later(startAt, 30 * secondMs) });
    const walked = wake(home.engine, everything, home.invocation);
    await clock.runUntil(later(startAt, secondMs));
    await walked;
    expect(home.invocation.slots.taken()).toBe(0);
    expect(await store.load(job)).toEqual(job);
  });

  it("gives back the slots of what is gone when it is loaded", async () => {
    const clock = createVirtualClock(startAt);
    const store = memoryStore({ now: clock.now, shards: 1 });
    const home = openHome({ clock, store: { ...store, loadMany: async () => [] } });
    for (let count = 0; count < 5; count++) await home.submit();
    await wake(home.engine, everything, home.invocation);
    expect(home.invocation.slots.taken()).toBe(0);
  });

  it("that meets an outage gives back its slots, and says so to whoever sent it", async () => {
    const clock = createVirtualClock(startAt);
    const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method) => (method === "loadMany" ? "out" : undefined));
    const home = openHome({ clock, store });
    await home.submit();
    await expect(wake(home.engine, everything, home.invocation)).rejects.toThrow("out");
    expect(home.invocation.slots.taken()).toBe(0);
  });

  it("ends when a newer turn has cut the past anew, and leaves the rest to that one's hints", async () => {
    const home = openHome({
      ...{ capacity: 1, namesMax: 0, answer: answerWith(200, { afterMs: 400 }) },
      params: { stretchAgeMsMax: secondMs },
    });
    for (let count = 0; count < 10; count++) await home.submit();
    const walked = wake(home.engine, everything, home.invocation);
    await home.clock.runUntil(later(startAt, minuteMs));
    await walked;
    expect(home.calls.map((call) => call.startedAt - startAt)).toEqual([0, 400, 800]);
  });

  it.each([["by names"], ["over the past"]])("%s in which one item meets a bug tells of it when the others have settled", async (kind) => {
    const clock = createVirtualClock(startAt);
    const store = memoryStore({ now: clock.now, shards: 1 });
    let badId = "";
    const bug = new Error("a bug");
    const commit: Store["commit"] = (transition) => (transition.from.id === badId ? Promise.reject(bug) : store.commit(transition));
    const home = openHome({ clock, store: { ...store, commit }, answer: answerWith(200, { afterMs: 10 * secondMs }) });
    home.hints.stop();
    const [good, bad] = [await home.submit(), await home.submit()];
    badId = bad.id;
    const names: Hint = { kind: "names", priority: "normal", startAt, names: [bad, good].map((job) => ({ ...job })) };
    let told: unknown;
    const waked = wake(home.engine, kind === "by names" ? names : everything, home.invocation).catch((cause: unknown) => {
      told = cause;
    });
    await clock.runUntil(later(startAt, 9 * secondMs));
    expect([told, home.calls.length]).toEqual([undefined, 1]);
    await clock.runUntil(later(startAt, 11 * secondMs));
    await waked;
    expect(told).toBe(bug);
    expect(await store.load(good)).toMatchObject({ state: "succeeded", attemptCount: 1 });
  });

  it("over more entries than one page comes to all of them, once each", async () => {
    const home = openHome({ capacity: 5, params: { pageEntries: 7 }, namesMax: 0 });
    for (let count = 0; count < 40; count++) await home.submit();
    const walked = wake(home.engine, everything, home.invocation);
    await home.clock.runUntil(later(startAt, 5 * secondMs));
    await walked;
    expect(new Set(home.calls.map((call) => call.request.headers["webhook-id"])).size).toBe(40);
    expect(home.calls).toHaveLength(40);
  });
});
