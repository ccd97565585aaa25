/** What wakes a person: each alarm names the page that says what it means, how to look, and what to do. */

import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { minuteMs, secondMs } from "../src/core/time.ts";
import { table as layout } from "../src/store/keys.ts";
import { errorsOf, oldestMessageOf, ownMetric, serverErrorsOf, tableMetric, throttlesOf } from "./metrics.ts";
import { nameOf } from "./names.ts";
import type { Parts } from "./onTheDot.ts";
import { capitalized } from "./queues.ts";

/** Pages of `docs/operations`, without their ending. */
const pages = [
  "dead-letters-waiting",
  "dead-letters-recorded",
  "no-ticks",
  "oldest-due-late",
  "executor-errors",
  "executor-throttles",
  "table-throttles",
  "api-errors",
  "ticks-not-reconciled",
] as const;
type Page = (typeof pages)[number];

/** The undertaker takes seconds; what has waited so long, it cannot handle either. */
const deadLetterAgeSeconds = (5 * minuteMs) / secondMs;

/** A burst that finds a partition cold throttles for seconds, and the SDK's own retries carry it. */
const throttlesAMinute = 10;

type AlarmsProps = {
  readonly parts: Parts;
  readonly topic: ITopic | null;
  /** An entry so far in the past is no call that is still running, nor one that the next turn would find. */
  readonly lateMs: number;
};

type Watch = {
  readonly id: string;
  readonly page: Page;
  readonly meaning: string;
  readonly metric: cloudwatch.Metric;
  /** The value from which on it counts. */
  readonly from: number;
  /** Periods in a row. */
  readonly periods?: number;
  /** Only of ticks is silence itself the alarm. */
  readonly below?: boolean;
};

export class Alarms extends Construct {
  readonly alarms: readonly cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, { parts, topic, lateMs }: AlarmsProps) {
    super(scope, id);
    this.alarms = [...deadLetters(parts), ...turning(parts, lateMs), ...running(parts), ...tableThrottles(parts)].map((watch) => {
      const alarm = this.alarm(parts.stage, watch);
      if (topic !== null) {
        const action = new SnsAction(topic);
        alarm.addAlarmAction(action);
        alarm.addOkAction(action);
      }
      return alarm;
    });
  }

  private alarm(stage: string, { id, page, meaning, metric, from, periods = 1, below = false }: Watch): cloudwatch.Alarm {
    const { LESS_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = cloudwatch.ComparisonOperator;
    return new cloudwatch.Alarm(this, capitalized(id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())), {
      alarmName: nameOf(stage, id),
      alarmDescription: `${meaning} See docs/operations/${page}.md.`,
      metric,
      threshold: from,
      comparisonOperator: below ? LESS_THAN_THRESHOLD : GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      treatMissingData: below ? cloudwatch.TreatMissingData.BREACHING : cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  }
}

function deadLetters({ stage, queues }: Parts): Watch[] {
  return [
    ...Object.entries({ ...queues.deadByPriority, ticks: queues.deadTicks }).map(([name, queue]) => ({
      id: `dead-letters-waiting-${name}`,
      page: "dead-letters-waiting" as const,
      meaning: `A message has waited for ${deadLetterAgeSeconds / 60} minutes in the dead-letter queue of ${name}: the undertaker does not empty it.`,
      metric: oldestMessageOf(queue),
      from: deadLetterAgeSeconds,
    })),
    {
      id: "dead-letters-recorded",
      page: "dead-letters-recorded",
      meaning: "A message that is no hint was recorded as a dead letter.",
      metric: ownMetric({ stage, door: "undertaker" }, "DeadLetters", "Sum"),
      from: 1,
    },
  ];
}

function turning({ stage, doors }: Parts, lateMs: number): Watch[] {
  return [
    {
      id: "no-ticks",
      page: "no-ticks",
      meaning: "No turn has come to its end for 3 minutes: nothing wakes jobs that are due.",
      metric: ownMetric({ stage, door: "dispatcher" }, "Ticks", "Sum"),
      from: 1,
      periods: 3,
      below: true,
    },
    {
      id: "ranges-late",
      page: "no-ticks",
      meaning: "The tick of a range has not come for 3 minutes, while others come: nothing wakes due jobs on its shards.",
      metric: ownMetric({ stage, door: "dispatcher" }, "RangesLate", "Sum"),
      from: 1,
      // One minute alone is what the first tick sees after all have stayed away.
      periods: 2,
    },
    {
      id: "dispatcher-errors",
      page: "no-ticks",
      meaning: "Three turns or more failed or ran out of time in 5 minutes: due jobs may not be woken.",
      metric: errorsOf(doors.dispatcher.function),
      from: 3,
    },
    {
      id: "oldest-due-late",
      page: "oldest-due-late",
      meaning: `The oldest due job has been late by ${lateMs / minuteMs} minutes or more for 3 minutes: executors do not keep up.`,
      metric: ownMetric({ stage, door: "dispatcher" }, "OldestDueMs", "Maximum"),
      from: lateMs,
      periods: 3,
    },
    {
      id: "ticks-not-reconciled",
      page: "ticks-not-reconciled",
      meaning: "The schedules could not be made what is wanted of them: a range may be without its tick.",
      metric: ownMetric({ stage, door: "reconcile" }, "ReconcileFailed", "Sum"),
      from: 1,
    },
    {
      id: "reconcile-errors",
      page: "ticks-not-reconciled",
      meaning: "The function reconcile crashed or ran out of time, and could not count it: a range may be without its tick.",
      metric: errorsOf(doors.reconcile.function),
      from: 1,
    },
  ];
}

function running({ doors, httpApi }: Parts): Watch[] {
  return [
    {
      id: "executor-errors",
      page: "executor-errors",
      meaning: "An executor crashed or ran out of time: its jobs go on when their leases end.",
      metric: errorsOf(doors.executor.function),
      from: 1,
    },
    {
      id: "executor-throttles",
      page: "executor-throttles",
      meaning: "Lambda refused executors: hints wait, and jobs with them.",
      metric: throttlesOf(doors.executor.function),
      from: 10,
    },
    {
      id: "api-errors",
      page: "api-errors",
      meaning: "The API answered with 5xx.",
      metric: serverErrorsOf(httpApi),
      from: 5,
    },
  ];
}

/** Where much is written and read. A throttled index throttles the writes to the table itself. */
function tableThrottles({ table }: Parts): Watch[] {
  const { wheel, list } = layout.indexes;
  const places = [
    { id: "table-reads", metricName: "ReadThrottleEvents", index: null },
    { id: "table-writes", metricName: "WriteThrottleEvents", index: null },
    { id: "wheel-reads", metricName: "ReadThrottleEvents", index: wheel.name },
    { id: "wheel-writes", metricName: "WriteThrottleEvents", index: wheel.name },
    { id: "list-writes", metricName: "WriteThrottleEvents", index: list.name },
  ];
  return places.map(({ id, metricName, index }) => ({
    id: `table-throttles-${id}`,
    page: "table-throttles",
    meaning: `DynamoDB refused ${id.replace("-", "'s ")} for 3 minutes: calls come late, and creates may be answered 503.`,
    metric: tableMetric(table.tableName, metricName, index),
    from: throttlesAMinute,
    periods: 3,
  }));
}
