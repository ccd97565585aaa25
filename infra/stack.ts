/** The stack `onthedot-<stage>`: the construct, and what whoever deploys it needs to know. Free of account and region. */

import { type App, CfnOutput, Stack } from "aws-cdk-lib";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { stageName } from "./names.ts";
import { OnTheDot } from "./onTheDot.ts";
import type { Settings } from "./settings.ts";

export function makeStack(app: App, settings: Settings): Stack {
  const stack = new Stack(app, stageName(settings.stage), {
    stackName: stageName(settings.stage),
    description: "onthedot: calls a URL at an instant, and does not lose the call",
    tags: { onthedot: settings.stage },
  });
  const home = new OnTheDot(stack, "OnTheDot", settings);
  const output = (name: string, value: string, description: string) => new CfnOutput(stack, name, { value, description });
  output("ApiUrl", home.httpApi.apiEndpoint, "The HTTP API");
  output("AdminKeySecret", home.adminKey.secretName, "Secrets Manager secret; the admin key is otd_ followed by its string");
  output("TableName", home.table.tableName, "The one table");
  output("Queues", urls(home.queues.all), "Of hints: critical, high, normal, low");
  output("DeadLetterQueues", urls(home.queues.allDead), "Of critical, high, normal, low, and of the ticks");
  output("TickGroup", home.ticks.groupName, "Group of the schedules that tick");
  return stack;
}

function urls(queues: readonly IQueue[]): string {
  return queues.map((queue) => queue.queueUrl).join(",");
}
