/** DynamoDB in this process, with the table as the stack builds it. */

import type { AddressInfo } from "node:net";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { expect, vi } from "vitest";
import type { EpochMs } from "../../src/core/time.ts";
import { createDynamoCursors } from "../../src/store/dynamo/cursors.ts";
import { createDynamoStore } from "../../src/store/dynamo/store.ts";
import { createTable } from "../../src/store/dynamo/table.ts";
import { table as layout } from "../../src/store/keys.ts";
import type { Home } from "./conformance.ts";

export type Database = { readonly client: DynamoDBClient; readonly tableName: string; close(): Promise<void> };

/** A client of a database that checks no credentials. */
export function localClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } });
}

/** What makes a table wait is left out: it is there within a turn of the event loop. */
export async function startDynalite(tableName = "onthedot-test"): Promise<Database> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = localClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await buildTable(client, tableName);
  return {
    client,
    tableName,
    async close() {
      client.destroy();
      // Those of clients that a function under test keeps for ever.
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The store and the cursors of a fresh table. */
export function openDynamo({ client, tableName, close }: Database, { now }: { now(): EpochMs }, shards: number): Home {
  const table = createTable({ client, name: tableName });
  const onUnreadable = (job: string, cause: unknown) => {
    throw new Error(`expected a readable record of ${job}`, { cause });
  };
  return { store: createDynamoStore({ table, now, shards, onUnreadable }), cursors: createDynamoCursors(table), close };
}

export async function buildTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const indexes = Object.values(layout.indexes);
  const keys = new Set([layout.partitionKey, layout.sortKey, ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])]);
  const schema = (partitionKey: string, sortKey: string) => [
    { AttributeName: partitionKey, KeyType: "HASH" as const },
    { AttributeName: sortKey, KeyType: "RANGE" as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [...keys].map((name) => ({ AttributeName: name, AttributeType: "S" as const })),
      KeySchema: schema(layout.partitionKey, layout.sortKey),
      GlobalSecondaryIndexes: indexes.map(({ name, partitionKey, sortKey, projects }) => ({
        IndexName: name,
        KeySchema: schema(partitionKey, sortKey),
        Projection:
          projects.length === 0
            ? { ProjectionType: "KEYS_ONLY" as const }
            : { ProjectionType: "INCLUDE" as const, NonKeyAttributes: [...projects] },
      })),
    }),
  );
  // A request that comes before is told that there is no such table. Of the indexes not every stand-in says when they are there.
  const isThere = async () =>
    expect((await client.send(new DescribeTableCommand({ TableName: tableName }))).Table?.TableStatus).toBe("ACTIVE");
  await vi.waitFor(isThere, { interval: 5, timeout: 10_000 });
}
