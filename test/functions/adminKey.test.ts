/** The admin key as the real client of Secrets Manager reads it: when it is asked for, and what each of its failures means. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AdminKey, createAdminKey } from "../../functions/adminKey.ts";
import { minuteMs, secondMs } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { handClock } from "../builders.ts";

type Reply = { readonly status: number; readonly body: unknown } | "cut";
const secretOf = (SecretString: string): Reply => ({ status: 200, body: { Name: "onthedot-test-admin-key", SecretString } });
const fault = (status: number, type: string): Reply => ({ status, body: { __type: type, message: "as told" } });

let server: Server;
let endpoint: string;
let reply: Reply;
let asked: unknown[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push([request.headers["x-amz-target"], JSON.parse(body)]);
    if (reply === "cut") request.socket.destroy();
    else response.writeHead(reply.status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(reply.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = [];
  reply = secretOf("0123456789abcdef");
});

function open(at = endpoint) {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new SecretsManagerClient({ endpoint: at, region: "eu-central-1", credentials, maxAttempts: 1 });
  const clock = handClock();
  return { clock, read: createAdminKey({ client, secret: "onthedot-test-admin-key", clock }) };
}

describe("the admin key", () => {
  it("is the secret's string behind the prefix of keys, and lists are signed by something else", async () => {
    const { key, cursorKey } = await open().read();
    expect(key).toBe("otd_0123456789abcdef");
    expect(Buffer.from(cursorKey).toString()).not.toContain("0123456789abcdef");
    expect(asked).toEqual([["secretsmanager.GetSecretValue", { SecretId: "onthedot-test-admin-key" }]]);
  });

  it("signs lists alike in every instance of the function, and otherwise once it has changed", async () => {
    const [one, other] = [await open().read(), await open().read()];
    expect(Buffer.from(one.cursorKey).equals(other.cursorKey)).toBe(true);
    reply = secretOf("another");
    expect(Buffer.from(one.cursorKey).equals((await open().read()).cursorKey)).toBe(false);
  });

  it("that was changed by hand is taken up after five minutes, and not before", async () => {
    const { clock, read } = open();
    const seen: AdminKey[] = [await read()];
    reply = secretOf("another");
    clock.turn(5 * minuteMs - 1);
    seen.push(await read());
    expect(asked).toHaveLength(1);
    clock.turn(1);
    seen.push(await read(), await read());
    expect(seen.map(({ key }) => key)).toEqual(["otd_0123456789abcdef", "otd_0123456789abcdef", "otd_another", "otd_another"]);
    expect(asked).toHaveLength(2);
  });
});

describe("while Secrets Manager does not answer", () => {
  const outages: [string, Reply][] = [
    ["is throttled", fault(400, "ThrottlingException")],
    ["is not well", fault(500, "InternalServiceError")],
    ["answers half", "cut"],
  ];

  it.each(outages)("(it %s) there is no first key: an outage", async (_, failure) => {
    reply = failure;
    await expect(open().read()).rejects.toBeInstanceOf(OutageError);
  });

  it.each(outages)("(it %s) the key of five minutes ago is good on, until there is another", async (_, failure) => {
    const { clock, read } = open();
    await read();
    reply = failure;
    clock.turn(60 * minuteMs);
    expect((await read()).key).toBe("otd_0123456789abcdef");
    reply = secretOf("another");
    clock.turn(30 * secondMs);
    expect((await read()).key).toBe("otd_another");
  });

  it.each(outages)("(it %s) one request in thirty seconds asks, and the others do not wait for it", async (_, failure) => {
    const { clock, read } = open();
    await read();
    reply = failure;
    clock.turn(5 * minuteMs);
    for (const [turnedMs, requests] of [
      [0, 2],
      [30 * secondMs - 1, 2],
      [1, 3],
      [1, 3],
    ] as const) {
      clock.turn(turnedMs);
      expect((await read()).key).toBe("otd_0123456789abcdef");
      expect(asked).toHaveLength(requests);
    }
  });

  it("the thirty seconds begin when the asking has failed, however long that took", async () => {
    const clock = handClock();
    let outcome: "answers" | "fails" = "answers";
    let askings = 0;
    const send = async () => {
      askings += 1;
      if (outcome === "answers") return { SecretString: "0123456789abcdef" };
      clock.turn(9 * secondMs);
      throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
    };
    const client = { send } as unknown as SecretsManagerClient;
    const read = createAdminKey({ client, secret: "onthedot-test-admin-key", clock });
    await read();
    outcome = "fails";
    clock.turn(5 * minuteMs);
    await read();
    clock.turn(30 * secondMs - 1);
    await read();
    expect(askings).toBe(2);
    clock.turn(1);
    await read();
    expect(askings).toBe(3);
  });

  it("because nobody listens there: an outage", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(open(`http://127.0.0.1:${port}`).read()).rejects.toBeInstanceOf(OutageError);
  });
});

describe("a key that cannot be read as things are set up", () => {
  it.each([
    ["AccessDeniedException", fault(400, "AccessDeniedException")],
    ["ResourceNotFoundException", fault(400, "ResourceNotFoundException")],
    ["DecryptionFailure", fault(400, "DecryptionFailure")],
  ])("(%s) is told in one line with the action, also where there was a key before", async (name, failure) => {
    const { clock, read } = open();
    await read();
    clock.turn(5 * minuteMs);
    reply = failure;
    const refused = read();
    await expect(refused).rejects.toThrow(
      new RegExp(`^expected to read the admin key by secretsmanager:GetSecretValue: ${name}: as told$`),
    );
    await expect(refused).rejects.not.toBeInstanceOf(OutageError);
  });

  it.each([
    ["no string", { SecretBinary: "AAEC" }],
    ["an empty string", { SecretString: "" }],
  ])("(%s) is told by the secret's name", async (_, body) => {
    reply = { status: 200, body };
    await expect(open().read()).rejects.toThrow(/^expected the admin key in the secret onthedot-test-admin-key, and it is empty$/);
  });
});
