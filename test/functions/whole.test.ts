/**
 * The real functions, as Lambda would start them, on a DynamoDB and an SQS within this process and a target on loopback: what one
 * leaves behind, the next one finds. Nothing here is ours but the events that AWS would make.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse } from "aws-lambda";
import { buildApp } from "fauxqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Receiver, startReceiver } from "../../local/receiver.ts";
import { priorities } from "../../src/core/job.ts";
import { later, minuteMs, toEpochMs } from "../../src/core/time.ts";
import { createDynamoStore } from "../../src/store/dynamo/store.ts";
import { createTable } from "../../src/store/dynamo/table.ts";
import { nextJobId, waitingJob } from "../builders.ts";
import { type Database, startDynalite } from "../store/dynalite.ts";
import { contextOf, type DoorName } from "./environment.ts";
import { httpEvent } from "./httpEvents.ts";
import { stubEnvironment, writtenBy } from "./instance.ts";
import { sqsRecord } from "./sqsEvents.ts";

const adminKey = "otd_0123456789abcdef0123456789abcdef";

type Answered = { readonly statusCode: number; readonly headers: Record<string, string>; readonly body: string };
type Handle = (event: unknown, context: ReturnType<typeof contextOf>) => Promise<unknown>;

let database: Database;
let queues: Awaited<ReturnType<typeof openQueues>>;
let secrets: Server;
let receiver: Receiver;
const handlers: Partial<Record<DoorName, Handle>> = {};
/** What the functions wrote to their logs while a test ran. */
let lines: Record<string, unknown>[];

const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const portOf = async (client: Database["client"]) => (await client.config.endpoint?.())?.port;

async function openQueues() {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const client = new SQSClient({
    ...{ endpoint, region: "eu-central-1", credentials: { accessKeyId: "test", secretAccessKey: "test" }, useQueueUrlAsEndpoint: false },
  });
  const urls: Record<string, string> = {};
  for (const priority of priorities) {
    const { QueueUrl = "" } = await client.send(new CreateQueueCommand({ QueueName: `onthedot-test-${priority}` }));
    // The host in it resolves to loopback on some machines only.
    urls[priority] = `${endpoint}${new URL(QueueUrl).pathname}`;
  }
  return { app, client, endpoint, urls };
}

/** Secrets Manager, as far as anybody asks it. */
async function openSecrets(): Promise<Server> {
  const server = createServer((request, response) => {
    const isAsked = request.headers["x-amz-target"] === "secretsmanager.GetSecretValue";
    response.writeHead(isAsked ? 200 : 400, { "content-type": "application/x-amz-json-1.1" });
    request.resume().on("end", () => response.end(JSON.stringify({ SecretString: adminKey.slice(4) })));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** What the stack sets, but for where AWS is. */
async function environment(): Promise<Record<string, string>> {
  const url = (priority: string) => queues.urls[priority] ?? "";
  return {
    ...{ ONTHEDOT_SHARDS: "2", ONTHEDOT_ALLOW_TARGETS: "127.0.0.0/8", ONTHEDOT_TABLE: database.tableName, ONTHEDOT_LOG: "debug" },
    ...{ ONTHEDOT_QUEUE_CRITICAL: url("critical"), ONTHEDOT_QUEUE_HIGH: url("high") },
    ...{ ONTHEDOT_QUEUE_NORMAL: url("normal"), ONTHEDOT_QUEUE_LOW: url("low") },
    ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_SESSION_TOKEN: "" },
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${await portOf(database.client)}`,
    AWS_ENDPOINT_URL_SQS: queues.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: addressOf(secrets),
  };
}

const sources = {
  api: () => import("../../functions/api.ts"),
  dispatcher: () => import("../../functions/dispatcher.ts"),
  executor: () => import("../../functions/executor.ts"),
};

/** The module as a new instance of the function has it. */
async function start(door: keyof typeof sources, more: Record<string, string> = {}): Promise<Handle> {
  vi.resetModules();
  stubEnvironment(door, { ...(await environment()), ...more });
  return (await sources[door]()).handler as Handle;
}

beforeAll(async () => {
  [database, queues, secrets] = await Promise.all([startDynalite(), openQueues(), openSecrets()]);
  const started = await startReceiver({ port: 0, log: Object.assign(() => {}, { isOn: () => false }) });
  if (started.kind !== "listening") throw new Error("expected a free port for the receiver");
  receiver = started;
  for (const door of ["api", "dispatcher", "executor"] as const) handlers[door] = await start(door);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  secrets.closeAllConnections();
  await Promise.all([receiver.close(), database.close(), queues.app.close(), new Promise((resolve) => secrets.close(resolve))]);
});
beforeEach(async () => {
  lines = [];
  for (const url of Object.values(queues.urls)) await queues.client.send(new PurgeQueueCommand({ QueueUrl: url }));
});

/** One invocation, as Lambda makes it. */
async function invoke(door: DoorName, event: unknown, handler = handlers[door]): Promise<unknown> {
  let answer: unknown;
  const written = await writtenBy(async () => {
    // What arrives is JSON, and so is what goes back.
    answer = await handler?.(JSON.parse(JSON.stringify(event)), contextOf(door));
  });
  lines.push(...written);
  return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
}

const withKey = { authorization: `Bearer ${adminKey}`, "content-type": "application/json" };

async function ask(method: string, path: string, body?: unknown, handler?: Handle) {
  const given = body === undefined ? { headers: withKey } : { headers: withKey, body: JSON.stringify(body) };
  const answered = (await invoke("api", httpEvent(method, path, given), handler)) as Answered;
  return { status: answered.statusCode, body: JSON.parse(answered.body) };
}

async function receive(priority = "normal"): Promise<Message[]> {
  const request = new ReceiveMessageCommand({ QueueUrl: queues.urls[priority], MaxNumberOfMessages: 10 });
  return (await queues.client.send(request)).Messages ?? [];
}

/** As the mapping does it: the event, and what is done with is deleted. */
async function execute(received: readonly Message[], priority = "normal"): Promise<SQSBatchResponse> {
  const records = received.map(({ MessageId = "", ReceiptHandle = "", Body = "" }) => ({
    ...sqsRecord({ messageId: MessageId, body: Body, queue: `onthedot-test-${priority}` }),
    receiptHandle: ReceiptHandle,
  }));
  const answer = (await invoke("executor", { Records: records })) as SQSBatchResponse;
  const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  for (const { MessageId = "", ReceiptHandle } of received) {
    if (!failed.has(MessageId)) await queues.client.send(new DeleteMessageCommand({ QueueUrl: queues.urls[priority], ReceiptHandle }));
  }
  return answer;
}

const callsOf = (id: string) => receiver.calls().filter(({ jobId }) => jobId === id);
const metricsOf = (name: string) => lines.filter((line) => "_aws" in line && name in line);

describe("a job that is due now", () => {
  it("is taken by the api, hinted, called by the executor, and seen to have succeeded", async () => {
    const created = await ask("POST", "/v1/jobs", { target: { url: `${receiver.url}/ok` }, body: { order: 17 } });
    expect([created.status, created.body.state]).toEqual([201, "waiting"]);
    const received = await receive();
    expect(received).toHaveLength(1);
    expect(await execute(received)).toEqual({ batchItemFailures: [] });
    expect(callsOf(created.body.id)).toMatchObject([{ method: "POST", attempt: 1, bytes: 12 }]);
    const { body: job } = await ask("GET", `/v1/jobs/${created.body.id}`);
    expect(job).toMatchObject({ state: "succeeded", attemptCount: 1, attempts: [{ outcome: "done", because: "status_200" }] });
    expect((await ask("GET", "/v1/jobs?state=succeeded")).body.data).toMatchObject([{ id: job.id }]);
    // What the alarms look at.
    expect(metricsOf("Created")).toMatchObject([{ service: "api", stage: "test", Created: 1 }]);
    expect(metricsOf("LatenessMs")).toMatchObject([{ service: "executor", stage: "test", Calls: 1, Jobs: 1 }]);
    expect(metricsOf("Jobs")).toContainEqual(expect.objectContaining({ because: "succeeded", Jobs: 1 }));
  });

  it("and is answered by a 503 waits for its retry, whose hint is sent", async () => {
    const { body: created } = await ask("POST", "/v1/jobs", {
      target: { url: `${receiver.url}/status/503` },
      retry: { minBackoff: "100ms", jitter: false },
    });
    await execute(await receive());
    const { body: job } = await ask("GET", `/v1/jobs/${created.id}`);
    expect(job).toMatchObject({ state: "waiting", because: "retried", attempts: [{ because: "status_503" }] });
    const retry = await receive();
    expect(retry).toHaveLength(1);
    expect(await execute(retry)).toEqual({ batchItemFailures: [] });
    expect(callsOf(created.id).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it("goes into the queue of its priority", async () => {
    const { body: created } = await ask("POST", "/v1/jobs", { target: { url: `${receiver.url}/ok` }, priority: "critical" });
    expect(await receive("normal")).toEqual([]);
    expect(await execute(await receive("critical"), "critical")).toEqual({ batchItemFailures: [] });
    expect(callsOf(created.id)).toHaveLength(1);
  });

  it("carries the invocation's id in each line of the log, and no secret", async () => {
    await ask("POST", "/v1/jobs", { target: { url: `${receiver.url}/ok?token=hidden`, headers: { authorization: "Bearer hidden-too" } } });
    await execute(await receive());
    const told = lines.filter((line) => "level" in line);
    expect(told.length).toBeGreaterThan(1);
    for (const line of told) expect(line).toMatchObject({ function_request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", stage: "test" });
    expect(JSON.stringify(lines)).not.toMatch(/hidden|0123456789abcdef0123456789abcdef/);
  });
});

describe("a job whose message was lost", () => {
  /** A minute ago somebody made it and died, or its message did. */
  async function lostJob() {
    const now = () => toEpochMs(Date.now());
    const createdAt = later(now(), -minuteMs);
    const onUnreadable = () => {};
    const store = createDynamoStore({
      table: createTable({ client: database.client, name: database.tableName }),
      now,
      shards: 2,
      onUnreadable,
    });
    const job = waitingJob({ id: nextJobId(createdAt), createdAt, target: { url: `${receiver.url}/ok`, method: "POST", headers: {} } });
    await store.insert(job);
    return job;
  }

  it("is found by the next tick's turn, and called", async () => {
    const job = await lostJob();
    expect(await receive()).toEqual([]);
    expect(await invoke("dispatcher", { range: 0 })).toEqual({ kind: "turned", range: 0 });
    expect(metricsOf("Ticks")).toMatchObject([{ service: "dispatcher", stage: "test", Ticks: 1, Stretches: expect.any(Number) }]);
    const [{ OldestDueMs } = {}] = metricsOf("OldestDueMs") as { OldestDueMs?: number }[];
    expect(OldestDueMs).toBeGreaterThanOrEqual(minuteMs);
    expect(await execute(await receive())).toEqual({ batchItemFailures: [] });
    expect(callsOf(job.id)).toHaveLength(1);
    expect((await ask("GET", `/v1/jobs/${job.id}`)).body).toMatchObject({ state: "succeeded", attemptCount: 1 });
    // The next tick finds nothing more to do.
    await invoke("dispatcher", { range: 0 });
    expect(await receive()).toEqual([]);
  });

  it("shows in the plan of the ticks when the last one came", async () => {
    await invoke("dispatcher", { range: 0 });
    const { status, body } = await ask("GET", "/v1/ticks");
    expect([status, body.ranges, body.shards]).toEqual([200, 1, 2]);
    expect(Date.now() - Date.parse(body.ticks[0].lastTickAt)).toBeLessThan(30_000);
    expect((await ask("GET", "/v1/health")).body).toMatchObject({ status: "ok", checks: { store: "ok", clock: "ok" } });
  });
});

describe("a message that is no hint", () => {
  it("is failed to its queue and stays hidden for seconds, while the others are handled", async () => {
    // As long as may be drawn: however slow this machine is, it does not show again meanwhile.
    vi.spyOn(Math, "random").mockReturnValue(0.99);
    const { body: created } = await ask("POST", "/v1/jobs", { target: { url: `${receiver.url}/ok` } });
    const { MessageId: itemIdentifier } = await queues.client.send(
      new SendMessageCommand({ QueueUrl: queues.urls["normal"], MessageBody: '{"password":"hidden"}' }),
    );
    expect(await execute(await receive())).toEqual({ batchItemFailures: [{ itemIdentifier }] });
    expect(callsOf(created.id)).toHaveLength(1);
    expect(await receive()).toEqual([]);
    const { Attributes } = await queues.client.send(
      new GetQueueAttributesCommand({ QueueUrl: queues.urls["normal"], AttributeNames: ["ApproximateNumberOfMessagesNotVisible"] }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessagesNotVisible: "1" });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "WARN", message: `the message ${itemIdentifier} is no hint, and is left to the dead letter queue` }),
    );
    expect(JSON.stringify(lines)).not.toContain("hidden");
  });
});

describe("while this machine's clock is off", () => {
  /** Node says the real time in its own answers, so the table's are right. By less than the grace: no hint is dropped for its age. */
  const setClock = (aheadMs: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + aheadMs });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ["ahead", 20_000],
    ["behind", -20_000],
  ])("(%s) nobody takes work; and everybody does once it is right again", async (word, aheadMs) => {
    const { body: created } = await ask("POST", "/v1/jobs", { target: { url: `${receiver.url}/ok` } });
    const received = await receive();
    setClock(aheadMs);
    expect((await execute(received)).batchItemFailures).toHaveLength(1);
    await expect(invoke("dispatcher", { range: 0 })).rejects.toMatchObject({
      name: "OutageError",
      message: expect.stringMatching(new RegExp(`^expected a clock within 3000 ms of the store's, and it is \\d+ ms ${word}$`)),
    });
    expect(await ask("GET", `/v1/jobs/${created.id}`)).toMatchObject({ status: 503 });
    // Nor is one taken, although a write of it would read nothing.
    expect(await ask("POST", "/v1/jobs", { target: { url: `${receiver.url}/ok` } })).toMatchObject({ status: 503 });
    expect(callsOf(created.id)).toEqual([]);
    vi.useRealTimers();
    expect(await execute(received)).toEqual({ batchItemFailures: [] });
    expect(callsOf(created.id)).toHaveLength(1);
    expect((await ask("GET", `/v1/jobs/${created.id}`)).body).toMatchObject({ state: "succeeded", attemptCount: 1 });
    expect(await invoke("dispatcher", { range: 0 })).toEqual({ kind: "turned", range: 0 });
  });
});

describe("the api", () => {
  it("asks for the key that Secrets Manager holds", async () => {
    const answered = (await invoke("api", httpEvent("GET", "/v1/jobs"))) as Answered;
    expect(answered.statusCode).toBe(401);
  });

  it("asks for none where API Gateway judges every request", async () => {
    const judged = await start("api", { ONTHEDOT_AUTH: "iam" });
    const answered = (await invoke("api", httpEvent("GET", "/v1/jobs"), judged)) as Answered;
    expect(answered.statusCode).toBe(200);
  });

  it("is outaged, not broken, while the table does not answer", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const AWS_ENDPOINT_URL_DYNAMODB = addressOf(closed);
    await new Promise((resolve) => closed.close(resolve));
    const cutOff = await start("api", { AWS_ENDPOINT_URL_DYNAMODB });
    expect(await ask("GET", "/v1/jobs", undefined, cutOff)).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(metricsOf("Outages")).toMatchObject([{ service: "api", Outages: 1 }]);
  });

  it("of a stack without its table says so in one line of the log, and not to the caller", async () => {
    const homeless = await start("api", { ONTHEDOT_TABLE: "onthedot-elsewhere" });
    const { status, body } = await ask("GET", "/v1/jobs", undefined, homeless);
    expect([status, body.code]).toEqual([500, "internal"]);
    const [told] = lines.filter(({ level }) => level === "ERROR");
    expect(told).toMatchObject({
      cause: { message: expect.stringMatching(/^expected the table that ONTHEDOT_TABLE names, and there is none/) },
    });
  });
});
