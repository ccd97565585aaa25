/** What only a store behind a network meets: replies that are lost, throttling, half answers, missing rights, and a clock that is off. */

import { setImmediate as nextTurn } from "node:timers/promises";
import {
  BatchGetItemCommand,
  CreateTableCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  type QueryCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Waiting } from "../../src/core/job.ts";
import { deleteSchedule, settleTaken } from "../../src/core/scheduleChange.ts";
import { later } from "../../src/core/time.ts";
import { cancel, claim, requestCancel } from "../../src/core/transition.ts";
import { OutageError, type Store } from "../../src/engine/ports.ts";
import { skewOf, watchSkew } from "../../src/store/dynamo/skew.ts";
import { createDynamoStore } from "../../src/store/dynamo/store.ts";
import { createTable, type Item, type Table } from "../../src/store/dynamo/table.ts";
import { table as layout } from "../../src/store/keys.ts";
import { expectState, factsAt, handClock, leaseAt, nextPayloadId, nextTenant, startAt, waitingJob } from "../builders.ts";
import { activeSchedule, scheduleFactsAt, takeNext } from "../scheduleBuilders.ts";
import { type Database, localClient, startDynalite } from "./dynalite.ts";
import { meteredTable } from "./meteredTable.ts";

let database: Database;
/** What happens around the next request on the wire: before it is sent, or after it was answered. */
let around: ((send: () => Promise<unknown>) => Promise<unknown>) | undefined;
let unreadable: string[];
let store: Store;

beforeAll(async () => {
  database = await startDynalite();
  database.client.middlewareStack.add(
    (next) => (request) => {
      const met = around;
      around = undefined;
      const send = () => next(request);
      return (met === undefined ? send() : met(send)) as ReturnType<typeof next>;
    },
    { step: "deserialize", priority: "high", name: "onthedotTest" },
  );
});
afterAll(() => database.close());
beforeEach(() => {
  around = undefined;
  unreadable = [];
  store = openStore(database.client);
});

function openStore(client: Pick<DynamoDBClient, "send">): Store {
  const table = createTable({ client, name: database.tableName });
  return createDynamoStore({ table, now: handClock().now, shards: 4, onUnreadable: (job) => unreadable.push(job) });
}

/** The write has taken effect, and nobody hears of it: the SDK sends it again. */
function loseReply(meanwhile: () => Promise<unknown> = async () => {}): void {
  around = async (send) => {
    await send();
    await meanwhile();
    throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET", name: "TimeoutError" });
  };
}

const claimOf = (job: Waiting) => claim(job, leaseAt(startAt), factsAt(startAt));

describe("a write whose reply was lost is known again as our own", () => {
  it("when it made a job", async () => {
    const job = waitingJob();
    loseReply();
    expect(await store.insert(job)).toBe("inserted");
    expect(await store.load(job)).toEqual(job);
  });

  it("when it changed one", async () => {
    const job = waitingJob();
    await store.insert(job);
    loseReply();
    expect(await store.commit(claimOf(job))).toBe("committed");
  });

  it("also when another change stands on top of it by then", async () => {
    const job = waitingJob();
    await store.insert(job);
    const claimed = claimOf(job);
    loseReply(() => store.commit(requestCancel(expectState(claimed.to, "running"), factsAt(startAt))));
    expect(await store.commit(claimed)).toBe("committed");
    expect(await store.load(job)).toMatchObject({ version: 3, attemptCount: 1 });
  });

  it("and another's is not taken for ours", async () => {
    const job = waitingJob();
    await store.insert(job);
    await store.commit(cancel(job, factsAt(startAt)));
    expect(await store.commit(claimOf(job))).toBe("stale");
    expect(await store.insert({ ...waitingJob(), id: job.id })).toBe("exists");
  });
});

describe("what AWS answers", () => {
  const refusing = (error: Error): Store => openStore({ send: () => Promise.reject(error) } as unknown as DynamoDBClient);
  const failure = (name: string, status: number) =>
    new DynamoDBServiceException({ name, $fault: "server", $metadata: { httpStatusCode: status }, message: `${name} it is` });

  it.each([
    failure("ProvisionedThroughputExceededException", 400),
    failure("ThrottlingException", 400),
    failure("RequestLimitExceeded", 400),
    failure("InternalServerError", 500),
    failure("SomethingOfTomorrow", 503),
    failure("ExpiredTokenException", 400),
    Object.assign(new Error("connect ECONNREFUSED 203.0.113.1:443"), { code: "ECONNREFUSED" }),
    Object.assign(new Error("no answer"), { name: "TimeoutError" }),
  ])("passes, and is an outage: $name $message", async (error) => {
    const job = waitingJob();
    const far = refusing(error);
    const asked = [far.load(job), far.loadMany([job]), far.insert(job), far.commit(claimOf(job))];
    for (const one of asked) await expect(one).rejects.toThrow(OutageError);
    await expect(far.load(job)).rejects.toMatchObject({ cause: error });
  });

  it("is a bug where nothing says that it passes", async () => {
    const error = failure("ValidationException", 400);
    await expect(refusing(error).load(waitingJob())).rejects.toBe(error);
  });

  it("is one line that names the action where a right is missing, and no outage", async () => {
    const refused = refusing(failure("AccessDeniedException", 400)).load(waitingJob());
    await expect(refused).rejects.toThrow(/^expected the right to dynamodb:GetItem, [^\n]*$/);
    await expect(refused).rejects.not.toThrow(OutageError);
  });

  it("is one line that names the variable where the table is missing, and the indexes where one of them is", async () => {
    const table = createTable({ client: database.client, name: "nowhere" });
    await expect(table.get({ pk: "a", sk: "b" })).rejects.toThrow(/ONTHEDOT_TABLE/);
    await database.client.send(
      new CreateTableCommand({
        TableName: "bare",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      }),
    );
    const bare = createDynamoStore({
      table: createTable({ client: database.client, name: "bare" }),
      ...{ now: handClock().now, shards: 1, onUnreadable: () => {} },
    });
    const page = {
      shard: 0,
      priority: "normal",
      after: { wakeAt: startAt, id: "" },
      until: { wakeAt: later(startAt, 1), id: "~" },
      limit: 1,
    } as const;
    await expect(bare.wheel(page)).rejects.toThrow(/indexes wheel, list, failures.*another version/);
  });

  it("is an outage where a batch stays unanswered, and complete where the rest comes on asking again", async () => {
    const jobs = [waitingJob(), waitingJob(), waitingJob()];
    for (const job of jobs) await store.insert(job);
    let rounds = 0;
    const half = (always: boolean) =>
      openStore({
        async send(command: unknown) {
          if (!(command instanceof BatchGetItemCommand)) throw new Error("expected a batch");
          rounds += 1;
          const { Keys = [], ...rest } = command.input.RequestItems?.[database.tableName] ?? {};
          const [first, ...others] = Keys;
          const asked = always ? [] : first === undefined ? [] : [first];
          const left = always ? Keys : others;
          const none = { Responses: { [database.tableName]: [] } };
          const answered =
            asked.length === 0
              ? none
              : await database.client.send(new BatchGetItemCommand({ RequestItems: { [database.tableName]: { ...rest, Keys: asked } } }));
          return { ...answered, UnprocessedKeys: left.length === 0 ? {} : { [database.tableName]: { ...rest, Keys: left } } };
        },
      } as unknown as DynamoDBClient);
    expect(await half(false).loadMany(jobs)).toEqual(jobs);
    expect(rounds).toBe(3);
    const askedAt = performance.now();
    await expect(half(true).loadMany(jobs)).rejects.toThrow(OutageError);
    // Whoever is told that there is too much to do asks again after growing pauses, 1,575 ms in all.
    expect(performance.now() - askedAt).toBeGreaterThan(1_500);
  });
});

describe("a replica that lags behind", () => {
  /** As DynamoDB may answer whoever does not insist on what was written last; no stand-in for it ever does. */
  const lagging = () =>
    openStore({
      async send(command: never) {
        const read = command as unknown;
        if (read instanceof GetItemCommand && read.input.ConsistentRead !== true) return {};
        if (read instanceof BatchGetItemCommand) {
          const [asked] = Object.values(read.input.RequestItems ?? {});
          if (asked?.ConsistentRead !== true) return { Responses: {} };
        }
        return database.client.send(command);
      },
    } as unknown as DynamoDBClient);

  it("is never asked for an item: what was written last is what is read", async () => {
    const far = lagging();
    const tenant = nextTenant();
    const [job, id] = [waitingJob({ tenant }), nextPayloadId()];
    await far.insert(job);
    await far.writePayload(job, { id, bytes: new Uint8Array([1]), keptUntil: later(startAt, 1_000) });
    expect(await far.load(job)).toEqual(job);
    expect(await far.loadMany([job])).toEqual([job]);
    expect((await far.list({ tenant, among: "all", after: null, limit: 10 })).jobs).toEqual([job]);
    expect(await far.readPayloads(job, [id])).toEqual([new Uint8Array([1])]);
    expect(await far.insert({ ...job, history: [] })).toBe("exists");
  });
});

describe("a thousand writes at once", () => {
  it("are under way fifty at a time, and none is lost by waiting", async () => {
    let under = 0;
    let most = 0;
    const crowded = openStore({
      async send(command: unknown) {
        most = Math.max(most, ++under);
        await nextTurn();
        under -= 1;
        if (!(command instanceof PutItemCommand)) throw new Error("expected a write");
        return {};
      },
    } as unknown as DynamoDBClient);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => crowded.insert(waitingJob())));
    expect([most, new Set(answers)]).toEqual([50, new Set(["inserted"])]);
  });

  it("that fail leave their place to others", async () => {
    const failing = openStore({ send: () => Promise.reject(new Error("a bug")) } as unknown as DynamoDBClient);
    const answers = await Promise.allSettled(Array.from({ length: 200 }, () => failing.insert(waitingJob())));
    expect(answers.filter(({ status }) => status === "rejected")).toHaveLength(200);
  });
});

describe("an update", () => {
  it("that only removes is judged by its condition all the same", async () => {
    const table = createTable({ client: database.client, name: database.tableName });
    const key = { pk: "~update", sk: "removing" };
    await table.update(key, { set: { held: "by us", until: 5 } });
    const heldBy = (holder: string) => ({ expression: "held = :holder", values: { ":holder": holder } });
    expect(await table.update(key, { remove: ["until"] }, heldBy("others"))).toBe("refused");
    expect(await table.update(key, { remove: ["until"] }, heldBy("by us"))).toEqual({ ...key, held: "by us" });
  });
});

describe("an index", () => {
  const pageOf = (table: ReturnType<typeof createTable>, limit: number) =>
    table.query({ index: layout.indexes.list, partition: "main#0", from: "0", to: "~", limit });

  /** DynamoDB ends an answer after a megabyte, however many entries were asked for. */
  function cutAfter(most: number, count: number) {
    const asked: (number | undefined)[] = [];
    const send = async ({ input: { ExclusiveStartKey, Limit = count } }: QueryCommand) => {
      asked.push(Limit);
      const from = ExclusiveStartKey === undefined ? 0 : Number(ExclusiveStartKey["pk"]?.S) + 1;
      const to = Math.min(count, from + Math.min(most, Limit));
      const Items = Array.from({ length: to - from }, (_, place) => ({ pk: { S: String(from + place) } }));
      return to === count ? { Items } : { Items, LastEvaluatedKey: { pk: { S: String(to - 1) } } };
    };
    return { asked, table: createTable({ client: { send } as unknown as DynamoDBClient, name: "any" }) };
  }
  const placesOf = (items: readonly Item[]) => items.map(({ pk }) => Number(pk));

  it("whose answer was cut before its limit is asked for the rest, and for no more than that", async () => {
    const { asked, table } = cutAfter(3, 100);
    const page = await pageOf(table, 7);
    expect([placesOf(page.items), page.hasMore]).toEqual([[0, 1, 2, 3, 4, 5, 6], true]);
    expect(asked).toEqual([7, 4, 1]);
  });

  it("that ends before the limit says so, and one whose answer was cut to nothing is not taken for ended", async () => {
    const short = await pageOf(cutAfter(3, 5).table, 7);
    expect([placesOf(short.items), short.hasMore]).toEqual([[0, 1, 2, 3, 4], false]);
    let answers = 0;
    const send = async () => {
      answers += 1;
      return answers === 1 ? { Items: [], LastEvaluatedKey: { pk: { S: "0" } } } : { Items: [{ pk: { S: "1" } }] };
    };
    const page = await pageOf(createTable({ client: { send } as unknown as DynamoDBClient, name: "any" }), 1);
    expect([placesOf(page.items), page.hasMore, answers]).toEqual([[1], false, 2]);
  });

  it("that still holds an expired job whose key was taken anew lists the new job once, in its own place", async () => {
    const tenant = nextTenant();
    const neighbour = waitingJob({ tenant, createdAt: later(startAt, 1_000) });
    const taken = waitingJob({ tenant, createdAt: later(startAt, 2_000) });
    for (const job of [neighbour, taken]) await store.insert(job);
    const table = createTable({ client: database.client, name: database.tableName });
    const pk = `${tenant}#${taken.id}`;
    const ghost: Item = { pk, sk: "job", c: `${startAt}#${taken.id}` };
    const lagging: Table = {
      ...table,
      async query(page) {
        const { items, hasMore } = await table.query(page);
        const isBelow = String(ghost["c"]) <= page.to;
        return { hasMore, items: items.some((item) => item["pk"] === pk) && isBelow ? [...items, ghost] : items };
      },
    };
    const shown = createDynamoStore({ table: lagging, now: handClock().now, shards: 4, onUnreadable: () => {} });
    const { jobs, next } = await shown.list({ tenant, among: "all", after: null, limit: 10 });
    expect([jobs, next]).toEqual([[taken, neighbour], null]);
  });
});

describe("an index by name", () => {
  it("that still holds a deleted schedule whose name was taken anew lists the new one once", async () => {
    const tenant = nextTenant();
    const old = activeSchedule({ tenant, name: "b" });
    await store.insert(old);
    await store.commit(deleteSchedule(old, scheduleFactsAt(startAt)));
    const [first, anew] = [activeSchedule({ tenant, name: "a" }), activeSchedule({ tenant, name: "b", createdAt: later(startAt, 1) })];
    for (const schedule of [first, anew]) await store.insert(schedule);
    const table = createTable({ client: database.client, name: database.tableName });
    const ghost: Item = { pk: `${tenant}#${old.id}`, sk: "schedule", c: `b#${old.createdAt}#${old.incarnation}` };
    const lagging: Table = {
      ...table,
      async query(page) {
        const { items, hasMore } = await table.query(page);
        return { hasMore, items: items.flatMap((item) => (item["pk"] === ghost["pk"] ? [ghost, item] : [item])) };
      },
    };
    const shown = createDynamoStore({ table: lagging, now: handClock().now, shards: 4, onUnreadable: () => {} });
    expect(await shown.listNamed({ tenant, kind: "schedule", after: null, limit: 10 })).toEqual({ items: [first, anew], next: null });
  });

  it("is written once for a schedule: no commit of it, its deletion among them, writes its keys anew", async () => {
    const { table, bill, reset } = meteredTable();
    const counted = createDynamoStore({ table, now: handClock().now, shards: 4, onUnreadable: () => {} });
    const unitsOf = async (write: () => Promise<string>) => {
      reset();
      await write();
      return bill().writeUnits;
    };
    const schedule = activeSchedule();
    const taken = takeNext(schedule);
    const settled = settleTaken(taken.to, scheduleFactsAt(startAt));
    const deleted = deleteSchedule(settled.to, scheduleFactsAt(startAt));
    expect([
      // The item, its entry on the wheel and its entry in the list.
      await unitsOf(() => counted.insert(schedule)),
      // The item alone: it stays where it stands on the wheel.
      await unitsOf(() => counted.commit(taken)),
      // The item, and the entry of the wheel that leaves and the one that comes.
      await unitsOf(() => counted.commit(settled)),
      await unitsOf(() => counted.commit(deleted)),
    ]).toEqual([3, 1, 3, 2]);
  });
});

describe("a record that cannot be read", () => {
  it("is passed over among others and told of, and is an error where it is asked for alone", async () => {
    const tenant = nextTenant();
    const [good, damaged] = [waitingJob({ tenant }), waitingJob({ tenant })];
    await store.insert(good);
    await store.insert(damaged);
    const c = `${String(damaged.createdAt).padStart(13, "0")}#${damaged.id}`;
    const { client, tableName } = database;
    const key = { pk: { S: `${tenant}#${damaged.id}` }, sk: { S: "job" } };
    await client.send(new PutItemCommand({ TableName: tableName, Item: { ...key, v: { N: "1" }, j: { S: "[99]" }, c: { S: c } } }));
    expect(await store.loadMany([damaged, good])).toEqual([good]);
    expect(unreadable).toEqual([damaged.id]);
    await expect(store.load(damaged)).rejects.toThrow("format");
  });
});

describe("a clock", () => {
  it.each([
    ["that agrees", 5_000, { sentAt: 5_400, receivedAt: 5_450 }, 0],
    ["within the second that the answer names", 5_000, { sentAt: 5_990, receivedAt: 5_999 }, 0],
    ["ahead", 5_000, { sentAt: 16_000, receivedAt: 16_010 }, 10_000],
    ["behind", 5_000, { sentAt: 1_000, receivedAt: 1_010 }, -3_990],
    ["of an answer that took long", 5_000, { sentAt: 1_000, receivedAt: 5_200 }, 0],
  ])("%s is off by what is certain, and no more", (_, dateMs, times, skewMs) => {
    expect(skewOf(dateMs, times)).toBe(skewMs);
  });

  it("of which an answer says nothing is not judged", () => {
    expect(skewOf(undefined, { sentAt: 0, receivedAt: 1 })).toBeUndefined();
    expect(skewOf(Number.NaN, { sentAt: 0, receivedAt: 1 })).toBeUndefined();
  });

  it("that was found to be off stays so while answers say nothing of the time, and until one shows that it is right again", async () => {
    let answered: (next: () => Promise<unknown>) => () => Promise<unknown> = () => expect.fail("expected a middleware");
    const middlewareStack = { add: (middleware: typeof answered) => (answered = middleware) };
    const skew = watchSkew({ middlewareStack } as unknown as DynamoDBClient, () => startAt);
    const answer = (headers: Readonly<Record<string, string>>) => answered(async () => ({ response: { headers } }))();
    const dateOf = (offMs: number) => ({ date: new Date(startAt - offMs).toUTCString() });
    await answer({});
    expect([skew.skewMs(), skew.refusal()]).toEqual([0, undefined]);
    await answer(dateOf(60_000));
    const verdict = [skew.skewMs(), skew.refusal()];
    expect(verdict).toEqual([59_000, expect.stringContaining("59000 ms ahead")]);
    for (const headers of [{}, { date: "yesterday" }]) {
      await answer(headers);
      expect([skew.skewMs(), skew.refusal()]).toEqual(verdict);
    }
    await answer(dateOf(0));
    expect([skew.skewMs(), skew.refusal()]).toEqual([0, undefined]);
  });

  it.each([
    ["ahead", 60_000, /\d+ ms ahead/],
    ["behind", -60_000, /\d+ ms behind/],
  ])("%s by a minute stops all reading, and what was read is not acted upon", async (_, offMs, words) => {
    const client = localClient(`http://127.0.0.1:${(await database.client.config.endpoint?.())?.port}`);
    const skew = watchSkew(client, () => Date.now() + offMs);
    const table = createTable({ client, name: database.tableName, refusal: skew.refusal });
    const off = createDynamoStore({ table, now: handClock().now, shards: 4, onUnreadable: () => {} });
    const job = waitingJob();
    await store.insert(job);
    expect(skew.refusal()).toBeUndefined();
    await expect(off.loadMany([job])).rejects.toThrow(OutageError);
    expect(skew.refusal()).toMatch(words);
    client.destroy();
  });
});
