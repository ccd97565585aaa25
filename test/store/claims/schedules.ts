/** Claims about schedules and calendars as items: each change is written once, whole, and only where the item is still what it was made from. */

import { describe, expect, test } from "vitest";
import { rewriteCalendar } from "../../../src/core/calendar.ts";
import type { ItemId } from "../../../src/core/ids.ts";
import { isJob } from "../../../src/core/item.ts";
import type { Active, Schedule, Standing } from "../../../src/core/schedule.ts";
import { deleteSchedule } from "../../../src/core/scheduleChange.ts";
import { later } from "../../../src/core/time.ts";
import type { Store } from "../../../src/engine/ports.ts";
import { nextChange, nextPayloadId, otherTenant, startAt, waitingJob } from "../../builders.ts";
import {
  activeSchedule,
  bufferedSchedule,
  editLabels,
  finishedSchedule,
  keptCalendar,
  nextName,
  pausedAwhile,
  pausedSchedule,
  removalOf,
  scheduleFactsAt,
  takenSchedule,
} from "../../scheduleBuilders.ts";
import type { OnBench } from "../conformance.ts";
import { activeVerbs, finishedVerbs, pausedVerbs, type ScheduleVerb } from "../scheduleVerbs.ts";

const facts = () => scheduleFactsAt(later(startAt, 50));
const rivalOf = (schedule: Standing) => editLabels(schedule, { rival: "won" }, facts());

/** Every standing state with every change that applies to it. `build` makes the schedule of a test's own. */
type Case = {
  readonly state: string;
  readonly verb: string;
  build(): Standing;
  make(schedule: Standing): ReturnType<ScheduleVerb<Standing>[1]>;
};
const cases: readonly Case[] = [
  ...casesOf("active", activeSchedule, activeVerbs),
  ...casesOf("taken", takenSchedule, activeVerbs),
  ...casesOf("buffered", bufferedSchedule, activeVerbs),
  ...casesOf("paused", pausedSchedule, pausedVerbs),
  ...casesOf("briefly paused", pausedAwhile, pausedVerbs),
  ...casesOf("finished", finishedSchedule, finishedVerbs),
];

function casesOf<From extends Standing>(state: string, build: () => From, verbs: readonly ScheduleVerb<From>[]): readonly Case[] {
  return verbs.map(([verb, make]) => ({ state, verb, build, make: (schedule) => make(schedule as From, facts()) }));
}

/** What a store answers for a schedule, deleted ones being absent. */
async function expectStored(store: Store, schedule: Schedule): Promise<void> {
  expect(await store.load(schedule)).toEqual(schedule.state === "deleted" ? undefined : schedule);
}

export function scheduleClaims(onBench: OnBench): void {
  describe.each(cases)("$verb of a $state schedule", ({ build, make }) => {
    test(
      "is written whole",
      onBench(async ({ store, clock }) => {
        clock.turn(100);
        const schedule = build();
        expect(await store.insert(schedule)).toBe("inserted");
        expect(await store.load(schedule)).toEqual(schedule);
        const change = make(schedule);
        expect(await store.commit(change)).toBe("committed");
        await expectStored(store, change.to);
      }),
    );

    test(
      "is stale and changes nothing after a rival's change, and where the schedule is absent",
      onBench(async ({ store }) => {
        const schedule = build();
        const [change, rival] = [make(schedule), rivalOf(schedule)];
        expect(await store.commit(change)).toBe("stale");
        expect(await store.load(schedule)).toBeUndefined();
        await store.insert(schedule);
        await store.commit(rival);
        expect(await store.commit(change)).toBe("stale");
        await expectStored(store, rival.to);
      }),
    );

    test(
      "is known as written when asked again, and applied once, also with another commit on top",
      onBench(async ({ store }) => {
        const schedule = build();
        await store.insert(schedule);
        const change = make(schedule);
        await store.commit(change);
        // A deleted one is absent at once, and remembers nothing.
        if (change.to.state === "deleted") return expect(await store.commit(change)).toBe("stale");
        expect(await store.commit(change)).toBe("committed");
        const next = rivalOf(change.to);
        await store.commit(next);
        expect(await store.commit(change)).toBe("committed");
        await expectStored(store, next.to);
      }),
    );
  });

  incarnations(onBench);

  test(
    "an insert of a schedule whose answer was lost is inserted when asked again, and another of its name exists",
    onBench(async ({ store }) => {
      const schedule = activeSchedule();
      await store.insert(schedule);
      expect(await store.insert(schedule)).toBe("inserted");
      await store.commit(rivalOf(schedule));
      expect(await store.insert(schedule)).toBe("inserted");
      expect(await store.insert(activeSchedule({ name: schedule.name, maxRuns: 3 }))).toBe("exists");
      expect(await store.insert(activeSchedule({ name: schedule.name, tenant: otherTenant }))).toBe("inserted");
      expect((await store.load(schedule))?.version).toBe(2);
    }),
  );

  test(
    "of ten that take an occurrence at once, one does",
    onBench(async ({ store }) => {
      const schedule = activeSchedule();
      await store.insert(schedule);
      const [, take] = activeVerbs.find(([name]) => name === "take") as ScheduleVerb<Active>;
      const takes = Array.from({ length: 10 }, () => take(schedule, facts()));
      const answers = await Promise.all(takes.map((one) => store.commit(one)));
      expect(answers.filter((answer) => answer === "committed")).toHaveLength(1);
      expect(await store.load(schedule)).toEqual(takes[answers.indexOf("committed")]?.to);
    }),
  );

  test(
    "items of every kind are loaded together, in the order asked",
    onBench(async ({ store }) => {
      const name = nextName();
      const items = [activeSchedule({ name }), waitingJob(), keptCalendar({ name }), pausedSchedule(), waitingJob()];
      await Promise.all(items.map((item) => store.insert(item)));
      expect(await store.loadMany<ItemId>(items)).toEqual(items);
      const absent = [activeSchedule(), keptCalendar()];
      expect(await store.loadMany<ItemId>([...absent, ...items.toReversed()])).toEqual(items.toReversed());
      expect((await store.loadMany<ItemId>(items)).map(isJob)).toEqual([false, true, false, false, true]);
    }),
  );

  test(
    "a schedule's payloads are its own, and outlive its commits",
    onBench(async ({ store, clock }) => {
      const [schedule, id] = [activeSchedule(), nextPayloadId()];
      await store.insert(schedule);
      await store.writePayload(schedule, { id, bytes: Uint8Array.of(5), keptUntil: later(clock.now(), 1_000) });
      await store.commit(rivalOf(schedule));
      expect(await store.readPayloads(schedule, [id])).toEqual([Uint8Array.of(5)]);
      expect(await store.readPayloads(activeSchedule(), [id])).toEqual([undefined]);
    }),
  );

  calendars(onBench);
}

function incarnations(onBench: OnBench): void {
  test.each([
    ["an hour later", 3_600_000],
    ["within the millisecond", 0],
  ])("a deleted schedule is absent at once, its name is free, and what was made from it changes no schedule that takes it %s", (_, ms) =>
    onBench(async ({ store, clock }) => {
      const old = activeSchedule({ createdAt: clock.turn(1) });
      const { tenant, name } = old;
      await store.insert(old);
      const [late, deletion] = [rivalOf(old), deleteSchedule(old, scheduleFactsAt(clock.now()))];
      await store.commit(deletion);
      expect(await store.load(old)).toBeUndefined();
      expect(await store.loadMany([old])).toEqual([]);
      expect(await store.commit(late)).toBe("stale");

      const anew = activeSchedule({ tenant, name, createdAt: clock.turn(ms), maxRuns: 7 });
      expect(anew.version).toBe(old.version);
      expect(await store.insert(anew)).toBe("inserted");
      expect(await store.commit(late)).toBe("stale");
      expect(await store.commit(deletion)).toBe("stale");
      expect(await store.load(old)).toEqual(anew);
      const next = rivalOf(anew);
      expect(await store.commit(next)).toBe("committed");
      expect(await store.load(old)).toEqual(next.to);
    })(),
  );
}

function calendars(onBench: OnBench): void {
  test(
    "a calendar is rewritten where it is what the change was made from, and removed at once",
    onBench(async ({ store, clock }) => {
      const calendar = keptCalendar();
      expect(await store.insert(calendar)).toBe("inserted");
      expect(await store.insert(calendar)).toBe("inserted");
      expect(await store.insert(keptCalendar({ name: calendar.name }))).toBe("exists");
      const rewritten = rewriteCalendar(calendar, { dates: ["2028-02-29"] }, { now: clock.now(), change: nextChange() });
      const removed = removalOf(calendar, clock.now());
      expect(await store.commit(rewritten)).toBe("committed");
      expect(await store.commit(rewritten)).toBe("committed");
      expect(await store.commit(removed)).toBe("stale");
      expect(await store.load(calendar)).toEqual(rewritten.to);
      expect(await store.commit(removalOf(rewritten.to, clock.now()))).toBe("committed");
      expect(await store.load(calendar)).toBeUndefined();
      const anew = keptCalendar({ name: calendar.name, createdAt: clock.turn(1) });
      expect(await store.insert(anew)).toBe("inserted");
      expect(await store.commit(rewritten)).toBe("stale");
      expect(await store.load(calendar)).toEqual(anew);
    }),
  );
}
