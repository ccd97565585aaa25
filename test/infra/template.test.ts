import { describe, expect, test } from "vitest";
import { deployedSpans, everywhere, readSettings, type SettingName } from "../../functions/settings.ts";
import { deadLetterOf } from "../../src/core/deadLetter.ts";
import { brokenSpans, dispatcherTimeoutMs, undertakerTimeoutMs } from "../../src/core/invocation.ts";
import { minuteMs, secondMs, toEpochMs } from "../../src/core/time.ts";
import { table as layout } from "../../src/store/keys.ts";
import { get, type Home, home, type Json, type Properties } from "./home.ts";

const dev = home();
const prod = home({ stage: "prod", maxTimeout: "14m", ranges: "20", shards: "128" });
const stages: [string, Home][] = [
  ["dev", dev],
  ["prod", prod],
];

const doors = ["api", "dispatcher", "executor", "reconcile", "undertaker"];
const priorities = ["critical", "high", "normal", "low"];
const resourceOf = (made: Home, type: string, pick: (properties: Properties) => boolean = () => true) =>
  made.resources.find(([, resource]) => resource.Type === type && pick(resource.Properties ?? {}))?.[1];

describe.each(stages)("the table of %s", (stage, made) => {
  const table = made.one("AWS::DynamoDB::Table", "TableName", `onthedot-${stage}`);

  test("has the keys, indexes and projections by which the stores read it", () => {
    const key = (partition: string, sort: string) => [
      { AttributeName: partition, KeyType: "HASH" },
      { AttributeName: sort, KeyType: "RANGE" },
    ];
    expect(table["KeySchema"]).toEqual(key(layout.partitionKey, layout.sortKey));
    expect(table["GlobalSecondaryIndexes"]).toEqual([
      {
        IndexName: "wheel",
        KeySchema: key("w", "at"),
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: [...layout.indexes.wheel.projects] },
      },
      { IndexName: "list", KeySchema: key("l", "c"), Projection: { ProjectionType: "KEYS_ONLY" } },
      { IndexName: "failures", KeySchema: key("f", "c"), Projection: { ProjectionType: "KEYS_ONLY" } },
    ]);
    const types = (table["AttributeDefinitions"] as readonly Properties[]).map((attribute) => attribute["AttributeType"]);
    expect(new Set(types)).toEqual(new Set(["S"]));
  });

  test("is paid by request, drops what has expired, and is not left without encryption", () => {
    expect(table["BillingMode"]).toBe("PAY_PER_REQUEST");
    expect(table["ProvisionedThroughput"]).toBeUndefined();
    expect(table["TimeToLiveSpecification"]).toEqual({ AttributeName: layout.expiry, Enabled: true });
    // DynamoDB encrypts what says nothing with a key of its own; only a key of somebody's can be asked for.
    expect(table["SSESpecification"]).toBeUndefined();
  });
});

test("the table of a production stage is recoverable, cannot be deleted, and outlives its stack; another's is gone with it", () => {
  const kept = (made: Home) => {
    const resource = resourceOf(made, "AWS::DynamoDB::Table");
    const { PointInTimeRecoverySpecification: recovery, DeletionProtectionEnabled: guarded } = resource?.Properties ?? {};
    return { recovery, guarded, deleted: resource?.["DeletionPolicy"], replaced: resource?.["UpdateReplacePolicy"] };
  };
  expect(kept(prod)).toEqual({
    recovery: { PointInTimeRecoveryEnabled: true },
    guarded: true,
    deleted: "Retain",
    replaced: "Retain",
  });
  expect(kept(dev)).toEqual({
    recovery: { PointInTimeRecoveryEnabled: false },
    guarded: false,
    deleted: "Delete",
    replaced: "Delete",
  });
});

describe.each(stages)("the queues of %s", (_stage, made) => {
  test("are encrypted, one a priority, each with a dead-letter queue, and one for ticks", () => {
    const names = [...made.all("AWS::SQS::Queue").keys()].map((id) => made.named({ Ref: id }));
    const expected = [...priorities.flatMap((priority) => [`queue:${priority}`, `queue:${priority}-dead`]), "queue:ticks-dead"];
    expect(names.toSorted()).toEqual(expected.toSorted());
    for (const queue of made.all("AWS::SQS::Queue").values()) expect(queue["SqsManagedSseEnabled"]).toBe(true);
  });

  test("give a message up after five receives, and keep it long enough to be looked at", () => {
    for (const priority of priorities) {
      const queue = made.queue(priority);
      expect(made.named(get(queue, "RedrivePolicy", "deadLetterTargetArn"))).toBe(`queue:${priority}-dead`);
      expect(get(queue, "RedrivePolicy", "maxReceiveCount")).toBe(5);
      const dead = made.queue(`${priority}-dead`);
      expect(Number(dead["MessageRetentionPeriod"])).toBe(14 * 24 * 3_600);
      expect(Number(dead["MessageRetentionPeriod"])).toBeGreaterThan(Number(queue["MessageRetentionPeriod"]));
      // A message that takes all its receives, each after its visibility, must not expire before.
      expect(Number(queue["MessageRetentionPeriod"])).toBeGreaterThan(5 * Number(queue["VisibilityTimeout"]));
      expect(Number(dead["VisibilityTimeout"])).toBeGreaterThanOrEqual(6 * Number(made.door("undertaker")["Timeout"]));
    }
  });

  test("hide a message six times as long as a function runs that has room for the longest call", () => {
    const environment = made.environment("executor");
    const functionSeconds = Number(made.door("executor")["Timeout"]);
    const settings = readSettings(environment as Record<string, string>, ["maxTimeoutMs", "executorTimeoutMs", "visibilityMs"]);
    expect(brokenSpans(deployedSpans(settings))).toEqual([]);
    expect(settings.executorTimeoutMs).toBe(functionSeconds * secondMs);
    expect(settings.maxTimeoutMs + 3 * secondMs).toBeLessThan(functionSeconds * secondMs);
    for (const priority of priorities) {
      expect(Number(made.queue(priority)["VisibilityTimeout"]) * secondMs).toBe(settings.visibilityMs);
      expect(Number(made.queue(priority)["VisibilityTimeout"])).toBeGreaterThanOrEqual(6 * functionSeconds);
    }
  });
});

test("a tick that nobody could be started for is told from a message of somebody else by the name of its queue", () => {
  const reason = (queue: string) =>
    deadLetterOf({ id: "1", receivedAt: toEpochMs(0), queue: `onthedot-dev-${queue}`, body: "", receives: 1 }, (text) => text).reason;
  expect(dev.queue("ticks-dead")["QueueName"]).toBe("onthedot-dev-ticks-dead");
  expect([reason("ticks-dead"), reason("normal-dead")]).toEqual(["tick_undelivered", "not_a_hint"]);
});

describe.each(stages)("the functions of %s", (stage, made) => {
  test("run on Graviton under Node 24, with memory and time of their own and a log that ends", () => {
    for (const name of doors) {
      const door = made.door(name);
      expect({ runtime: door["Runtime"], on: door["Architectures"], handler: door["Handler"] }).toEqual({
        runtime: "nodejs24.x",
        on: ["arm64"],
        handler: "index.handler",
      });
      expect(Number(door["MemorySize"])).toBeGreaterThan(128);
      expect(Number(door["Timeout"])).toBeGreaterThan(3);
      expect(made.named(get(door, "LoggingConfig", "LogGroup"))).toBe(`loggroup:/aws/lambda/onthedot-${stage}-${name}`);
      expect(door["VpcConfig"]).toBeUndefined();
    }
    for (const log of made.all("AWS::Logs::LogGroup").values()) expect(log["RetentionInDays"]).toBe(stage === "prod" ? 90 : 14);
    expect(made.all("AWS::Logs::LogGroup").size).toBe(doors.length + 1);
  });

  test("end before whoever waits for them gives up", () => {
    expect(Number(made.door("api")["Timeout"])).toBeLessThan(30);
    expect(dispatcherTimeoutMs).toBe(Number(made.door("dispatcher")["Timeout"]) * secondMs);
    expect(dispatcherTimeoutMs).toBeLessThan(minuteMs);
    expect(undertakerTimeoutMs).toBe(Number(made.door("undertaker")["Timeout"]) * secondMs);
    expect(Number(made.door("executor")["Timeout"])).toBeLessThanOrEqual(900);
  });

  test("only the executor may hint to itself more than sixteen times", () => {
    for (const name of doors) expect(made.door(name)["RecursiveLoop"]).toBe(name === "executor" ? "Allow" : undefined);
  });

  test("a failed tick is not tried again, and an old one is dropped; a deploy's request is not tried again after CloudFormation gave up", () => {
    const configs = [...made.all("AWS::Lambda::EventInvokeConfig").values()].map(
      ({ FunctionName: target, MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: age }) => ({
        target: made.named(target),
        retries,
        age,
      }),
    );
    expect(configs.toSorted((a, b) => a.target.localeCompare(b.target))).toEqual([
      { target: "function:dispatcher", retries: 0, age: 60 },
      { target: "function:reconcile", retries: 1, age: 120 },
    ]);
    const [deploy = {}] = made.all("Custom::OnTheDotTicks").values();
    expect(Number(deploy["ServiceTimeout"])).toBeGreaterThan(120);
  });

  test("mappings: one hint at a time to the executor, dead letters to the undertaker, each message's fate its own", () => {
    const mappings = [...made.all("AWS::Lambda::EventSourceMapping").values()].map((mapping) => ({
      line: `${made.named(mapping["EventSourceArn"])} -> ${made.named(mapping["FunctionName"])}, ${mapping["BatchSize"]} at once`,
      responses: mapping["FunctionResponseTypes"],
      concurrency: get(mapping, "ScalingConfig", "MaximumConcurrency"),
    }));
    expect(mappings.map(({ line }) => line).toSorted()).toEqual(
      [
        ...priorities.map((priority) => `queue:${priority} -> function:executor, 1 at once`),
        ...[...priorities, "ticks"].map((name) => `queue:${name}-dead -> function:undertaker, 10 at once`),
      ].toSorted(),
    );
    for (const mapping of mappings) expect(mapping.responses).toEqual(["ReportBatchItemFailures"]);
    for (const { concurrency, line } of mappings) expect(concurrency).toBe(line.includes("executor") ? 100 : 2);
  });
});

test("in production a flood of calls cannot take the dispatcher's place, nor the last of the account's; elsewhere nothing is reserved", () => {
  const reserved = (made: Home) => Object.fromEntries(doors.map((name) => [name, made.door(name)["ReservedConcurrentExecutions"]]));
  expect(reserved(dev)).toEqual(Object.fromEntries(doors.map((name) => [name, undefined])));
  // The executor's is what its mappings may use together: fewer would throttle hints that were received already.
  expect(reserved(prod)).toEqual({ api: 100, dispatcher: 40, executor: 400, reconcile: 2, undertaker: 10 });
  const sum = Object.values(reserved(prod)).reduce<number>((total, count) => total + Number(count), 0);
  expect(sum).toBeLessThanOrEqual(900);
});

/** What a function is told, references by what they stand for. */
function told(made: Home, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(made.environment(name)).map(([variable, value]) => [variable, made.named(value)]));
}

const common = (name: string) => ({
  ONTHEDOT_STAGE: "dev",
  ONTHEDOT_TABLE: "table:onthedot-dev",
  ONTHEDOT_SHARDS: "64",
  ONTHEDOT_LOOKAHEAD: "5m",
  ONTHEDOT_TICK: "1m",
  ONTHEDOT_MAX_TIMEOUT: "2m",
  ONTHEDOT_RETENTION: "30d",
  ONTHEDOT_KEEP_RESPONSES: "failures",
  ONTHEDOT_LOG: "info",
  POWERTOOLS_SERVICE_NAME: name,
  POWERTOOLS_METRICS_NAMESPACE: "onthedot",
});
const queueUrls = Object.fromEntries(priorities.map((priority) => [`ONTHEDOT_QUEUE_${priority.toUpperCase()}`, `queue:${priority}`]));

const environments: Record<string, { readonly told: Record<string, string>; readonly reads: readonly SettingName[] }> = {
  api: {
    told: {
      ...queueUrls,
      ONTHEDOT_ALLOW_TARGETS: "",
      ONTHEDOT_ADMIN_KEY_SECRET: "onthedot-dev-admin-key",
      ONTHEDOT_AUTH: "key",
      ONTHEDOT_RECONCILE: "function:reconcile",
    },
    reads: ["queueUrls", "allowTargets", "adminKeySecret", "auth", "reconcile"],
  },
  dispatcher: { told: queueUrls, reads: ["queueUrls"] },
  executor: {
    told: {
      ...queueUrls,
      ONTHEDOT_ALLOW_TARGETS: "",
      ONTHEDOT_EXECUTOR_TIMEOUT: "3m",
      ONTHEDOT_VISIBILITY: "18m",
      UV_THREADPOOL_SIZE: "64",
    },
    reads: ["queueUrls", "allowTargets", "executorTimeoutMs", "visibilityMs"],
  },
  undertaker: { told: {}, reads: [] },
  reconcile: {
    told: {
      ONTHEDOT_TICK_GROUP: "onthedot-dev",
      ONTHEDOT_DISPATCHER_ARN: "function:dispatcher",
      ONTHEDOT_TICK_ROLE_ARN: "role:OnTheDotTicksRole",
      ONTHEDOT_TICK_DLQ_ARN: "queue:ticks-dead",
    },
    reads: ["tickGroup", "dispatcherArn", "tickRoleArn", "tickDlqArn"],
  },
};

describe("the environment", () => {
  test.each(Object.entries(environments))("of %s is what it reads, and nothing more", (name, { told: expected, reads }) => {
    const environment = told(dev, name);
    expect(environment).toEqual({ ...common(name), ...expected });
    // The function's own reader finds everything that it asks for.
    const texts = Object.fromEntries(
      Object.entries(environment).map(([variable, text]) => [variable, text.replace("queue:", "http://queue/")]),
    );
    expect(() => readSettings(texts, [...everywhere, ...reads])).not.toThrow();
  });

  test("carries what was asked for at deploy", () => {
    const asked = home({
      ...{ stage: "e2e", lookahead: "20s", tick: "5s", maxTimeout: "30s", allowTargets: "127.0.0.0/8" },
      ...{ retention: "2d", keepResponses: "all", shards: "8", ranges: "2", auth: "iam" },
    });
    expect(told(asked, "executor")).toMatchObject({
      ...{ ONTHEDOT_STAGE: "e2e", ONTHEDOT_LOOKAHEAD: "20s", ONTHEDOT_TICK: "5s", ONTHEDOT_MAX_TIMEOUT: "30s", ONTHEDOT_SHARDS: "8" },
      ...{ ONTHEDOT_ALLOW_TARGETS: "127.0.0.0/8", ONTHEDOT_RETENTION: "2d", ONTHEDOT_KEEP_RESPONSES: "all" },
      ...{ ONTHEDOT_EXECUTOR_TIMEOUT: "1m30s", ONTHEDOT_VISIBILITY: "9m" },
    });
    expect(told(asked, "api")["ONTHEDOT_AUTH"]).toBe("iam");
    const [deploy] = [...asked.all("Custom::OnTheDotTicks").values()];
    expect(deploy).toMatchObject({ Shards: "8", Ranges: "2" });
    const [route] = [...asked.all("AWS::ApiGatewayV2::Route").values()];
    expect(route?.["AuthorizationType"]).toBe("AWS_IAM");
    // The schedule is each minute, whatever an emulator makes of a minute.
    expect(asked.one("AWS::Scheduler::Schedule", "Name", "tick")["ScheduleExpression"]).toBe("cron(* * * * ? *)");
  });
});

describe.each(stages)("the ticks of %s", (stage, made) => {
  test.each([
    ["tick", "cron(* * * * ? *)", "function:dispatcher", { range: 0 }],
    ["reconcile", "cron(17 * * * ? *)", "function:reconcile", { reconcile: true }],
  ])("%s comes by %s in UTC, at the instant, and is given up after a minute", (name, expression, target, input) => {
    const schedule = made.one("AWS::Scheduler::Schedule", "Name", name);
    expect(schedule).toMatchObject({
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: "UTC",
      FlexibleTimeWindow: { Mode: "OFF" },
      State: "ENABLED",
    });
    expect(made.named(schedule["GroupName"])).toBe(`schedulegroup:onthedot-${stage}`);
    expect(made.named(get(schedule, "Target", "Arn"))).toBe(target);
    expect(JSON.parse(String(get(schedule, "Target", "Input")))).toEqual(input);
    expect(get(schedule, "Target", "RetryPolicy")).toEqual({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 1 });
    expect(made.named(get(schedule, "Target", "DeadLetterConfig", "Arn"))).toBe("queue:ticks-dead");
  });

  test("are looked after by reconcile at each deploy, itself, without a framework between", () => {
    const [deploy, ...others] = [...made.all("Custom::OnTheDotTicks").values()];
    expect(others).toEqual([]);
    expect(made.named(deploy?.["ServiceToken"])).toBe("function:reconcile");
    expect(deploy).toMatchObject(stage === "prod" ? { Shards: "128", Ranges: "20" } : { Shards: "64", Ranges: "1" });
    expect(deploy?.["Code"]).toMatch(/^[0-9a-f]{16}$/);
    // Longer than the function runs, far below the hour that CloudFormation would wait.
    expect(Number(deploy?.["ServiceTimeout"])).toBeGreaterThan(Number(made.door("reconcile")["Timeout"]));
    const waited = resourceOf(made, "Custom::OnTheDotTicks")?.["DependsOn"] ?? [];
    const waitsFor = (waited as readonly Json[]).map((id) => made.named({ Ref: id }));
    expect(waitsFor).toEqual(
      expect.arrayContaining([
        ...[`table:onthedot-${stage}`, "schedule:tick", `schedulegroup:onthedot-${stage}`],
        // Fewer shards are judged when no function of before creates on those that would go.
        ...["function:api", "function:executor", "function:dispatcher"],
      ]),
    );
  });
});

describe.each(stages)("the door of %s", (_stage, made) => {
  const [api] = [...made.all("AWS::ApiGatewayV2::Api").values()];
  const [stageOf] = [...made.all("AWS::ApiGatewayV2::Stage").values()];

  test("is one route, for the function answers unknown paths itself", () => {
    const routes = [...made.all("AWS::ApiGatewayV2::Route").values()];
    expect(routes.map((route) => [route["RouteKey"], route["AuthorizationType"] ?? "NONE"])).toEqual([["$default", "NONE"]]);
    const [integration] = [...made.all("AWS::ApiGatewayV2::Integration").values()];
    expect({ version: integration?.["PayloadFormatVersion"], to: made.named(integration?.["IntegrationUri"]) }).toEqual({
      version: "2.0",
      to: "function:api",
    });
    expect(api?.["ProtocolType"]).toBe("HTTP");
    expect(api?.["CorsConfiguration"]).toBeUndefined();
  });

  test("bounds what it lets through, and logs it without what callers keep to themselves", () => {
    expect(stageOf).toMatchObject({ StageName: "$default", AutoDeploy: true });
    expect(get(stageOf ?? {}, "DefaultRouteSettings")).toEqual({ ThrottlingRateLimit: 1_000, ThrottlingBurstLimit: 2_000 });
    expect(made.named(get(stageOf ?? {}, "AccessLogSettings", "DestinationArn"))).toContain("/aws/vendedlogs/onthedot-");
    const format = JSON.parse(String(get(stageOf ?? {}, "AccessLogSettings", "Format"))) as Record<string, string>;
    expect(Object.values(format)).toEqual(expect.arrayContaining(["$context.requestId", "$context.status", "$context.path"]));
    expect(Object.values(format).filter((value) => /header|query|authoriz/i.test(value))).toEqual([]);
  });
});

test("the admin key is made at deploy, of letters and digits, and stands nowhere in the template", () => {
  const secret = dev.one("AWS::SecretsManager::Secret", "Name", "onthedot-dev-admin-key");
  expect(secret["GenerateSecretString"]).toEqual({
    PasswordLength: 40,
    ExcludePunctuation: true,
    IncludeSpace: false,
    RequireEachIncludedType: true,
  });
  expect(secret["SecretString"]).toBeUndefined();
  expect(JSON.stringify(dev.template)).not.toContain("{{resolve:");
});

test("the outputs are the contract's", () => {
  const outputs = Object.fromEntries(
    Object.entries(dev.outputs).map(([name, { Value }]) => [
      name,
      name === "ApiUrl" ? get(Value as Properties, "Fn::GetAtt", 1) : dev.named(Value),
    ]),
  );
  expect(outputs).toEqual({
    ApiUrl: "ApiEndpoint",
    AdminKeySecret: "onthedot-dev-admin-key",
    TableName: "table:onthedot-dev",
    Queues: priorities.map((priority) => `queue:${priority}`).join(","),
    DeadLetterQueues: [...priorities, "ticks"].map((name) => `queue:${name}-dead`).join(","),
    TickGroup: "onthedot-dev",
  });
});

test("no account and no region is written into it, and every name carries the stage", () => {
  const text = JSON.stringify(dev.template);
  expect(text).not.toMatch(/\b\d{12}\b/);
  expect(text).not.toMatch(/\b(?:us|eu|ap|sa|ca|me|af)-(?:north|south|east|west|central)\w*-\d\b/);
  const nameProperties = ["TableName", "QueueName", "FunctionName", "LogGroupName", "AlarmName", "DashboardName"];
  const names = dev.resources.flatMap(([, { Type, Properties = {} }]) =>
    nameProperties.flatMap((property) =>
      typeof Properties[property] === "string" && !Type.endsWith("Permission") ? [Properties[property]] : [],
    ),
  );
  expect(names.filter((name) => !/(?:^|\/)onthedot-dev(?:-|$)/.test(name))).toEqual([]);
  expect(names.length).toBeGreaterThan(30);
});

test("a second stage in the same account and region finds no name of it taken", () => {
  /** Names that count within something else: a route's within its API, a schedule's within its group. */
  const within = new Set(["AWS::ApiGatewayV2::Stage", "AWS::Scheduler::Schedule"]);
  const named = (made: Home) =>
    made.resources
      .filter(([, { Type }]) => !within.has(Type))
      .flatMap(([, { Type, Properties = {} }]) =>
        Object.entries(Properties).flatMap(([property, value]) =>
          /^(?!Metric|Attribute).*Name$/.test(property) && typeof value === "string" ? [`${Type} ${value}`] : [],
        ),
      );
  const first = named(dev);
  expect(first).toEqual(
    expect.arrayContaining([
      "AWS::SecretsManager::Secret onthedot-dev-admin-key",
      "AWS::Scheduler::ScheduleGroup onthedot-dev",
      "AWS::DynamoDB::Table onthedot-dev",
    ]),
  );
  expect(named(home({ stage: "dev-2" })).filter((name) => first.includes(name))).toEqual([]);
});

test("it is made of these kinds of things alone", () => {
  expect([...new Set(dev.resources.map(([, { Type }]) => Type))].toSorted()).toEqual([
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::Secret",
    "Custom::OnTheDotTicks",
  ]);
});
