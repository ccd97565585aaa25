/** More work than slots: the urgent first, everybody in the end, nothing twice, and no slot idle while work is owed. */

import { describe, expect, it } from "vitest";
import { later, secondMs } from "../../src/core/time.ts";
import { submitBatch } from "../../src/engine/submit.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { startAt } from "../builders.ts";
import { faultyStore } from "./faultyStore.ts";
import { answerWith, type Home, openHome } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

const callsOf = (home: Home, job: { id: string }) => home.calls.filter((call) => call.request.headers["onthedot-job"] === job.id);

describe("under overload", () => {
  it("a critical job is called on the dot through a backlog of low ones", async () => {
    const home = openHome({ capacity: 16, answer: answerWith(200, { afterMs: 400 }) });
    for (let count = 0; count < 400; count++) await home.submit({ priority: "low" });
    const dueAt = later(startAt, 2_345);
    const critical = await home.submit({ priority: "critical", dueAt });
    await home.runUntil(later(startAt, 5 * secondMs));
    expect(home.calls.length).toBeLessThan(400);
    expect(callsOf(home, critical).map((call) => call.startedAt)).toEqual([dueAt]);
  });

  it("low jobs get on through a flood of critical ones", async () => {
    const home = openHome({ capacity: 16, answer: answerWith(200, { afterMs: 500 }) });
    for (let count = 0; count < 400; count++) await home.submit({ priority: "critical" });
    const low = [await home.submit({ priority: "low" }), await home.submit({ priority: "low" })];
    await home.runUntil(later(startAt, 4 * secondMs));
    expect(home.calls.length).toBeLessThan(400);
    for (const job of low) expect(callsOf(home, job)).toHaveLength(1);
  });

  it("with one slot, waiting jobs are served by priority", async () => {
    const home = openHome({ capacity: 1, answer: answerWith(200, { afterMs: 100 }) });
    await home.submit();
    await home.runUntil(later(startAt, 10));
    const ids = new Map<string, string>();
    for (const priority of ["low", "normal", "high", "critical"] as const) ids.set((await home.submit({ priority })).id, priority);
    await home.runUntil(later(startAt, 3 * secondMs));
    const order = home.calls.slice(1).map((call) => ids.get(call.request.headers["onthedot-job"] ?? ""));
    expect(order).toEqual(["critical", "high", "normal", "low"]);
  });

  it("a job that found no slot at its instant is called as soon as one is free, whether or not a turn comes", async () => {
    const home = openHome({ capacity: 1, answer: answerWith(200, { afterMs: 400 }) });
    const first = await home.submit({ dueAt: later(startAt, 200) });
    const second = await home.submit({ dueAt: later(startAt, 300) });
    // The clock alone: no turn runs.
    await home.clock.runUntil(later(startAt, 5 * secondMs));
    expect(callsOf(home, first).map((call) => call.startedAt)).toEqual([startAt + 200]);
    expect(callsOf(home, second).map((call) => call.startedAt)).toEqual([startAt + 600]);
  });

  it("a backlog of 5,000 costs few names and few loaded jobs, and is worked off once each, oldest first", async () => {
    const clock = createVirtualClock(startAt);
    let loadedMost = 0;
    const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method, argument) => {
      if (method === "loadMany" && Array.isArray(argument)) loadedMost = Math.max(loadedMost, argument.length);
      return undefined;
    });
    const dead = openHome({ clock, store, namesMax: 0 });
    dead.die();
    const template = await dead.submit();
    const { target, timeoutMs, retry, tenant } = template;
    const wanted = Array.from({ length: 4_999 }, (_, index) => ({
      ...{ tenant, target, timeoutMs, retry, dueAt: later(startAt, index % 10_000), body: null, deadline: null },
      ...{ priority: "normal" as const, labels: {}, key: null },
    }));
    await submitBatch(dead.engine, wanted);
    await clock.runUntil(later(startAt, 20 * secondMs));

    let depthMost = 0;
    let inFlight = 0;
    let inFlightMost = 0;
    const home: Home = openHome({
      ...{ clock, store, capacity: 8, namesMax: 50 },
      async answer(call, timers) {
        inFlightMost = Math.max(inFlightMost, ++inFlight);
        depthMost = Math.max(depthMost, home.hints.depth());
        const answer = await answerWith(200, { afterMs: 4 })(call, timers);
        inFlight -= 1;
        return answer;
      },
    });
    await home.runUntil(later(startAt, 30 * secondMs));
    expect(home.calls).toHaveLength(5_000);
    expect(new Set(home.calls.map((call) => call.request.headers["webhook-id"])).size).toBe(5_000);
    expect(depthMost).toBeLessThanOrEqual(50);
    expect(loadedMost).toBeLessThanOrEqual(8);
    // One in eight is left to jobs that are named for their instant.
    expect(inFlightMost).toBe(7);
    const dueAts = home.calls.map((call) => call.request.headers["onthedot-due-at"] ?? "");
    expect(dueAts).toEqual(dueAts.toSorted());
    expect([home.hints.depth(), home.open(), home.invocation.slots.taken()]).toEqual([0, 0, 0]);
  });

  it("a second with more jobs than names fit has all of them called, none twice, within two ticks", async () => {
    const home = openHome({ capacity: 64, namesMax: 50 });
    const dueAt = later(startAt, 1_500);
    for (let count = 0; count < 500; count++) await home.submit({ dueAt: later(dueAt, count % 10) });
    expect(home.hints.depth()).toBeLessThanOrEqual(50);
    await home.runUntil(later(dueAt, 2 * secondMs));
    expect(new Set(home.calls.map((call) => call.request.headers["webhook-id"])).size).toBe(500);
    expect(home.calls).toHaveLength(500);
  });
});
