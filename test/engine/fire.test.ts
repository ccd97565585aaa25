import { describe, expect, it } from "vitest";
import { retryDefault } from "../../src/core/retry.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { cancel } from "../../src/engine/cancel.ts";
import { startAt } from "../builders.ts";
import { answerWith, homeParams, openHome } from "./home.ts";

describe("a job at home", () => {
  it("is called at its instant, not a millisecond early or late", async () => {
    const home = openHome();
    const dueAts = [50, 1_500, 2_999, 3_001, 10_000, 61_234].map((ms) => later(startAt, ms));
    for (const dueAt of dueAts) await home.submit({ dueAt });
    await home.runUntil(later(startAt, 70 * secondMs));
    expect(home.calls.map((call) => call.startedAt)).toEqual(dueAts);
  });

  it("is called once, although both its maker and the turn may hint it", async () => {
    const home = openHome();
    for (let ms = 1_900; ms < 4_200; ms += 100) await home.submit({ dueAt: later(startAt, ms) });
    await home.runUntil(later(startAt, 10 * secondMs));
    expect(home.calls).toHaveLength(23);
  });

  it("waits for its backoff between attempts and fails when they are used up", async () => {
    const home = openHome({ answer: answerWith(503) });
    const job = await home.submit();
    await home.runUntil(later(startAt, 200 * secondMs));
    const ended = await home.engine.store.load(job);
    expect(ended).toMatchObject({ state: "failed", because: "exhausted", attemptCount: 4 });
    expect(home.calls.map((call) => call.startedAt - startAt)).toEqual([0, 5_005, 15_010, 35_015]);
  });

  it("is retried on the dot also where the backoff is shorter than the lead of its hint", async () => {
    const home = openHome({ answer: answerWith(503) });
    await home.submit({ retry: { ...retryDefault, minBackoffMs: 100, maxBackoffMs: 100 } });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls.map((call) => call.startedAt - startAt)).toEqual([0, 55, 110, 165]);
  });

  it("has its whole timeout from its instant, although its connection is opened before", async () => {
    const home = openHome();
    await home.submit({ dueAt: later(startAt, 1_500), timeoutMs: 5_000 });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls).toMatchObject([{ timeoutMs: 5_000 + homeParams.connectLeadMs }]);
  });

  it("behind a backlog is called while older ones still wait", async () => {
    const home = openHome({ capacity: 16, answer: answerWith(200, { afterMs: 300 }) });
    for (let index = 0; index < 400; index++) await home.submit();
    const fresh = await home.submit({ dueAt: later(startAt, 3 * secondMs) });
    await home.runUntil(later(startAt, 20 * secondMs));
    const order = home.calls.map((call) => call.request.headers["onthedot-job"]);
    expect(order).toHaveLength(401);
    expect(order.indexOf(fresh.id)).toBeLessThan(200);
  });

  it("is found when its hint is lost, by the next turn over the past", async () => {
    const home = openHome({ namesMax: 0 });
    const job = await home.submit({ dueAt: later(startAt, 500) });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect((await home.engine.store.load(job))?.state).toBe("succeeded");
  });

  it("drains a backlog of ten times the capacity oldest first", async () => {
    const home = openHome({ capacity: 4, answer: answerWith(200, { afterMs: 100 }) });
    for (let index = 0; index < 40; index++) await home.submit({ dueAt: later(startAt, 1_000 + index) });
    await home.runUntil(later(startAt, 10 * secondMs));
    const order = home.calls.map((call) => call.request.headers["onthedot-due-at"] ?? "");
    expect(order).toHaveLength(40);
    expect(order).toEqual(order.toSorted());
  });

  it("is aborted in flight by a cancel, and ends cancelled", async () => {
    const home = openHome({ answer: answerWith(200, { afterMs: 5_000 }) });
    const job = await home.submit();
    await home.runUntil(later(startAt, secondMs));
    expect(await cancel(home.engine, job)).toMatchObject({ kind: "requested" });
    await home.runUntil(later(startAt, 2 * secondMs));
    expect(await home.engine.store.load(job)).toMatchObject({ state: "cancelled", attemptCount: 1 });
  });
});
