/** Claims about the wheel: the sparse index of whatever is not final. */

import { expect, test } from "vitest";
import { endOf, shardOf, startOf, type WheelEntry, type WheelKey } from "../../../src/core/hint.ts";
import { type Live, type Priority, priorities, type Waiting } from "../../../src/core/job.ts";
import type { Standing } from "../../../src/core/schedule.ts";
import { deleteSchedule, settleTaken } from "../../../src/core/scheduleChange.ts";
import { editSchedule } from "../../../src/core/scheduleEdit.ts";
import { later, minuteMs } from "../../../src/core/time.ts";
import { cancel, claim, edit, settle } from "../../../src/core/transition.ts";
import type { Store } from "../../../src/engine/ports.ts";
import { againEnd, doneEnd, expectState, factsAt, leaseAt, neverEnd, otherTenant, startAt, waitingJob } from "../../builders.ts";
import {
  activeSchedule,
  agendaOf,
  expectStanding,
  jobTemplate,
  keptCalendar,
  pausedAwhile,
  scheduleFactsAt,
  takeNext,
} from "../../scheduleBuilders.ts";
import type { OnBench } from "../conformance.ts";

const always: { readonly after: WheelKey; readonly until: WheelKey } = {
  after: startOf(later(startAt, -minuteMs)),
  until: endOf(later(startAt, 600 * minuteMs)),
};

/** More entries than any claim makes. */
const walkMax = 10_000;

function entryOf({ tenant, id, wakeAt, hinted }: Live | Standing): WheelEntry {
  return { tenant, id, wakeAt, hinted };
}

function inOrder(entries: readonly WheelEntry[]): readonly WheelEntry[] {
  return entries.toSorted((a, b) => a.wakeAt - b.wakeAt || (a.id < b.id ? -1 : 1));
}

/** The whole of one partition, read in pages. */
async function partition(store: Store, shard: number, priority: Priority, limit = 100): Promise<readonly WheelEntry[]> {
  const found: WheelEntry[] = [];
  for (;;) {
    const page = await store.wheel({ shard, priority, ...always, after: found.at(-1) ?? always.after, limit });
    expect(page.length).toBeLessThanOrEqual(limit);
    if (page.length === 0) return found;
    found.push(...page);
    // A store that answers the same page for ever must fail and not hang.
    expect(found.length).toBeLessThan(walkMax);
  }
}

async function insertAll<Jobs extends readonly Waiting[]>(store: Store, jobs: Jobs): Promise<Jobs> {
  await Promise.all(jobs.map((job) => store.insert(job)));
  return jobs;
}

function owed(count: number, inMs: (index: number) => number): readonly Waiting[] {
  return Array.from({ length: count }, (_, index) => waitingJob({ dueAt: later(startAt, inMs(index)) }));
}

/** `onShared`: where the jobs of other claims stand too. */
export function wheelClaims(onBench: OnBench, onShared: OnBench): void {
  test(
    "each live job stands in the partition of its shard and priority, and in no other",
    onShared(async ({ store, shards, eventually }) => {
      const jobs = await insertAll(
        store,
        priorities.flatMap((priority) => Array.from({ length: 8 }, () => waitingJob({ priority }))),
      );
      await eventually(async () => {
        for (const priority of priorities) {
          for (let shard = 0; shard < shards; shard++) {
            const expected = jobs.filter((job) => job.priority === priority && shardOf(job.id, shards) === shard);
            const found = await partition(store, shard, priority);
            expect(found.filter((entry) => jobs.some((job) => job.id === entry.id))).toEqual(inOrder(expected.map(entryOf)));
          }
        }
      });
    }),
  );

  test.each([
    ["different instants", (index: number) => (index * 7_919) % 60_000],
    ["two instants", (index: number) => index % 2],
  ])("entries of %s come in order of instant and id, whatever the page's size", (_, inMs) =>
    onBench(async ({ store, eventually }) => {
      const jobs = await insertAll(store, owed(30, inMs));
      for (const limit of [1, 4, 30]) {
        await eventually(async () => expect(await partition(store, 0, "normal", limit)).toEqual(inOrder(jobs.map(entryOf))));
      }
    })(),
  );

  test(
    "a page excludes its beginning and includes its end, also between equal instants",
    onBench(async ({ store, eventually }) => {
      const entries = inOrder(
        (
          await insertAll(
            store,
            owed(9, (index) => Math.floor(index / 3)),
          )
        ).map(entryOf),
      );
      const page = (after: WheelKey, until: WheelKey) => store.wheel({ shard: 0, priority: "normal", after, until, limit: 100 });
      const [first, second, third, , , , , eighth] = entries as [WheelEntry, WheelEntry, WheelEntry, ...WheelEntry[]];
      if (eighth === undefined) throw new Error("expected nine entries");
      await eventually(async () => {
        expect(await page(first, eighth)).toEqual(entries.slice(1, 8));
        expect(await page(first, second)).toEqual([second]);
        expect(await page(second, second)).toEqual([]);
        expect(await page(third, startOf(later(startAt, 1)))).toEqual([]);
        expect(await page(startOf(startAt), endOf(startAt))).toEqual(entries.slice(0, 3));
        expect(await page(endOf(startAt), endOf(later(startAt, 1)))).toEqual(entries.slice(3, 6));
      });
    }),
  );

  test(
    "an entry follows its job: it stays through a claim, moves with a retry, and leaves at the end",
    onBench(async ({ store, eventually }) => {
      const [job] = await insertAll(store, [waitingJob()] as const);
      const stands = (entries: readonly WheelEntry[]) =>
        eventually(async () => expect(await partition(store, 0, "normal")).toEqual(entries));
      await stands([entryOf(job)]);

      const claimed = claim(job, leaseAt(startAt), factsAt(startAt));
      await store.commit(claimed);
      await stands([entryOf(job)]);

      const retried = settle(expectState(claimed.to, "running"), againEnd(), 0.5, factsAt(startAt));
      await store.commit(retried);
      const waiting = expectState(retried.to, "waiting");
      expect(waiting.wakeAt).not.toBe(job.wakeAt);
      await stands([entryOf(waiting)]);

      const again = claim(waiting, leaseAt(waiting.wakeAt), factsAt(waiting.wakeAt));
      await store.commit(again);
      await stands([entryOf(waiting)]);
      await store.commit(settle(expectState(again.to, "running"), doneEnd(), 0, factsAt(waiting.wakeAt)));
      await stands([]);
    }),
  );

  test(
    "an edit of the instant, the priority or the hint's sender moves the entry",
    onBench(async ({ store, eventually }) => {
      const [job] = await insertAll(store, [waitingJob({ dueAt: later(startAt, 5 * minuteMs) })] as const);
      expect(job.hinted).toBe(false);
      const sooner = edit(job, { dueAt: later(startAt, 1) }, factsAt(startAt));
      await store.commit(sooner);
      expect(sooner.to.hinted).toBe(true);
      await eventually(async () => expect(await partition(store, 0, "normal")).toEqual([entryOf(sooner.to)]));

      const urgent = edit(sooner.to, { priority: "critical" }, factsAt(startAt, { hintBefore: startAt }));
      await store.commit(urgent);
      await eventually(async () => {
        expect(await partition(store, 0, "normal")).toEqual([]);
        expect(await partition(store, 0, "critical")).toEqual([{ ...entryOf(sooner.to), hinted: false }]);
      });

      // The very same place: only who sends the hint is new.
      const rehinted = edit(urgent.to, { dueAt: sooner.to.dueAt }, factsAt(startAt));
      await store.commit(rehinted);
      expect([rehinted.to.wakeAt, rehinted.to.hinted]).toEqual([urgent.to.wakeAt, true]);
      await eventually(async () => expect(await partition(store, 0, "critical")).toEqual([entryOf(rehinted.to)]));
    }),
  );

  test(
    "schedules stand among jobs, in the queue of the jobs that they make; calendars and deleted schedules do not",
    onBench(async ({ store, eventually }) => {
      const jobs = await insertAll(
        store,
        owed(5, (index) => index),
      );
      const schedules = [0, 2, 2].map((ms) => activeSchedule({ createdAt: later(startAt, ms) }));
      const paused = pausedAwhile();
      const urgent = activeSchedule({ job: jobTemplate({ priority: "critical" }) });
      const deleted = activeSchedule();
      for (const item of [...schedules, paused, urgent, deleted, keptCalendar()]) await store.insert(item);
      await store.commit(deleteSchedule(deleted, scheduleFactsAt(startAt)));
      const standing = inOrder([...jobs, ...schedules, paused].map(entryOf));
      for (const limit of [1, 3, 100]) {
        await eventually(async () => expect(await partition(store, 0, "normal", limit)).toEqual(standing));
      }
      await eventually(async () => expect(await partition(store, 0, "critical")).toEqual([entryOf(urgent)]));
    }),
  );

  test(
    "a schedule stays in its place while it takes an occurrence, moves on when that is settled, and goes where an edit's priority says",
    onBench(async ({ store, eventually }) => {
      const schedule = activeSchedule();
      await store.insert(schedule);
      const taken = takeNext(schedule);
      await store.commit(taken);
      await eventually(async () => expect(await partition(store, 0, "normal")).toEqual([entryOf(schedule)]));
      const settled = settleTaken(taken.to, scheduleFactsAt(startAt));
      await store.commit(settled);
      const moved = expectStanding(settled.to, "active");
      expect(moved.wakeAt).toBeGreaterThan(schedule.wakeAt);
      await eventually(async () => expect(await partition(store, 0, "normal")).toEqual([entryOf(moved)]));
      const spec = { ...moved.spec, job: jobTemplate({ priority: "high" }) };
      const edited = editSchedule(moved, { spec, agenda: agendaOf(moved), isRuleChanged: false }, scheduleFactsAt(startAt));
      await store.commit(edited);
      await eventually(async () => {
        expect(await partition(store, 0, "normal")).toEqual([]);
        expect(await partition(store, 0, "high")).toEqual([entryOf(edited.to)]);
      });
    }),
  );

  test(
    "an entry names its tenant",
    onBench(async ({ store, eventually }) => {
      const jobs = await insertAll(store, [waitingJob(), waitingJob({ tenant: otherTenant })]);
      await eventually(async () => expect(await partition(store, 0, "normal")).toEqual(inOrder(jobs.map(entryOf))));
    }),
  );

  test(
    "a walk under writes brings each entry that stood throughout exactly once, and in order",
    onBench(async ({ store, eventually }) => {
      const jobs = await insertAll(
        store,
        owed(40, (index) => Math.floor(index / 4)),
      );
      await eventually(async () => expect(await partition(store, 0, "normal")).toHaveLength(40));
      const [ending, standing] = [jobs.slice(0, 10), jobs.slice(10)];
      const found: WheelEntry[] = [];
      for (;;) {
        const page = await store.wheel({ shard: 0, priority: "normal", ...always, after: found.at(-1) ?? always.after, limit: 5 });
        if (page.length === 0) break;
        found.push(...page);
        expect(found.length).toBeLessThan(walkMax);
        const ended = ending.pop();
        await Promise.all([
          store.insert(waitingJob({ dueAt: later(startAt, found.length % 10) })),
          ended === undefined ? "committed" : store.commit(cancel(ended, factsAt(startAt))),
        ]);
      }
      const ids = standing.map((job) => job.id as string);
      expect(found).toEqual(inOrder(found));
      expect(found.filter((entry) => ids.includes(entry.id)).map((entry) => entry.id)).toEqual(
        inOrder(standing.map(entryOf)).map((entry) => entry.id),
      );
    }),
  );

  test(
    "jobs of every final state are off the wheel, and only they",
    onBench(async ({ store, eventually }) => {
      const [waiting, cancelled, succeeded, failed] = await insertAll(store, [
        waitingJob(),
        waitingJob(),
        waitingJob(),
        waitingJob(),
      ] as const);
      await store.commit(cancel(cancelled, factsAt(startAt)));
      for (const [job, end] of [
        [succeeded, doneEnd()],
        [failed, neverEnd()],
      ] as const) {
        const claimed = claim(job, leaseAt(startAt), factsAt(startAt));
        await store.commit(claimed);
        await store.commit(settle(expectState(claimed.to, "running"), end, 0, factsAt(startAt)));
      }
      await eventually(async () => expect(await partition(store, 0, "normal")).toEqual([entryOf(waiting)]));
    }),
  );
}
