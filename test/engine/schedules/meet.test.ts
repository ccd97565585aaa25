/** A schedule from its creation to its calls: on the dot, whatever overlaps, is missed, or waits. */

import { describe, expect, test } from "vitest";
import type { Hint } from "../../../src/core/hint.ts";
import { jobIdOf } from "../../../src/core/schedule.ts";
import { hourMs, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { OutageError } from "../../../src/engine/ports.ts";
import { meet } from "../../../src/engine/schedules/meet.ts";
import { pauseSchedule, resumeSchedule } from "../../../src/engine/schedules/pause.ts";
import { insertTaken } from "../../../src/engine/schedules/taken.ts";
import { memoryStore } from "../../../src/store/memory.ts";
import { startAt } from "../../builders.ts";
import { faultyStore } from "../faultyStore.ts";
import { type Answerer, answerWith, openHome } from "../home.ts";
import { createVirtualClock } from "../virtualClock.ts";
import { calls, job, putStanding, record, standing } from "./wanted.ts";

const at = (ms: number) => later(startAt, ms);
const slow = (ms: number): Answerer => answerWith(200, { afterMs: ms });

describe("a schedule", () => {
  test("is called at each of its instants, on the dot, and once", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "* * * * *" } });
    await home.runUntil(at(3 * minuteMs + secondMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:01:00.000", "00:02:00.000", "00:03:00.000"]);
    expect(await record(home)).toEqual(["fired due 00:00:00", "fired due 00:01:00", "fired due 00:02:00", "fired due 00:03:00"]);
    expect((await standing(home)).counts).toMatchObject({ fired: 4, skipped: 0, missed: 0 });
  });

  test("tells the target which occurrence a call is", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "5 * * * *" } });
    await home.runUntil(at(6 * minuteMs));
    expect(home.calls[0]?.request.headers).toMatchObject({
      "onthedot-schedule": "report",
      "onthedot-nominal-at": "2027-01-01T00:05:00.000Z",
      "onthedot-due-at": "2027-01-01T00:05:00.000Z",
    });
  });

  test("of each second is called each second", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "* * * * * *" } });
    await home.runUntil(at(10 * secondMs + 500));
    expect(calls(home)).toEqual(Array.from({ length: 11 }, (_, second) => `00:00:${String(second).padStart(2, "0")}.000`));
  });

  test("with a window is called at its place in it, and keeps to nominal instants", async () => {
    const home = openHome();
    const schedule = await putStanding(home, { when: { cron: "*/10 * * * *" }, window: { kind: "span", spanMs: 5 * minuteMs } });
    const offsetMs = (schedule.next?.dueAt ?? 0) - (schedule.next?.nominalAt ?? 0);
    expect(offsetMs).toBeGreaterThan(0);
    await home.runUntil(at(25 * minuteMs));
    expect(home.calls.map(({ startedAt }) => startedAt)).toEqual([0, 10, 20].map((minute) => at(minute * minuteMs + offsetMs)));
    expect(await record(home)).toEqual(["fired due 00:00:00", "fired due 00:10:00", "fired due 00:20:00"]);
  });

  test("is finished after as many runs as it may have, or when nothing follows", async () => {
    const home = openHome();
    await putStanding(home, { maxRuns: 2 });
    await home.runUntil(at(5 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:01:00.000"]);
    expect((await standing(home)).state).toBe("finished");
    await putStanding(home, { when: { at: ["2027-01-01T00:10:00Z"] } });
    expect((await standing(home)).state).toBe("active");
    await home.runUntil(at(11 * minuteMs));
    expect(calls(home).at(-1)).toBe("00:10:00.000");
    expect((await standing(home)).state).toBe("finished");
  });

  test("counts what its exceptions leave out", async () => {
    const home = openHome();
    await putStanding(home, { except: [{ cron: "2-4 * * * *" }] });
    await home.runUntil(at(5 * minuteMs + secondMs));
    expect(await record(home)).toEqual([
      "fired due 00:00:00",
      "fired due 00:01:00",
      "excluded exception 00:02:00-00:04:00 (3)",
      "fired due 00:05:00",
    ]);
  });

  test("keeps more of its past than its item holds", async () => {
    const home = openHome();
    await putStanding(home, {});
    await home.runUntil(at(50 * minuteMs + secondMs));
    const schedule = await standing(home);
    expect(schedule.counts.fired).toBe(51);
    expect(schedule.recent.length + schedule.paged).toBe(51);
    expect(schedule.paged).toBe(40);
  });
});

describe("overlap", () => {
  test("skip leaves out what comes while the job before it runs", async () => {
    const home = openHome({ answer: slow(90 * secondMs) });
    await putStanding(home, { overlap: "skip", job: { ...job, timeoutMs: 10 * minuteMs } });
    await home.runUntil(at(4 * minuteMs + secondMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:02:00.000", "00:04:00.000"]);
    expect(await record(home)).toEqual([
      "fired due 00:00:00",
      "skipped overlap 00:01:00",
      "fired due 00:02:00",
      "skipped overlap 00:03:00",
      "fired due 00:04:00",
    ]);
  });

  test("allow lets them run side by side", async () => {
    const home = openHome({ answer: slow(150 * secondMs) });
    await putStanding(home, { overlap: "allow", job: { ...job, timeoutMs: 10 * minuteMs } });
    await home.runUntil(at(3 * minuteMs + secondMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:01:00.000", "00:02:00.000", "00:03:00.000"]);
  });

  test("buffer_one starts the next when the job ends, and drops more", async () => {
    const home = openHome({ answer: slow(150 * secondMs) });
    await putStanding(home, { overlap: "buffer_one", maxRuns: 2, job: { ...job, timeoutMs: 10 * minuteMs } });
    await home.runUntil(at(4 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:02:30.000"]);
    expect(await record(home)).toEqual(["fired due 00:00:00", "fired buffered 00:01:00"]);
  });

  test("buffer_one has a record of each that found no room", async () => {
    const home = openHome({ answer: slow(150 * secondMs) });
    await putStanding(home, { overlap: "buffer_one", job: { ...job, timeoutMs: 10 * minuteMs } });
    await home.runUntil(at(2 * minuteMs + 40 * secondMs));
    expect(await record(home)).toEqual(["fired due 00:00:00", "dropped buffer_full 00:02:00", "fired buffered 00:01:00"]);
  });

  test("buffer_all keeps all, oldest first", async () => {
    const home = openHome({ answer: slow(150 * secondMs) });
    await putStanding(home, { overlap: "buffer_all", maxRuns: 3, job: { ...job, timeoutMs: 10 * minuteMs } });
    await home.runUntil(at(9 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:02:30.005", "00:05:00.010"].map((time) => expect.stringContaining(time.slice(0, 8))));
    expect((await standing(home)).state).toBe("finished");
  });

  test("replace calls the job before it off", async () => {
    const home = openHome({ answer: slow(150 * secondMs) });
    await putStanding(home, { overlap: "replace", job: { ...job, timeoutMs: 10 * minuteMs } });
    await home.runUntil(at(2 * minuteMs + secondMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:01:00.000", "00:02:00.000"]);
    expect(home.calls.slice(0, 2).every(({ signal }) => signal.aborted)).toBe(true);
  });
});

describe("an outage", () => {
  async function afterOutage(ms: number, given: Parameters<typeof putStanding>[1]): Promise<ReturnType<typeof openHome>> {
    const home = openHome();
    await putStanding(home, { overlap: "allow", ...given });
    // Nobody turns, and nobody hears of what was hinted.
    const { send } = home.engine.hints;
    Object.assign(home.engine.hints, { send: async () => "sent" });
    await home.clock.runUntil(at(ms));
    Object.assign(home.engine.hints, { send });
    await home.runUntil(at(ms + 2 * minuteMs));
    return home;
  }

  test("latest fires the last that was missed, and records the others as one", async () => {
    const home = await afterOutage(hourMs / 2 + 30 * secondMs, { misfire: { policy: "latest", withinMs: hourMs, max: 100 } });
    expect((await record(home)).slice(1, 4)).toEqual([
      "missed misfire 00:01:00-00:29:00 (29)",
      expect.stringMatching(/^fired (due|late) 00:30:00$/),
      "fired due 00:31:00",
    ]);
  });

  test("all fires each of them within its bounds, oldest first", async () => {
    const home = await afterOutage(10 * minuteMs + 30 * secondMs, { misfire: { policy: "all", withinMs: 5 * minuteMs, max: 100 } });
    expect((await record(home)).slice(1, 8)).toEqual([
      "missed too_late 00:01:00-00:05:00 (5)",
      "fired late 00:06:00",
      "fired late 00:07:00",
      "fired late 00:08:00",
      "fired late 00:09:00",
      "fired due 00:10:00",
      "fired due 00:11:00",
    ]);
  });

  test("all fires the newest where there are more than it may", async () => {
    const home = await afterOutage(10 * minuteMs + 30 * secondMs, { misfire: { policy: "all", withinMs: hourMs, max: 3 } });
    expect((await record(home)).slice(1, 5)).toEqual([
      "missed misfire 00:01:00-00:07:00 (7)",
      "fired late 00:08:00",
      "fired late 00:09:00",
      "fired due 00:10:00",
    ]);
  });

  test("skip fires none that is late", async () => {
    const home = await afterOutage(10 * minuteMs + 30 * secondMs, {
      when: { cron: "*/5 * * * *" },
      misfire: { policy: "skip", withinMs: hourMs, max: 100 },
    });
    expect((await record(home)).slice(1, 3)).toEqual(["missed misfire 00:05:00", "fired due 00:10:00"]);
    const later = await afterOutage(13 * minuteMs, {
      when: { cron: "*/5 * * * *" },
      misfire: { policy: "skip", withinMs: hourMs, max: 100 },
    });
    expect((await record(later)).slice(1, 3)).toEqual(["missed misfire 00:05:00-00:10:00 (2)", "fired due 00:15:00"]);
  });

  test("of ten hours costs a schedule of each second a bounded number of commits", async () => {
    const home = await afterOutage(10 * hourMs, { when: { cron: "* * * * * *" } });
    const { counts, version } = await standing(home);
    expect(counts.missed).toBeGreaterThan(35_000);
    const seconds = 10 * 3_600 + 120;
    expect(counts.missed + counts.fired).toBeGreaterThanOrEqual(seconds);
    expect(version).toBeLessThan(400);
  });
});

describe("a meeting", () => {
  test("of several at once, one wakes an executor for the next occurrence", async () => {
    const home = openHome();
    const { tenant, id, wakeAt } = await putStanding(home, { when: { cron: "* * * * * *" } });
    const sent: Hint[] = [];
    Object.assign(home.engine.hints, { send: async (hints: readonly Hint[]) => void sent.push(...hints) });
    const met = await Promise.all(Array.from({ length: 5 }, () => meet(home.engine, { tenant, id }, wakeAt)));
    for (const { hintNext } of met) await hintNext();
    expect((await standing(home)).counts.fired).toBe(1);
    expect(sent.filter((hint) => hint.kind === "names" && hint.names[0]?.id === id)).toHaveLength(1);
  });
});

test("of several that are taken, one whose job cannot be inserted keeps no other waiting", async () => {
  const clock = createVirtualClock(startAt);
  let refused: string | undefined;
  const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method, item) =>
    method === "insert" && (item as { id: string }).id === refused ? "out" : undefined,
  );
  const home = openHome({ clock, store });
  const schedule = await putStanding(home, { when: { cron: "0 * * * *" } });
  const owed = [3, 2, 1].map((minutes) => ({ nominalAt: at(-minutes * minuteMs), dueAt: startAt }));
  const ids = owed.map(({ nominalAt }) => jobIdOf(schedule, "rule", nominalAt));
  refused = ids[1];
  const hinted: string[] = [];
  const send = async (hints: readonly Hint[]) => {
    for (const hint of hints) if (hint.kind === "names") hinted.push(...hint.names.map(({ id }) => id));
  };
  Object.assign(home.engine.hints, { send });
  await expect(insertTaken(home.engine, schedule, { origin: "rule", owed })).rejects.toThrow(OutageError);
  expect(hinted).toEqual([ids[0], ids[2]]);
});

test("a job that is late goes out while the next occurrence waits to see whether it ends", async () => {
  const home = openHome();
  await putStanding(home, { overlap: "buffer_one", misfire: { policy: "latest", withinMs: hourMs, max: 100 } });
  await home.runUntil(at(30 * secondMs));
  await pauseSchedule(home.engine, await standing(home), { until: null, reason: null });
  await home.runUntil(at(3 * minuteMs - 1_500));
  await resumeSchedule(home.engine, await standing(home), "latest");
  await home.runUntil(at(3 * minuteMs + secondMs));
  expect(calls(home)).toEqual(["00:00:00.000", "00:02:58.500", "00:03:00.000"]);
});
