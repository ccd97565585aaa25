/** What callers do to a schedule, in the middle of what it does itself: nothing fires that was called off, nothing is lost, and the record says all. */

import { describe, expect, test } from "vitest";
import { scheduleIdOf, soleTenant } from "../../../src/core/ids.ts";
import { hourMs, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { backfill } from "../../../src/engine/schedules/backfill.ts";
import { deleteSchedule } from "../../../src/engine/schedules/delete.ts";
import { pauseSchedule, resumeSchedule } from "../../../src/engine/schedules/pause.ts";
import { findSchedule, listOccurrences, type OccurrencePlace, takenOf, upcoming } from "../../../src/engine/schedules/read.ts";
import { triggerSchedule } from "../../../src/engine/schedules/trigger.ts";
import { startAt } from "../../builders.ts";
import { answerWith, openHome } from "../home.ts";
import { calls, job, named, put, putStanding, record, standing } from "./wanted.ts";

const at = (ms: number) => later(startAt, ms);
const ref = { tenant: soleTenant, id: scheduleIdOf(soleTenant, named.name) };
const noWish = { until: null, reason: null };

describe("a pause", () => {
  test("three seconds before the instant stops its call", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "*/5 * * * *" } });
    await home.runUntil(at(5 * minuteMs - 3 * secondMs));
    const answer = await pauseSchedule(home.engine, ref, noWish);
    expect(answer.kind === "changed" && takenOf(answer.schedule, home.clock.now())).toEqual([]);
    await home.runUntil(at(11 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000"]);
  });

  test("a second before it names the occurrence that is taken, and that one only is called", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "*/5 * * * *" } });
    await home.runUntil(at(5 * minuteMs - secondMs));
    const answer = await pauseSchedule(home.engine, ref, noWish);
    const taken = answer.kind === "changed" ? takenOf(answer.schedule, home.clock.now()) : [];
    expect(taken).toMatchObject([{ nominalAt: at(5 * minuteMs), state: "fired" }]);
    await home.runUntil(at(11 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:05:00.000"]);
  });

  test("that ends by itself lets what passed be, and has it on record", async () => {
    const home = openHome();
    await putStanding(home, {});
    await home.runUntil(at(30 * secondMs));
    await pauseSchedule(home.engine, ref, { until: at(3 * minuteMs + 30 * secondMs), reason: "maintenance" });
    expect(await standing(home)).toMatchObject({ state: "paused", reason: "maintenance", because: "paused" });
    await home.runUntil(at(5 * minuteMs + secondMs));
    expect(await record(home)).toEqual([
      "fired due 00:00:00",
      "skipped paused 00:01:00-00:03:00 (3)",
      "fired due 00:04:00",
      "fired due 00:05:00",
    ]);
  });

  test.each([
    ["none", ["skipped paused 00:01:00-00:05:00 (5)", "fired due 00:06:00"]],
    ["latest", ["skipped paused 00:01:00-00:04:00 (4)", "fired late 00:05:00", "fired due 00:06:00"]],
    [
      "all",
      ["skipped paused 00:01:00-00:02:00 (2)", "fired late 00:03:00", "fired late 00:04:00", "fired late 00:05:00", "fired due 00:06:00"],
    ],
  ] as const)("and a resume that recovers %s", async (recover, expected) => {
    const home = openHome();
    await putStanding(home, { overlap: "allow", misfire: { policy: "latest", withinMs: secondMs, max: 3 } });
    await home.runUntil(at(30 * secondMs));
    await pauseSchedule(home.engine, ref, noWish);
    await home.runUntil(at(5 * minuteMs + 30 * secondMs));
    await resumeSchedule(home.engine, ref, recover);
    await home.runUntil(at(6 * minuteMs + secondMs));
    expect((await record(home)).slice(1)).toEqual(expected);
  });

  test("comes by itself after failures in a row, and no call more is made", async () => {
    const home = openHome({ answer: answerWith(404) });
    await putStanding(home, { pauseAfterFailures: 2 });
    await home.runUntil(at(5 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:01:00.000"]);
    expect(await standing(home)).toMatchObject({ state: "paused", because: "failures", reason: "2 jobs failed in a row" });
  });
});

describe("an edit", () => {
  test("of what is called leaves the next instant, and the next call goes to the new target", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "*/5 * * * *" } });
    await home.runUntil(at(secondMs));
    const before = await standing(home);
    const after = await putStanding(home, {
      when: { cron: "*/5 * * * *" },
      job: { ...job, target: { ...job.target, url: "https://example.com/new" } },
    });
    expect(after.next).toEqual(before.next);
    await home.runUntil(at(6 * minuteMs));
    expect(home.calls.map(({ url }) => url)).toEqual(["https://example.com/hook", "https://example.com/new"]);
  });

  test("that changes nothing writes nothing", async () => {
    const home = openHome();
    const body = { contentType: "text/plain", bytes: Buffer.alloc(2_000, "b") };
    const before = await putStanding(home, { when: { cron: "7 * * * *" }, job: { ...job, body } });
    expect(await put(home, { when: { cron: "7 * * * *" }, job: { ...job, body } })).toMatchObject({
      kind: "replaced",
      unchanged: true,
      schedule: { version: before.version },
    });
    const other = { ...body, bytes: Buffer.alloc(2_000, "c") };
    expect(await put(home, { when: { cron: "7 * * * *" }, job: { ...job, body: other } })).toMatchObject({ unchanged: false });
  });

  test("to another rule fires nothing twice and nothing of the past", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "*/5 * * * *" } });
    await home.runUntil(at(5 * minuteMs - secondMs));
    // 00:05 is taken; the new rule has it too.
    await putStanding(home, { when: { cron: "* * * * *" } });
    await home.runUntil(at(7 * minuteMs + secondMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:05:00.000", "00:06:00.000", "00:07:00.000"]);
  });

  test.each([
    ["has it too", { when: { cron: "*/5 * * * *" } }, "moved", 2],
    ["lacks it", { when: { cron: "7 * * * *" } }, "dropped", 1],
  ] as const)("to a rule that %s, of an occurrence that is pending", async (_, rule, pending, fired) => {
    const home = openHome();
    const window = { kind: "span", spanMs: 4 * minuteMs } as const;
    const schedule = await putStanding(home, { when: { cron: "*/10 * * * *" }, window });
    const offsetMs = (schedule.next?.dueAt ?? 0) - startAt;
    await home.runUntil(at(10 * minuteMs + offsetMs / 2));
    const answer = await put(home, { ...rule, window: { kind: "span", spanMs: 5 * minuteMs } });
    expect(answer).toMatchObject({ kind: "replaced", pending });
    await home.runUntil(at(16 * minuteMs));
    expect((await record(home)).filter((line) => /00:10:00/.test(line))).toEqual([
      pending === "moved" ? "fired due 00:10:00" : "dropped edited 00:10:00",
    ]);
    expect((await standing(home)).counts.fired).toBeGreaterThanOrEqual(fired);
  });

  test("of a paused schedule's rule records what passed by the old one", async () => {
    const home = openHome();
    await putStanding(home, {});
    await home.runUntil(at(30 * secondMs));
    await pauseSchedule(home.engine, ref, noWish);
    await home.runUntil(at(3 * minuteMs + 30 * secondMs));
    await putStanding(home, { when: { cron: "*/2 * * * *" } });
    await resumeSchedule(home.engine, ref, "all");
    await home.runUntil(at(4 * minuteMs + secondMs));
    expect(await record(home)).toEqual(["fired due 00:00:00", "skipped paused 00:01:00-00:03:00 (3)", "fired due 00:04:00"]);
  });

  test("of one that is hours behind decides first what is owed by the old rule", async () => {
    const home = openHome();
    await putStanding(home, {});
    await home.runUntil(at(secondMs));
    home.die();
    await home.clock.runUntil(at(hourMs + 30 * secondMs));
    await putStanding(home, { when: { cron: "0 * * * *" } });
    expect(await record(home)).toEqual(["fired due 00:00:00", "missed misfire 00:01:00-00:59:00 (59)", "fired due 01:00:00"]);
  });

  test.each([
    ["never fires", { when: { cron: "* * * * *" }, except: [{ cron: "* * * * *" }] }],
    ["has passed", { when: { at: ["2026-01-01T00:00:00Z"] } }],
  ])("to a rule that %s is refused", async (_, rule) => {
    const home = openHome();
    expect(await put(home, rule)).toMatchObject({ kind: "invalid", field: "when" });
    await putStanding(home, {});
    expect(await put(home, rule)).toMatchObject({ kind: "invalid", field: "when" });
  });
});

test("an edit to a policy that asks when jobs end knows of one that runs", async () => {
  const home = openHome({ answer: answerWith(200, { afterMs: 100 * secondMs }) });
  const slow = { ...job, timeoutMs: 10 * minuteMs };
  await putStanding(home, { overlap: "allow", job: slow });
  await home.runUntil(at(30 * secondMs));
  await putStanding(home, { overlap: "skip", job: slow });
  await home.runUntil(at(2 * minuteMs + secondMs));
  expect(await record(home)).toEqual(["fired due 00:00:00", "skipped overlap 00:01:00", "fired due 00:02:00"]);
});

test("an edit to such a policy is not held up by what was backfilled beside the rule", async () => {
  const home = openHome({ answer: answerWith(200, { afterMs: 100 * secondMs }) });
  const slow = { ...job, timeoutMs: 10 * minuteMs };
  await putStanding(home, { when: { cron: "*/2 * * * *" }, overlap: "allow", job: slow });
  await home.runUntil(at(minuteMs));
  await backfill(home.engine, ref, { from: at(-2 * minuteMs), to: at(0) }, "fire");
  await home.runUntil(at(minuteMs + 10 * secondMs));
  await putStanding(home, { when: { cron: "*/2 * * * *" }, overlap: "skip", job: slow });
  await home.runUntil(at(2 * minuteMs + secondMs));
  expect((await record(home)).at(-1)).toBe("fired due 00:02:00");
});

test("a call for a job beside a rule that allows any number finds one that runs all the same", async () => {
  const home = openHome({ answer: answerWith(200, { afterMs: 20 * secondMs }) });
  await putStanding(home, { when: { cron: "0 * * * *" }, overlap: "allow" });
  await home.runUntil(at(5 * secondMs));
  expect(await triggerSchedule(home.engine, ref, "skip")).toEqual({ kind: "busy" });
});

describe("a trigger", () => {
  test("makes a job now, beside the rule, also while it is paused", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "0 * * * *" } });
    await home.runUntil(at(minuteMs));
    await pauseSchedule(home.engine, ref, noWish);
    const answers = await Promise.all([triggerSchedule(home.engine, ref, "allow"), triggerSchedule(home.engine, ref, "allow")]);
    expect(new Set(answers.map((answer) => (answer.kind === "triggered" ? answer.job.id : ""))).size).toBe(2);
    await home.runUntil(at(2 * minuteMs));
    expect(calls(home)).toHaveLength(3);
    expect(await standing(home)).toMatchObject({ state: "paused", taken: null });
  });

  test("that wants no other job beside it is told of one that runs", async () => {
    const home = openHome({ answer: answerWith(200, { afterMs: 20 * secondMs }) });
    await putStanding(home, { when: { cron: "0 * * * *" } });
    await home.runUntil(at(5 * secondMs));
    expect(await triggerSchedule(home.engine, ref, "skip")).toEqual({ kind: "busy" });
    expect(await triggerSchedule(home.engine, ref, "replace")).toMatchObject({ kind: "triggered" });
    await home.runUntil(at(minuteMs));
    expect(home.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });
});

describe("a backfill", () => {
  const range = { from: at(-10 * minuteMs), to: at(0) };

  test("fires each instant of its range once, however often it is asked for", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "0 * * * *" } });
    await putStanding(home, {});
    await home.runUntil(at(10 * secondMs));
    expect(await backfill(home.engine, ref, range, "dry_run")).toMatchObject({ kind: "counted", total: 10, existing: 0 });
    expect(await backfill(home.engine, ref, range, "fire")).toMatchObject({ kind: "begun", total: 10 });
    await home.runUntil(at(50 * secondMs));
    expect(home.calls.map(({ request }) => request.headers["onthedot-nominal-at"]).slice(1)).toEqual(
      Array.from({ length: 10 }, (_, index) => new Date(range.from + index * minuteMs).toISOString()),
    );
    expect(await backfill(home.engine, ref, range, "dry_run")).toMatchObject({ total: 10, existing: 10 });
    await backfill(home.engine, ref, range, "fire");
    await home.runUntil(at(57 * secondMs));
    expect(home.calls).toHaveLength(11);
    expect((await standing(home)).counts.fired).toBe(11);
  });

  test("goes on some at a time, and stops with a pause", async () => {
    const home = openHome();
    await putStanding(home, { overlap: "allow" });
    await home.runUntil(at(500));
    await backfill(home.engine, ref, { from: at(-100 * minuteMs), to: at(0) }, "fire");
    await home.runUntil(at(2_600));
    await pauseSchedule(home.engine, ref, noWish);
    const { backfill: paused } = await standing(home);
    expect(paused?.done).toBeGreaterThan(0);
    expect(paused?.done).toBeLessThan(100);
    await home.runUntil(at(20 * secondMs));
    expect(home.calls.length).toBe(1 + (paused?.done ?? 0));
    await resumeSchedule(home.engine, ref, "none");
    await home.runUntil(at(50 * secondMs));
    expect(home.calls).toHaveLength(101);
    expect((await standing(home)).backfill).toBeNull();
  });

  test("of a million is refused with the count", async () => {
    const home = openHome();
    await putStanding(home, { when: { every: "1s", from: "2020-01-01T00:00:00Z" } });
    const answer = await backfill(home.engine, ref, { from: at(-1_000_000 * secondMs), to: at(0) }, "dry_run");
    expect(answer).toEqual({ kind: "too_many", total: 200_000, isMore: true });
  });
});

describe("a deletion", () => {
  test("frees the name at once, and what was made before under it does nothing to what comes after", async () => {
    const home = openHome();
    await putStanding(home, { when: { cron: "*/5 * * * *" } });
    await home.runUntil(at(minuteMs));
    expect(await deleteSchedule(home.engine, ref, { jobs: "keep", version: null })).toMatchObject({ kind: "deleted" });
    expect(await findSchedule(home.engine, named)).toBeUndefined();
    await home.runUntil(at(6 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000"]);
    await putStanding(home, { when: { cron: "*/5 * * * *" } });
    await home.runUntil(at(11 * minuteMs));
    expect(calls(home)).toEqual(["00:00:00.000", "00:10:00.000"]);
    expect((await standing(home)).counts.fired).toBe(1);
  });

  test("cancels the jobs that wait where it is asked to", async () => {
    const home = openHome({ answer: answerWith(503) });
    await putStanding(home, {
      overlap: "allow",
      job: { ...job, retry: { ...job.retry, minBackoffMs: hourMs, maxBackoffMs: hourMs, jitter: false } },
    });
    await home.runUntil(at(35 * minuteMs - 10 * secondMs));
    expect(await deleteSchedule(home.engine, ref, { jobs: "cancel", version: null })).toMatchObject({ kind: "deleted", cancelled: 35 });
    await home.runUntil(at(2 * hourMs));
    expect(home.calls).toHaveLength(35);
  });
});

describe("the list of occurrences", () => {
  test("has each once, newest first, over pages of the item and beside it", async () => {
    const home = openHome();
    await putStanding(home, {});
    await home.runUntil(at(70 * minuteMs + secondMs));
    const found: number[] = [];
    for (let from: OccurrencePlace | null | undefined; from !== null; ) {
      const page = await listOccurrences(home.engine, named, { states: ["fired"], from: from ?? null, limit: 7 });
      if (page === undefined) throw new Error("expected a page, got none");
      expect(page.occurrences.length).toBeLessThanOrEqual(7);
      found.push(...page.occurrences.map(({ nominalAt }) => (nominalAt - startAt) / minuteMs));
      from = page.next;
    }
    expect(found).toEqual(Array.from({ length: 71 }, (_, index) => 70 - index));
    const [pending] = (await listOccurrences(home.engine, named, { states: null, from: null, limit: 1 }))?.occurrences ?? [];
    expect(pending).toMatchObject({ state: "pending", nominalAt: at(71 * minuteMs), job: null });
  });

  test("of what comes next has as many as are left", async () => {
    const home = openHome();
    const schedule = await putStanding(home, { maxRuns: 3 });
    expect((await upcoming(home.engine, schedule, 5)).map(({ nominalAt }) => (nominalAt - startAt) / minuteMs)).toEqual([0, 1, 2]);
  });
});
