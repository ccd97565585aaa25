/** What the database promises beyond the port: that what was answered is on the disk, and what an operator meets. */

import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { endOf, shardOf, startOf } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import type { Waiting } from "../../src/core/job.ts";
import { dayMs, later } from "../../src/core/time.ts";
import { cancel, claim, settle } from "../../src/core/transition.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { DatabaseRefusedError, openForWrites } from "../../src/store/database.ts";
import { groupWriter } from "../../src/store/group.ts";
import { decodeJob } from "../../src/store/jobItem.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite.ts";
import { againEnd, expectState, factsAt, handClock, leaseAt, nextPayloadId, startAt, waitingJob } from "../builders.ts";
import { type Folder, freshFolder, onUnreadable } from "./folder.ts";
import { commitsIn } from "./log.ts";

let folder: Folder;
let clock: ReturnType<typeof handClock>;
beforeEach(async () => {
  folder = await freshFolder();
  clock = handClock();
});
afterEach(() => folder.remove());

async function open(name = "jobs.db", shards = 2, tell: (id: string, cause: unknown) => void = onUnreadable): Promise<SqliteStore> {
  const store = await openSqliteStore({ path: folder.file(name), now: clock.now, shards, onUnreadable: tell });
  onTestFinished(() => store.close());
  return store;
}

/** Copies the files as a power cut would leave them, with the log as `tear` makes it. Answers the copy. */
function cutPower(tear: (log: Buffer) => Buffer = (log) => log): string {
  copyFileSync(folder.file("jobs.db"), folder.file("copy.db"));
  writeFileSync(folder.file("copy.db-wal"), tear(readFileSync(folder.file("jobs.db-wal"))));
  rmSync(folder.file("copy.db-shm"), { force: true });
  return folder.file("copy.db");
}

/** What a start after a power cut finds. */
function revived(path: string) {
  const database = new DatabaseSync(path);
  try {
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    const records = database.prepare("SELECT record FROM jobs ORDER BY created_at, id").all();
    return { jobs: records.map(({ record }) => decodeJob(String(record))), ...database.prepare("SELECT * FROM counts").get() };
  } finally {
    database.close();
  }
}

const logBytes = () => statSync(folder.file("jobs.db-wal")).size;
const row = (count: number): readonly Waiting[] => Array.from({ length: count }, () => waitingJob());

test("a record that cannot be read is told of once and passed over; those beside it are answered", async () => {
  const told: string[] = [];
  const store = await open("jobs.db", 1, (id) => told.push(id));
  const jobs = row(3);
  for (const job of jobs) await store.insert(job);
  const damaged = new DatabaseSync(folder.file("jobs.db"));
  damaged.prepare("UPDATE jobs SET record = '[9]' WHERE id = ?").run(jobs[1]?.id ?? "");
  damaged.close();
  const readable = [jobs[0]?.id, jobs[2]?.id];
  expect((await store.loadMany(jobs)).map(({ id }) => id)).toEqual(readable);
  expect((await store.loadMany(jobs)).map(({ id }) => id)).toEqual(readable);
  const page = await store.list({ tenant: jobs[0]?.tenant ?? soleTenant, among: "all", after: null, limit: 2 });
  expect(page.jobs.map(({ id }) => id)).toEqual([jobs[2]?.id]);
  const next = await store.list({ tenant: soleTenant, among: "all", after: page.next, limit: 2 });
  expect(next.jobs.map(({ id }) => id)).toEqual([jobs[0]?.id]);
  expect(told).toEqual([jobs[1]?.id]);
});

test("writes that wait together share transactions, and each was answered by one that is in the log", async () => {
  const store = await open();
  const jobs = row(200);
  const before = commitsIn(readFileSync(folder.file("jobs.db-wal")));
  expect(await Promise.all(jobs.map((job) => store.insert(job)))).toEqual(jobs.map(() => "inserted"));
  const claims = jobs.map((job) => claim(job, leaseAt(startAt), factsAt(startAt)));
  expect(await Promise.all(claims.map((one) => store.commit(one)))).toEqual(jobs.map(() => "committed"));
  const commits = commitsIn(readFileSync(folder.file("jobs.db-wal"))) - before;
  expect(commits).toBeGreaterThanOrEqual(2);
  expect(commits).toBeLessThanOrEqual(20);
});

test("a power cut right after an answer loses nothing that was answered", async () => {
  const store = await open();
  const job = waitingJob();
  await store.insert(job);
  const claimed = claim(job, leaseAt(startAt), factsAt(startAt));
  await store.commit(claimed);
  expect(revived(cutPower())).toEqual({ jobs: [claimed.to], waiting: 0, running: 1 });
});

test("a log that is torn or garbled after the last answer keeps every write that was answered", async () => {
  const store = await open();
  const answered = row(20);
  await Promise.all(answered.map((job) => store.insert(job)));
  const bytes = logBytes();
  await Promise.all(row(30).map((job) => store.insert(job)));
  const expected = { jobs: answered, waiting: 20, running: 0 };
  for (const torn of [0, 1, 24, 100, 4_095, 4_120, 9_000]) {
    expect(logBytes()).toBeGreaterThan(bytes + torn);
    expect(revived(cutPower((log) => log.subarray(0, bytes + torn)))).toEqual(expected);
  }
  expect(revived(cutPower((log) => log.fill(0xa5, bytes + 500, bytes + 2_000)))).toEqual(expected);
  expect(revived(cutPower()).jobs).toHaveLength(50);
});

test("what was answered before a close is there after the next open, payloads, counts and the wheel too", async () => {
  const store = await open();
  const [job, running] = row(2) as [Waiting, Waiting];
  const payload = { id: nextPayloadId(), bytes: Uint8Array.of(1, 2), keptUntil: later(startAt, dayMs) };
  const claimed = claim(running, leaseAt(startAt), factsAt(startAt));
  await Promise.all([store.insert(job), store.insert(running), store.writePayload(job, payload), store.commit(claimed)]);
  await store.close();
  expect(readdirSync(folder.file("."))).toEqual(["jobs.db"]);

  const again = await open();
  expect(await again.loadMany([job, running])).toEqual([job, claimed.to]);
  expect(await again.readPayloads(job, [payload.id])).toEqual([payload.bytes]);
  expect(await again.counts()).toEqual({ waiting: 1, running: 1, oldestWakeAt: job.wakeAt });
  const page = { shard: shardOf(job.id, 2), priority: job.priority, after: startOf(startAt), until: endOf(startAt), limit: 10 };
  expect((await again.wheel(page)).map((entry) => entry.id)).toContain(job.id);
});

test("a close answers the writes that were under way, and later ones are an outage", async () => {
  const store = await open();
  const writes = row(30).map((job) => store.insert(job));
  const closed = store.close();
  await expect(store.insert(waitingJob())).rejects.toThrow(OutageError);
  expect(await Promise.all(writes)).toEqual(writes.map(() => "inserted"));
  await closed;
  await store.close();
});

test("when the writer's thread dies, every write under way and every later one is an outage, and the home is told", async () => {
  const workers: Worker[] = [];
  const note = (worker: Worker) => workers.push(worker);
  process.on("worker", note);
  onTestFinished(() => void process.off("worker", note));
  const store = await open();
  const writes = Promise.allSettled(row(30).map((job) => store.insert(job)));
  await workers[0]?.terminate();
  for (const write of await writes) expect(write).toMatchObject({ status: "rejected", reason: expect.any(OutageError) });
  await expect(store.insert(waitingJob())).rejects.toThrow(OutageError);
  expect(await store.died).toBeInstanceOf(OutageError);
});

test("a write that the database refuses fails the writes that share its transaction, as outages that can be tried again", async () => {
  const store = await open();
  const poisoned = waitingJob();
  const other = new DatabaseSync(folder.file("jobs.db"));
  other.exec(`CREATE TRIGGER poison BEFORE INSERT ON jobs WHEN new.id = '${poisoned.id}' BEGIN SELECT RAISE(ROLLBACK, 'poisoned'); END`);
  const jobs = [...row(5), poisoned, ...row(5)];
  const answers = await Promise.allSettled(jobs.map((job) => store.insert(job)));
  for (const answer of answers) expect(answer).toMatchObject({ reason: { name: "OutageError", cause: { message: "poisoned" } } });
  expect(await store.loadMany(jobs)).toEqual([]);
  other.exec("DROP TRIGGER poison");
  other.close();
  expect(await Promise.all(jobs.map((job) => store.insert(job)))).toEqual(jobs.map(() => "inserted"));
  expect(await store.counts()).toMatchObject({ waiting: 11 });
});

test("the log stays bounded under writes without a pause", async () => {
  const store = await open();
  for (let wave = 0; wave < 250; wave++) await Promise.all(row(10).map((job) => store.insert(job)));
  expect(statSync(folder.file("jobs.db")).size).toBeGreaterThan(1_000_000);
  expect(logBytes()).toBeLessThan(8_000_000);
});

test("no statement walks a whole table, and each that asks for an order finds it in an index", async () => {
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  onTestFinished(() => prepare.mockRestore());
  const store = await open();
  const database = openForWrites(folder.file("jobs.db"));
  groupWriter(database);
  const texts = prepare.mock.calls.map(([text]) => text).filter((text) => / (jobs|payloads)\b/.test(text));
  expect(texts.length).toBeGreaterThan(10);
  for (const text of texts) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all();
    expect(
      plan.map(({ detail }) => String(detail)).filter((detail) => /^SCAN|TEMP B-TREE/.test(detail)),
      text,
    ).toEqual([]);
  }
  database.close();
  await store.close();
});

test("the database and its log are readable by their owner alone, also where the file was not", async () => {
  writeFileSync(folder.file("jobs.db"), "", { mode: 0o644 });
  const store = await open();
  await store.insert(waitingJob());
  const modes = readdirSync(folder.file(".")).map((name) => (statSync(folder.file(name)).mode & 0o777).toString(8));
  expect(modes).toEqual(["600", "600", "600"]);
});

test("a database of a newer version is refused in one line that says what to do, and stays as it was", async () => {
  await (await open()).close();
  const newer = new DatabaseSync(folder.file("jobs.db"));
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  const before = readFileSync(folder.file("jobs.db"));
  const refusal = await open().catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(DatabaseRefusedError);
  expect(String(refusal)).toMatch(/written by a newer onthedot \(format 99, this one knows up to 3\): start that version, or .*$/);
  expect(String(refusal)).not.toContain("\n");
  expect(readFileSync(folder.file("jobs.db"))).toEqual(before);
});

test("a file that is no database is refused, and stays as it was", async () => {
  const text = "not a database, but something that someone may need ".repeat(50);
  writeFileSync(folder.file("jobs.db"), text);
  await expect(open()).rejects.toThrow(DatabaseRefusedError);
  expect(readFileSync(folder.file("jobs.db"), "utf8")).toBe(text);
});

test("opened with another number of shards, each live job stands on its new partition", async () => {
  const jobs = row(20);
  const first = await open();
  await Promise.all(jobs.map((job) => first.insert(job)));
  await first.commit(cancel(jobs[0] as Waiting, factsAt(startAt)));
  await first.close();
  const second = await open("jobs.db", 7);
  for (let shard = 0; shard < 7; shard++) {
    const page = { shard, priority: "normal", after: startOf(startAt), until: endOf(startAt), limit: 100 } as const;
    const expected = jobs.slice(1).filter((job) => shardOf(job.id, 7) === shard);
    expect((await second.wheel(page)).map((entry) => entry.id).sort()).toEqual(expected.map((job) => job.id).sort());
  }
});

test("the oldest wake is that of a waiting job, whatever runs before it", async () => {
  const store = await open();
  const [running, waiting] = [waitingJob(), waitingJob({ dueAt: later(startAt, 5), priority: "low" })];
  await Promise.all([store.insert(running), store.insert(waiting)]);
  expect(await store.counts()).toEqual({ waiting: 2, running: 0, oldestWakeAt: startAt });
  await store.commit(claim(running, leaseAt(startAt), factsAt(startAt)));
  expect(await store.counts()).toEqual({ waiting: 1, running: 1, oldestWakeAt: later(startAt, 5) });
  await store.commit(cancel(waiting, factsAt(startAt)));
  expect(await store.counts()).toEqual({ waiting: 0, running: 1, oldestWakeAt: null });
});

test("expired jobs leave in small steps, with their payloads, and nothing else does", async () => {
  const store = await open();
  const [bodyId, excerptId, newBodyId] = [nextPayloadId(), nextPayloadId(), nextPayloadId()];
  const keptUntil = later(startAt, 10 * dayMs);
  const body = { contentType: "a/b", byteCount: 1, kept: "beside", payloadId: bodyId, keptUntil } as const;
  const expired = [waitingJob({ body }), ...row(4)] as [Waiting, ...Waiting[]];
  const kept = waitingJob();
  await Promise.all([...expired, kept].map((job) => store.insert(job)));
  for (const id of [bodyId, excerptId, newBodyId]) await store.writePayload(expired[0], { id, bytes: Uint8Array.of(7), keptUntil });

  const claimed = claim(expired[0], leaseAt(startAt), factsAt(startAt));
  await store.commit(claimed);
  const end = {
    ...againEnd(),
    response: { status: 400, byteCount: 1, truncated: false, excerptId },
    outcome: { kind: "never", because: "status_400" },
  } as const;
  await store.commit(settle(expectState(claimed.to, "running"), end, 0, factsAt(startAt, { retentionMs: 1_000 })));
  await Promise.all(expired.slice(1).map((job) => store.commit(cancel(job, factsAt(startAt, { retentionMs: 1_000 })))));

  expect(await store.removeExpired(10)).toBe(0);
  clock.turn(1_000);
  expect(await store.removeExpired(2)).toBe(2);
  expect(await store.removeExpired(2)).toBe(2);
  expect(await store.removeExpired(2)).toBe(1);
  expect(await store.removeExpired(2)).toBe(0);
  // The third payload is a body written for a new job that is about to take the freed key.
  expect(await store.readPayloads(expired[0], [bodyId, excerptId, newBodyId])).toEqual([undefined, undefined, Uint8Array.of(7)]);
  expect(await store.load(kept)).toEqual(kept);
  await store.close();
  const raw = new DatabaseSync(folder.file("jobs.db"));
  expect(raw.prepare("SELECT count(*) AS jobs FROM jobs").get()).toEqual({ jobs: 1 });
  raw.close();
});

test("a payload that outlived its job leaves, and one whose late job still lives stays", async () => {
  const store = await open();
  const live = waitingJob();
  const [id, keptUntil] = [nextPayloadId(), later(startAt, 10)];
  await store.insert(live);
  const orphan = waitingJob();
  for (const owner of [live, orphan]) await store.writePayload(owner, { id, bytes: Uint8Array.of(1), keptUntil });
  expect(await store.removeExpired(5)).toBe(0);
  clock.turn(10);
  expect(await store.removeExpired(5)).toBe(1);
  expect(await store.removeExpired(5)).toBe(0);
  expect(await store.readPayloads(orphan, [id])).toEqual([undefined]);
  expect(await store.readPayloads(live, [id])).toEqual([Uint8Array.of(1)]);
  await store.commit(cancel(live, factsAt(clock.now())));
  clock.turn(dayMs);
  expect(await store.removeExpired(5)).toBe(1);
  expect(await store.readPayloads(live, [id])).toEqual([undefined]);
});
