/** What surrounds schedules: calendars, whole sets, zones whose rules change, and stores that are out in the middle. */

import { describe, expect, test } from "vitest";
import { scheduleIdOf, soleTenant } from "../../../src/core/ids.ts";
import { dayMs, hourMs, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { OutageError, type Store } from "../../../src/engine/ports.ts";
import { applySet } from "../../../src/engine/schedules/apply.ts";
import { deleteCalendar, findCalendar, putCalendar } from "../../../src/engine/schedules/calendars.ts";
import { pauseSchedule } from "../../../src/engine/schedules/pause.ts";
import { memoryStore } from "../../../src/store/memory.ts";
import { startAt } from "../../builders.ts";
import { openHome } from "../home.ts";
import { createVirtualClock } from "../virtualClock.ts";
import { calls, job, named, put, putStanding, record, standing, wanted } from "./wanted.ts";

/** For tests of days and months: a turn each ten minutes is enough. */
const slowTicks = { params: { tickMs: 10 * minuteMs, lookaheadMs: 20 * minuteMs } };
const at = (ms: number) => later(startAt, ms);
const ref = { tenant: soleTenant, id: scheduleIdOf(soleTenant, named.name) };
const holidays = { tenant: soleTenant, name: "holidays" };
const days = (...dates: string[]) => ({ written: { dates }, version: null });

describe("a calendar", () => {
  const daily = { when: { cron: "0 9 * * *" }, except: [{ calendar: "holidays" }] };

  test("leaves its days out, and each is on record", async () => {
    const home = openHome(slowTicks);
    await putCalendar(home.engine, holidays, days("2027-01-02"));
    await putStanding(home, daily);
    await home.runUntil(at(3 * dayMs));
    expect(calls(home)).toEqual(["09:00:00.000", "09:00:00.000"]);
    expect(await record(home)).toEqual(["fired due 09:00:00", "excluded exception 09:00:00", "fired due 09:00:00"]);
  });

  test("that changes is in force for the next occurrence, whether it comes sooner or later by it", async () => {
    const home = openHome(slowTicks);
    await putCalendar(home.engine, holidays, days("2027-01-02", "2027-01-03"));
    await putStanding(home, daily);
    await home.runUntil(at(dayMs));
    expect((await standing(home)).next?.nominalAt).toBe(at(3 * dayMs + 9 * 60 * minuteMs));
    expect(await putCalendar(home.engine, holidays, days("2027-01-03"))).toMatchObject({ kind: "replaced", schedules: 1 });
    expect((await standing(home)).next?.nominalAt).toBe(at(dayMs + 9 * 60 * minuteMs));
    await putCalendar(home.engine, holidays, days("2027-01-02"));
    expect((await standing(home)).next?.nominalAt).toBe(at(2 * dayMs + 9 * 60 * minuteMs));
  });

  test("in use cannot be deleted, and says who uses it", async () => {
    const home = openHome();
    await putCalendar(home.engine, holidays, days("2027-01-02"));
    await putStanding(home, daily);
    expect(await deleteCalendar(home.engine, holidays, null)).toEqual({ kind: "in_use", schedules: ["report"] });
    await putStanding(home, { when: daily.when });
    expect(await deleteCalendar(home.engine, holidays, null)).toEqual({ kind: "deleted" });
    expect(await findCalendar(home.engine, holidays)).toBeUndefined();
    expect(await deleteCalendar(home.engine, holidays, null)).toEqual({ kind: "not_found" });
  });

  test("of two that write it at once under a condition, one does", async () => {
    const home = openHome();
    const writes = await Promise.all(
      [1, 2].map((day) => putCalendar(home.engine, holidays, { ...days(`2027-01-0${day}`), version: "none" })),
    );
    expect(writes.map(({ kind }) => kind).toSorted()).toEqual(["created", "exists"]);
    expect(await putCalendar(home.engine, holidays, { ...days("2027-01-05"), version: 7 })).toEqual({
      kind: "version_conflict",
      version: 1,
    });
  });
});

describe("a set", () => {
  const set = (...entries: readonly (readonly [string, Parameters<typeof wanted>[0]])[]) =>
    new Map(entries.map(([name, given]) => [name, { wanted: wanted({ ...given, set: "billing" }), pause: undefined }]));
  const did = (applied: Awaited<ReturnType<typeof applySet>>) => Object.fromEntries(applied.map(({ name, did }) => [name, did]));

  test("is made as it is written, and what left it goes; what is outside stays", async () => {
    const home = openHome();
    const request = { tenant: soleTenant, set: "billing", mode: "apply" } as const;
    await putStanding(home, {});
    const first = set(["a", {}], ["b", {}], ["report", {}]);
    expect(did(await applySet(home.engine, { ...request, schedules: first, mode: "dry_run" }))).toEqual({
      a: "created",
      b: "created",
      report: "foreign",
    });
    expect(did(await applySet(home.engine, { ...request, schedules: first }))).toEqual({ a: "created", b: "created", report: "foreign" });
    const second = set(["b", {}], ["c", { when: { cron: "0 9 * * *" } }]);
    expect(did(await applySet(home.engine, { ...request, schedules: second, mode: "dry_run" }))).toEqual({
      a: "deleted",
      b: "unchanged",
      c: "created",
    });
    expect(did(await applySet(home.engine, { ...request, schedules: second }))).toEqual({ a: "deleted", b: "unchanged", c: "created" });
    expect(did(await applySet(home.engine, { ...request, schedules: second }))).toEqual({ b: "unchanged", c: "unchanged" });
    expect((await standing(home)).spec.set).toBeNull();
  });
});

describe("a zone whose rules changed", () => {
  test("moves what is next, and the instant that was announced is on record", async () => {
    const home = openHome(slowTicks);
    await putStanding(home, { when: { cron: "0 9 1 6 *", timezone: "Europe/Berlin" } });
    const schedule = await standing(home);
    // As a runtime without summer time would have had it.
    const old = {
      nominalAt: later(schedule.next?.nominalAt ?? startAt, 60 * minuteMs),
      dueAt: later(schedule.next?.dueAt ?? startAt, 60 * minuteMs),
    };
    const moved = { ...schedule, version: schedule.version + 1, next: old };
    await home.engine.store.commit({ from: schedule, to: moved, change: home.engine.ids.change() });
    await home.runUntil(at(dayMs + minuteMs));
    expect((await standing(home)).next).toEqual(schedule.next);
    expect((await standing(home)).recent).toMatchObject([{ state: "dropped", because: "zone_changed", firstAt: old.nominalAt }]);
  });

  test("and whose name is gone pauses the schedule, which says why", async () => {
    const home = openHome(slowTicks);
    const schedule = await putStanding(home, { when: { cron: "0 9 * * *" } });
    const lost = {
      ...schedule,
      version: schedule.version + 1,
      spec: { ...schedule.spec, when: { cron: "0 9 * * *", timezone: "Europe/Atlantis" } },
    };
    await home.engine.store.commit({ from: schedule, to: lost, change: home.engine.ids.change() });
    await home.runUntil(at(dayMs + minuteMs));
    expect(await standing(home)).toMatchObject({
      state: "paused",
      because: "unreadable",
      reason: expect.stringContaining("Europe/Atlantis"),
    });
    expect(home.seen.some(({ kind }) => kind === "rule_unreadable")).toBe(true);
  });
});

describe("a body beside the item", () => {
  test("reaches each call whole, and is written anew long before its time is over", async () => {
    const home = openHome({ params: { tickMs: 6 * hourMs, lookaheadMs: 12 * hourMs } });
    const bytes = Buffer.alloc(3_000, "b");
    await putStanding(home, { when: { cron: "0 0 1 * *" }, job: { ...job, body: { contentType: "text/plain", bytes } } });
    await home.runUntil(at(minuteMs));
    await home.runUntil(at(500 * dayMs));
    expect(home.calls.length).toBeGreaterThan(15);
    expect(home.calls.every(({ request }) => request.body !== null && Buffer.compare(request.body, bytes) === 0)).toBe(true);
  });
});

describe("a store that is out", () => {
  /** Answers, then dies at the call of this number. */
  function dyingStore(store: Store, dieAt: number, where: "before" | "after"): Store {
    let count = 0;
    const fallible = <Args extends readonly unknown[], Answer>(ask: (...args: Args) => Promise<Answer>) => {
      return async (...args: Args): Promise<Answer> => {
        count += 1;
        if (count === dieAt && where === "before") throw new OutageError("out");
        const answer = await ask(...args);
        if (count === dieAt && where === "after") throw new OutageError("the answer was lost");
        return answer;
      };
    };
    return { ...store, insert: fallible(store.insert), commit: fallible(store.commit), load: fallible(store.load) as Store["load"] };
  }

  test.each(["before", "after"] as const)("%s any one of its calls loses no occurrence, and doubles none", async (where) => {
    for (let dieAt = 3; dieAt <= 24; dieAt++) {
      const clock = createVirtualClock(startAt);
      const store = memoryStore({ now: clock.now, shards: 1 });
      const home = openHome({ clock, store: dyingStore(store, dieAt, where) });
      const made = await putStanding(home, { overlap: "allow" }).catch(() => undefined);
      if (made === undefined) continue;
      await home.runUntil(at(4 * minuteMs + 10 * secondMs));
      const nominal = home.calls.map(({ request }) => request.headers["onthedot-nominal-at"]);
      expect(new Set(nominal).size).toBe(5);
      expect((await standing(home)).counts).toMatchObject({ fired: 5, missed: 0 });
      expect((await standing(home)).taken).toBeNull();
    }
  });

  test("while a pause is asked for leaves it undone or done, and never half", async () => {
    for (let dieAt = 1; dieAt <= 6; dieAt++) {
      const clock = createVirtualClock(startAt);
      const store = memoryStore({ now: clock.now, shards: 1 });
      const calm = openHome({ clock, store });
      await putStanding(calm, { when: { cron: "* * * * *" } });
      await calm.runUntil(at(59 * secondMs));
      const rough = openHome({ clock, store: dyingStore(store, dieAt, "after") });
      const answer = await pauseSchedule(rough.engine, ref, { until: null, reason: null }).catch(() => undefined);
      const before = calm.calls.length;
      await calm.runUntil(at(3 * minuteMs));
      // The occurrence of 00:01 was taken before; after an answer no other comes.
      if (answer?.kind === "changed") expect(calm.calls.length - before).toBeLessThanOrEqual(1);
      if ((await standing(calm)).state === "paused") expect(calm.calls.length - before).toBeLessThanOrEqual(1);
    }
  });
});

test("of two that write a schedule at once under a condition, one does", async () => {
  const home = openHome();
  await putStanding(home, {});
  const { revision } = await standing(home);
  const { putSchedule } = await import("../../../src/engine/schedules/put.ts");
  const writes = await Promise.all(
    ["0 1 * * *", "0 2 * * *"].map((cron) =>
      putSchedule(home.engine, named, () => ({ wanted: wanted({ when: { cron } }), pause: undefined }), { version: revision }),
    ),
  );
  expect(writes.map(({ kind }) => kind).toSorted()).toEqual(["replaced", "version_conflict"]);
  // What fires raises no revision: an edit that was read an hour ago is as good as new.
  const after = await standing(home);
  await home.runUntil(at(10 * minuteMs));
  expect((await standing(home)).revision).toBe(after.revision);
  expect(await put(home, { when: { cron: "* * * * *" } })).toMatchObject({ kind: "replaced" });
});
