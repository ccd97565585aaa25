/**
 * The AWS home: composes the engine from the table, the queues and what the environment says. Made once for each instance of a
 * function, so that clients and their connections are kept from one invocation to the next. Beside `local/host.ts` it is the same picture.
 */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import packageFile from "../package.json" with { type: "json" };
import { secondMs } from "../src/core/time.ts";
import { admitAll } from "../src/engine/admit.ts";
import type { Engine } from "../src/engine/engine.ts";
import type { Deliver, Observation } from "../src/engine/ports.ts";
import { createRegister } from "../src/engine/register.ts";
import { createSqsHints } from "../src/hints/sqs.ts";
import { createDynamoCursors } from "../src/store/dynamo/cursors.ts";
import { type SkewWatch, watchSkew } from "../src/store/dynamo/skew.ts";
import { createDynamoStore } from "../src/store/dynamo/store.ts";
import { createTable, type Table } from "../src/store/dynamo/table.ts";
import { chance, createIds } from "../src/system/chance.ts";
import { createNodeClock, type NodeClock } from "../src/system/clock.ts";
import type { Log } from "../src/system/log.ts";
import { observationLog } from "../src/system/observationLog.ts";
import { createFunctionLog, type FunctionLog } from "./log.ts";
import { createFunctionMetrics, type FunctionMetrics } from "./metrics.ts";
import { awsParams } from "./params.ts";
import type { everywhere, SettingName, SettingValues } from "./settings.ts";

export const version: string = packageFile.version;

/** What every function works with. */
export type Building<Name extends SettingName = never> = {
  readonly settings: Pick<SettingValues, (typeof everywhere)[number] | Name>;
  readonly clock: NodeClock;
  readonly table: Table;
  readonly skew: SkewWatch;
  readonly log: Log;
  readonly logger: FunctionLog["logger"];
  readonly metrics: FunctionMetrics;
};

/** A store that has not answered by then is asked again; most answers take milliseconds. */
const connectMsMax = secondMs;
const answerMsMax = 3 * secondMs;
const sdkAttempts = 3;

export const clientDefaults = {
  maxAttempts: sdkAttempts,
  // Without the last one a silent server would only be warned of.
  requestHandler: { connectionTimeout: connectMsMax, requestTimeout: answerMsMax, throwOnRequestTimeout: true },
} as const;

export function openBuilding<Name extends SettingName>(settings: Building<Name>["settings"]): Building<Name> {
  const clock = createNodeClock();
  const client = new DynamoDBClient(clientDefaults);
  const { log, logger } = createFunctionLog({ level: settings.logLevel, stage: settings.stage });
  const skew = watchSkew(client, clock.now);
  return {
    ...{ settings, clock, log, logger, skew },
    table: createTable({ client, name: settings.table, refusal: skew.refusal }),
    metrics: createFunctionMetrics({ stage: settings.stage, now: clock.now }),
  };
}

/** `deliver`: the executor's alone; whoever calls nobody gives {@link noDeliver}. */
export function compose(building: Building<"queueUrls">, deliver: Deliver): Engine & { readonly sqs: SQSClient } {
  const { settings, clock, table, log, metrics } = building;
  const { shards } = settings;
  const params = awsParams(settings, version);
  const listeners = [metrics.observe, observationLog(log)];
  const onUnreadable = (job: string, cause: unknown) =>
    log("error", `the record of ${job} cannot be read, and is passed over; is it damaged, or of a newer version?`, { job, cause });
  const sqs = new SQSClient(clientDefaults);
  return {
    ...{ params, clock, chance, deliver, sqs, admit: admitAll, ids: createIds(), register: createRegister() },
    store: createDynamoStore({ table, now: clock.now, shards, onUnreadable }),
    cursors: createDynamoCursors(table),
    hints: createSqsHints({ client: sqs, queueUrls: settings.queueUrls, clock, chance, leadMs: params.leadMs }),
    observe(observation: Observation) {
      for (const listener of listeners) listener(observation);
    },
  };
}

/** Of functions that call nobody: reaching it is a bug. */
export const noDeliver: Deliver = {
  prepare() {
    throw new Error("expected no call from this function, for only executors make them");
  },
};
