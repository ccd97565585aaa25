/**
 * The door of the plan: makes the schedules match what is wanted of the ticks. CloudFormation asks for it in each deploy (and is told
 * when a deploy cannot be), a schedule each hour, and the API whenever somebody has changed the plan.
 */

import { randomUUID } from "node:crypto";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import type { Context } from "aws-lambda";
import * as z from "zod";
import { reconcileTimeoutMs } from "../src/core/invocation.ts";
import type { DeployAsk, Step } from "../src/core/tickPlan.ts";
import { type EpochMs, later, secondMs } from "../src/core/time.ts";
import { createDynamoStore } from "../src/store/dynamo/store.ts";
import { dynamoTickPlans } from "../src/store/dynamo/tickPlan.ts";
import type { Log } from "../src/system/log.ts";
import { oneLine } from "../src/system/redact.ts";
import { type Reconciled, reconcile, type Ticking } from "../src/ticks/reconcile.ts";
import { createScheduler } from "../src/ticks/scheduler.ts";
import { wantByDeploy, wantNothing } from "../src/ticks/wants.ts";
import { answerResource, type ResourceAnswer, ResourceEvent, responseUrlOf } from "./customResource.ts";
import { door, readEvent } from "./door.ts";
import type { FunctionMetrics } from "./metrics.ts";
import { clientDefaults, openBuilding } from "./runtime.ts";
import { everywhere, readSettings } from "./settings.ts";

const what = 'a request of CloudFormation, or {"reconcile":true}';
const ReconcileEvent = z.looseObject({ reconcile: z.literal(true) });

/** CloudFormation writes all properties as texts. */
const whole = z
  .string()
  .regex(/^[1-9]\d{0,5}$/)
  .transform(Number);
const DeployProperties = z.looseObject({ Shards: whole, Ranges: whole });

/** Of the API a person waits for the answer; a deploy can wait for a run that is under way. */
const patienceMs = 5 * secondMs;
const deployPatienceMs = 60 * secondMs;
/** No step begins so shortly before the platform ends the invocation: one lasts some seconds at most, with all repetitions. */
const closingMs = 30 * secondMs;
/** So shortly before it CloudFormation is told that it took too long, whatever is still under way. */
const answeringMs = 12 * secondMs;

type Parts = {
  readonly ticking: Ticking;
  readonly metrics: Pick<FunctionMetrics, "count">;
  readonly log: Log;
  readonly fetch: typeof fetch;
  readonly isEmulated: boolean;
};

export function createReconcile({ ticking, metrics, log, fetch, isEmulated }: Parts) {
  const { plans, clock } = ticking;

  async function run(patienceMs: number, endsAt: EpochMs): Promise<Reconciled> {
    const done = await reconcile(ticking, { patienceMs, endsAt: later(endsAt, -closingMs) });
    if (done.kind === "busy") log("warn", "the ticks were not looked at, for another run has the plan; it or the next one goes on");
    else if (done.steps.length > 0) log("info", `the ticks are as wanted: ${done.steps.map(said).join(", ")}`);
    metrics.count("Reconciled");
    return done;
  }

  async function deploy(properties: ResourceEvent["ResourceProperties"], endsAt: EpochMs): Promise<ResourceAnswer> {
    const wanted = await wantByDeploy(ticking, asked(properties));
    if (wanted.kind === "refused") return { status: "FAILED", reason: wanted.reason };
    // A run that is under way sees what was written; of one that died, the hourly run takes over.
    await run(deployPatienceMs, endsAt);
    return { status: "SUCCESS" };
  }

  async function takeDown(endsAt: EpochMs): Promise<ResourceAnswer> {
    await wantNothing(plans);
    const { kind } = await run(deployPatienceMs, endsAt);
    if (kind === "reconciled") return { status: "SUCCESS" };
    return { status: "FAILED", reason: "another run has the plan of the ticks; delete the stack again in three minutes" };
  }

  async function answerTo({ RequestType, ResourceProperties }: ResourceEvent, endsAt: EpochMs): Promise<ResourceAnswer> {
    const answered = new AbortController();
    const late = clock.until(later(endsAt, -answeringMs), answered.signal).then((): ResourceAnswer => {
      return { status: "FAILED", reason: "the ticks did not become as wanted in time; what was done stays, so deploy again" };
    });
    try {
      return await Promise.race([RequestType === "Delete" ? takeDown(endsAt) : deploy(ResourceProperties, endsAt), late]);
    } catch (cause) {
      log("error", "the ticks could not be made as wanted", { cause });
      return { status: "FAILED", reason: cause instanceof Error ? oneLine(cause.message) : "a bug; the log of the function says more" };
    } finally {
      answered.abort();
    }
  }

  async function serveResource(event: ResourceEvent, endsAt: EpochMs): Promise<ResourceAnswer> {
    // Asked first: a request that nobody could be answered for must not change a thing.
    responseUrlOf(event, isEmulated);
    const answer = await answerTo(event, endsAt);
    if (answer.status === "FAILED") {
      metrics.count("ReconcileFailed");
      log("warn", `this ${event.RequestType.toLowerCase()} of the stack cannot be: ${answer.reason}`);
    }
    const pause = (durationMs: number) => clock.until(later(clock.now(), durationMs));
    await answerResource(event, { physicalId: `${ticking.group}-ticks`, answer }, { fetch, pause, isEmulated });
    return answer;
  }

  return async (event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<Reconciled | ResourceAnswer> => {
    const endsAt = later(clock.now(), context.getRemainingTimeInMillis());
    const isOfResource = typeof event === "object" && event !== null && "RequestType" in event;
    if (isOfResource) return serveResource(readEvent(ResourceEvent, event, what), endsAt);
    readEvent(ReconcileEvent, event, what);
    try {
      return await run(patienceMs, endsAt);
    } catch (cause) {
      metrics.count("ReconcileFailed");
      throw cause;
    }
  };
}

function asked(properties: ResourceEvent["ResourceProperties"]): DeployAsk {
  const { Shards: shards, Ranges: ranges } = readEvent(DeployProperties, properties, "the properties Shards and Ranges as whole numbers");
  return { shards, ranges };
}

function said(step: Step): string {
  switch (step.kind) {
    case "ranges":
      return step.ranges === 1 ? "the base tick looks after all shards" : `the base tick looks after one range of ${step.ranges}`;
    case "create":
      return `made the tick of range ${step.tick.range}`;
    case "update":
      return `${step.tick.enabled ? "changed" : "disabled"} the tick of range ${step.tick.range}`;
    case "delete":
      return `removed the tick of range ${step.range}`;
  }
}

const settings = readSettings(process.env, [...everywhere, "tickGroup", "dispatcherArn", "tickRoleArn", "tickDlqArn"]);
const building = openBuilding(settings);
const { clock, log, table } = building;
const { shards } = settings;
const onUnreadable = (job: string, cause: unknown) => log("error", `the record of ${job} cannot be read`, { job, cause });

const ticking: Ticking = {
  ...{ clock, holder: randomUUID, group: settings.tickGroup, runMsMax: reconcileTimeoutMs },
  plans: dynamoTickPlans(table, shards),
  scheduler: createScheduler(new SchedulerClient(clientDefaults)),
  target: { arn: settings.dispatcherArn, roleArn: settings.tickRoleArn, deadLetterArn: settings.tickDlqArn },
  store: createDynamoStore({ table, now: clock.now, shards, onUnreadable }),
};
const isEmulated = (process.env["AWS_ENDPOINT_URL"] ?? "") !== "";

export const handler = door(building, createReconcile({ ...building, ticking, fetch, isEmulated }));
