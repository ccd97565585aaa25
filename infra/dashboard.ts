/** One screen that answers: do ticks come, is anything late, what fails, what throttles. */

import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { table as layout } from "../src/store/keys.ts";
import type { Alarms } from "./alarms.ts";
import { errorsOf, fiveMinutes, minute, oldestMessageOf, ownMetric, serverErrorsOf, tableMetric, throttlesOf } from "./metrics.ts";
import { stageName } from "./names.ts";
import type { Parts } from "./onTheDot.ts";

type DashboardProps = { readonly parts: Parts; readonly alarms: Alarms };

/** Three graphs to a row of 24. */
const width = 8;

export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { parts, alarms }: DashboardProps) {
    super(scope, id);
    new cloudwatch.Dashboard(this, "Dashboard", {
      dashboardName: stageName(parts.stage),
      widgets: [
        [new cloudwatch.AlarmStatusWidget({ title: "Alarms", alarms: [...alarms.alarms], width: 24 })],
        wheelRow(parts.stage),
        callsRow(parts.stage),
        functionsRow(parts),
        storesRow(parts),
      ],
    });
  }
}

function wheelRow(stage: string): cloudwatch.IWidget[] {
  return [
    graph("Ticks", [ownMetric({ stage, door: "dispatcher" }, "Ticks", "Sum"), ownMetric({ stage, door: "dispatcher" }, "Paused", "Sum")]),
    graph("Oldest due job, ms late", [ownMetric({ stage, door: "dispatcher" }, "OldestDueMs", "Maximum")]),
    graph("Hinted by a turn", [
      ownMetric({ stage, door: "dispatcher" }, "Named", "Sum"),
      ownMetric({ stage, door: "dispatcher" }, "Stretches", "Sum"),
    ]),
  ];
}

function callsRow(stage: string): cloudwatch.IWidget[] {
  return [
    graph("First byte, ms late", [
      ownMetric({ stage, door: "executor" }, "LatenessMs", "p50"),
      ownMetric({ stage, door: "executor" }, "LatenessMs", "p99"),
    ]),
    graph("Call, ms", [ownMetric({ stage, door: "executor" }, "CallMs", "p50"), ownMetric({ stage, door: "executor" }, "CallMs", "p99")]),
    graph(
      "Jobs ended",
      ["succeeded", "exhausted", "aged", "refused", "expired", "cancelled"].map((because) =>
        ownMetric({ stage, door: "executor" }, "Jobs", "Sum", { because }),
      ),
    ),
  ];
}

function functionsRow({ stage, doors, httpApi }: Parts): cloudwatch.IWidget[] {
  const functions = Object.values(doors).map((door) => door.function);
  return [
    graph("Errors", functions.map(errorsOf)),
    graph("Throttles and losses", [
      ...functions.map(throttlesOf),
      ownMetric({ stage, door: "executor" }, "LeaseLost", "Sum"),
      ownMetric({ stage, door: "executor" }, "Outages", "Sum"),
      ownMetric({ stage, door: "executor" }, "HintsDropped", "Sum"),
    ]),
    graph("API", [httpApi.metricCount({ period: fiveMinutes, statistic: "Sum" }), serverErrorsOf(httpApi)]),
  ];
}

function storesRow({ table, queues, stage }: Parts): cloudwatch.IWidget[] {
  const index = layout.indexes.wheel.name;
  return [
    graph(
      "Hints in the queues",
      queues.all.map((queue) => queue.metricApproximateNumberOfMessagesVisible({ period: minute, statistic: "Maximum" })),
    ),
    graph("Dead letters: oldest, s", [
      ...queues.allDead.map(oldestMessageOf),
      ownMetric({ stage, door: "undertaker" }, "DeadLetters", "Sum"),
    ]),
    graph("Table: units and throttles", [
      tableMetric(table.tableName, "ConsumedWriteCapacityUnits", null),
      tableMetric(table.tableName, "ConsumedReadCapacityUnits", null),
      tableMetric(table.tableName, "WriteThrottleEvents", null),
      tableMetric(table.tableName, "WriteThrottleEvents", index),
    ]),
  ];
}

function graph(title: string, left: cloudwatch.IMetric[]): cloudwatch.IWidget {
  return new cloudwatch.GraphWidget({ title, left, width });
}
