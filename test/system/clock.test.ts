import { getEventListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { dayMs, hourMs, later, secondMs, toEpochMs } from "../../src/core/time.ts";
import { createNodeClock } from "../../src/system/clock.ts";

const clock = createNodeClock();
const start = toEpochMs(Date.UTC(2026, 10, 22, 12));

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether the wait has ended by now. */
function watch(wait: Promise<void>): { ended: boolean } {
  const seen = { ended: false };
  void wait.then(() => {
    seen.ended = true;
  });
  return seen;
}

test("a wait ends at its instant and not a millisecond before", async () => {
  const seen = watch(clock.until(later(start, 2_500)));
  await vi.advanceTimersByTimeAsync(2_499);
  expect(seen.ended).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(seen.ended).toBe(true);
});

test("a wait for an instant that is now or past sets no timer", async () => {
  await clock.until(start);
  await clock.until(later(start, -hourMs));
  expect(vi.getTimerCount()).toBe(0);
});

test("a wait of more than 2^31 ms does not end at once", async () => {
  const seen = watch(clock.until(later(start, 60 * dayMs)));
  await vi.advanceTimersByTimeAsync(hourMs);
  expect(seen.ended).toBe(false);
});

test("a timer that fires early does not end the wait: it ends when the clock says so", async () => {
  const seen = watch(clock.until(later(start, 10)));
  vi.setSystemTime(later(start, -1));
  await vi.advanceTimersByTimeAsync(10);
  expect([clock.now(), seen.ended]).toEqual([later(start, 9), false]);
  await vi.advanceTimersByTimeAsync(1);
  expect(seen.ended).toBe(true);
});

test("a clock set back an hour and right again after a minute ends the wait within a second of the right time", async () => {
  const seen = watch(clock.until(later(start, 10 * secondMs)));
  vi.setSystemTime(later(start, -hourMs));
  await vi.advanceTimersByTimeAsync(60 * secondMs);
  expect(seen.ended).toBe(false);
  vi.setSystemTime(later(start, 60 * secondMs));
  await vi.advanceTimersByTimeAsync(secondMs);
  expect(seen.ended).toBe(true);
});

test("a machine that slept through the instant ends the wait within a second of waking", async () => {
  const seen = watch(clock.until(later(start, hourMs)));
  vi.setSystemTime(later(start, 8 * hourMs));
  await vi.advanceTimersByTimeAsync(secondMs);
  expect(seen.ended).toBe(true);
});

test("a span of elapsed time is not lengthened by setting the clock back", async () => {
  const seen = watch(clock.after(secondMs));
  vi.setSystemTime(later(start, -hourMs));
  await vi.advanceTimersByTimeAsync(999);
  expect(seen.ended).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(seen.ended).toBe(true);
});

test("an abort ends the wait at once, and an aborted signal keeps it from starting", async () => {
  const stop = new AbortController();
  const seen = watch(clock.until(later(start, hourMs), stop.signal));
  stop.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.ended).toBe(true);
  await clock.until(later(start, hourMs), stop.signal);
  expect(vi.getTimerCount()).toBe(0);
});

test("a thousand waits leave no listener on a signal that outlives them", async () => {
  const stop = new AbortController();
  const waits = Array.from({ length: 1_000 }, (_, index) => clock.until(later(start, 1 + index), stop.signal));
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all(waits);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
});

test("with the real clock, forty waits all end at or after their instants", async () => {
  vi.useRealTimers();
  const base = clock.now();
  const waits = Array.from({ length: 40 }, async (_, index) => {
    const at = later(base, 1 + (index % 20));
    await clock.until(at);
    return clock.now() - at;
  });
  for (const lateMs of await Promise.all(waits)) expect(lateMs).toBeGreaterThanOrEqual(0);
});
