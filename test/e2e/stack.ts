/** A deployed stack as the suite's subject, and the handles by which a test gets at its parts: queues, mappings, ticks, functions. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { GetScheduleCommand, SchedulerClient, UpdateScheduleCommand } from "@aws-sdk/client-scheduler";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetQueueUrlCommand, PurgeQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { nameOf } from "../../infra/names.ts";
import { shardOf } from "../../src/core/hint.ts";
import { jobIdOfKey, soleTenant } from "../../src/core/ids.ts";
import type { Priority } from "../../src/core/job.ts";
import { parseDuration, secondMs } from "../../src/core/time.ts";
import { type Deployed, receiverHost } from "../aws/place.ts";
import { clientOf, pause, type Subject, until } from "./subject.ts";
import { startTargets, type Targets } from "./targets.ts";

const patienceMs = 120_000;
/** Each question is a function that runs: asked more often, they would be what the place is busy with. */
const pollMs = 700;

export const deployed = readDeployed();
const { outputs, place, stage } = deployed;

export const tickMs = durationOf(place.tick);
/** Further ahead than any hint is sent by whoever commits: left to the turn. */
export const beyondHintsMs = durationOf(place.lookahead) + tickMs + 3 * secondMs;
/** Until a turn has come, its hints have arrived, and executors have started: some ticks, and some seconds of a busy machine. */
export const turnMsMax = 3 * tickMs + 15 * secondMs;

export const clients = {
  dynamo: new DynamoDBClient({}),
  lambda: new LambdaClient({}),
  scheduler: new SchedulerClient({}),
  secrets: new SecretsManagerClient({}),
  sqs: new SQSClient({}),
};

let targets: Targets;
let key: string;

/** To be open before the first test asks the subject for anything. */
export async function openStack(): Promise<void> {
  const { SecretString } = await clients.secrets.send(new GetSecretValueCommand({ SecretId: outputs["AdminKeySecret"] }));
  key = `otd_${SecretString}`;
  targets = await startTargets(receiverHost(process.env));
}

export function closeStack(): Promise<void> {
  return targets.close();
}

export const stack: Subject = {
  baseUrl,
  headers: () => ({ authorization: `Bearer ${key}` }),
  fetch: gated(place.requestsMax),
  targetUrl: () => targets.targetUrl,
  calls: (jobId) => targets.calls(jobId),
  recorderUrl: () => targets.recorderUrl,
  recorded: (jobId) => targets.recorded(jobId),
  latenessMsMax: place.latenessMsMax,
  soonMs: place.soonMs,
  patienceMs,
  pollMs,
  counts: "elsewhere",
};

/** What answers 503 says itself that the same request is to be sent again; so often it is, a little later each time. */
const unavailableMax = 4;

async function patiently(...request: Parameters<typeof fetch>): Promise<Response> {
  for (let count = 1; ; count++) {
    const response = await fetch(...request);
    if (response.status !== 503 || count === unavailableMax) return response;
    await response.body?.cancel();
    await pause(count * secondMs);
  }
}

/** No more than so many at once: where functions are processes of one machine, each request that finds none idle starts one. */
function gated(requestsMax: number): typeof fetch {
  let free = requestsMax;
  const waiting: (() => void)[] = [];
  return async (...request) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await patiently(...request);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/** As many functions as a busy minute leaves behind: a cold start is AWS's matter, and on this machine takes as long as its cores take. */
export async function warm(): Promise<void> {
  const { create, ended, send } = clientOf(stack);
  await Promise.all(Array.from({ length: place.requestsMax }, () => send("GET", "/v1/health")));
  const jobs = await Promise.all(Array.from({ length: place.executorsMax }, () => create("/delay/2s")));
  await Promise.all(jobs.map(({ id }) => ended(id)));
}

function readDeployed(): Deployed {
  const text = process.env["ONTHEDOT_E2E"];
  if (text === undefined) throw new Error("expected ONTHEDOT_E2E to say what is deployed: run this by `npm run e2e:aws`");
  return JSON.parse(text) as Deployed;
}

function durationOf(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new Error(`expected a duration, got ${text}`);
  return durationMs;
}

function baseUrl(): string {
  const url = outputs["ApiUrl"] ?? "";
  if (!place.servesApiByPath) return url.replace(/\/$/, "");
  const [, id] = /^https?:\/\/(\w+)\./.exec(url) ?? [];
  return `${deployed.endpoint}/_aws/execute-api/${id}/$default`;
}

export const doors = ["api", "dispatcher", "executor", "undertaker", "reconcile"] as const;
export type DoorName = (typeof doors)[number];

export function functionName(name: DoorName): string {
  return nameOf(stage, name);
}

/**
 * What the functions called an error, by their own logs. Of an emulator, whose logs can be asked for without a signature; of a real
 * account the alarms tell.
 */
export async function errorLines(name: DoorName): Promise<readonly string[]> {
  if (deployed.endpoint === null) return [];
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "Logs_20140328.FilterLogEvents",
    authorization: `AWS4-HMAC-SHA256 Credential=test/20270101/${process.env["AWS_REGION"]}/logs/aws4_request, SignedHeaders=host, Signature=0`,
  };
  const body = JSON.stringify({ logGroupName: `/aws/lambda/${functionName(name)}`, filterPattern: '"ERROR"', limit: 10_000 });
  const answer = await fetch(deployed.endpoint, { method: "POST", headers, body });
  const { events } = (await answer.json()) as { events: readonly { readonly message: string }[] };
  return events.map(({ message }) => message).filter((message) => message.includes('"level":"ERROR"'));
}

export type QueueName = Priority | `${Priority}-dead`;

export async function queueUrl(name: QueueName): Promise<string> {
  const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: nameOf(stage, name) }));
  if (QueueUrl === undefined) throw new Error(`expected a queue ${name}`);
  return QueueUrl;
}

export async function sendText(name: QueueName, text: string): Promise<void> {
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: await queueUrl(name), MessageBody: text }));
}

/** As if every hint of that priority had been lost. */
export async function loseHints(priority: Priority): Promise<void> {
  await clients.sqs.send(new PurgeQueueCommand({ QueueUrl: await queueUrl(priority) }));
}

/** Whether executors are woken by the queue. Returns once it holds. */
export async function setExecutors(priority: Priority, isOn: boolean): Promise<void> {
  const { EventSourceMappings } = await clients.lambda.send(new ListEventSourceMappingsCommand({ FunctionName: functionName("executor") }));
  const mapping = EventSourceMappings?.find(({ EventSourceArn }) => EventSourceArn?.endsWith(`:${nameOf(stage, priority)}`));
  await clients.lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping?.UUID, Enabled: isOn }));
  const state = isOn ? "Enabled" : "Disabled";
  const look = async () => {
    const { EventSourceMappings: all } = await clients.lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: functionName("executor") }),
    );
    return all?.find(({ UUID }) => UUID === mapping?.UUID)?.State === state ? true : undefined;
  };
  await until(`the executors of ${priority} to be ${state}`, look, stack);
}

/** Whether the base tick comes. By the platform, as an operator's slip or an outage would have it; not by the plan. */
export async function setBaseTick(isOn: boolean): Promise<void> {
  const name = { Name: "tick", GroupName: outputs["TickGroup"] };
  const { ScheduleExpression, ScheduleExpressionTimezone, Target, FlexibleTimeWindow } = await clients.scheduler.send(
    new GetScheduleCommand(name),
  );
  const rest = { ScheduleExpression, ScheduleExpressionTimezone, Target, FlexibleTimeWindow };
  await clients.scheduler.send(new UpdateScheduleCommand({ ...name, ...rest, State: isOn ? "ENABLED" : "DISABLED" }));
}

/** Keys whose jobs stand on that shard. New ones for each run: a key must not meet its own past. */
export function keysOfShard(shard: number, count: number): string[] {
  const keys: string[] = [];
  for (let index = 0; keys.length < count; index++) {
    const key = `${process.pid}-${Date.now()}-${index}`;
    if (shardOf(jobIdOfKey(soleTenant, key), deployed.shards) === shard) keys.push(key);
  }
  return keys;
}
