/** The environment of each function as the stack sets it, for whatever starts one outside Lambda. */

export type DoorName = "api" | "dispatcher" | "executor" | "undertaker" | "reconcile";
export type Environment = Readonly<Record<string, string>>;

const account = "eu-central-1:111122223333";
const queueUrl = (priority: string) => `https://sqs.eu-central-1.amazonaws.com/111122223333/onthedot-test-${priority}`;

const everywhere: Environment = {
  ONTHEDOT_STAGE: "test",
  ONTHEDOT_TABLE: "onthedot-test",
  ONTHEDOT_SHARDS: "64",
  ONTHEDOT_LOOKAHEAD: "5m",
  ONTHEDOT_TICK: "1m",
  ONTHEDOT_MAX_TIMEOUT: "2m",
  ONTHEDOT_RETENTION: "30d",
  ONTHEDOT_KEEP_RESPONSES: "failures",
  ONTHEDOT_LOG: "info",
  POWERTOOLS_METRICS_NAMESPACE: "onthedot",
  AWS_REGION: "eu-central-1",
};

const queues: Environment = {
  ONTHEDOT_QUEUE_CRITICAL: queueUrl("critical"),
  ONTHEDOT_QUEUE_HIGH: queueUrl("high"),
  ONTHEDOT_QUEUE_NORMAL: queueUrl("normal"),
  ONTHEDOT_QUEUE_LOW: queueUrl("low"),
};

const own: Readonly<Record<DoorName, Environment>> = {
  api: {
    ...queues,
    ONTHEDOT_ALLOW_TARGETS: "",
    ONTHEDOT_ADMIN_KEY_SECRET: "onthedot-test-admin-key",
    ONTHEDOT_AUTH: "key",
    ONTHEDOT_RECONCILE: "onthedot-test-reconcile",
  },
  dispatcher: queues,
  executor: { ...queues, ONTHEDOT_ALLOW_TARGETS: "", ONTHEDOT_EXECUTOR_TIMEOUT: "3m", ONTHEDOT_VISIBILITY: "18m" },
  undertaker: {},
  reconcile: {
    ONTHEDOT_TICK_GROUP: "onthedot-test",
    ONTHEDOT_DISPATCHER_ARN: `arn:aws:lambda:${account}:function:onthedot-test-dispatcher`,
    ONTHEDOT_TICK_ROLE_ARN: "arn:aws:iam::111122223333:role/onthedot-test-tick",
    ONTHEDOT_TICK_DLQ_ARN: `arn:aws:sqs:${account}:onthedot-test-ticks-dead`,
  },
};

export const doorNames = Object.keys(own) as readonly DoorName[];

export function environmentOf(door: DoorName): Environment {
  return { ...everywhere, ...own[door], POWERTOOLS_SERVICE_NAME: door };
}

/** What Lambda tells of an invocation. */
export function contextOf(door: DoorName, remainingMs = 180_000) {
  const functionName = `onthedot-test-${door}`;
  return {
    ...{ awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", functionName, functionVersion: "$LATEST", memoryLimitInMB: "512" },
    ...{ invokedFunctionArn: `arn:aws:lambda:${account}:function:${functionName}`, callbackWaitsForEmptyEventLoop: true },
    ...{ logGroupName: `/aws/lambda/${functionName}`, logStreamName: "2027/01/01/[$LATEST]58419525dade4d17a495dceeeed44708" },
    getRemainingTimeInMillis: () => remainingMs,
    // Of the callbacks of old; the types of today still ask for them.
    ...{ done: () => {}, fail: () => {}, succeed: () => {} },
  };
}
