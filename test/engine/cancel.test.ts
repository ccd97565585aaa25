/** Calling a job off at any instant: the answer says what is so, and what was not recorded has no effect. */

import { describe, expect, it } from "vitest";
import type { JobRef } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { cancel } from "../../src/engine/cancel.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { nextJobId, startAt } from "../builders.ts";
import { faultyStore } from "./faultyStore.ts";
import { type Answerer, answerWith, type Home, openHome, silence } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

const dueAt = later(startAt, secondMs);
const load = (home: Home, job: JobRef) => home.engine.store.load(job);

describe("a cancel", () => {
  it.each([
    ["far from its instant", -900],
    ["while it is held and its connection open", -50],
  ])("of a waiting job %s is final, and nothing is ever sent", async (_, ms) => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, ms));
    expect(await cancel(home.engine, job)).toMatchObject({ kind: "cancelled", job: { state: "cancelled", attemptCount: 0 } });
    await home.runUntil(later(startAt, 10 * secondMs));
    expect(home.calls).toHaveLength(0);
    expect(home.open()).toBe(0);
  });

  it("after the claim and before the instant is answered as running, and nothing is sent", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -10));
    expect(await cancel(home.engine, job)).toMatchObject({ kind: "requested", job: { state: "running", cancelRequestedAt: dueAt - 10 } });
    await home.runUntil(later(startAt, 10 * secondMs));
    expect(home.calls).toHaveLength(0);
    const ended = await load(home, job);
    expect(ended).toMatchObject({ state: "cancelled", cancelRequestedAt: dueAt - 10, attemptCount: 1 });
    expect(ended?.attempts).toMatchObject([{ startedAt: null, outcome: "never", because: "aborted" }]);
  });

  it("of a call in flight aborts it, and no further attempt starts", async () => {
    const home = openHome({ answer: silence });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 200));
    expect((await cancel(home.engine, job)).kind).toBe("requested");
    expect(home.calls[0]?.signal.aborted).toBe(true);
    await home.runUntil(later(startAt, 100 * secondMs));
    expect(await load(home, job)).toMatchObject({ state: "cancelled", attemptCount: 1 });
    expect(home.calls).toHaveLength(1);
  });

  it("does not undo a call that had succeeded", async () => {
    const deaf: Answerer = (call, clock) => answerWith(200, { afterMs: 500 })({ ...call, signal: new AbortController().signal }, clock);
    const home = openHome({ answer: deaf });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 200));
    expect((await cancel(home.engine, job)).kind).toBe("requested");
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(await load(home, job)).toMatchObject({ state: "succeeded", version: 4 });
    expect(home.seen.filter(({ kind }) => kind === "lease_lost")).toEqual([]);
  });

  it("bars the retry of a call that failed although it was not heard", async () => {
    const deaf: Answerer = (call, clock) => answerWith(503, { afterMs: 500 })({ ...call, signal: new AbortController().signal }, clock);
    const home = openHome({ answer: deaf });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 200));
    await cancel(home.engine, job);
    await home.runUntil(later(startAt, 100 * secondMs));
    expect(await load(home, job)).toMatchObject({ state: "cancelled", attemptCount: 1, attempts: [{ because: "status_503" }] });
    expect(home.calls).toHaveLength(1);
  });

  it("between two attempts is final", async () => {
    const home = openHome({ answer: answerWith(503) });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 2 * secondMs));
    expect((await cancel(home.engine, job)).kind).toBe("cancelled");
    await home.runUntil(later(startAt, 200 * secondMs));
    expect(home.calls).toHaveLength(1);
  });

  it("asked again changes nothing more: same mark, same version", async () => {
    const home = openHome({ answer: silence });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -10));
    const first = await cancel(home.engine, job);
    await home.clock.runUntil(later(dueAt, -5));
    expect(await cancel(home.engine, job)).toEqual(first);
    await home.runUntil(later(dueAt, secondMs));
    const ended = await load(home, job);
    expect(await cancel(home.engine, job)).toEqual({ kind: "cancelled", job: ended });
  });

  it.each([
    ["succeeded", 200],
    ["failed", 400],
  ])("of a job that has %s is a conflict that shows it", async (state, status) => {
    const home = openHome({ answer: answerWith(status) });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, secondMs));
    expect(await cancel(home.engine, job)).toMatchObject({ kind: "state_conflict", job: { state, version: 3 } });
  });

  it("of a job that is not there says so", async () => {
    expect(await cancel(openHome().engine, { tenant: soleTenant, id: nextJobId() })).toEqual({ kind: "not_found" });
  });

  it("that the store does not take leaves the call in flight alone, and can be asked again", async () => {
    const clock = createVirtualClock(startAt);
    let isOut = false;
    const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method) => (isOut && method === "commit" ? "out" : undefined));
    const home = openHome({ clock, store, answer: answerWith(200, { afterMs: secondMs }) });
    const [left, calledOff] = [await home.submit({ dueAt }), await home.submit({ dueAt })];
    await home.runUntil(later(dueAt, 200));
    isOut = true;
    for (const job of [left, calledOff]) await expect(cancel(home.engine, job)).rejects.toThrow(OutageError);
    expect(home.calls.map((call) => call.signal.aborted)).toEqual([false, false]);
    isOut = false;
    expect((await cancel(home.engine, calledOff)).kind).toBe("requested");
    await home.runUntil(later(dueAt, 3 * secondMs));
    expect(await load(home, left)).toMatchObject({ state: "succeeded", attemptCount: 1, version: 3 });
    expect(await load(home, calledOff)).toMatchObject({ state: "cancelled", attemptCount: 1 });
    expect(home.calls).toHaveLength(2);
  });

  it("at any millisecond means what it says: cancelled, nothing was sent; requested, at most one call, and the last", async () => {
    for (let ms = -170; ms <= 15; ms++) {
      const home = openHome({ answer: answerWith(503, { afterMs: 10 }) });
      const job = await home.submit({ dueAt });
      await home.runUntil(later(dueAt, ms));
      const answer = await cancel(home.engine, job);
      const callsThen = home.calls.length;
      await home.runUntil(later(startAt, 30 * secondMs));
      const ended = await load(home, job);
      if (answer.kind === "cancelled") {
        // Past the first answer the job waits for its retry: calls made before the cancel stand.
        expect(home.calls.length, `${ms} ms`).toBe(callsThen);
        if (ms < 0) expect(callsThen).toBe(0);
      } else {
        expect(answer.kind).toBe("requested");
        expect(home.calls.length, `${ms} ms`).toBe(ms < 0 ? 0 : 1);
      }
      expect(ended?.state, `${ms} ms`).toBe("cancelled");
    }
  });
});

describe("a cancel that nobody tells the executor of", () => {
  const params = { cancelWatch: { kind: "asks", leadMs: 5, everyMs: 2 * secondMs } } as const;

  /** As from another process: the record is marked, and the executor's register is not told. */
  const cancelElsewhere = (home: Home, job: JobRef) => cancel({ ...home.engine, register: openHome().engine.register }, job);

  it("is found by the last look before the first byte", async () => {
    const home = openHome({ params });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -10));
    expect((await cancelElsewhere(home, job)).kind).toBe("requested");
    await home.runUntil(later(dueAt, secondMs));
    expect(home.calls).toHaveLength(0);
    expect((await load(home, job))?.state).toBe("cancelled");
  });

  it("is found during a long call within two seconds, which then is aborted", async () => {
    const home = openHome({ params, answer: silence });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, 2_500));
    await cancelElsewhere(home, job);
    expect(home.calls[0]?.signal.aborted).toBe(false);
    await home.runUntil(later(dueAt, 4_000));
    expect(home.calls[0]?.signal.aborted).toBe(true);
    expect((await load(home, job))?.state).toBe("cancelled");
  });

  it("leaves no watch behind when the call has ended", async () => {
    const home = openHome({ params });
    await home.submit({ dueAt });
    await home.clock.runUntil(later(dueAt, secondMs));
    expect(home.clock.next()).toBeUndefined();
  });
});
