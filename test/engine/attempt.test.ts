import { describe, expect, it } from "vitest";
import type { Hint } from "../../src/core/hint.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { dayMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import { edit } from "../../src/engine/edit.ts";
import type { Hints, Store } from "../../src/engine/ports.ts";
import { wake } from "../../src/engine/wake.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { startAt } from "../builders.ts";
import { type Fault, faultyStore } from "./faultyStore.ts";
import { answerWith, type HomeOptions, openHome, silence } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

const dueAt = later(startAt, secondMs);
const largeBody = { contentType: "text/plain", bytes: new Uint8Array(1_000).fill(7) };

/** A home with a store that fails as it is told, and may be slow by the home's clock. */
function openFaultyHome(fault: (method: keyof Store, wait: (ms: number) => Promise<void>) => Fault | undefined, options: HomeOptions = {}) {
  const clock = createVirtualClock(startAt);
  const wait = (ms: number) => clock.until(later(clock.now(), ms));
  const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method) => fault(method, wait));
  return openHome({ ...options, clock, store });
}

/** Answers the fault for the first call of a method only. */
function once(wanted: keyof Store, fault: (wait: (ms: number) => Promise<void>) => Fault) {
  let done = false;
  return (method: keyof Store, wait: (ms: number) => Promise<void>): Fault | undefined => {
    if (method !== wanted || done) return undefined;
    done = true;
    return fault(wait);
  };
}

describe("an attempt", () => {
  it("stands in the record before its first byte leaves", async () => {
    const home = openHome({ answer: silence });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -1));
    expect(home.calls).toHaveLength(0);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "running", attemptCount: 1 });
    await home.runUntil(dueAt);
    expect(home.calls).toHaveLength(1);
  });

  it("has its connection opened before the instant, and nothing left open after it", async () => {
    const home = openHome();
    await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -home.engine.params.connectLeadMs));
    expect(home.open()).toBe(1);
    await home.runUntil(later(dueAt, secondMs));
    expect(home.open()).toBe(0);
    expect(home.invocation).toMatchObject({ warm: 0 });
    expect(home.invocation.slots.taken()).toBe(0);
  });

  it("opens no more connections early than there are free slots", async () => {
    const home = openHome({ capacity: 3, answer: answerWith(200, { afterMs: 10 }) });
    for (let count = 0; count < 20; count++) await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -50));
    expect(home.open()).toBe(3);
    await home.runUntil(later(dueAt, 5 * secondMs));
    expect(home.calls).toHaveLength(20);
    expect([home.open(), home.invocation.warm]).toEqual([0, 0]);
  });

  it("of a claim that takes long is late by no more than that, and not lost", async () => {
    const home = openFaultyHome(once("commit", (wait) => wait(300)));
    await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 3 * secondMs));
    expect(home.calls.map((call) => call.startedAt - dueAt)).toEqual([280]);
  });

  it("whose claim's reply is lost is made by the one who claimed, once", async () => {
    const home = openFaultyHome(once("commit", () => "reply_lost"));
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, minuteMs));
    expect(home.calls).toHaveLength(1);
    expect((await home.engine.store.load(job))?.state).toBe("succeeded");
  });

  it("is put off by an outage of the store, and made when it is back", async () => {
    let out = true;
    const home = openFaultyHome((method) =>
      out && (method === "loadMany" || method === "commit" || method === "wheel") ? "out" : undefined,
    );
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 10 * secondMs));
    expect(home.calls).toHaveLength(0);
    out = false;
    await home.runUntil(later(dueAt, 13 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 1 });
  });
});

describe("a deadline", () => {
  it("that passes while no slot is free ends the job, and nothing is sent", async () => {
    const home = openHome({ capacity: 1, answer: answerWith(200, { afterMs: 20 * secondMs }) });
    await home.submit();
    const job = await home.submit({ dueAt, deadline: later(dueAt, 5 * secondMs) });
    await home.runUntil(later(startAt, 30 * secondMs));
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "expired", attemptCount: 0 });
    expect(home.calls).toHaveLength(1);
  });

  it("that passes between the claim and the first byte has nothing sent", async () => {
    const home = openFaultyHome(once("readPayloads", (wait) => wait(200)));
    const job = await home.submit({ dueAt, deadline: later(dueAt, 100), body: largeBody });
    await home.runUntil(later(dueAt, 5 * secondMs));
    expect(home.calls).toHaveLength(0);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "expired", attempts: [{ startedAt: null }] });
  });

  it("right at the instant is kept", async () => {
    const home = openHome();
    await home.submit({ dueAt, deadline: dueAt });
    await home.runUntil(later(dueAt, secondMs));
    expect(home.calls).toHaveLength(1);
  });

  it("that an edit moves before the instant ends the job at its instant", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await edit(home.engine, job, () => ({ deadline: later(dueAt, -500) }), null);
    await home.runUntil(later(dueAt, secondMs));
    expect(home.calls).toHaveLength(0);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "expired" });
  });

  it("bars the retry that would come after it, at once", async () => {
    const home = openHome({ answer: answerWith(503) });
    const job = await home.submit({ deadline: later(startAt, 2 * secondMs) });
    await home.runUntil(later(startAt, secondMs));
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "expired", endedAt: startAt + 5 });
  });
});

describe("retries", () => {
  it.each([1, 2, 5])("end after %d attempts, of which the last is not followed by a wait", async (maxAttempts) => {
    const home = openHome({ answer: answerWith(503) });
    const job = await home.submit({ retry: { ...retryDefault, maxAttempts } });
    await home.runUntil(later(startAt, 10 * minuteMs));
    const ended = await home.engine.store.load(job);
    expect(ended).toMatchObject({ state: "failed", because: "exhausted", attemptCount: maxAttempts });
    expect(home.calls).toHaveLength(maxAttempts);
    expect(ended?.attempts.at(-1)?.endedAt).toBe(ended?.history.at(-1)?.at);
  });

  it("wait for a Retry-After that is longer than the backoff", async () => {
    const home = openHome({ answer: answerWith(429, { headers: { "retry-after": "42" } }) });
    await home.submit({ retry: { ...retryDefault, maxAttempts: 2 } });
    await home.runUntil(later(startAt, 2 * minuteMs));
    expect(home.calls.map((call) => call.startedAt - startAt)).toEqual([0, 42_005]);
  });

  it("do not start after maxAge, also where an outage held them up", async () => {
    let out = false;
    const home = openFaultyHome((method) => (out && method !== "load" ? "out" : undefined), { answer: answerWith(503) });
    const job = await home.submit({ retry: { ...retryDefault, maxAgeMs: 30 * secondMs } });
    await home.runUntil(later(startAt, secondMs));
    out = true;
    await home.runUntil(later(startAt, 40 * secondMs));
    out = false;
    await home.runUntil(later(startAt, 60 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "failed", because: "aged" });
  });
});

describe("a job that was taken when longer calls could be made", () => {
  it("is called with the longest timeout there is now, and not never", async () => {
    const home = openHome({ params: { callMsMax: 5 * secondMs, leaseRule: { kind: "invocation" } } });
    home.invocation.endsAt = later(dueAt, 10 * secondMs);
    const job = await home.submit({ dueAt, timeoutMs: 10 * minuteMs });
    await home.runUntil(later(dueAt, secondMs));
    expect(home.calls.map((call) => call.timeoutMs - 5 * secondMs)).toEqual([home.engine.params.connectLeadMs]);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 1 });
  });
});

describe("a call whose cancel is watched", () => {
  it("goes on when the watch meets what nobody expected", async () => {
    const cancelWatch = { kind: "asks", leadMs: 5, everyMs: secondMs } as const;
    const clock = createVirtualClock(startAt);
    const store = memoryStore({ now: clock.now, shards: 1 });
    const load: Store["load"] = (ref) => (clock.now() > later(dueAt, 500) ? Promise.reject(new Error("a bug")) : store.load(ref));
    const home = openHome({
      clock,
      store: { ...store, load },
      params: { cancelWatch },
      answer: answerWith(200, { afterMs: 4 * secondMs }),
    });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 5 * secondMs));
    expect(await store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 1 });
  });
});

describe("the last look", () => {
  it("after a sleep beyond the lease sends nothing; the attempt counts as lost and the next is made", async () => {
    const home = openFaultyHome(once("readPayloads", (wait) => wait(6 * secondMs)));
    const job = await home.submit({ dueAt, body: largeBody });
    await home.runUntil(later(dueAt, 5_900));
    expect(home.calls).toHaveLength(0);
    await home.runUntil(later(dueAt, 20 * secondMs));
    expect(home.calls).toHaveLength(1);
    const ended = await home.engine.store.load(job);
    expect(ended).toMatchObject({ state: "succeeded", attemptCount: 2, leaseLossCount: 1 });
    expect(ended?.attempts).toMatchObject([{ startedAt: null, outcome: "unknown", because: "lease_lost" }, { outcome: "done" }]);
  });

  it("sends nothing where another has taken the job meanwhile, and leaves the other's record", async () => {
    const params = {
      leaseRule: { kind: "register", slackMs: dayMs },
      cancelWatch: { kind: "asks", leadMs: 5, everyMs: secondMs },
    } as const;
    const slow = openFaultyHome(
      once("readPayloads", (wait) => wait(6 * secondMs)),
      { params },
    );
    const job = await slow.submit({ dueAt, body: largeBody });
    await slow.runUntil(dueAt);
    slow.die();
    const other = openHome({ clock: slow.clock, store: slow.engine.store, params: { hintedAnewBefore: later(dueAt, minuteMs) } });
    await other.runUntil(later(dueAt, 20 * secondMs));
    expect([slow.calls.length, other.calls.length]).toEqual([0, 1]);
    expect(await other.engine.store.load(job)).toMatchObject({ state: "succeeded", attemptCount: 2 });
  });
});

describe("a large body", () => {
  it("that cannot be read at its instant is tried again by backoff, and says so", async () => {
    const home = openFaultyHome(once("readPayloads", () => "out"));
    const job = await home.submit({ dueAt, body: largeBody });
    await home.runUntil(later(dueAt, 20 * secondMs));
    expect(home.calls).toHaveLength(1);
    const ended = await home.engine.store.load(job);
    expect(ended).toMatchObject({ state: "succeeded", attemptCount: 2 });
    expect(ended?.attempts[0]).toMatchObject({
      startedAt: null,
      outcome: "again",
      because: "aborted",
      error: { message: expect.stringContaining("body") },
    });
  });

  it("that is no longer kept ends the job, and nothing is sent", async () => {
    const clock = createVirtualClock(startAt);
    const store = { ...memoryStore({ now: clock.now, shards: 1 }), readPayloads: async () => [undefined] };
    const home = openHome({ clock, store });
    const job = await home.submit({ dueAt, body: largeBody });
    await home.runUntil(later(dueAt, secondMs));
    expect(home.calls).toHaveLength(0);
    expect(await home.engine.store.load(job)).toMatchObject({
      state: "failed",
      because: "refused",
      attempts: [{ error: { message: expect.stringContaining("body") } }],
    });
  });
});

describe("an invocation that ends", () => {
  it("starts no call that might outlive it, and hands that on", async () => {
    const home = openHome();
    home.die();
    const [fits, tooLong] = [await home.submit({ timeoutMs: 5_000 }), await home.submit({ timeoutMs: 30_000 })];
    home.invocation.endsAt = later(startAt, 20 * secondMs);
    const handedOn: Hint[] = [];
    const hints: Hints = {
      async send(more) {
        handedOn.push(...more);
        return "sent";
      },
    };
    const woken = wake({ ...home.engine, hints }, { kind: "names", priority: "normal", startAt, names: [fits, tooLong] }, home.invocation);
    await home.clock.runUntil(later(startAt, secondMs));
    await woken;
    expect(home.calls).toHaveLength(1);
    expect((await home.engine.store.load(fits))?.state).toBe("succeeded");
    expect(await home.engine.store.load(tooLong)).toMatchObject({ state: "waiting", attemptCount: 0 });
    expect(handedOn).toMatchObject([{ kind: "names", names: [{ id: tooLong.id }] }]);
  });

  it("claims nothing more once a shutdown has begun, also of what it holds already", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -50));
    home.die();
    home.invocation.endsAt = home.clock.now();
    await home.clock.runUntil(later(dueAt, secondMs));
    expect(home.calls).toHaveLength(0);
    expect(await home.engine.store.load(job)).toEqual(job);
    expect([home.open(), home.invocation.slots.taken(), home.invocation.warm]).toEqual([0, 0, 0]);
  });

  it("gives leases that end with it", async () => {
    const home = openHome({ answer: silence, params: { leaseRule: { kind: "invocation" } } });
    home.invocation.endsAt = later(startAt, 10 * minuteMs);
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 100));
    expect(await home.engine.store.load(job)).toMatchObject({ leaseUntil: startAt + 10 * minuteMs + 3 * secondMs });
  });
});
