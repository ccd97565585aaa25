/** Dead letters in DynamoDB, and in a Map as the tests of their users have them: the same answers. */

import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type DeadLetter, type DeadLetters, deadLetterKeptMs, deadLetterOf } from "../../src/core/deadLetter.ts";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import { dynamoDeadLetters } from "../../src/store/dynamo/deadLetters.ts";
import { createTable } from "../../src/store/dynamo/table.ts";
import { handClock, startAt } from "../builders.ts";
import { buildTable, type Database, startDynalite } from "./dynalite.ts";
import { memoryDeadLetters } from "./memoryDeadLetters.ts";

let database: Database;
let tableCount = 0;
let tableName: string;
let clock: ReturnType<typeof handClock>;
beforeAll(async () => {
  database = await startDynalite();
});
afterAll(() => database.close());
beforeEach(async () => {
  tableName = `onthedot-dead-${tableCount++}`;
  await buildTable(database.client, tableName);
  clock = handClock();
});

const tableNow = () => createTable({ client: database.client, name: tableName });
const made = {
  dynamo: (): DeadLetters => dynamoDeadLetters({ table: tableNow(), now: clock.now }),
  memory: (): DeadLetters => memoryDeadLetters({ now: clock.now }),
};

let drawn = 0;
function letter(given: Partial<DeadLetter> = {}): DeadLetter {
  drawn += 1;
  return {
    id: `059f36b4-87a3-44ab-83d2-${String(drawn).padStart(12, "0")}`,
    receivedAt: clock.now(),
    queue: "onthedot-test-normal-dead",
    reason: "not_a_hint",
    body: '{"order":17}',
    bodyBytes: 12,
    receives: 6,
    ...given,
  };
}

async function walk(letters: DeadLetters, limit: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (let after: Parameters<DeadLetters["list"]>[0]["after"] = null; ; ) {
    const page = await letters.list({ after, limit });
    expect(page.letters.length).toBeLessThanOrEqual(limit);
    found.push(...page.letters);
    if (page.next === null) return found;
    after = page.next;
  }
}

describe.each(["dynamo", "memory"] as const)("dead letters in %s", (home) => {
  it("are listed as they were recorded, newest first, in pages of any size", async () => {
    const letters = made[home]();
    const all: DeadLetter[] = [];
    for (let index = 0; index < 7; index++) {
      const one = letter({
        receives: index + 1,
        body: index === 0 ? "" : "ünïcode ✓",
        reason: index % 2 === 0 ? "not_a_hint" : "tick_undelivered",
      });
      expect(await letters.record(one)).toBe("recorded");
      all.unshift(one);
      // Two of one instant are told apart by their ids.
      if (index % 2 === 0) clock.turn(secondMs);
    }
    for (const limit of [1, 2, 3, 7, 200]) expect(await walk(letters, limit)).toEqual(all);
  });

  it("are none at first", async () => {
    expect(await made[home]().list({ after: null, limit: 50 })).toEqual({ letters: [], next: null });
  });

  it("are recorded once, however often their message is delivered, and the first record stands", async () => {
    const letters = made[home]();
    const first = letter();
    expect(await letters.record(first)).toBe("recorded");
    clock.turn(minuteMs);
    expect(await letters.record({ ...first, receivedAt: clock.now(), receives: 9 })).toBe("exists");
    expect(await walk(letters, 50)).toEqual([first]);
  });

  it("are absent once their thirty days are over, and the walk goes on past them", async () => {
    const letters = made[home]();
    await letters.record(letter());
    clock.turn(deadLetterKeptMs - 1);
    const young = letter();
    await letters.record(young);
    expect(await walk(letters, 1)).toHaveLength(2);
    clock.turn(1);
    for (const limit of [1, 50]) expect(await walk(letters, limit)).toEqual([young]);
  });
});

it("a dead letter stands under the house's own key, and DynamoDB removes it after its time and never before", async () => {
  const one = letter();
  await made.dynamo().record(one);
  const Key = { pk: { S: `~dead#${one.id}` }, sk: { S: "dead" } };
  const { Item } = await database.client.send(new GetItemCommand({ TableName: tableName, Key }));
  expect(Item).toMatchObject({ l: { S: "~dead" }, c: { S: `${startAt}#${one.id}` } });
  expect(Number(Item?.["ttl"]?.N) * secondMs).toBeGreaterThanOrEqual(later(startAt, deadLetterKeptMs));
});

it("a record needs one write and no read; a page needs one query and one read", async () => {
  const asked: string[] = [];
  const table = tableNow();
  const told =
    <Given extends unknown[], Answer>(name: string, verb: (...given: Given) => Answer) =>
    (...given: Given): Answer => {
      asked.push(name);
      return verb(...given);
    };
  const counted = { put: told("put", table.put), getMany: told("getMany", table.getMany), query: told("query", table.query) };
  const letters = dynamoDeadLetters({ table: counted, now: clock.now });
  await letters.record(letter());
  await letters.list({ after: null, limit: 50 });
  expect(asked).toEqual(["put", "query", "getMany"]);
});

describe("a dead letter of a message", () => {
  const message = { id: "m-1", receivedAt: startAt, receives: 6, queue: "onthedot-test-low-dead", body: "" };
  const plain = (text: string) => text;

  it("keeps the first 4 KiB of its text, whole characters only, and how long it was", () => {
    for (const unit of ["a", "ü", "✓", "😀"]) {
      const { body, bodyBytes } = deadLetterOf({ ...message, body: unit.repeat(5_000) }, plain);
      expect(bodyBytes).toBe(5_000 * Buffer.byteLength(unit));
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
      expect(Buffer.byteLength(body)).toBeGreaterThan(4_092);
      expect(unit.repeat(5_000).startsWith(body)).toBe(true);
    }
    expect(deadLetterOf({ ...message, body: "short" }, plain)).toMatchObject({ body: "short", bodyBytes: 5 });
  });

  it("is masked before it is cut", () => {
    const mask = (text: string) => text.replaceAll(/otd_\w{24}/g, "otd_***");
    const body = `${"x".repeat(4_080)}otd_${"k".repeat(24)} and ${"y".repeat(9_000)}`;
    expect(deadLetterOf({ ...message, body }, mask).body.slice(4_080)).toBe("otd_*** and yyyy");
  });

  it.each([
    ["onthedot-test-low-dead", "not_a_hint"],
    ["onthedot-test-ticks-dead", "tick_undelivered"],
    ["onthedot-x-ticks-dead-low-dead", "not_a_hint"],
    ["onthedot-ticks-normal-dead", "not_a_hint"],
  ])("of the queue %s has the reason %s", (queue, reason) => {
    expect(deadLetterOf({ ...message, queue }, plain).reason).toBe(reason);
  });
});

it("a page goes on where one more was found, whether or not the table says that there are more", async () => {
  const entries = [3, 2, 1].map((second) => ({ pk: `~dead#m-${second}`, c: `${later(startAt, second * secondMs)}#m-${second}` }));
  const table = { put: async () => "written" as const, getMany: async () => [], query: async () => ({ items: entries, hasMore: false }) };
  const { next } = await dynamoDeadLetters({ table, now: clock.now }).list({ after: null, limit: 2 });
  expect(next).toEqual({ receivedAt: later(startAt, 2 * secondMs), id: "m-2" });
});
