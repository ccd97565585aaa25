/** What the AWS home says of its health: the table, the clocks and the ticks, each in a sentence when something is wrong. */

import { describe, expect, it } from "vitest";
import { createHealth } from "../../functions/health.ts";
import { HealthAnswer } from "../../src/api/answers.ts";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { openCaller } from "../api/caller.ts";
import { handClock } from "../builders.ts";
import { memoryTickPlans } from "../ticks/memoryTickPlans.ts";

const nothing = { behindMs: null, waiting: null, running: null };

function open(given: { refusal?: string; failure?: Error } = {}) {
  const clock = handClock();
  const plans = memoryTickPlans();
  const read = given.failure === undefined ? plans.read : () => Promise.reject(given.failure);
  const health = createHealth({ plans: { read }, skew: { refusal: () => given.refusal }, now: clock.now, tickMs: minuteMs });
  return { clock, plans, health };
}

describe("health", () => {
  it("is well while the table answers, the clocks agree and ticks come", async () => {
    const { clock, plans, health } = open();
    await plans.signIn(0, clock.now());
    clock.turn(59 * secondMs);
    expect(await health()).toEqual({ status: "ok", checks: { store: "ok", clock: "ok", wheel: nothing } });
  });

  it("says before the first tick that none has come yet", async () => {
    expect(await open().health()).toEqual({
      status: "failing",
      checks: { store: "ok", clock: expect.stringMatching(/^no tick has come yet; /), wheel: nothing },
    });
  });

  it("bears three missed ticks, and says then how long ago the last one came", async () => {
    const { clock, plans, health } = open();
    await plans.signIn(0, clock.now());
    clock.turn(3 * minuteMs);
    expect((await health()).status).toBe("ok");
    clock.turn(1);
    expect(await health()).toMatchObject({ status: "failing", checks: { clock: "the last tick came 3m ago" } });
    clock.turn(90 * minuteMs + 1_500);
    expect((await health()).checks.clock).toBe("the last tick came 1h33m1s ago");
  });

  it("goes by the base tick, not by those of further ranges", async () => {
    const { clock, plans, health } = open();
    await plans.signIn(0, clock.now());
    clock.turn(10 * minuteMs);
    await plans.signIn(1, clock.now());
    expect((await health()).checks.clock).toBe("the last tick came 10m ago");
  });

  it("names the range whose ticks stay away while those of others come", async () => {
    const { clock, plans, health } = open();
    const spread = async () => {
      await plans.hold("reconcile", { now: clock.now(), until: later(clock.now(), minuteMs) });
      await plans.setRanges(3, "reconcile", clock.now());
    };
    const signIn = (...ranges: readonly number[]) => Promise.all(ranges.map((range) => plans.signIn(range, clock.now())));
    await signIn(0, 1);
    clock.turn(60 * minuteMs);
    await spread();
    clock.turn(3 * minuteMs);
    await signIn(0, 1);
    // Range 2 had as long to come as may be missed.
    expect((await health()).checks.clock).toBe("ok");
    clock.turn(1);
    expect((await health()).checks.clock).toBe("no tick of range 2 has come yet");
    await signIn(2);
    expect((await health()).status).toBe("ok");
    clock.turn(5 * minuteMs);
    await signIn(0, 2);
    expect(await health()).toMatchObject({ status: "failing", checks: { clock: "the last tick of range 1 came 5m ago" } });
  });

  it("says of paused ticks what it means, and what to do", async () => {
    const { clock, plans, health } = open();
    await plans.signIn(0, clock.now());
    await plans.write({ paused: true }, await plans.read());
    expect(await health()).toMatchObject({
      status: "failing",
      checks: { clock: expect.stringMatching(/^ticks are paused, .*onthedot ticks resume$/) },
    });
  });

  it("says of a clock that is off by how much, before it speaks of ticks", async () => {
    const refusal = "expected a clock within 3000 ms of the store's, and it is 9000 ms ahead";
    expect(await open({ refusal }).health()).toEqual({ status: "failing", checks: { store: "ok", clock: refusal, wheel: nothing } });
  });

  it("says of a table that does not answer what was asked of it, and nothing of ticks that it cannot know", async () => {
    const failure = new OutageError("dynamodb:GetItem did not succeed: TimeoutError");
    expect(await open({ failure }).health()).toEqual({
      status: "failing",
      checks: { store: failure.message, clock: "ok", wheel: nothing },
    });
  });

  it("throws for what does not pass by itself, such as a missing right", async () => {
    const failure = new Error("expected the right to dynamodb:GetItem, and the role of this function lacks it");
    await expect(open({ failure }).health()).rejects.toBe(failure);
  });
});

describe("the API's path for it", () => {
  it("is open, and shows the checks to whoever knows the key", async () => {
    const { clock, plans, health } = open();
    const { send } = openCaller({ key: "otd_key", health });
    const headers = { authorization: "Bearer otd_key" };
    expect(await send("GET", "/v1/health", { headers })).toMatchObject({ status: 503 });
    await plans.signIn(0, clock.now());
    const { status, text } = await send("GET", "/v1/health", { headers });
    expect([status, HealthAnswer.parse(JSON.parse(text)).checks]).toEqual([200, { store: "ok", clock: "ok", wheel: nothing }]);
    expect(JSON.parse((await send("GET", "/v1/health")).text)).toEqual({ status: "ok" });
  });
});
