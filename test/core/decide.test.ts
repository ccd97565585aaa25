/** What a schedule decides, driven purely: every nominal instant has one fate, whenever anybody looks, whatever overlaps, and whatever is edited. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Agenda, readAgenda } from "../../src/core/agenda.ts";
import { decide } from "../../src/core/decide.ts";
import { scheduleIdOf, soleTenant } from "../../src/core/ids.ts";
import type { Happened } from "../../src/core/occurrence.ts";
import { occurrences } from "../../src/core/recurrence/occurrences.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { type Active, type Overlap, type Owed, overlaps, type Paused, type ScheduleSpec, type Standing } from "../../src/core/schedule.ts";
import {
  buffer,
  createSchedule,
  look,
  pass,
  pause,
  replan,
  resume,
  type ScheduleChange,
  settleTaken,
  startBuffered,
  take,
} from "../../src/core/scheduleChange.ts";
import type { ScheduleFacts } from "../../src/core/standing.ts";
import { type EpochMs, hourMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import { nextChange, startAt } from "../builders.ts";

const id = scheduleIdOf(soleTenant, "report");

function spec(given: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    ...{ when: { cron: "* * * * *" }, except: [], startAt: null, endAt: null, window: null, overlap: "allow" as const },
    ...{
      misfire: { policy: "latest" as const, withinMs: hourMs, max: 100 },
      maxRuns: null,
      pauseAfterFailures: null,
      labels: {},
      set: null,
    },
    job: {
      ...{ target: { url: "https://example.com/", method: "POST" as const, headers: {} }, body: null, timeoutMs: 1_000 },
      ...{ expireAfterMs: null, retry: retryDefault, priority: "normal" as const, labels: {} },
    },
    ...given,
  };
}

function agendaOf(wanted: ScheduleSpec): Agenda {
  const read = readAgenda({ id, createdAt: startAt, spec: wanted }, new Map());
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  return read.agenda;
}

function factsAt(now: EpochMs): ScheduleFacts {
  return { now, change: nextChange(), hintBefore: later(now, minuteMs), takeLeadMs: 2 * secondMs };
}

type Run = { schedule: Standing; readonly entries: Happened[]; readonly fired: Owed[]; commits: number };

function apply(run: Run, { to, entries }: ScheduleChange): void {
  if (to.state === "deleted") throw new Error("expected a schedule that stands");
  run.schedule = to;
  run.entries.push(...entries);
  run.commits += 1;
}

/** Does what an executor does at an instant, as one commit after the other, until nothing is left to do. */
function meetAt(run: Run, agenda: Agenda, now: EpochMs, isBusy: () => boolean): void {
  for (let step = 0; step < 1_000; step++) {
    const { schedule } = run;
    const facts = factsAt(now);
    if (schedule.taken !== null) {
      run.fired.push(...schedule.taken.owed);
      apply(run, settleTaken(schedule, facts));
      continue;
    }
    if (schedule.state !== "active") return;
    const busy = isBusy();
    const ended = { unended: busy ? schedule.unended.slice(-1) : [], failures: 0 };
    const decision = decide(schedule, agenda, { now, takeLeadMs: facts.takeLeadMs, isBusy: ended.unended.length > 0 });
    const change = changeFor(schedule, decision, agenda, ended, facts);
    if (change === undefined) return;
    apply(run, change);
  }
  throw new Error("expected an end, got a thousand steps at one instant");
}

function changeFor(
  schedule: Active,
  decision: ReturnType<typeof decide>,
  agenda: Agenda,
  ended: { unended: readonly EpochMs[]; failures: number },
  facts: ScheduleFacts,
): ScheduleChange | undefined {
  switch (decision.kind) {
    case "rest":
    case "wait":
      return undefined;
    case "look":
      return look(schedule, agenda, facts);
    case "replan":
      return replan(schedule, { ...decision, agenda }, facts);
    case "pass":
      return pass(schedule, { ...decision, agenda }, facts);
    case "take":
      return take(schedule, { ...decision, agenda, ended }, facts);
    case "buffer":
      return buffer(schedule, { ...decision, agenda, ended }, facts);
    case "start":
      return startBuffered(schedule, { ...decision, ended }, facts);
  }
}

function begin(wanted: ScheduleSpec): Run {
  const agenda = agendaOf(wanted);
  const schedule = createSchedule({ tenant: soleTenant, id, name: "report", spec: wanted, agenda, pause: null }, factsAt(startAt));
  return { schedule, entries: [], fired: [], commits: 0 };
}

/** Every nominal instant of the rule as if it had no exceptions, up to one, by the plain enumeration. */
function nominal(wanted: ScheduleSpec, until: EpochMs): readonly EpochMs[] {
  const { rule } = agendaOf({ ...wanted, except: [] });
  const { found } = occurrences(rule, { from: startAt, count: 5_000 });
  return found.map(({ nominalAt }) => nominalAt).filter((at) => at <= until);
}

/** Checks that each instant has one fate: those fired once each, all others in stretches that count them exactly. */
function expectOneFateEach(run: Run, wanted: ScheduleSpec): void {
  const { decidedUntil, buffered } = run.schedule;
  const waiting = new Set(buffered.map(({ nominalAt }) => nominalAt));
  const all = nominal(wanted, decidedUntil).filter((at) => !waiting.has(at));
  const fired = run.entries.filter(({ state }) => state === "fired").map(({ firstAt }) => firstAt);
  expect(new Set(fired).size).toBe(fired.length);
  expect(run.fired.map(({ nominalAt }) => nominalAt)).toEqual(fired);
  const total = run.entries.reduce((sum, { count }) => sum + count, 0);
  expect(total).toBe(all.length);
  const { counts } = run.schedule;
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(total);
}

const rules: readonly Partial<ScheduleSpec>[] = [
  { when: { cron: "* * * * *" } },
  { when: { cron: "*/7 * * * * *" } },
  { when: { every: "13s" } },
  { when: [{ cron: "*/5 * * * *" }, { every: "7m", from: "2027-01-01T00:01:00Z" }] },
  { when: { cron: "* * * * *" }, except: [{ cron: "*/3 * * * *" }] },
  { when: { cron: "*/10 * * * *" }, window: { kind: "span", spanMs: 4 * minuteMs } },
  { when: { cron: "* * * * *" }, window: { kind: "share", percent: 80 }, except: [{ cron: "10-20 * * * *" }] },
];

/** A meeting leaves a pause as it is. */
function pausedOf(schedule: Standing): Paused {
  if (schedule.state !== "paused") throw new Error(`expected it to be paused, got ${schedule.state}`);
  return schedule;
}

const drawn = fc.record({
  rule: fc.constantFrom(...rules),
  overlap: fc.constantFrom(...overlaps),
  misfire: fc.record({
    policy: fc.constantFrom("latest" as const, "all" as const, "skip" as const),
    withinMs: fc.constantFrom(minuteMs, 10 * minuteMs, hourMs),
    max: fc.integer({ min: 1, max: 20 }),
  }),
  jumps: fc.array(fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1_000, max: 1_200_000 })), {
    minLength: 1,
    maxLength: 25,
  }),
  busy: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
});

describe("whenever a schedule is met", () => {
  test("each nominal instant has one fate, and none fires early or twice", () => {
    fc.assert(
      fc.property(drawn, ({ rule, overlap, misfire, jumps, busy }) => {
        const wanted = spec({ ...rule, overlap, misfire });
        const agenda = agendaOf(wanted);
        const run = begin(wanted);
        let now = startAt;
        let asked = 0;
        for (const jump of jumps) {
          now = later(now, jump);
          const before = run.fired.length;
          meetAt(run, agenda, now, () => busy[asked++ % busy.length] ?? false);
          for (const { dueAt } of run.fired.slice(before)) expect(dueAt).toBeLessThanOrEqual(now + 2 * secondMs);
        }
        expectOneFateEach(run, wanted);
      }),
      { numRuns: 40 },
    );
  });

  test("what was missed fires by its policy: bounded, oldest first", () => {
    fc.assert(
      fc.property(drawn, fc.integer({ min: 2, max: 100 }), ({ rule, misfire }, minutes) => {
        const wanted = spec({ ...rule, misfire, overlap: "allow" });
        const run = begin(wanted);
        meetAt(run, agendaOf(wanted), later(startAt, minutes * minuteMs), () => false);
        const late = run.fired.filter(({ dueAt }) => dueAt < startAt + (minutes - 1) * minuteMs);
        const most = misfire.policy === "all" ? misfire.max : misfire.policy === "latest" ? 1 : 0;
        expect(late.length).toBeLessThanOrEqual(most);
        expect(run.fired.map(({ nominalAt }) => nominalAt)).toEqual(run.fired.map(({ nominalAt }) => nominalAt).toSorted((a, b) => a - b));
        expectOneFateEach(run, wanted);
      }),
      { numRuns: 30 },
    );
  });

  test("a pause lets nothing through, and a resume brings back what is asked for and no more", () => {
    fc.assert(
      fc.property(drawn, fc.constantFrom("none" as const, "latest" as const, "all" as const), ({ rule, misfire }, recover) => {
        const wanted = spec({ ...rule, misfire, overlap: "allow" });
        const agenda = agendaOf(wanted);
        const run = begin(wanted);
        const [pausedAt, resumedAt] = [later(startAt, 10 * minuteMs), later(startAt, 55 * minuteMs)];
        for (let now = startAt; now < pausedAt; now = later(now, secondMs)) meetAt(run, agenda, now, () => false);
        if (run.schedule.state !== "active") throw new Error("expected it to be active");
        apply(run, pause(run.schedule, { until: null, reason: null, because: "paused" }, factsAt(pausedAt)));
        const before = run.fired.length;
        meetAt(run, agenda, later(startAt, 30 * minuteMs), () => false);
        expect(run.fired.length).toBe(before);
        apply(run, resume(pausedOf(run.schedule), { recover, before: resumedAt, agenda, by: "caller" }, factsAt(resumedAt)));
        meetAt(run, agenda, resumedAt, () => false);
        const back = run.fired.slice(before).filter(({ dueAt }) => dueAt < resumedAt);
        expect(back.length).toBeLessThanOrEqual({ none: 0, latest: 1, all: misfire.max }[recover]);
        if (recover === "latest") expect(back.length).toBe(1);
        expectOneFateEach(run, wanted);
      }),
      { numRuns: 15 },
    );
  });
});

describe("overlap", () => {
  const busyOnce: Record<Overlap, readonly string[]> = {
    skip: ["fired due", "skipped overlap"],
    buffer_one: ["fired due"],
    buffer_all: ["fired due"],
    replace: ["fired due", "fired due"],
    allow: ["fired due", "fired due"],
  };
  test.each(overlaps)("%s, with the job of the first still running at the second", (overlap) => {
    const wanted = spec({ overlap });
    const run = begin(wanted);
    meetAt(run, agendaOf(wanted), startAt, () => false);
    meetAt(run, agendaOf(wanted), later(startAt, minuteMs), () => true);
    expect(run.entries.map(({ state, because }) => `${state} ${because}`)).toEqual(busyOnce[overlap]);
    expect(run.schedule.buffered).toHaveLength(overlap.startsWith("buffer") ? 1 : 0);
  });

  test("buffer_all holds a hundred, and drops what comes then", () => {
    const wanted = spec({ overlap: "buffer_all" });
    const run = begin(wanted);
    for (let minute = 0; minute <= 103; minute++) meetAt(run, agendaOf(wanted), later(startAt, minute * minuteMs), () => minute > 0);
    expect(run.schedule.buffered).toHaveLength(100);
    expect(run.schedule.counts).toMatchObject({ fired: 1, dropped: 3 });
  });
});

test("a look at a schedule that nothing has come of changes nothing but where it stands", () => {
  const wanted = spec({ when: { cron: "0 0 1 6 *" } });
  const run = begin(wanted);
  const before = run.schedule;
  meetAt(run, agendaOf(wanted), later(startAt, 25 * hourMs), () => false);
  expect(run.commits).toBe(1);
  const { wakeAt, hinted, version, changes, ...rest } = run.schedule;
  expect(before).toMatchObject(rest);
});
