/** A schedule's text and a calendar's: what is written is what is read, and an ordinary schedule stays within one write unit. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChangeId, nameOf } from "../../src/core/ids.ts";
import type { Happened } from "../../src/core/occurrence.ts";
import type { Active } from "../../src/core/schedule.ts";
import { settleTaken } from "../../src/core/scheduleChange.ts";
import { dayMs, type EpochMs, hourMs, later, minuteMs } from "../../src/core/time.ts";
import { itemOf } from "../../src/store/dynamo/record.ts";
import { decodeItem, encodeItem, itemCharsMax, kindOf } from "../../src/store/item.ts";
import { decodeRecent, encodeRecent } from "../../src/store/recent.ts";
import { always } from "../always.ts";
import { inlineBody, nextChange, startAt } from "../builders.ts";
import {
  activeSchedule,
  expectStanding,
  jobTemplate,
  keptCalendar,
  nextOf,
  removalOf,
  scheduleFactsAt,
  takeNext,
} from "../scheduleBuilders.ts";
import { arbitrarySchedule, recent } from "./arbitrarySchedules.ts";
import { sizeOf } from "./meteredTable.ts";

describe("a schedule's text", () => {
  it("of any schedule is read back exactly, and without a field that its state lacks", () => {
    fc.assert(
      fc.property(arbitrarySchedule, (schedule) => {
        expect(decodeItem(encodeItem(schedule), schedule.id)).toStrictEqual(schedule);
      }),
      { numRuns: 400 },
    );
  });

  it("spends a character on each default, and a few on what has not happened", () => {
    const text = encodeItem(activeSchedule({ name: "a" }));
    const spec = '[{"cron":"0 * * * *"},0,0,0,0,[["POST","https://example.com/hook",{}],0,30000,0,0,"normal",0],"skip",0,0,0,0,0]';
    expect(text).toContain(spec);
    expect(text.slice(text.indexOf(spec) + spec.length)).toMatch(
      /^,-1,\[1,0\],0,0,\[\],\[\],0,0,0,0,\[0,0,0,0,0\],"",0,\["\w+"\],\["active",1,true\]\]$/,
    );
  });

  it("of another format is refused, not guessed at", () => {
    const schedule = activeSchedule();
    expect(() => decodeItem(encodeItem(schedule).replace("[1,", "[2,"), schedule.id)).toThrow("expected a schedule of format 1, got 2");
  });

  it("beyond every limit is refused as a bug, by its id and size", () => {
    const schedule = activeSchedule({ labels: { huge: "x".repeat(itemCharsMax) } });
    expect(() => encodeItem(schedule)).toThrow(new RegExp(`at most ${itemCharsMax} characters, got \\d+ for ${schedule.id}`));
  });
});

describe("what became of the last occurrences", () => {
  const entriesAt = (instants: readonly EpochMs[]): Happened[] =>
    instants.map((at) => ({ state: "fired", because: "due", firstAt: at, lastAt: at, count: 1, offsetMs: 0 }));
  const textOf = (entries: readonly Happened[]) => encodeRecent(entries, startAt);

  it("is read back exactly, whatever it was", () => {
    always(recent, (entries) => {
      expect(decodeRecent(encodeRecent(entries, startAt), startAt)).toStrictEqual(entries);
    });
  });

  it("takes one character a period where each fires, and some five where the period changes", () => {
    expect(textOf(entriesAt([1, 2, 3, 5, 6].map((hour) => later(startAt, hour * hourMs))))).toBe("F60FFF120F60");
  });

  it("is a text that a change of this format must not make unreadable", () => {
    const [first] = entriesAt([later(startAt, 1_500)]) as [Happened];
    const stretch = { ...first, state: "missed", because: "too_late", lastAt: later(first.firstAt, 5_000), count: 6 } as const;
    const windowed = { ...first, because: "late", firstAt: later(startAt, 9_000), lastAt: later(startAt, 9_000), offsetMs: 250 } as const;
    expect(textOf([first, stretch, windowed])).toBe("F1500msMa0*6,5sFl2500ms+250ms");
    expect(decodeRecent("F1500msMa0*6,5sFl2500ms+250ms", startAt)).toEqual([first, stretch, windowed]);
  });

  it.each(["f", "F", "Q1", "F1Fq", "F1 ", "1", "F1*2", "F1m", "F1m2"])("that %s says is refused, not guessed at", (text) => {
    expect(() => decodeRecent(text, startAt)).toThrow("expected what became of an occurrence");
  });
});

/**
 * The schedule that costs are counted for: a URL of 100 bytes, a body of 200, one cron with a zone, and else the defaults. Its names are
 * those of `system/chance.ts`.
 */
function ordinary(cron: string): Active {
  const url = `https://api.example.com/${"x".repeat(76)}`;
  const job = jobTemplate({ target: { url, method: "POST", headers: {} }, body: inlineBody("y".repeat(200)) });
  return activeSchedule({ name: "nightly-report-emea", when: { cron, timezone: "Europe/Berlin" }, job }, { change: changeNow() });
}

const changeNow = () => nameOf(new Uint8Array(5).fill(255)) as ChangeId;

describe("an ordinary schedule takes one write unit of DynamoDB, keys and all,", () => {
  /** Its sizes while it fires sixty times, and how it stands then. */
  function fire(cron: string, after: (settled: Active, step: number) => Active = (settled) => settled) {
    let schedule = ordinary(cron);
    const sizes: number[] = [];
    for (let step = 1; step <= 60; step++) {
      const facts = scheduleFactsAt(nextOf(schedule).dueAt, { change: changeNow() });
      const taken = takeNext(schedule, facts);
      const settled = expectStanding(settleTaken(taken.to, { ...facts, change: changeNow() }).to, "active");
      sizes.push(sizeOf(itemOf(taken.to, 64)), sizeOf(itemOf(settled, 64)));
      schedule = after(settled, step);
    }
    return { largest: Math.max(...sizes), schedule };
  }

  /** Each fifth of its occurrences is made three that were missed. */
  function missing(schedule: Active, step: number): Active {
    const last = schedule.recent.at(-1) as Happened;
    if (step % 5 !== 0) return schedule;
    return { ...schedule, recent: [...schedule.recent.slice(0, -1), { ...last, state: "missed", because: "misfire", count: 3 }] };
  }

  it.each([
    ["when it fires each minute", "* * * * *", undefined],
    ["when it fires on each working day", "0 9 * * MON-FRI", undefined],
    ["when it fires at two times of day and is often missed", "30 8,17 * * *", missing],
  ])("%s", (_, cron, after) => {
    expect(fire(cron, after).largest).toBeLessThanOrEqual(1_000);
  });

  it("with thirty entries at intervals that never repeat", () => {
    const { schedule } = fire("0 9 * * MON-FRI");
    const recent = Array.from({ length: 30 }, (_, index): Happened => {
      const at = later(schedule.decidedUntil, index * dayMs + index * index * minuteMs);
      return { state: "fired", because: "due", firstAt: at, lastAt: at, count: 1, offsetMs: 0 };
    });
    expect(sizeOf(itemOf({ ...takeNext(schedule).to, recent }, 64))).toBeLessThanOrEqual(1_024);
  });
});

describe("a calendar's text", () => {
  it("is read back exactly, kept and removed", () => {
    const calendar = keptCalendar();
    const removed = removalOf(calendar, later(startAt, minuteMs)).to;
    expect(decodeItem(encodeItem(calendar), calendar.id)).toStrictEqual(calendar);
    expect(decodeItem(encodeItem(removed), calendar.id)).toStrictEqual(removed);
  });

  it("of another format is refused, not guessed at", () => {
    const calendar = keptCalendar();
    expect(() => decodeItem(encodeItem(calendar).replace("[1,", "[3,"), calendar.id)).toThrow("expected a calendar of format 1, got 3");
  });
});

it("an id of no kind that there is names no item", () => {
  expect(() => kindOf(`ord_${nextChange()}` as ReturnType<typeof activeSchedule>["id"])).toThrow(
    "expected the id of a job, schedule or calendar",
  );
});
