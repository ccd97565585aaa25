/** A year of occurrences, each met at another time than the one it is due: nothing drifts, and none is lost or doubled. */

import { describe, expect, test } from "vitest";
import { dayMs, hourMs, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { logBefore } from "../../../src/engine/schedules/log.ts";
import { meet } from "../../../src/engine/schedules/meet.ts";
import { startAt } from "../../builders.ts";
import { type Home, openHome } from "../home.ts";
import { putStanding, standing } from "./wanted.ts";

const yearMs = 365 * dayMs;

/** Meets the schedule whenever its time has come, up to `lateMsMax` late, for a year. Nobody makes the calls. */
async function liveYear(home: Home, lateMsMax: number): Promise<void> {
  for (let meeting = 1; ; meeting++) {
    const { tenant, id, wakeAt } = await standing(home);
    if (wakeAt > startAt + yearMs) return;
    // Stable, and spread over the whole of it.
    const lateMs = Math.floor(lateMsMax * ((meeting * 0.618_034) % 1));
    await home.clock.runUntil(later(wakeAt, lateMs));
    await meet(home.engine, { tenant, id }, null);
  }
}

async function firedAt(home: Home): Promise<readonly number[]> {
  const fired: number[] = [];
  for (let before: number | null | undefined; before !== null; ) {
    const slice = await logBefore(home.engine, await standing(home), before ?? null);
    fired.push(...slice.entries.flatMap(({ entry }) => (entry.state === "fired" ? [entry.firstAt] : [])));
    before = slice.before;
  }
  return fired.toReversed();
}

describe("over a year", () => {
  test.each([
    ["a cron", { when: { cron: "30 4 * * *" } }, 4.5 * hourMs, dayMs],
    ["a period that divides no day", { when: { every: "7h13m", from: "2027-01-01T00:00:07Z" } }, 7 * secondMs, 7 * hourMs + 13 * minuteMs],
    ["a window", { when: { every: "11h" }, window: { kind: "share", percent: 50 } }, 0, 11 * hourMs],
  ] as const)("%s keeps to its instants, however late each of them is met", async (_, rule, firstMs, everyMs) => {
    const home = openHome({ params: { retentionMs: 2 * yearMs } });
    await putStanding(home, { ...rule, overlap: "allow" });
    await liveYear(home, 50 * secondMs);
    const expected = Array.from(
      { length: Math.floor((yearMs - firstMs) / everyMs) + 1 },
      (_value, index) => startAt + firstMs + index * everyMs,
    );
    const fired = await firedAt(home);
    // The last is taken within the year or right after it.
    expect(fired.slice(0, expected.length - 1)).toEqual(expected.slice(0, -1));
    expect((await standing(home)).counts).toEqual({ fired: fired.length, skipped: 0, missed: 0, dropped: 0, excluded: 0 });
  });
});
