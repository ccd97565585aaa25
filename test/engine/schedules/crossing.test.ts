/** What goes wrong where two things of a schedule meet that are each right by themselves. */

import { describe, expect, test } from "vitest";
import { scheduleIdOf, soleTenant } from "../../../src/core/ids.ts";
import { goOnBackfill } from "../../../src/core/scheduleChange.ts";
import { dayMs, hourMs, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { scheduleFactsNow } from "../../../src/engine/engine.ts";
import { OutageError } from "../../../src/engine/ports.ts";
import { backfill } from "../../../src/engine/schedules/backfill.ts";
import { putCalendar } from "../../../src/engine/schedules/calendars.ts";
import { write } from "../../../src/engine/schedules/commit.ts";
import { deleteSchedule } from "../../../src/engine/schedules/delete.ts";
import { pauseSchedule } from "../../../src/engine/schedules/pause.ts";
import { listOccurrences, type OccurrencePlace, takenOf } from "../../../src/engine/schedules/read.ts";
import { triggerSchedule } from "../../../src/engine/schedules/trigger.ts";
import { startAt } from "../../builders.ts";
import { answerWith, openHome } from "../home.ts";
import { job, named, put, putStanding, standing } from "./wanted.ts";

const at = (ms: number) => later(startAt, ms);
const ref = { tenant: soleTenant, id: scheduleIdOf(soleTenant, named.name) };

describe("a backfill", () => {
  test("leaves the rule's running job alone, also where occurrences replace one another", async () => {
    const home = openHome({ answer: answerWith(200, { afterMs: 10 * minuteMs }) });
    await putStanding(home, { when: { cron: "0 * * * *" }, overlap: "replace", job: { ...job, timeoutMs: 15 * minuteMs } });
    await home.runUntil(at(10 * secondMs));
    await backfill(home.engine, ref, { from: at(-2 * hourMs), to: at(0) }, "fire");
    await home.runUntil(at(minuteMs));
    expect(home.calls.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
  });

  test("of a rule of each second gets on", async () => {
    const home = openHome();
    await putStanding(home, { when: { every: "1s", from: "2026-12-31T00:00:00Z" }, overlap: "allow" });
    await home.runUntil(at(2 * secondMs));
    await backfill(home.engine, ref, { from: at(-60 * secondMs), to: at(-20 * secondMs) }, "fire");
    await home.runUntil(at(minuteMs));
    expect((await standing(home)).backfill).toBeNull();
    expect((await standing(home)).counts).toMatchObject({ missed: 0, skipped: 0 });
    const nominal = home.calls.map(({ request }) => Date.parse(request.headers["onthedot-nominal-at"] ?? "") - startAt);
    expect(nominal.filter((ms) => ms < 0).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, index) => (index - 60) * secondMs),
    );
    expect(new Set(nominal).size).toBe(nominal.length);
  });

  test("pushes nothing off the record that a pause has to name", async () => {
    for (let ms = 0; ms < 2_000; ms += 100) {
      const home = openHome();
      await putStanding(home, { when: { every: "1s", from: "2026-12-31T00:00:00Z" }, overlap: "allow" });
      await home.runUntil(at(17 * secondMs));
      await backfill(home.engine, ref, { from: at(-60 * secondMs), to: at(0) }, "fire");
      await home.runUntil(at(18 * secondMs + ms));
      const answer = await pauseSchedule(home.engine, ref, { until: null, reason: null });
      const taken = answer.kind === "changed" ? takenOf(answer.schedule, home.clock.now()) : [];
      const pausedAt = home.clock.now();
      await home.runUntil(at(30 * secondMs));
      const nominal = home.calls.map(({ request }) => Date.parse(request.headers["onthedot-nominal-at"] ?? ""));
      expect(nominal.filter((one) => one > pausedAt).toSorted()).toEqual(taken.map(({ nominalAt }) => nominalAt).toSorted());
    }
  });

  test("that loses to a pause leaves nothing of it on record", async () => {
    const home = openHome();
    await putStanding(home, { overlap: "allow" });
    await home.runUntil(at(14 * minuteMs + secondMs));
    const schedule = await standing(home);
    if (schedule.state !== "active") throw new Error("expected it to be active");
    const owed = Array.from({ length: 20 }, (_, index) => ({ nominalAt: at((index - 40) * minuteMs), dueAt: home.clock.now() }));
    const step = goOnBackfill(schedule, { owed, backfill: null }, scheduleFactsNow(home.engine));
    await pauseSchedule(home.engine, ref, { until: null, reason: null });
    expect(await write(home.engine, step)).toBe("stale");
    for (let call = 0; call < 40; call++) await triggerSchedule(home.engine, ref, "allow");
    const page = await listOccurrences(home.engine, named, { states: null, from: null, limit: 200 });
    const found = page?.occurrences.filter(({ because }) => because === "backfilled");
    expect([page?.occurrences.length, found]).toEqual([15 + 40, []]);
  });
});

test("a large body of a schedule that fires each day outlives its first writing", async () => {
  const home = openHome({ params: { tickMs: 6 * hourMs, lookaheadMs: 12 * hourMs } });
  const bytes = Buffer.alloc(3_000, "b");
  await putStanding(home, { when: { cron: "0 0 * * *" }, overlap: "allow", job: { ...job, body: { contentType: "text/plain", bytes } } });
  await home.runUntil(at(420 * dayMs));
  expect(home.calls.length).toBeGreaterThan(415);
  expect(home.calls.filter(({ request }) => request.body === null || Buffer.compare(request.body, bytes) !== 0)).toEqual([]);
});

test("a calendar that is sent again after its writing broke off is in force for every schedule", async () => {
  const home = openHome();
  const calendar = { tenant: soleTenant, name: "holidays" };
  const days = (...dates: string[]) => ({ written: { dates }, version: null });
  await putCalendar(home.engine, calendar, days("2027-01-02", "2027-01-03"));
  await putStanding(home, { when: { cron: "0 9 * * *" }, except: [{ calendar: "holidays" }], startAt: at(dayMs) });
  const broken = { ...home.engine, store: { ...home.engine.store, listNamed: () => Promise.reject(new OutageError("out")) } };
  await expect(putCalendar(broken, calendar, days("2027-01-03"))).rejects.toThrow(OutageError);
  await putCalendar(home.engine, calendar, days("2027-01-03"));
  expect((await standing(home)).next?.nominalAt).toBe(at(dayMs + 9 * hourMs));
});

test("a deletion that meets another change counts each job that it cancels once", async () => {
  const home = openHome({ answer: answerWith(503) });
  const retry = { ...job.retry, minBackoffMs: hourMs, maxBackoffMs: hourMs, jitter: false };
  await putStanding(home, { when: { cron: "0 * * * *" }, overlap: "allow", job: { ...job, retry } });
  await home.runUntil(at(minuteMs));
  await pauseSchedule(home.engine, ref, { until: null, reason: null });
  let commits = 0;
  const rival: typeof home.engine.store.commit = async (change) => {
    if ("spec" in change.to && change.to.state === "deleted" && commits++ === 0) {
      await pauseSchedule(home.engine, ref, { until: null, reason: "another" });
    }
    return home.engine.store.commit(change);
  };
  const racing = { ...home.engine, store: { ...home.engine.store, commit: rival } };
  expect(await deleteSchedule(racing, ref, { jobs: "cancel", version: null })).toMatchObject({ kind: "deleted", cancelled: 1 });
});

test("a schedule whose last runs wait shows nothing pending beyond them", async () => {
  const home = openHome({ answer: answerWith(200, { afterMs: 10 * minuteMs }) });
  await putStanding(home, { overlap: "buffer_all", maxRuns: 3, job: { ...job, timeoutMs: 15 * minuteMs } });
  await home.runUntil(at(3 * minuteMs));
  const page = await listOccurrences(home.engine, named, { states: ["pending"], from: null, limit: 50 });
  expect(page?.occurrences.map(({ nominalAt }) => nominalAt)).toEqual([at(2 * minuteMs), at(minuteMs)]);
});

test("what is put to be paused fires nothing of its new rule first", async () => {
  const home = openHome();
  await putStanding(home, { maxRuns: 1, when: { at: ["2027-01-01T00:00:00Z"] } });
  await home.runUntil(at(minuteMs));
  expect((await standing(home)).state).toBe("finished");
  const seen: string[] = [];
  const commit: typeof home.engine.store.commit = async (change) => {
    seen.push("spec" in change.to ? change.to.state : "job");
    return home.engine.store.commit(change);
  };
  const watched = { ...home, engine: { ...home.engine, store: { ...home.engine.store, commit } } };
  const answer = await put(
    watched,
    { when: { every: "1s", from: "2027-01-01T00:00:00Z" }, overlap: "allow" },
    { until: null, reason: "not yet" },
  );
  expect(answer).toMatchObject({ kind: "replaced", schedule: { state: "paused", reason: "not yet" } });
  expect(seen).toEqual(["paused"]);
});

test("a list of more that is pending than a page holds has each of it once, and then the log", async () => {
  const home = openHome({ answer: answerWith(200, { afterMs: 10 * minuteMs }) });
  await putStanding(home, { overlap: "buffer_all", job: { ...job, timeoutMs: 15 * minuteMs } });
  await home.runUntil(at(5 * minuteMs + secondMs));
  const found: string[] = [];
  for (let from: OccurrencePlace | null | undefined; from !== null; ) {
    const page = await listOccurrences(home.engine, named, { states: null, from: from ?? null, limit: 2 });
    if (page === undefined) throw new Error("expected a page, got none");
    found.push(...page.occurrences.map(({ state, nominalAt }) => `${state} ${(nominalAt - startAt) / minuteMs}`));
    from = page.next;
  }
  expect(found).toEqual(["pending 6", "pending 5", "pending 4", "pending 3", "pending 2", "pending 1", "fired 0"]);
});

test("a schedule that is made while its calendar changes goes by the calendar as it stands then", async () => {
  const home = openHome();
  const calendar = { tenant: soleTenant, name: "holidays" };
  await putCalendar(home.engine, calendar, { written: { dates: ["2027-01-02"] }, version: null });
  const insert: typeof home.engine.store.insert = async (item) => {
    await putCalendar(home.engine, calendar, { written: { dates: ["2027-01-03"] }, version: null });
    return home.engine.store.insert(item);
  };
  const racing = { ...home, engine: { ...home.engine, store: { ...home.engine.store, insert } } };
  await putStanding(racing, { when: { cron: "0 9 * * *" }, except: [{ calendar: "holidays" }], startAt: at(dayMs) });
  expect((await standing(home)).next?.nominalAt).toBe(at(dayMs + 9 * hourMs));
});
