/** What is measured, by the names under which the functions and AWS report it: alarms and dashboard look at the same numbers. */

import { Duration } from "aws-cdk-lib";
import type * as http from "aws-cdk-lib/aws-apigatewayv2";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { DoorName } from "./door.ts";
import { ownNamespace } from "./names.ts";

export const minute = Duration.minutes(1);
export const fiveMinutes = Duration.minutes(5);

type Statistic = "Sum" | "Maximum" | "Minimum" | "p50" | "p99";

/** What a function of a stage reports itself. `more`: `because` or `reason`, where a metric is counted by them too. */
export function ownMetric(
  { stage, door }: { readonly stage: string; readonly door: DoorName },
  metricName: string,
  statistic: Statistic,
  more: Readonly<Record<string, string>> = {},
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: ownNamespace,
    metricName,
    // Powertools puts the function's own name beside the stage.
    dimensionsMap: { service: door, stage, ...more },
    statistic,
    period: minute,
  });
}

export function tableMetric(tableName: string, metricName: string, index: string | null): cloudwatch.Metric {
  const dimensionsMap = { TableName: tableName, ...(index === null ? {} : { GlobalSecondaryIndexName: index }) };
  return new cloudwatch.Metric({ namespace: "AWS/DynamoDB", metricName, dimensionsMap, statistic: "Sum", period: minute });
}

export function errorsOf(target: IFunction): cloudwatch.Metric {
  return target.metricErrors({ statistic: "Sum", period: fiveMinutes });
}

export function throttlesOf(target: IFunction): cloudwatch.Metric {
  return target.metricThrottles({ statistic: "Sum", period: fiveMinutes });
}

export function oldestMessageOf(queue: IQueue): cloudwatch.Metric {
  return queue.metricApproximateAgeOfOldestMessage({ statistic: "Maximum", period: minute });
}

export function serverErrorsOf(api: http.HttpApi): cloudwatch.Metric {
  return api.metricServerError({ statistic: "Sum", period: fiveMinutes });
}
