/** The four functions that serve jobs: what each knows, what it may do, and what wakes it. The fifth is in `reconcile.ts`. */

import { Duration } from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { apiTimeoutMs, dispatcherTimeoutMs, type Spans, undertakerTimeoutMs } from "../src/core/invocation.ts";
import { type Priority, priorities } from "../src/core/job.ts";
import { formatDuration } from "../src/core/time.ts";
import { acknowledge } from "./acknowledge.ts";
import type { AdminKey } from "./adminKey.ts";
import { Door, type House } from "./door.ts";
import {
  houseItems,
  invoke,
  putTenantItems,
  queryIndexes,
  readItems,
  readSecret,
  receiveFrom,
  sendTo,
  showAgain,
  touchHouseItems,
} from "./permissions.ts";
import { capitalized, type Queues } from "./queues.ts";
import { tickAgeMsMax } from "./ticks.ts";

/** What the functions meet. */
export type Surroundings = { readonly house: House; readonly table: { readonly tableArn: string }; readonly queues: Queues };

/** Pollers kept ready for a queue: 2–200 at least, up to 2,000 at most. Each is billed by the hour. */
export type Pollers = { readonly minimum: number; readonly maximum: number };

/** The queues' URLs, by the names that the functions read. */
function queueUrls(queues: Queues): Record<string, string> {
  return Object.fromEntries(
    priorities.map((priority) => [`ONTHEDOT_QUEUE_${priority.toUpperCase()}`, queues.byPriority[priority].queueUrl]),
  );
}

export function dispatcher(scope: Construct, { house, table, queues }: Surroundings): Door {
  const door = new Door(scope, "Dispatcher", {
    house,
    name: "dispatcher",
    description: "Turns the wheel at each tick: hints what is due soon or overdue. Reads the index and no item.",
    timeoutMs: dispatcherTimeoutMs,
    environment: queueUrls(queues),
    permissions: [
      queryIndexes(table, ["wheel"]),
      touchHouseItems(table, ["UpdateItem"], [houseItems.cursors, houseItems.ticks]),
      sendTo(queues.all),
    ],
  });
  const async = new lambda.EventInvokeConfig(door, "Ticks", {
    function: door.function,
    maxEventAge: Duration.millis(tickAgeMsMax),
    // The next tick does what a failed one left undone, and comes sooner than a second try.
    retryAttempts: 0,
  });
  acknowledge(async, {
    "Serverless-LambdaAsyncFailureDestination": "A tick carries no truth: the next one does the same, and an alarm tells when none comes.",
  });
  return door;
}

export type ApiProps = {
  readonly auth: "key" | "iam";
  readonly adminKey: AdminKey;
  readonly reconcile: lambda.IFunction;
  readonly allowTargets: string;
};

export function api(scope: Construct, { house, table, queues }: Surroundings, { auth, adminKey, reconcile, allowTargets }: ApiProps): Door {
  return new Door(scope, "Api", {
    house,
    name: "api",
    description: "Answers the HTTP API. Calls no target.",
    timeoutMs: apiTimeoutMs,
    environment: {
      ...queueUrls(queues),
      ONTHEDOT_ALLOW_TARGETS: allowTargets,
      ONTHEDOT_ADMIN_KEY_SECRET: adminKey.secretName,
      ONTHEDOT_AUTH: auth,
      ONTHEDOT_RECONCILE: reconcile.functionName,
    },
    permissions: [
      readItems(table),
      putTenantItems(table),
      touchHouseItems(table, ["UpdateItem"], [houseItems.ticks]),
      queryIndexes(table, ["list", "failures"]),
      sendTo(queues.all),
      readSecret(adminKey.secret),
      invoke(reconcile),
    ],
  });
}

/** A look-up of a name holds a thread, for many seconds where no name server answers: with the usual four, two would hold up all others. */
const lookUpThreads = 64;

export type ExecutorProps = {
  readonly spans: Spans;
  readonly allowTargets: string;
  /** Executors at once for each queue; null where pollers are provisioned, which bound it themselves. */
  readonly concurrency: Readonly<Record<Priority, number>>;
  readonly pollers: Readonly<Partial<Record<Priority, Pollers>>>;
};

export function executor(scope: Construct, { house, table, queues }: Surroundings, props: ExecutorProps): Door {
  const { spans, allowTargets, concurrency, pollers } = props;
  const door = new Door(scope, "Executor", {
    house,
    name: "executor",
    description: "Calls the targets of the jobs that a hint names.",
    timeoutMs: spans.executorTimeoutMs,
    environment: {
      ...queueUrls(queues),
      ONTHEDOT_ALLOW_TARGETS: allowTargets,
      ONTHEDOT_EXECUTOR_TIMEOUT: formatDuration(spans.executorTimeoutMs),
      ONTHEDOT_VISIBILITY: formatDuration(spans.visibilityMs),
      UV_THREADPOOL_SIZE: String(lookUpThreads),
    },
    permissions: [
      readItems(table),
      putTenantItems(table),
      queryIndexes(table, ["wheel"]),
      sendTo(queues.all),
      receiveFrom(queues.all),
      showAgain(queues.all),
    ],
    // It hints to its own queues. AWS would drop the sixteenth hint of such a chain; the caps on attempts are its bound.
    recursiveLoop: lambda.RecursiveLoop.ALLOW,
  });
  for (const priority of priorities) {
    const ready = pollers[priority];
    mapping(door, capitalized(priority), queues.byPriority[priority], {
      // One poisonous job must not meet the hints of others.
      batchSize: 1,
      ...(ready === undefined
        ? { maxConcurrency: concurrency[priority] }
        : { provisionedPollerConfig: { minimumPollers: ready.minimum, maximumPollers: ready.maximum } }),
    });
  }
  return door;
}

/** Two are the least that AWS can be asked for, and dead letters are few. */
const undertakersPerQueue = 2;

export function undertaker(scope: Construct, { house, table, queues }: Surroundings): Door {
  const door = new Door(scope, "Undertaker", {
    house,
    name: "undertaker",
    description: "Records what no executor could handle, and drops dead hints: the wheel still holds their work.",
    timeoutMs: undertakerTimeoutMs,
    environment: {},
    permissions: [touchHouseItems(table, ["PutItem"], [houseItems.deadLetters]), receiveFrom(queues.allDead)],
  });
  for (const priority of priorities) {
    mapping(door, capitalized(priority), queues.deadByPriority[priority], { batchSize: 10, maxConcurrency: undertakersPerQueue });
  }
  mapping(door, "Ticks", queues.deadTicks, { batchSize: 10, maxConcurrency: undertakersPerQueue });
  return door;
}

function mapping(door: Door, id: string, queue: IQueue, options: lambda.EventSourceMappingOptions): void {
  const made = new lambda.EventSourceMapping(door, `From${id}`, {
    target: door.function,
    eventSourceArn: queue.queueArn,
    reportBatchItemFailures: true,
    ...options,
  });
  acknowledge(made, {
    "Serverless-LambdaEventSourceMappingDestination": "A queue keeps what fails itself: by redrive, or until it is received again.",
  });
}
