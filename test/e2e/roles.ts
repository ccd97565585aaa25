/** What each function's role may and must not do, tried against the platform's own judgement with the credentials of that role. */

import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DeleteScheduleCommand, GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { houseKeys, table } from "../../src/store/keys.ts";
import { clients, type DoorName, deployed, functionName, queueUrl } from "./stack.ts";

const { outputs, endpoint } = deployed;
const TableName = outputs["TableName"];
const GroupName = outputs["TickGroup"];

/** Credentials of a function's role, from STS as any principal that may assume it gets them. */
async function assume(name: DoorName) {
  const { Role } = await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName(name) }));
  const body = new URLSearchParams({ Action: "AssumeRole", Version: "2011-06-15", RoleArn: Role ?? "", RoleSessionName: "e2e" });
  // The emulator's root is known by its key alone.
  const authorization = "AWS4-HMAC-SHA256 Credential=test/20270101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0";
  const text = await (await fetch(endpoint ?? "", { method: "POST", headers: { authorization }, body })).text();
  const part = (tag: string) => {
    const [, found] = new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(text) ?? [];
    if (found === undefined) throw new Error(`expected ${tag} of ${Role}, got ${text}`);
    return found;
  };
  return { accessKeyId: part("AccessKeyId"), secretAccessKey: part("SecretAccessKey"), sessionToken: part("SessionToken") };
}

const jobKey = { pk: { S: "main#job_00000000000000000000000000" }, sk: { S: "job" } };
const ticksKey = { pk: { S: houseKeys.ticks }, sk: { S: "plan" } };
const setX = { UpdateExpression: "SET x = :x", ExpressionAttributeValues: { ":x": { N: "1" } } };

function queryOf(index: keyof typeof table.indexes): QueryCommand {
  const { name, partitionKey } = table.indexes[index];
  return new QueryCommand({
    ...{ TableName, IndexName: name, KeyConditionExpression: "#p = :p" },
    ...{ ExpressionAttributeNames: { "#p": partitionKey }, ExpressionAttributeValues: { ":p": { S: "none" } } },
  });
}

/** Everything that is tried, by the name under which a case speaks of it. None of it changes anything that counts. */
export async function actionsAs(name: DoorName) {
  const credentials = await assume(name);
  const dynamo = new DynamoDBClient({ credentials });
  const sqs = new SQSClient({ credentials });
  const scheduler = new SchedulerClient({ credentials });
  const lambda = new LambdaClient({ credentials });
  const secrets = new SecretsManagerClient({ credentials });
  const QueueUrl = await queueUrl("low");
  const update = (pk: string) => dynamo.send(new UpdateItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: "e2e" } }, ...setX }));
  const put = (pk: string) => dynamo.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, sk: { S: "e2e" } } }));
  const actions = {
    "read a job": () => dynamo.send(new GetItemCommand({ TableName, Key: jobKey })),
    "read many jobs": () => dynamo.send(new BatchGetItemCommand({ RequestItems: { [TableName ?? ""]: { Keys: [jobKey] } } })),
    "read the plan of the ticks": () => dynamo.send(new GetItemCommand({ TableName, Key: ticksKey })),
    "write a job": () => put("main#e2e"),
    "change a job": () => update("main#e2e"),
    "delete a job": () => dynamo.send(new DeleteItemCommand({ TableName, Key: jobKey })),
    "write a cursor": () => update(`${houseKeys.cursor}e2e`),
    "record a dead letter": () => put(`${houseKeys.deadLetter}e2e`),
    "read the wheel": () => dynamo.send(queryOf("wheel")),
    "read the list": () => dynamo.send(queryOf("list")),
    "read the failures": () => dynamo.send(queryOf("failures")),
    "scan the table": () => dynamo.send(new ScanCommand({ TableName, Limit: 1 })),
    "send a hint": () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "e2e", DelaySeconds: 900 })),
    "receive hints": () => sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 })),
    "show a hint again": () => sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: "none", VisibilityTimeout: 1 })),
    "look at a queue": () => sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] })),
    "purge a queue": () => sqs.send(new PurgeQueueCommand({ QueueUrl })),
    "list the schedules": () => scheduler.send(new ListSchedulesCommand({ GroupName })),
    "look at the base tick": () => scheduler.send(new GetScheduleCommand({ GroupName, Name: "tick" })),
    "delete the base tick": () => scheduler.send(new DeleteScheduleCommand({ GroupName, Name: "tick" })),
    "look for a further tick": () => scheduler.send(new GetScheduleCommand({ GroupName, Name: "range-9" })),
    "read the admin key": () => secrets.send(new GetSecretValueCommand({ SecretId: outputs["AdminKeySecret"] })),
    "wake the reconciler": () => lambda.send(new InvokeCommand({ FunctionName: functionName("reconcile"), Payload: '{"reconcile":true}' })),
    "wake an executor": () => lambda.send(new InvokeCommand({ FunctionName: functionName("executor"), Payload: "{}" })),
  } satisfies Record<string, () => Promise<unknown>>;
  return actions;
}

export type ActionName = keyof Awaited<ReturnType<typeof actionsAs>>;

/** "allowed" also where what was asked for is not there or makes no sense: whoever gets as far was let through. */
export async function judged(act: () => Promise<unknown>): Promise<"allowed" | "refused"> {
  try {
    await act();
    return "allowed";
  } catch (cause) {
    const { name } = cause as Error;
    if (/^AccessDenied/.test(name)) return "refused";
    if (["ResourceNotFoundException", "ReceiptHandleIsInvalid"].includes(name)) return "allowed";
    throw cause;
  }
}
