/** The store on real imitations of DynamoDB: Amazon's own, and the emulator that the end-to-end suite deploys to. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { later, secondMs } from "../../src/core/time.ts";
import { cancel, claim, settle } from "../../src/core/transition.ts";
import { itemOf } from "../../src/store/dynamo/record.ts";
import type { Item } from "../../src/store/dynamo/table.ts";
import { type Emulator, installEmulator, startEmulator } from "../aws/emulator.ts";
import { againEnd, doneEnd, factsAt, leaseAt, startAt, waitingJob } from "../builders.ts";
import { conforms } from "../store/conformance.ts";
import { buildTable, type Database, localClient, openDynamo } from "../store/dynalite.ts";
import { unitsOf } from "../store/meteredTable.ts";
import { agreesWithModel } from "../store/model.ts";
import { type DynamoLocal, startDynamoLocal } from "./dynamoLocal.ts";

const shards = 3;
let local: DynamoLocal;
let emulator: Emulator;
let logs: string;
let tables = 0;

beforeAll(async () => {
  const installed = await installEmulator();
  if (installed !== "installed") throw new Error(installed.missing);
  logs = await mkdtemp(join(tmpdir(), "onthedot-stores-"));
  [local, emulator] = await Promise.all([
    startDynamoLocal(),
    startEmulator({ minuteSeconds: 60, executorsMax: 1, logFile: join(logs, "emulator.log") }),
  ]);
}, 300_000);

afterAll(async () => {
  await Promise.all([local?.stop(), emulator?.stop()]);
  await rm(logs, { recursive: true, force: true });
});

/** A table of its own for whoever opens one. */
async function freshTable(endpoint: string): Promise<Database> {
  const client = localClient(endpoint);
  const tableName = `stores-${++tables}`;
  await buildTable(client, tableName);
  return { client, tableName, close: async () => client.destroy() };
}

for (const { name, endpoint } of [
  { name: "DynamoDB Local", endpoint: () => local.endpoint },
  { name: "the emulator", endpoint: () => emulator.endpoint },
]) {
  conforms({ name, lagMs: 0, open: async (clock, count) => openDynamo(await freshTable(endpoint()), clock, count) });
  agreesWithModel({
    name,
    keepsOrder: false,
    runs: 2,
    commandsMax: 60,
    open: async (clock, count) => openDynamo(await freshTable(endpoint()), clock, count),
  });
}

describe("what is counted as billed", () => {
  test.each(["", "b".repeat(900), "b".repeat(1_500)])("is what DynamoDB Local says, with %# more than usual in the job", async (more) => {
    const { client, tableName, close } = await freshTable(local.endpoint);
    const waiting = waitingJob({ dueAt: later(startAt, secondMs), labels: more === "" ? {} : { a: more.slice(0, 255), b: more } });
    const running = claim(waiting, leaseAt(waiting.dueAt), factsAt(waiting.dueAt)).to;
    if (running.state !== "running") throw new Error("expected a claimed job");
    const after = factsAt(later(waiting.dueAt, 50));
    const lives = [
      [waiting, running, settle(running, doneEnd(), 0, after).to],
      [waiting, running, settle(running, againEnd(), 0.5, after).to],
      [waiting, cancel(waiting, after).to],
    ];
    for (const life of lives) {
      await client.send(new PutItemCommand({ TableName: tableName, Item: marshalled({ pk: "~", sk: "other" }) }));
      let before: Item | undefined;
      for (const job of life) {
        const item = itemOf(job, shards);
        const { ConsumedCapacity } = await client.send(
          new PutItemCommand({ TableName: tableName, Item: marshalled(item), ReturnConsumedCapacity: "INDEXES" }),
        );
        expect([job.state, ConsumedCapacity?.CapacityUnits]).toEqual([job.state, unitsOf(before, item)]);
        before = item;
      }
      // The next life begins with nothing under its key.
      const { pk, sk } = itemOf(waiting, shards);
      await client.send(new DeleteItemCommand({ TableName: tableName, Key: { pk: { S: pk }, sk: { S: sk } } }));
      expect((await client.send(new GetItemCommand({ TableName: tableName, Key: { pk: { S: pk }, sk: { S: sk } } }))).Item).toBeUndefined();
    }
    await close();
  });
});

function marshalled(item: Item) {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      typeof value === "string" ? { S: value } : typeof value === "number" ? { N: String(value) } : { BOOL: value === true },
    ]),
  );
}
