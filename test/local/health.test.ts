/** The home knows when it does not do its work, says so in a sentence, and forgets it when that is over. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createHealth, type Health } from "../../local/health.ts";
import { type EpochMs, hourMs, later, minuteMs, secondMs, toEpochMs } from "../../src/core/time.ts";
import { type Observation, OutageError } from "../../src/engine/ports.ts";
import { startAt, waitingJob } from "../builders.ts";

type Counts = { waiting: number; running: number; oldestWakeAt: EpochMs | null };

const now = () => toEpochMs(Date.now());
const none: Counts = { waiting: 0, running: 0, oldestWakeAt: null };
const outage: Observation = { kind: "outage", where: "store", cause: new OutageError("the disk is full") };
const turned: Observation = { kind: "turned", range: 0, named: 0, stretches: 0, oldestWakeAt: null };
const created: Observation = { kind: "created", job: waitingJob() };

let counts: () => Promise<Counts>;
let health: Health;
beforeEach(() => {
  vi.useFakeTimers({ now: startAt });
  counts = async () => none;
  health = createHealth({ counts: () => counts() }, now);
});
afterEach(() => {
  vi.useRealTimers();
});

/** A turn is just over. */
const report = () => health.report(now());

/** The wall clock alone is set. */
const setClock = (byMs: number) => void vi.setSystemTime(later(now(), byMs));

/** Turns go on, each second. */
function turnFor(durationMs: number): void {
  for (let passedMs = 0; passedMs < durationMs; passedMs += secondMs) {
    vi.advanceTimersByTime(secondMs);
    health.observe(turned);
  }
}

describe("the store", () => {
  test("is failing, with a sentence, from an outage until a write succeeds", async () => {
    expect((await report()).status).toBe("ok");
    health.observe(outage);
    expect(await report()).toMatchObject({
      status: "failing",
      checks: { store: expect.stringMatching(/^the last write failed; .* disk/) },
    });
    turnFor(5 * secondMs);
    expect((await report()).status).toBe("failing");
    health.observe(created);
    expect(await report()).toMatchObject({ status: "ok", checks: { store: "ok" } });
  });

  test("recovers within a minute when nothing is there to be written, and fails again with the next failure", async () => {
    health.observe(outage);
    turnFor(59 * secondMs);
    expect((await report()).status).toBe("failing");
    turnFor(secondMs);
    expect((await report()).status).toBe("ok");
    health.observe(outage);
    expect((await report()).status).toBe("failing");
  });

  test("stays failing for as long as writes go on failing, also while the clock is set", async () => {
    for (let round = 0; round < 10; round++) {
      health.observe(outage);
      turnFor(30 * secondMs);
      setClock(round % 2 === 0 ? hourMs : -hourMs);
      expect((await report()).checks.store).not.toBe("ok");
    }
  });

  test("is not failing for an outage elsewhere", async () => {
    health.observe({ ...outage, where: "hints" });
    expect((await report()).status).toBe("ok");
  });

  test("that cannot be read is reported, not thrown, and recovers", async () => {
    counts = () => Promise.reject(new Error("disk I/O error"));
    expect(await report()).toEqual({
      status: "failing",
      checks: {
        store: "the database cannot be read; the log says why",
        clock: "ok",
        wheel: { behindMs: null, waiting: null, running: null },
      },
    });
    counts = async () => none;
    expect((await report()).status).toBe("ok");
  });
});

describe("the clock", () => {
  test.each([
    ["forward", hourMs, "the clock was just set by 3600 s, or the machine slept"],
    ["back", -hourMs, "the clock was just set by -3600 s, or the machine slept"],
  ])("set %s by an hour is noticed by the next turn and forgotten by the one after", async (_name, byMs, sentence) => {
    turnFor(5 * secondMs);
    setClock(byMs);
    health.observe(turned);
    expect(await report()).toMatchObject({ status: "failing", checks: { clock: sentence } });
    turnFor(secondMs);
    expect((await report()).status).toBe("ok");
  });

  test("set back is noticed before the next turn too", async () => {
    const lastTurnAt = now();
    setClock(-minuteMs);
    expect((await health.report(lastTurnAt)).checks.clock).toBe("the clock was just set by -60 s, or the machine slept");
  });

  test("corrected by less than clocks may differ is no news", async () => {
    for (const byMs of [3 * secondMs, -3 * secondMs]) {
      setClock(byMs);
      health.observe(turned);
      expect((await report()).status).toBe("ok");
    }
  });

  test("that drifts by a second in each minute is no news", async () => {
    for (let minute = 0; minute < 30; minute++) {
      turnFor(minuteMs);
      setClock(secondMs);
      health.observe(turned);
      expect((await report()).status).toBe("ok");
    }
  });
});

describe("turns", () => {
  test("that stop are noticed after ten seconds", async () => {
    const lastTurnAt = now();
    vi.advanceTimersByTime(10 * secondMs);
    expect((await health.report(lastTurnAt)).status).toBe("ok");
    vi.advanceTimersByTime(secondMs);
    expect(await health.report(lastTurnAt)).toMatchObject({ status: "failing", checks: { clock: "the last turn was 11 s ago" } });
    expect((await report()).status).toBe("ok");
  });

  test("of which not even the first comes are noticed, but not at once", async () => {
    expect((await health.report(null)).status).toBe("ok");
    vi.advanceTimersByTime(11 * secondMs);
    expect((await health.report(null)).status).toBe("failing");
  });
});

describe("the wheel", () => {
  test("is behind by the age of the oldest instant that is owed, and never by less than nothing", async () => {
    counts = async () => ({ waiting: 3, running: 1, oldestWakeAt: later(now(), -90 * secondMs) });
    expect((await report()).checks.wheel).toEqual({ behindMs: 90_000, waiting: 3, running: 1 });
    counts = async () => ({ waiting: 3, running: 1, oldestWakeAt: later(now(), 90 * secondMs) });
    expect((await report()).checks.wheel.behindMs).toBe(0);
  });

  test("that is behind is not failing: more work than can be done is no fault of the home", async () => {
    counts = async () => ({ waiting: 3, running: 1, oldestWakeAt: later(now(), -hourMs) });
    expect((await report()).status).toBe("ok");
  });
});
