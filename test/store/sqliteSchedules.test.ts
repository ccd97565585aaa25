/** What schedules are to the database: neighbours of jobs on one wheel, that no list or count of jobs meets; and how an older one takes them in. */

import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { endOf, startOf } from "../../src/core/hint.ts";
import type { Body, Waiting } from "../../src/core/job.ts";
import type { Active } from "../../src/core/schedule.ts";
import { deleteSchedule, pause } from "../../src/core/scheduleChange.ts";
import { dayMs, later } from "../../src/core/time.ts";
import { cancel, claim } from "../../src/core/transition.ts";
import { migrations } from "../../src/store/migrations.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite.ts";
import { factsAt, handClock, leaseAt, nextPayloadId, otherTenant, startAt, waitingJob } from "../builders.ts";
import { activeSchedule, jobTemplate, keptCalendar, removalOf, scheduleFactsAt } from "../scheduleBuilders.ts";
import { type Folder, freshFolder, onUnreadable } from "./folder.ts";

let folder: Folder;
let clock: ReturnType<typeof handClock>;
beforeEach(async () => {
  folder = await freshFolder();
  clock = handClock();
});
afterEach(() => folder.remove());

async function open(): Promise<SqliteStore> {
  const store = await openSqliteStore({ path: folder.file("jobs.db"), now: clock.now, shards: 1, onUnreadable });
  onTestFinished(() => store.close());
  return store;
}

/** Looks into the file, beside the store. */
function inFile<Answer>(look: (database: DatabaseSync) => Answer): Answer {
  const database = new DatabaseSync(folder.file("jobs.db"));
  try {
    return look(database);
  } finally {
    database.close();
  }
}

const page = {
  shard: 0,
  priority: "normal",
  after: startOf(later(startAt, -dayMs)),
  until: endOf(later(startAt, dayMs)),
  limit: 100,
} as const;

/** Takes out of the file what the third format has put in: the database as the second one left it. */
function backToFormatTwo(): void {
  inFile((database) => {
    database.exec("DROP INDEX jobs_list; DROP INDEX jobs_named");
    for (const column of ["kind", "name", "incarnation"]) database.exec(`ALTER TABLE jobs DROP COLUMN ${column}`);
    database.exec("CREATE INDEX jobs_list ON jobs (tenant, created_at, id); PRAGMA user_version = 2");
  });
}

test("a database of the second format keeps its jobs, lists, wheel and counts, and takes schedules in", async () => {
  const first = await open();
  const jobs = [0, 1, 2, 3].map((ms) => waitingJob({ createdAt: later(startAt, ms) })) as [Waiting, Waiting, Waiting, Waiting];
  for (const job of jobs) await first.insert(job);
  const [claimed, cancelled] = [claim(jobs[1], leaseAt(startAt), factsAt(startAt)), cancel(jobs[2], factsAt(startAt))];
  for (const change of [claimed, cancelled]) await first.commit(change);
  await first.close();
  backToFormatTwo();
  const fresh = new DatabaseSync(":memory:");
  for (const migration of migrations.slice(0, 2)) fresh.exec(migration);
  const shapeOf = (database: DatabaseSync) => database.prepare("SELECT name FROM pragma_table_info('jobs') ORDER BY name").all();
  const indexesOf = (database: DatabaseSync) =>
    database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'jobs' ORDER BY name").all();
  expect(inFile((database) => [shapeOf(database), indexesOf(database)])).toEqual([shapeOf(fresh), indexesOf(fresh)]);
  fresh.close();

  const store = await open();
  expect((await store.list({ tenant: jobs[0].tenant, among: "all", after: null, limit: 10 })).jobs).toEqual([
    ...[jobs[3], cancelled.to, claimed.to, jobs[0]],
  ]);
  expect(await store.counts()).toEqual({ waiting: 2, running: 1, oldestWakeAt: startAt });
  const edited = cancel(jobs[3], factsAt(startAt));
  expect(await store.commit(edited)).toBe("committed");
  expect(await store.insert(waitingJob({ id: jobs[0].id }))).toBe("exists");
  const schedule = activeSchedule();
  expect(await store.insert(schedule)).toBe("inserted");
  const ids = (await store.wheel(page)).map(({ id }) => id);
  expect(ids.toSorted()).toEqual([jobs[0].id, jobs[1].id, schedule.id].toSorted());
});

test("the counts are of jobs alone, and the oldest wake is that of a schedule too", async () => {
  const store = await open();
  const schedule = activeSchedule({ createdAt: later(startAt, 5) });
  await store.insert(schedule);
  await store.insert(keptCalendar());
  expect(await store.counts()).toEqual({ waiting: 0, running: 0, oldestWakeAt: schedule.wakeAt });
  const until = later(startAt, 60_000);
  const paused = pause(schedule, { until, reason: null, because: "paused" }, scheduleFactsAt(startAt));
  await store.commit(paused);
  expect(await store.counts()).toEqual({ waiting: 0, running: 0, oldestWakeAt: until });
  const job = waitingJob({ createdAt: later(startAt, 70_000) });
  await store.insert(job);
  await store.commit(deleteSchedule(paused.to, scheduleFactsAt(startAt)));
  expect(await store.counts()).toEqual({ waiting: 1, running: 0, oldestWakeAt: job.wakeAt });
});

test("a list of jobs, and one of schedules, is read from an index that holds nothing else", async () => {
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  onTestFinished(() => prepare.mockRestore());
  await (await open()).close();
  const texts = prepare.mock.calls
    .map(([text]) => text)
    .filter((text) => /WHERE (?:kind IS NULL|state = 'failed') AND tenant|AND kind = \?/.test(text));
  const plans = inFile((database) =>
    texts.map((text) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map(({ detail }) => /INDEX (\w+)/.exec(String(detail))?.[1]),
    ),
  );
  expect(plans.flat().toSorted()).toEqual(["jobs_failed", "jobs_list", "jobs_named"]);
  const partOf = inFile((database) =>
    database.prepare("SELECT name, sql FROM sqlite_schema WHERE name IN ('jobs_list', 'jobs_named')").all(),
  );
  expect(Object.fromEntries(partOf.map(({ name, sql }) => [name, /WHERE (.*)$/.exec(String(sql))?.[1]]))).toEqual({
    ...{ jobs_list: "kind IS NULL", jobs_named: "kind IS NOT NULL" },
  });
});

test("a schedule's pages leave at their instant though it lives on, and a late job's body stays", async () => {
  const store = await open();
  const [schedule, job, id] = [activeSchedule(), waitingJob(), nextPayloadId()];
  for (const owner of [schedule, job]) {
    await store.insert(owner);
    await store.writePayload(owner, { id, bytes: Uint8Array.of(1), keptUntil: later(startAt, 10) });
  }
  clock.turn(10);
  expect(await store.removeExpired(5)).toBe(1);
  expect(await store.readPayloads(schedule, [id])).toEqual([undefined]);
  expect(await store.readPayloads(job, [id])).toEqual([Uint8Array.of(1)]);
});

test("a deleted schedule leaves with the body of its jobs, and nothing of one that was made anew does", async () => {
  const store = await open();
  const keptUntil = later(startAt, 10 * dayMs);
  const [bodyId, newBodyId] = [nextPayloadId(), nextPayloadId()];
  const bodyOf = (payloadId: typeof bodyId): Body => ({ contentType: "a/b", byteCount: 1, kept: "beside", payloadId, keptUntil });
  const old = activeSchedule({ job: jobTemplate({ body: bodyOf(bodyId) }) });
  const other = activeSchedule({ tenant: otherTenant, name: old.name });
  const calendar = keptCalendar();
  for (const item of [old, other, calendar]) await store.insert(item);
  for (const id of [bodyId, newBodyId]) await store.writePayload(old, { id, bytes: Uint8Array.of(7), keptUntil });
  await store.commit(deleteSchedule(old, scheduleFactsAt(startAt)));
  await store.commit(removalOf(calendar, startAt));
  expect(await store.removeExpired(10)).toBe(2);
  expect(await store.readPayloads(old, [bodyId, newBodyId])).toEqual([undefined, Uint8Array.of(7)]);
  expect(inFile((database) => database.prepare("SELECT count(*) AS items FROM jobs").get())).toEqual({ items: 1 });

  const anew: Active = activeSchedule({ name: old.name, job: jobTemplate({ body: bodyOf(newBodyId) }) });
  expect(await store.insert(anew)).toBe("inserted");
  expect(await store.removeExpired(10)).toBe(0);
  expect(await store.loadMany([anew, other])).toEqual([anew, other]);
});
