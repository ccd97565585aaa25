import { describe, expect, test } from "vitest";
import { houseKeys } from "../../src/store/keys.ts";
import { get, home, type Json, type Properties } from "./home.ts";

const dev = home();

type Statement = {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: Json;
  readonly Principal?: Json;
  readonly Condition?: Json;
};

const listed = <Value>(value: Value | readonly Value[]): readonly Value[] => (Array.isArray(value) ? value : [value as Value]);

/** One line for each action on each resource, with its condition. */
function lines(statements: readonly Statement[]): string[] {
  return statements
    .flatMap(({ Effect, Action, Resource, Condition }) =>
      listed(Action).flatMap((action) =>
        listed(Resource).map((resource) => {
          const denied = Effect === "Allow" ? "" : `${Effect} `;
          return `${denied}${action} on ${dev.named(resource)}${Condition === undefined ? "" : ` if ${JSON.stringify(Condition)}`}`;
        }),
      ),
    )
    .toSorted();
}

function statementsOf(role: Properties): readonly Statement[] {
  const policies = get(role, "Policies") as readonly Properties[];
  return policies.flatMap((policy) => get(policy, "PolicyDocument", "Statement") as unknown as readonly Statement[]);
}

function roleOf(reference: Json): Properties {
  const id = (get(reference as Properties, "Fn::GetAtt") as readonly string[])[0] ?? "";
  return dev.all("AWS::IAM::Role").get(id) ?? {};
}

const queues = ["critical", "high", "low", "normal"];
const onQueues = (action: string) => queues.map((queue) => `sqs:${action} on queue:${queue}`);
const onDeadQueues = (action: string) => [...queues, "ticks"].map((queue) => `sqs:${action} on queue:${queue}-dead`);
const ownLog = (name: string) =>
  ["CreateLogStream", "PutLogEvents"].map((action) => `logs:${action} on loggroup:/aws/lambda/onthedot-dev-${name}`);
const ifKeys = (...keys: string[]) => `if ${JSON.stringify({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } })}`;
const tenantsOnly = `if ${JSON.stringify({ "ForAllValues:StringNotLike": { "dynamodb:LeadingKeys": ["~*"] } })}`;
const rangeSchedules = "arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/onthedot-dev/range-*";

/** Everything that a function may do. Whoever adds a line here says why in the change that does. */
const permissions: Record<string, readonly string[]> = {
  api: [
    ...ownLog("api"),
    "dynamodb:BatchGetItem on table:onthedot-dev",
    "dynamodb:GetItem on table:onthedot-dev",
    `dynamodb:PutItem on table:onthedot-dev ${tenantsOnly}`,
    `dynamodb:UpdateItem on table:onthedot-dev ${ifKeys("~ticks")}`,
    "dynamodb:Query on table:onthedot-dev/index/failures",
    "dynamodb:Query on table:onthedot-dev/index/list",
    "lambda:InvokeFunction on function:reconcile",
    "secretsmanager:GetSecretValue on secret:admin-key",
    ...onQueues("SendMessage"),
  ],
  dispatcher: [
    ...ownLog("dispatcher"),
    "dynamodb:Query on table:onthedot-dev/index/wheel",
    `dynamodb:UpdateItem on table:onthedot-dev ${ifKeys("~cursor#*", "~ticks")}`,
    ...onQueues("SendMessage"),
  ],
  executor: [
    ...ownLog("executor"),
    "dynamodb:BatchGetItem on table:onthedot-dev",
    "dynamodb:GetItem on table:onthedot-dev",
    `dynamodb:PutItem on table:onthedot-dev ${tenantsOnly}`,
    "dynamodb:Query on table:onthedot-dev/index/wheel",
    ...onQueues("SendMessage"),
    ...onQueues("ReceiveMessage"),
    ...onQueues("DeleteMessage"),
    ...onQueues("GetQueueAttributes"),
    ...onQueues("ChangeMessageVisibility"),
  ],
  undertaker: [
    ...ownLog("undertaker"),
    `dynamodb:PutItem on table:onthedot-dev ${ifKeys("~dead#*")}`,
    ...onDeadQueues("ReceiveMessage"),
    ...onDeadQueues("DeleteMessage"),
    ...onDeadQueues("GetQueueAttributes"),
  ],
  reconcile: [
    ...ownLog("reconcile"),
    `dynamodb:GetItem on table:onthedot-dev ${ifKeys("~ticks")}`,
    `dynamodb:UpdateItem on table:onthedot-dev ${ifKeys("~ticks")}`,
    "dynamodb:Query on table:onthedot-dev/index/wheel",
    ...["Create", "Delete", "Get", "Update"].map((verb) => `scheduler:${verb}Schedule on ${rangeSchedules}`),
    // The one action that AWS lets name no resource.
    "scheduler:ListSchedules on *",
    'iam:PassRole on role:OnTheDotTicksRole if {"StringEquals":{"iam:PassedToService":"scheduler.amazonaws.com"}}',
  ],
};

describe("a function", () => {
  test.each(Object.entries(permissions))("%s may do this and no more", (name, expected) => {
    expect(lines(statementsOf(roleOf(get(dev.door(name), "Role"))))).toEqual(expected.toSorted());
  });

  test("is one of those whose permissions are named here, each with a role of its own", () => {
    const functions = [...dev.all("AWS::Lambda::Function").values()];
    expect(functions.map((one) => one["FunctionName"]).toSorted()).toEqual(
      Object.keys(permissions)
        .map((name) => `onthedot-dev-${name}`)
        .toSorted(),
    );
    expect(new Set(functions.map((one) => JSON.stringify(one["Role"]))).size).toBe(functions.length);
  });
});

const byScheduler = (name: string) => ({
  Principal: { Service: "scheduler.amazonaws.com" },
  Condition: {
    StringEquals: {
      "aws:SourceAccount": "<AWS::AccountId>",
      "aws:SourceArn": `arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule-group/${name}`,
    },
  },
});

test("every item of the house begins with what keeps it from those who serve tenants", () => {
  for (const key of Object.values(houseKeys)) expect(key.startsWith("~")).toBe(true);
});

describe("the schedules", () => {
  test.each([
    ["tick", "dispatcher"],
    ["reconcile", "reconcile"],
  ])("of the name %s may invoke %s and write to the ticks' dead letters, and only this group's may", (schedule, door) => {
    const role = roleOf(get(dev.one("AWS::Scheduler::Schedule", "Name", schedule), "Target", "RoleArn"));
    expect(lines(statementsOf(role))).toEqual([`lambda:InvokeFunction on function:${door}`, "sqs:SendMessage on queue:ticks-dead"]);
    const [trust] = get(role, "AssumeRolePolicyDocument", "Statement") as unknown as readonly Statement[];
    const equals = get(trust as unknown as Properties, "Condition", "StringEquals") as Record<string, Json>;
    const condition = { StringEquals: Object.fromEntries(Object.entries(equals).map(([key, value]) => [key, dev.named(value)])) };
    expect({ Principal: trust?.Principal, Condition: condition }).toEqual(byScheduler("onthedot-dev"));
  });
});

describe("nothing is open by mistake", () => {
  test("there is no policy but a role's own and the queues', and no managed one", () => {
    const types = new Set(dev.resources.map(([, { Type }]) => Type).filter((type) => /Policy$|IAM|Permission$|Url$/.test(type)));
    expect([...types].toSorted()).toEqual(["AWS::IAM::Role", "AWS::Lambda::Permission", "AWS::SQS::QueuePolicy"]);
    for (const role of dev.all("AWS::IAM::Role").values()) expect(role["ManagedPolicyArns"]).toBeUndefined();
  });

  test("roles are taken on by Lambda and EventBridge Scheduler alone", () => {
    const principals = [...dev.all("AWS::IAM::Role").values()].map((role) =>
      (get(role, "AssumeRolePolicyDocument", "Statement") as readonly Properties[]).map((statement) => statement["Principal"]),
    );
    const lambda = [{ Service: "lambda.amazonaws.com" }];
    const scheduler = [{ Service: "scheduler.amazonaws.com" }];
    expect(principals.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
      ...Array.from({ length: 5 }, () => lambda),
      ...Array.from({ length: 2 }, () => scheduler),
    ]);
  });

  test("queues refuse what does not come by TLS, and allow nobody anything", () => {
    const queuesGuarded = [...dev.all("AWS::SQS::QueuePolicy").values()].map((policy) => {
      const statements = get(policy, "PolicyDocument", "Statement") as unknown as readonly Statement[];
      expect(statements.map(({ Effect, Action, Condition }) => ({ Effect, Action, Condition }))).toEqual([
        { Effect: "Deny", Action: "sqs:*", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      ]);
      return dev.named(get(policy, "Queues", 0));
    });
    expect(queuesGuarded.toSorted()).toEqual([...dev.all("AWS::SQS::Queue").keys()].map((id) => dev.named({ Ref: id })).toSorted());
  });

  test("only the api function can be invoked from outside, and only by its own gateway", () => {
    const [permission, ...others] = [...dev.all("AWS::Lambda::Permission").values()];
    expect(others).toEqual([]);
    expect(permission?.["Principal"]).toBe("apigateway.amazonaws.com");
    expect(dev.named(permission?.["FunctionName"])).toBe("function:api");
    expect(dev.named(permission?.["SourceArn"])).toContain(":execute-api:<AWS::Region>:<AWS::AccountId>:api:");
  });

  test("no action is a wildcard, and * stands for a resource only where AWS has no name for it", () => {
    const all = [...dev.all("AWS::IAM::Role").values()].flatMap((role) => lines(statementsOf(role)));
    expect(all.filter((line) => line.split(" on ")[0]?.includes("*"))).toEqual([]);
    expect(all.filter((line) => line.endsWith(" on *"))).toEqual(["scheduler:ListSchedules on *"]);
    expect(all.filter((line) => line.startsWith("Deny"))).toEqual([]);
  });
});
