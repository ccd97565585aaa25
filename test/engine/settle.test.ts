import { describe, expect, it } from "vitest";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Transition } from "../../src/core/transition.ts";
import { inspect } from "../../src/engine/read.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { startAt } from "../builders.ts";
import { faultyStore } from "./faultyStore.ts";
import { answerWith, openHome } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

/** A home whose store can be switched off for some changes. */
function openWithOutage(options: Parameters<typeof openHome>[0] = {}) {
  const clock = createVirtualClock(startAt);
  const tried: Transition[] = [];
  const weather = { out: false, loseReplies: 0 };
  const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method, argument) => {
    if (method === "commit") {
      const transition = argument as Transition;
      if (transition.because === "claimed") return undefined;
      tried.push(transition);
    }
    if (weather.out) return "out";
    return method === "commit" && weather.loseReplies-- > 0 ? "reply_lost" : undefined;
  });
  return { home: openHome({ ...options, clock, store }), weather, tried };
}

describe("an outcome", () => {
  it("waits for a store that is out, is written once, and its call is made once", async () => {
    const { home, weather, tried } = openWithOutage({ answer: answerWith(200, { afterMs: 500 }) });
    const job = await home.submit();
    await home.runUntil(later(startAt, 100));
    weather.out = true;
    await home.runUntil(later(startAt, minuteMs));
    weather.out = false;
    await home.runUntil(later(startAt, 70 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "succeeded", version: 3, attemptCount: 1 });
    expect(tried.length).toBeGreaterThan(5);
    expect(new Set(tried.map((transition) => transition.change)).size).toBe(1);
  });

  it("keeps the instant at which the call ended, however long the store was out", async () => {
    const { home, weather } = openWithOutage({ answer: answerWith(200, { afterMs: 500 }) });
    const job = await home.submit();
    await home.runUntil(later(startAt, 100));
    weather.out = true;
    await home.runUntil(later(startAt, minuteMs));
    weather.out = false;
    await home.runUntil(later(startAt, 70 * secondMs));
    expect(await home.engine.store.load(job)).toMatchObject({
      endedAt: startAt + 500,
      attempts: [{ startedAt: startAt, endedAt: startAt + 500 }],
    });
  });

  it.each([1, 3])("whose reply is lost %d times is known as written, and stands once", async (loseReplies) => {
    const { home, weather } = openWithOutage();
    weather.loseReplies = loseReplies;
    const job = await home.submit();
    await home.runUntil(later(startAt, 30 * secondMs));
    const ended = await home.engine.store.load(job);
    expect(ended).toMatchObject({ state: "succeeded", version: 3 });
    expect(ended?.history.map((entry) => entry.because)).toEqual(["created", "claimed", "succeeded"]);
    expect(home.seen.filter(({ kind }) => kind === "lease_lost")).toEqual([]);
  });

  it("that asks for a retry has the retry made once, although its reply was lost", async () => {
    const { home, weather } = openWithOutage({ answer: answerWith(503) });
    weather.loseReplies = 1;
    const job = await home.submit();
    await home.runUntil(later(startAt, 8 * secondMs));
    expect(home.calls).toHaveLength(2);
    expect(await home.engine.store.load(job)).toMatchObject({ attemptCount: 2, state: "waiting" });
  });

  it("is dropped when its lease ended by the clock, for another has the job then", async () => {
    const { home, weather } = openWithOutage({ params: { leaseRule: { kind: "invocation" } } });
    home.invocation.endsAt = later(startAt, minuteMs);
    await home.submit();
    weather.out = true;
    await home.clock.runUntil(later(startAt, 2 * minuteMs));
    expect(home.seen.filter(({ kind }) => kind === "lease_lost")).toHaveLength(1);
    expect(home.invocation.slots.taken()).toBe(0);
  });
});

describe("the excerpt of an answer", () => {
  it("is kept with its attempt, and shown with the job", async () => {
    const home = openHome({ answer: answerWith(503, { headers: { "x-a": "b", "set-cookie": "id=1" } }) });
    const job = await home.submit();
    await home.runUntil(later(startAt, secondMs));
    const inspected = await inspect(home.engine, job);
    const id = inspected?.job.attempts[0]?.response?.excerptId;
    expect(inspected?.excerpts.get(id ?? ("" as never))).toEqual({ headers: { "x-a": "b", "set-cookie": "***" }, body: "ok" });
  });

  it.each([
    [200, "failures", false],
    [200, "all", true],
    [400, "failures", true],
    [503, "failures", true],
  ] as const)("of a %d with keepResponses=%s is kept: %s", async (status, keepResponses, kept) => {
    const home = openHome({ answer: answerWith(status), params: { keepResponses } });
    const job = await home.submit();
    await home.runUntil(later(startAt, secondMs));
    const response = (await home.engine.store.load(job))?.attempts[0]?.response;
    expect(response).toMatchObject({ status, byteCount: 2, truncated: false });
    expect(response?.excerptId !== null).toBe(kept);
  });

  it("that cannot be written does not hold up the outcome", async () => {
    const clock = createVirtualClock(startAt);
    const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method) => (method === "writePayload" ? "out" : undefined));
    const home = openHome({ clock, store, answer: answerWith(400) });
    const job = await home.submit();
    await home.runUntil(later(startAt, secondMs));
    expect(await home.engine.store.load(job)).toMatchObject({
      state: "failed",
      attempts: [{ response: { status: 400, excerptId: null } }],
    });
  });
});
