/**
 * The function that makes the schedules match what is wanted (ranges, paused), and what starts it: each deploy, which it fails when the
 * settings cannot be, and each hour, for whatever somebody changed by hand.
 */

import { CustomResource, Duration, Stack } from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { reconcileTimeoutMs } from "../src/core/invocation.ts";
import { minuteMs } from "../src/core/time.ts";
import { acknowledge } from "./acknowledge.ts";
import { Door } from "./door.ts";
import type { Surroundings } from "./functions.ts";
import { houseItems, invoke, listSchedules, passRole, queryIndexes, sendTo, touchHouseItems, writeSchedules } from "./permissions.ts";
import { everyUtc, scheduleRole, type Ticks } from "./ticks.ts";

export type ReconcileProps = {
  readonly surroundings: Surroundings;
  readonly ticks: Ticks;
  readonly dispatcher: Door;
};

export class Reconcile extends Construct {
  readonly door: Door;

  constructor(scope: Construct, id: string, { surroundings, ticks, dispatcher }: ReconcileProps) {
    super(scope, id);
    const { house, table, queues } = surroundings;
    // Of the group's schedules those that carry a range's number: not the base tick, nor the one below.
    const rangeSchedules = Stack.of(this).formatArn({
      service: "scheduler",
      resource: "schedule",
      resourceName: `${ticks.groupName}/range-*`,
    });
    this.door = new Door(this, "Reconcile", {
      house,
      name: "reconcile",
      description: "Makes the schedules of further shard ranges match what is wanted.",
      timeoutMs: reconcileTimeoutMs,
      environment: {
        ONTHEDOT_TICK_GROUP: ticks.groupName,
        ONTHEDOT_DISPATCHER_ARN: dispatcher.function.functionArn,
        ONTHEDOT_TICK_ROLE_ARN: ticks.role.roleArn,
        ONTHEDOT_TICK_DLQ_ARN: queues.deadTicks.queueArn,
      },
      permissions: [
        touchHouseItems(table, ["GetItem", "UpdateItem"], [houseItems.ticks]),
        queryIndexes(table, ["wheel"]),
        writeSchedules(rangeSchedules),
        listSchedules(),
        passRole(ticks.role, "scheduler.amazonaws.com"),
      ],
    });
    acknowledge(this.door, {
      [`AwsSolutions-IAM5[Resource::${rangesFinding(ticks.groupName)}]`]:
        "The ranges' schedules, whose number changes at run time, in the group of this stage alone.",
      "AwsSolutions-IAM5[Resource::*]": listsAll,
      "Serverless-LambdaStarPermissions": listsAll,
    });
    this.triedSoonOrNever();
    this.eachHour(surroundings, ticks);
  }

  /** A deploy's request that runs hours later, after a rollback, would write what was wanted by the deploy that failed. */
  private triedSoonOrNever(): void {
    const async = new lambda.EventInvokeConfig(this, "Requests", {
      function: this.door.function,
      // Begun a minute before CloudFormation gives up: what is wanted is written at once, and not over what a rollback asks for.
      maxEventAge: Duration.millis(reconcileTimeoutMs),
      retryAttempts: 1,
    });
    acknowledge(async, {
      "Serverless-LambdaAsyncFailureDestination":
        "CloudFormation fails a deploy that is not answered, and the next hour's run does the same.",
    });
  }

  /** `ranges`: dispatchers that the deploy asks for, each with a tick of its own. `code`: changes whenever the functions do. */
  withEachDeploy({ shards, ranges, code, after }: { shards: number; ranges: number; code: string; after: readonly Construct[] }): void {
    const deploy = new CustomResource(this, "Deploy", {
      serviceToken: this.door.function.functionArn,
      resourceType: "Custom::OnTheDotTicks",
      // A function that cannot answer fails the deploy after this, and not after the hour that CloudFormation would wait.
      serviceTimeout: Duration.millis(reconcileTimeoutMs + minuteMs),
      properties: { Shards: String(shards), Ranges: String(ranges), Code: code },
    });
    deploy.node.addDependency(...after);
  }

  private eachHour({ queues }: Surroundings, ticks: Ticks): void {
    const role = scheduleRole(this, "HourlyRole", {
      groupName: ticks.groupName,
      permissions: [invoke(this.door.function), sendTo([queues.deadTicks])],
    });
    everyUtc(this, "Hourly", {
      group: ticks.group,
      name: "reconcile",
      description: "Undoes what somebody changed by hand, and finishes what an earlier run could not.",
      // Off the full hour, when everybody's schedules fire.
      cron: "cron(17 * * * ? *)",
      target: { arn: this.door.function.functionArn, roleArn: role.roleArn },
      input: { reconcile: true },
      deadTicks: queues.deadTicks,
    });
  }
}

const listsAll = "AWS takes no resource for scheduler:ListSchedules, which is the one action here without.";

/** As cdk-nag spells the ARN in its findings. */
function rangesFinding(groupName: string): string {
  return `arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/${groupName}/range-*`;
}
