/** A group of writes in one transaction: what fails alone, what fails together, and that nothing of a failed group is left. */

import type { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openForWrites, prepareDatabase } from "../../src/store/database.ts";
import { groupWriter, type Write } from "../../src/store/group.ts";
import { encodeItem } from "../../src/store/item.ts";
import { nextPayloadId, startAt, waitingJob } from "../builders.ts";
import { type Folder, freshFolder } from "./folder.ts";

let folder: Folder;
let database: DatabaseSync;
beforeEach(async () => {
  folder = await freshFolder();
  prepareDatabase(folder.file("jobs.db"), 1);
  database = openForWrites(folder.file("jobs.db"));
});
afterEach(async () => {
  database.close();
  await folder.remove();
});

function insertOf(job = waitingJob()): Write {
  const { tenant, id, version, createdAt, state, wakeAt } = job;
  return {
    ...{ kind: "insert", tenant, id, version, createdAt, incarnation: null, state, named: null },
    place: { shard: 0, priority: 2, wakeAt, hinted: 1 },
    ...{ change: job.history[0]?.change ?? "", record: encodeItem(job), now: startAt },
  };
}

function payloadOf(byteCount: number): Write {
  const bytes = new Uint8Array(byteCount);
  return { kind: "payload", tenant: "main", owner: "job", id: nextPayloadId(), keptUntil: startAt, bytes };
}

function rows() {
  const one = (sql: string) => database.prepare(sql).get();
  return {
    ...one("SELECT count(*) AS jobs FROM jobs"),
    ...one("SELECT count(*) AS payloads FROM payloads"),
    ...one("SELECT * FROM counts"),
  };
}

test("a COMMIT of this connection returns after a sync that reaches the disk", () => {
  const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  expect(["journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync"].map(setting)).toEqual(["wal", 2, 1, 1]);
});

test("a group answers each of its writes, in order", () => {
  const [first, second] = [insertOf(), insertOf()];
  const other = { ...first, change: "other" } as Write;
  expect(groupWriter(database)([first, second, other, first, payloadOf(3)])).toEqual({
    kind: "committed",
    answers: ["inserted", "inserted", "exists", "inserted", "kept"],
  });
  expect(rows()).toEqual({ jobs: 2, payloads: 1, waiting: 2, running: 0 });
});

test("when the disk is full, nothing of the group is left, and each write can be made again once there is room", () => {
  const write = groupWriter(database);
  write([insertOf()]);
  const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  database.exec(`PRAGMA max_page_count = ${pages + 10}`);
  const group = [insertOf(), insertOf(), payloadOf(100_000), insertOf()];
  expect(write(group)).toEqual({ kind: "outage", message: expect.stringContaining("full") });
  expect(database.isTransaction).toBe(false);
  expect(rows()).toEqual({ jobs: 1, payloads: 0, waiting: 1, running: 0 });
  expect(write([insertOf()])).toEqual({ kind: "committed", answers: ["inserted"] });

  database.exec("PRAGMA max_page_count = 100000");
  expect(group.map((one) => write([one]))).toEqual(
    ["inserted", "inserted", "kept", "inserted"].map((answer) => ({ kind: "committed", answers: [answer] })),
  );
  expect(rows()).toEqual({ jobs: 5, payloads: 1, waiting: 5, running: 0 });
});

test("a write that the database cannot hold is refused alone, and its neighbours stand", () => {
  const wrong = { ...insertOf(), createdAt: 0.5 } as Write;
  const unbound = { ...insertOf(), record: undefined as unknown as string } as Write;
  expect(groupWriter(database)([insertOf(), wrong, unbound, insertOf()])).toEqual({
    kind: "committed",
    answers: ["inserted", { bug: expect.stringContaining("REAL") }, { bug: expect.any(String) }, "inserted"],
  });
  expect(rows()).toEqual({ jobs: 2, payloads: 0, waiting: 2, running: 0 });
});

test("when a statement takes the whole transaction with it, the rest of the group is not written without one", () => {
  const poisoned = waitingJob();
  database.exec(`CREATE TRIGGER poison BEFORE INSERT ON jobs WHEN new.id = '${poisoned.id}' BEGIN SELECT RAISE(ROLLBACK, 'poisoned'); END`);
  const write = groupWriter(database);
  expect(write([insertOf(), insertOf(poisoned), insertOf()])).toEqual({ kind: "outage", message: expect.stringContaining("poisoned") });
  expect(rows()).toEqual({ jobs: 0, payloads: 0, waiting: 0, running: 0 });
  expect(write([insertOf()])).toEqual({ kind: "committed", answers: ["inserted"] });
});

test("when the COMMIT itself fails, nothing of the group is left", () => {
  // A deferred constraint is the one fault of a COMMIT that can be planted without a broken disk.
  database.exec("PRAGMA foreign_keys = ON; CREATE TABLE parent (id TEXT PRIMARY KEY)");
  database.exec("CREATE TABLE child (id TEXT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
  database.exec("CREATE TRIGGER orphan AFTER INSERT ON payloads BEGIN INSERT INTO child VALUES ('none'); END");
  const write = groupWriter(database);
  expect(write([insertOf(), payloadOf(3)])).toEqual({ kind: "outage", message: expect.stringContaining("FOREIGN KEY") });
  expect(database.isTransaction).toBe(false);
  expect(rows()).toEqual({ jobs: 0, payloads: 0, waiting: 0, running: 0 });
  expect(write([insertOf()])).toEqual({ kind: "committed", answers: ["inserted"] });
});
