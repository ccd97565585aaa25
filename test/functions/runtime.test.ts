/** What the clients of the functions do with a store that does not answer: ask again, a bounded number of times, and call it an outage. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { clientDefaults } from "../../functions/runtime.ts";
import { apiTimeoutMs } from "../../src/core/invocation.ts";
import { secondMs } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { createTable } from "../../src/store/dynamo/table.ts";

let server: Server;
let asked: number;
/** How many requests are left without an answer. */
let silentFor: number;

beforeAll(async () => {
  server = createServer((_request, response) => {
    asked += 1;
    if (asked > silentFor) response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = 0;
});

/** The functions' own client, but that it waits for an answer for a fraction of a second. */
function openTable(requestTimeout: number) {
  const client = new DynamoDBClient({
    ...clientDefaults,
    requestHandler: { ...clientDefaults.requestHandler, requestTimeout },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ region: "eu-central-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } },
  });
  return { client, table: createTable({ client, name: "onthedot-test" }) };
}

it("a server that never answers is asked three times, and is an outage then", async () => {
  silentFor = Number.POSITIVE_INFINITY;
  const { client, table } = openTable(100);
  const refused = table.get({ pk: "a", sk: "b" });
  await expect(refused).rejects.toBeInstanceOf(OutageError);
  await expect(refused).rejects.toThrow(/^dynamodb:GetItem did not succeed: TimeoutError$/);
  expect(asked).toBe(3);
  client.destroy();
}, 5_000);

it("a server that answers the third time is none", async () => {
  silentFor = 2;
  const { client, table } = openTable(300);
  expect(await table.get({ pk: "a", sk: "b" })).toBeUndefined();
  expect(asked).toBe(3);
  client.destroy();
}, 5_000);

it("all attempts together, and a second and a half of pauses, end well before the API's own time is over", () => {
  const { maxAttempts, requestHandler } = clientDefaults;
  expect([maxAttempts, requestHandler]).toEqual([
    3,
    { connectionTimeout: secondMs, requestTimeout: 3 * secondMs, throwOnRequestTimeout: true },
  ]);
  expect(maxAttempts * (requestHandler.connectionTimeout + requestHandler.requestTimeout) + 1_500).toBeLessThan(apiTimeoutMs / 2);
});
