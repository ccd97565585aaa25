/** What each function may do, by hand and by name: one statement for each thing that it does. */

import * as iam from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { houseKeys, table as layout } from "../src/store/keys.ts";

/** With it begins the first key of every item of the house, and no tenant's. */
const houseMark = "~";

type Named = { readonly tableArn: string };

/** Items of the house by their first key. A whole kind, or the one item that has this very key. */
export const houseItems = { cursors: `${houseKeys.cursor}*`, ticks: houseKeys.ticks, deadLetters: `${houseKeys.deadLetter}*` } as const;

export function writeLog(logGroup: LogGroup): iam.PolicyStatement {
  return allow(["logs:CreateLogStream", "logs:PutLogEvents"], [logGroup.logGroupArn]);
}

export function readItems(table: Named): iam.PolicyStatement {
  return allow(["dynamodb:GetItem", "dynamodb:BatchGetItem"], [table.tableArn]);
}

/** Jobs and what belongs to them: what the house keeps for itself is not for whoever serves tenants to write over. */
export function putTenantItems(table: Named): iam.PolicyStatement {
  return allow(["dynamodb:PutItem"], [table.tableArn], { "ForAllValues:StringNotLike": { "dynamodb:LeadingKeys": [`${houseMark}*`] } });
}

/** Only items of the house of these kinds: what has another first key is refused by DynamoDB. */
export function touchHouseItems(table: Named, actions: readonly HouseAction[], keys: readonly string[]): iam.PolicyStatement {
  return allow(
    actions.map((action) => `dynamodb:${action}`),
    [table.tableArn],
    { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [...keys] } },
  );
}
type HouseAction = "GetItem" | "UpdateItem" | "PutItem";

export function queryIndexes(table: Named, indexes: readonly (keyof typeof layout.indexes)[]): iam.PolicyStatement {
  return allow(
    ["dynamodb:Query"],
    indexes.map((index) => `${table.tableArn}/index/${layout.indexes[index].name}`),
  );
}

export function sendTo(queues: readonly IQueue[]): iam.PolicyStatement {
  return allow(["sqs:SendMessage"], arnsOf(queues));
}

/** What Lambda's own pollers do in the function's name. */
export function receiveFrom(queues: readonly IQueue[]): iam.PolicyStatement {
  return allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], arnsOf(queues));
}

export function showAgain(queues: readonly IQueue[]): iam.PolicyStatement {
  return allow(["sqs:ChangeMessageVisibility"], arnsOf(queues));
}

export function readSecret(secret: Secret): iam.PolicyStatement {
  return allow(["secretsmanager:GetSecretValue"], [secret.secretArn]);
}

export function invoke(target: IFunction): iam.PolicyStatement {
  return allow(["lambda:InvokeFunction"], [target.functionArn]);
}

/** The schedules of further ranges and no other: the base tick is not among them. */
export function writeSchedules(scheduleArns: string): iam.PolicyStatement {
  return allow(
    ["scheduler:GetSchedule", "scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"],
    [scheduleArns],
  );
}

/** AWS lets this one action name no resource. */
export function listSchedules(): iam.PolicyStatement {
  return allow(["scheduler:ListSchedules"], ["*"]);
}

export function passRole(role: iam.IRole, service: string): iam.PolicyStatement {
  return allow(["iam:PassRole"], [role.roleArn], { StringEquals: { "iam:PassedToService": service } });
}

/** What Lambda asks of a function inside a VPC. */
export function ownNetworkInterfaces(): iam.PolicyStatement {
  const actions = [
    "CreateNetworkInterface",
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "DeleteNetworkInterface",
    "AssignPrivateIpAddresses",
    "UnassignPrivateIpAddresses",
  ];
  return allow(
    actions.map((action) => `ec2:${action}`),
    ["*"],
  );
}

function arnsOf(queues: readonly IQueue[]): string[] {
  return queues.map((queue) => queue.queueArn);
}

function allow(
  actions: string[],
  resources: string[],
  conditions: Record<string, Record<string, string | string[]>> = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({ effect: iam.Effect.ALLOW, actions, resources, conditions });
}
