/** What recurs goes on, whatever it meets, and ends when it is told to. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startTicks, type Ticks } from "../../local/ticks.ts";
import { hourMs, later, minuteMs, secondMs, toEpochMs } from "../../src/core/time.ts";
import { type Cursors, OutageError } from "../../src/engine/ports.ts";
import { memoryCursors } from "../../src/store/memory.ts";
import { createNodeClock } from "../../src/system/clock.ts";
import { startAt } from "../builders.ts";
import { type Home, openHome } from "../engine/home.ts";

const clock = createNodeClock();

/** What the next turns meet, one each; then nothing special. */
let met: (Error | "nothing" | Promise<void>)[];
/** How many items are left to remove. */
let expired: number;
let steps: number[];
let removalMeets: Error | undefined;
let bugs: unknown[];
let turnCount: number;
let home: Home;
let ticks: Ticks;

/** A turn begins by leasing its cursor: there it meets what it is to meet. */
function meetingCursors(): Cursors {
  const cursors = memoryCursors();
  return {
    ...cursors,
    async lease(range, at) {
      turnCount += 1;
      const next = met.shift();
      if (next instanceof Error) throw next;
      if (next !== "nothing") await next;
      return cursors.lease(range, at);
    },
  };
}

async function removeExpired(limit: number): Promise<number> {
  if (removalMeets !== undefined) throw removalMeets;
  const removed = Math.min(limit, expired);
  expired -= removed;
  steps.push(removed);
  return removed;
}

beforeEach(() => {
  vi.useFakeTimers({ now: startAt });
  [met, steps, bugs] = [[], [], []];
  [expired, turnCount] = [0, 0];
  removalMeets = undefined;
  home = openHome({ cursors: meetingCursors() });
  // The turn's own instants are those of the machine's clock here, as at home.
  const engine = { ...home.engine, clock };
  ticks = startTicks(engine, clock, { removeExpired }, (cause) => bugs.push(cause));
});
afterEach(() => {
  ticks.stop();
  vi.useRealTimers();
});

const pass = (durationMs: number) => vi.advanceTimersByTimeAsync(durationMs);
const turnedCount = () => home.seen.filter(({ kind }) => kind === "turned").length;

describe("turns", () => {
  test("come at once and each second, and say when the last one was", async () => {
    expect(ticks.lastTurnAt()).toBeNull();
    await pass(0);
    expect([turnedCount(), ticks.lastTurnAt()]).toEqual([1, startAt]);
    await pass(10 * secondMs);
    expect([turnedCount(), ticks.lastTurnAt()]).toEqual([11, later(startAt, 10 * secondMs)]);
  });

  test("one that takes longer than a second is followed at once by the next, and never overlapped", async () => {
    const slow = Promise.withResolvers<void>();
    await pass(0);
    met = [slow.promise];
    await pass(5 * secondMs);
    expect(turnCount).toBe(2);
    slow.resolve();
    await pass(0);
    expect(turnedCount()).toBe(3);
  });

  test("an outage is observed, is no bug, and the next turn comes in its time", async () => {
    await pass(0);
    const cause = new OutageError("the store is out");
    met = [cause];
    await pass(secondMs);
    expect(home.seen.at(-1)).toEqual({ kind: "outage", where: "store", cause });
    expect([turnedCount(), ticks.lastTurnAt(), bugs]).toEqual([1, startAt, []]);
    await pass(secondMs);
    expect([turnedCount(), ticks.lastTurnAt()]).toEqual([2, later(startAt, 2 * secondMs)]);
  });

  test("a bug is reported, is no outage, and the next turn comes in its time", async () => {
    await pass(0);
    const bug = new TypeError("x is not a function");
    met = [bug, "nothing", bug];
    await pass(3 * secondMs);
    expect(bugs).toEqual([bug, bug]);
    expect(home.seen.filter(({ kind }) => kind === "outage")).toEqual([]);
    expect(turnedCount()).toBe(2);
  });

  test("a bug in every turn is met once a second, and not in a circle", async () => {
    met = Array.from({ length: 100 }, () => new Error("always"));
    await pass(10 * secondMs);
    expect(turnCount).toBeLessThanOrEqual(11);
  });

  test.each([hourMs, -hourMs])("go on each second when the clock is set by %i ms", async (byMs) => {
    await pass(0);
    vi.setSystemTime(toEpochMs(Date.now() + byMs));
    await pass(5 * secondMs);
    expect(turnedCount()).toBe(6);
  });
});

describe("removal", () => {
  test("goes on in small steps until nothing is left, with a pause for other writes between them", async () => {
    await pass(0);
    expired = 1_001;
    steps = [];
    await pass(minuteMs);
    expect(steps).toEqual([200]);
    await pass(49);
    expect(steps).toEqual([200]);
    await pass(secondMs);
    expect([steps, expired]).toEqual([[200, 200, 200, 200, 200, 1, 0], 0]);
  });

  test("does not hold up the turns", async () => {
    await pass(0);
    expired = 100_000;
    await pass(minuteMs + 10 * secondMs);
    expect(turnedCount()).toBe(71);
    expect(steps.length).toBeGreaterThan(100);
  });

  test("that meets an outage or a bug is tried again a minute later", async () => {
    await pass(0);
    removalMeets = new OutageError("the disk is full");
    await pass(minuteMs);
    expect(home.seen).toContainEqual({ kind: "outage", where: "store", cause: removalMeets });
    removalMeets = new TypeError("a bug");
    await pass(minuteMs);
    expect(bugs).toEqual([removalMeets]);
    removalMeets = undefined;
    expired = 1;
    await pass(minuteMs);
    expect(expired).toBe(0);
  });
});

describe("stop", () => {
  test("ends turns and removal, in the middle of it too, and leaves no timer", async () => {
    await pass(0);
    expired = 100_000;
    await pass(minuteMs + secondMs);
    ticks.stop();
    expect([steps.length > 10, expired > 0]).toEqual([true, true]);
    const before = [turnCount, steps.length];
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
    await pass(hourMs);
    expect([turnCount, steps.length]).toEqual(before);
  });

  test("lets the turn that runs end, and starts no other", async () => {
    const slow = Promise.withResolvers<void>();
    await pass(0);
    met = [slow.promise];
    await pass(secondMs);
    ticks.stop();
    slow.resolve();
    await pass(hourMs);
    expect([turnCount, turnedCount(), bugs]).toEqual([2, 2, []]);
  });
});
