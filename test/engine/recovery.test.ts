/** What a process that died leaves behind is taken up by the next one, and what lives is never taken for dead. */

import { describe, expect, it } from "vitest";
import { endOf, startOf } from "../../src/core/hint.ts";
import type { Answer } from "../../src/core/outcome.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { cancel } from "../../src/engine/cancel.ts";
import { isLeaseOver } from "../../src/engine/engine.ts";
import type { Store } from "../../src/engine/ports.ts";
import { wake } from "../../src/engine/wake.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { nextToken, startAt } from "../builders.ts";
import { type Answerer, answerWith, type Home, type HomeOptions, openHome, silence } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

/** The process dies and another starts on the same store, at once. */
function restart(home: Home, options: HomeOptions = {}): Home {
  home.die();
  const hintedAnewBefore = later(home.clock.now(), 3 * secondMs);
  return openHome({ clock: home.clock, store: home.engine.store, ...options, params: { hintedAnewBefore, ...options.params } });
}

const soon = later(startAt, 100);
const inFiveSeconds = later(startAt, 5 * secondMs);

describe("after a restart", () => {
  it("a call that was in flight counts as unknown, and is made again alone within seconds", async () => {
    const dead = openHome({ answer: silence });
    const job = await dead.submit();
    await dead.runUntil(soon);
    const home = restart(dead);
    await home.runUntil(inFiveSeconds);
    expect([dead.calls.length, home.calls.length]).toEqual([1, 1]);
    const ended = await home.engine.store.load(job);
    expect(ended).toMatchObject({ state: "succeeded", attemptCount: 2, leaseLossCount: 1 });
    expect(ended?.attempts).toMatchObject([{ outcome: "unknown", because: "lease_lost" }, { outcome: "done" }]);
    expect(ended?.history.map((entry) => entry.because)).toEqual(["created", "claimed", "lease_lost", "claimed", "succeeded"]);
  });

  it("a last attempt that was in flight is not made again", async () => {
    const dead = openHome({ answer: silence });
    const job = await dead.submit({ retry: { ...retryDefault, maxAttempts: 1 } });
    await dead.runUntil(soon);
    const home = restart(dead);
    await home.runUntil(inFiveSeconds);
    expect(home.calls).toHaveLength(0);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "exhausted", attempts: [{ outcome: "unknown" }] });
  });

  it("a call whose cancel was asked for is not made again", async () => {
    const dead = openHome({ answer: () => new Promise<Answer>(() => {}) });
    const job = await dead.submit();
    await dead.runUntil(soon);
    await cancel(dead.engine, job);
    const home = restart(dead);
    await home.runUntil(inFiveSeconds);
    expect(home.calls).toHaveLength(0);
    expect((await home.engine.store.load(job))?.state).toBe("cancelled");
  });

  it("what fell due meanwhile is called at once, oldest first", async () => {
    const dead = openHome();
    for (const ms of [900, 700, 2_000, 800]) await dead.submit({ dueAt: later(startAt, ms) });
    dead.die();
    await dead.clock.runUntil(later(startAt, 60 * secondMs));
    const home = restart(dead, { capacity: 1 });
    await home.runUntil(later(startAt, 62 * secondMs));
    expect(home.calls.map((call) => call.request.headers["onthedot-due-at"]?.slice(17, 23))).toEqual([
      "00.700",
      "00.800",
      "00.900",
      "02.000",
    ]);
    expect(home.calls[0]?.startedAt).toBe(startAt + 60 * secondMs);
  });

  it("what the dead process had hinted and not called is called on the dot", async () => {
    const dead = openHome();
    const dueAt = later(startAt, 2_500);
    expect((await dead.submit({ dueAt })).hinted).toBe(true);
    const home = restart(dead);
    await home.runUntil(inFiveSeconds);
    expect(home.calls.map((call) => call.startedAt)).toEqual([dueAt]);
  });

  it("an answer that comes to the holder that was taken for dead changes nothing", async () => {
    const late: Answerer = answerWith(400, { afterMs: 3 * secondMs });
    const slow = openHome({ answer: late });
    const job = await slow.submit();
    await slow.runUntil(soon);
    const home = restart(slow);
    await home.runUntil(later(startAt, 10 * secondMs));
    expect(slow.seen.filter(({ kind }) => kind === "lease_lost")).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 2, version: 5 });
  });

  it("an answer that comes while the new holder calls leaves the new holder's lease", async () => {
    const slow = openHome({ answer: answerWith(400, { afterMs: 3 * secondMs }) });
    const job = await slow.submit();
    await slow.runUntil(soon);
    const home = restart(slow, { answer: answerWith(200, { afterMs: 10 * secondMs }) });
    await home.runUntil(later(startAt, 5 * secondMs));
    expect(slow.seen.filter(({ kind }) => kind === "lease_lost")).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "running", attemptCount: 2, version: 4 });
    await home.runUntil(later(startAt, 20 * secondMs));
    expect((await home.engine.store.load(job))?.state).toBe("succeeded");
  });

  it.each([1, 3, 7])("over and over, a job that kills its process is called %d times and no more", async (maxAttempts) => {
    let home = openHome({ answer: silence });
    const job = await home.submit({ retry: { ...retryDefault, maxAttempts } });
    let calls = 0;
    for (let round = 0; round < 12; round++) {
      await home.runUntil(later(home.clock.now(), 4 * secondMs));
      calls += home.calls.length;
      home = restart(home, { answer: silence });
    }
    expect(calls).toBe(maxAttempts);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "exhausted", leaseLossCount: maxAttempts });
  });

  it("a call of this process, however long, is not taken for a dead one's", async () => {
    const home = openHome({ answer: answerWith(200, { afterMs: 60 * secondMs }) });
    const job = await home.submit({ timeoutMs: 90 * secondMs });
    await home.runUntil(later(startAt, 80 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 1, version: 3 });
  });
});

describe("the lease of a running job", () => {
  /** A job that a process which is gone was calling, seen by the next process. */
  async function leftRunning() {
    const dead = openHome({ answer: silence });
    const { tenant, id } = await dead.submit();
    await dead.runUntil(soon);
    const home = restart(dead);
    const job = await home.engine.store.load({ tenant, id });
    if (job?.state !== "running") throw new Error(`expected a running job, got ${job?.state}`);
    return { home, job };
  }

  it("is over although an attempt of this process holds the job, unless that attempt has the lease's token", async () => {
    const { home, job } = await leftRunning();
    expect(isLeaseOver(home.engine, job)).toBe(true);
    const held = home.engine.register.hold(job);
    if (held === undefined) throw new Error("expected the job to be free");
    expect(isLeaseOver(home.engine, job)).toBe(true);
    held.token = nextToken();
    expect(isLeaseOver(home.engine, job)).toBe(true);
    held.token = job.leaseToken;
    expect(isLeaseOver(home.engine, job)).toBe(false);
  });

  it("is not over while the reply to its claim is on its way: a walk that meets the record leaves it", async () => {
    const clock = createVirtualClock(startAt);
    const memory = memoryStore({ now: clock.now, shards: 1 });
    const [walkReads, claimReplies] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let [loads, commits] = [0, 0];
    const store: Store = {
      ...memory,
      async loadMany(refs) {
        if (loads++ === 0) await walkReads.promise;
        return memory.loadMany(refs);
      },
      async commit(transition) {
        const answer = await memory.commit(transition);
        if (commits++ === 0) await claimReplies.promise;
        return answer;
      },
    };
    const home = openHome({ clock, store });
    home.die();
    const { priority, wakeAt, ...job } = await home.submit();
    // The walk has seen the job free on the wheel, and is about to load it, when an attempt by name claims it.
    const place = { shard: 0, priority, after: startOf(wakeAt), until: endOf(wakeAt) };
    const walked = wake(home.engine, { kind: "stretch", ...place, cutAt: startAt, startAt }, home.invocation);
    await clock.rest();
    const named = wake(home.engine, { kind: "names", priority, startAt, names: [{ ...job, wakeAt }] }, home.invocation);
    await clock.rest();
    expect([loads, commits]).toEqual([2, 1]);
    walkReads.resolve();
    await clock.rest();
    claimReplies.resolve();
    await clock.runUntil(inFiveSeconds);
    await Promise.all([walked, named]);
    expect(home.calls).toHaveLength(1);
    expect(await store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 1, leaseLossCount: 0, version: 3 });
  });
});

describe("a job whose lease was lost", () => {
  /** A home where one of some jobs, due at once, has lost its lease. */
  async function homeWithLonely(capacity: number) {
    const dead = openHome({ answer: silence });
    const lonely = await dead.submit();
    await dead.runUntil(soon);
    const home = restart(dead, { capacity, answer: answerWith(200, { afterMs: 700 }) });
    return { home, lonely };
  }

  it("runs after everything else in its hint has settled", async () => {
    const { home, lonely } = await homeWithLonely(16);
    await home.runUntil(later(startAt, 200));
    home.die();
    const lost = await home.engine.store.load(lonely);
    if (lost?.state !== "waiting") throw new Error(lost?.state);
    const others = [await home.submit(), await home.submit()];
    const names = [lost, ...others];
    const woken = wake(home.engine, { kind: "names", priority: "normal", startAt: home.clock.now(), names }, home.invocation);
    await home.clock.runUntil(later(startAt, 5 * secondMs));
    await woken;
    expect(home.calls.map((call) => [call.request.headers["onthedot-job"] === lonely.id, call.startedAt - startAt])).toEqual([
      [false, 200],
      [false, 200],
      [true, 900],
    ]);
  });

  it("is not run among the others that a walk over the past finds, but a while later", async () => {
    const { home: second } = await homeWithLonely(16);
    await second.runUntil(later(startAt, 200));
    for (let count = 0; count < 5; count++) await second.submit({ dueAt: later(startAt, 1_500) });
    second.die();
    await second.clock.runUntil(later(startAt, 10 * secondMs));
    const third = restart(second);
    await third.runUntil(later(startAt, 15 * secondMs));
    const times = third.calls.map((call) => call.startedAt - startAt);
    expect(times.slice(0, 5)).toEqual(new Array(5).fill(10_000));
    expect(times).toHaveLength(6);
    expect(times[5]).toBeGreaterThan(10_500);
  });

  it("waits for a slot under overload, and is then called once", async () => {
    const { home, lonely } = await homeWithLonely(1);
    for (let count = 0; count < 10; count++) await home.submit();
    await home.runUntil(later(startAt, 30 * secondMs));
    expect(home.calls.filter((call) => call.request.headers["onthedot-job"] === lonely.id)).toHaveLength(1);
    expect(home.calls).toHaveLength(11);
    expect(home.invocation.slots.taken()).toBe(0);
  });
});
