/** The ticks: their group, the one base tick that nothing changes at run time, and the role under which schedules reach the dispatcher. */

import { Stack } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import * as scheduler from "aws-cdk-lib/aws-scheduler";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { minuteMs, secondMs } from "../src/core/time.ts";
import { stageName } from "./names.ts";
import { invoke, sendTo } from "./permissions.ts";

export type TicksProps = { readonly stage: string; readonly dispatcher: IFunction; readonly deadTicks: IQueue };

/** The shortest that AWS knows. An older tick is the next one's work. */
export const tickAgeMsMax = minuteMs;

export class Ticks extends Construct {
  readonly groupName: string;
  readonly group: scheduler.CfnScheduleGroup;
  /** Reaches the dispatcher and its dead-letter queue; `reconcile` hands it to the schedules that it makes. */
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, { stage, dispatcher, deadTicks }: TicksProps) {
    super(scope, id);
    this.groupName = stageName(stage);
    this.group = new scheduler.CfnScheduleGroup(this, "Group", { name: this.groupName });
    this.role = scheduleRole(this, "Role", { groupName: this.groupName, permissions: [invoke(dispatcher), sendTo([deadTicks])] });
    everyUtc(this, "Base", {
      group: this.group,
      name: "tick",
      description: "Turns the wheel each minute. Never changed at run time: what a pause or a resize asks for is written elsewhere.",
      cron: "cron(* * * * ? *)",
      target: { arn: dispatcher.functionArn, roleArn: this.role.roleArn },
      input: { range: 0 },
      deadTicks,
    });
  }
}

type EachProps = {
  readonly group: scheduler.CfnScheduleGroup;
  readonly name: string;
  readonly description: string;
  readonly cron: string;
  readonly target: { readonly arn: string; readonly roleArn: string };
  readonly input: Readonly<Record<string, unknown>>;
  readonly deadTicks: IQueue;
};

/** In UTC, at the instant and at no other, given up early: what comes late is not wanted. */
export function everyUtc(scope: Construct, id: string, { group, name, description, cron, target, input, deadTicks }: EachProps): void {
  const schedule = new scheduler.CfnSchedule(scope, id, {
    name,
    groupName: group.ref,
    description,
    scheduleExpression: cron,
    scheduleExpressionTimezone: "UTC",
    flexibleTimeWindow: { mode: "OFF" },
    state: "ENABLED",
    target: {
      ...target,
      input: JSON.stringify(input),
      retryPolicy: { maximumEventAgeInSeconds: tickAgeMsMax / secondMs, maximumRetryAttempts: 1 },
      deadLetterConfig: { arn: deadTicks.queueArn },
    },
  });
  schedule.addResourceDependency(group);
}

type RoleProps = { readonly groupName: string; readonly permissions: iam.PolicyStatement[] };

/** Taken on by EventBridge Scheduler for the schedules of this group alone, so that nobody else's schedule can use it. */
export function scheduleRole(scope: Construct, id: string, { groupName, permissions }: RoleProps): iam.Role {
  const stack = Stack.of(scope);
  const groupArn = stack.formatArn({ service: "scheduler", resource: "schedule-group", resourceName: groupName });
  return new iam.Role(scope, id, {
    description: `What schedules of the group ${groupName} may reach`,
    assumedBy: new iam.ServicePrincipal("scheduler.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account, "aws:SourceArn": groupArn } },
    }),
    inlinePolicies: { own: new iam.PolicyDocument({ statements: permissions }) },
  });
}
