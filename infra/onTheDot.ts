/** The whole home as one construct, for an app of one's own. `stack.ts` is the thin stack around it that `cdk deploy` makes. */

import { createHash } from "node:crypto";
import { RemovalPolicy } from "aws-cdk-lib";
import type * as http from "aws-cdk-lib/aws-apigatewayv2";
import type * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as logs from "aws-cdk-lib/aws-logs";
import * as sns from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { brokenSpans, spansFor } from "../src/core/invocation.ts";
import { type Priority, priorities } from "../src/core/job.ts";
import { formatDuration, minuteMs } from "../src/core/time.ts";
import { AdminKey } from "./adminKey.ts";
import { Alarms } from "./alarms.ts";
import { Dashboard } from "./dashboard.ts";
import type { Door, DoorName, House, Network } from "./door.ts";
import { api, dispatcher, executor, type Pollers, undertaker } from "./functions.ts";
import { Gateway } from "./gateway.ts";
import { Queues } from "./queues.ts";
import { Reconcile } from "./reconcile.ts";
import { asContext, productionStage, readSettings, type Settings } from "./settings.ts";
import { JobTable } from "./table.ts";
import { Ticks } from "./ticks.ts";

export type OnTheDotProps = {
  /** 1–20 of `a–z 0–9 -`. All names begin with it, so that stages live side by side in one account and region. */
  readonly stage: string;
  /**
   * Partitions of the wheel. More of them take more creates a second; fewer than are in use are refused at deploy.
   * @default 64
   */
  readonly shards?: number;
  /**
   * Dispatchers that share the shards, each with a tick of its own. `onthedot ticks resize` changes it at run time.
   * @default 1
   */
  readonly ranges?: number;
  /**
   * How long ended jobs, and their idempotency keys, are kept; at least a day.
   * @default - 30 days
   */
  readonly retentionMs?: number;
  /**
   * How far ahead of its instant a job is hinted: 2–14 minutes. A minute more outlives one more lost tick without lateness.
   * @default - 5 minutes
   */
  readonly lookaheadMs?: number;
  /**
   * How often ticks come; AWS's come each minute, an emulator's may come faster.
   * @default - a minute
   */
  readonly tickMs?: number;
  /**
   * The longest call, up to 14 minutes, in whole seconds. Timeout and lease of executors and the visibility of hints follow from it.
   * @default - 2 minutes
   */
  readonly maxTimeoutMs?: number;
  /**
   * Hosts, host:port and CIDRs that may be called beside public addresses, separated by commas.
   * @default - none
   */
  readonly allowTargets?: string;
  /**
   * Whether an excerpt of every answer is kept, which costs writes, or of failures only.
   * @default "failures"
   */
  readonly keepResponses?: Settings["keepResponses"];
  /**
   * Who is asked for what: "key", the function for the admin key; "iam", API Gateway for a request signed by an identity of the account.
   * @default "key"
   */
  readonly auth?: Settings["auth"];
  /**
   * SNS topic that alarms, and their end, are told to.
   * @default - nobody is told
   */
  readonly alarmTopicArn?: string | null;
  /**
   * Built to keep what it holds: recovery to any second, a table that cannot be deleted, longer logs, and concurrency reserved for each
   * function, so that a flood of calls cannot starve the dispatcher.
   * @default - whether the stage is "prod"
   */
  readonly production?: boolean;
  /**
   * What becomes of the table with the stack.
   * @default - RETAIN in production, DESTROY elsewhere
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Memory of each function in MB, and with it the share of a processor: 1,769 MB are one.
   * @default - 1,024 for the api, 512 for the dispatcher, 640 for the executor, 256 for the others
   */
  readonly memoryMb?: Readonly<Partial<Record<DoorName, number>>>;
  /**
   * Executors at once for each priority's queue, 2–1,000. In production their sum is reserved for the executor.
   * @default - 100 each
   */
  readonly concurrency?: Readonly<Partial<Record<Priority, number>>>;
  /**
   * Pollers kept ready for a priority's queue, which then follow a flood within seconds; they take the place of its `concurrency`.
   * @default - none: Lambda adds pollers as the queue fills, five at first and some hundred a minute
   */
  readonly pollers?: Readonly<Partial<Record<Priority, Pollers>>>;
  /**
   * Requests a second, and at once, that the API lets through from all callers together.
   * @default - 1,000 a second, 2,000 at once
   */
  readonly throttle?: { readonly rate: number; readonly burst: number };
  /**
   * Where the functions run that must reach what only a VPC reaches. They also need a way out to AWS and to the targets.
   * @default - in no VPC
   */
  readonly network?: Network;
};

/** What alarms and dashboard look at. */
export type Parts = {
  readonly stage: string;
  readonly table: dynamodb.Table;
  readonly queues: Queues;
  readonly httpApi: http.HttpApi;
  readonly doors: Readonly<Record<DoorName, Door>>;
};

/** The handshakes of the calls of one hint fit the lead on a third of a processor; the api signs a thousand requests for one batch. */
const memoryMbDefault: Record<DoorName, number> = { api: 1_024, dispatcher: 512, executor: 640, undertaker: 256, reconcile: 256 };

const executorsPerQueue = 100;

/** Ranges may be added at run time: room for as many dispatchers, each overtaken by one tick, without a deploy. */
const dispatchersReserved = 32;

/** What one provisioned poller keeps under way at once. */
const invocationsPerPoller = 10;

/** Beside them the account keeps at least the hundred that AWS insists on, of the thousand that it gives. */
const reserved = { api: 100, undertaker: 10, reconcile: 2 };

export class OnTheDot extends Construct implements Parts {
  readonly stage: string;
  readonly table: dynamodb.Table;
  readonly queues: Queues;
  readonly ticks: Ticks;
  readonly adminKey: AdminKey;
  readonly httpApi: http.HttpApi;
  readonly doors: Readonly<Record<DoorName, Door>>;

  constructor(scope: Construct, id: string, props: OnTheDotProps) {
    super(scope, id);
    const settings = settingsOf(props);
    const { stage, auth, allowTargets, shards, ranges } = settings;
    const spans = spansFor(settings.maxTimeoutMs);
    this.stage = stage;
    const isProduction = isProductionOf(props);
    this.table = new JobTable(this, "Table", {
      stage,
      pointInTimeRecovery: isProduction,
      deletionProtection: isProduction,
      removalPolicy: props.removalPolicy ?? (isProduction ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY),
    }).table;
    this.queues = new Queues(this, "Queues", { stage, visibilityMs: spans.visibilityMs });
    this.adminKey = new AdminKey(this, "AdminKey", { stage });
    const house = houseOf(props, settings, this.table.tableName);
    const surroundings = { house, table: this.table, queues: this.queues };
    const turner = dispatcher(this, surroundings);
    this.ticks = new Ticks(this, "Ticks", { stage, dispatcher: turner.function, deadTicks: this.queues.deadTicks });
    const reconcile = new Reconcile(this, "Reconcile", { surroundings, ticks: this.ticks, dispatcher: turner });
    this.doors = {
      api: api(this, surroundings, { auth, allowTargets, adminKey: this.adminKey, reconcile: reconcile.door.function }),
      dispatcher: turner,
      executor: executor(this, surroundings, { spans, allowTargets, concurrency: concurrencyOf(props), pollers: props.pollers ?? {} }),
      undertaker: undertaker(this, surroundings),
      reconcile: reconcile.door,
    };
    this.httpApi = new Gateway(this, "Gateway", {
      ...{ stage, api: this.doors.api.function, auth, logRetention: house.logRetention },
      throttle: props.throttle ?? { rate: 1_000, burst: 2_000 },
    }).httpApi;
    const { api: creating, executor: calling } = this.doors;
    reconcile.withEachDeploy({
      ...{ shards, ranges, code: codeOf(this.doors) },
      // Asked when no function of before makes jobs any more on shards that are to go.
      after: [this.table, this.ticks, ...[creating, calling, turner].map((door) => door.function)],
    });
    const alarms = new Alarms(this, "Alarms", {
      parts: this,
      topic: settings.alarmTopicArn === null ? null : sns.Topic.fromTopicArn(this, "AlarmTopic", settings.alarmTopicArn),
      lateMs: spans.executorTimeoutMs + 2 * minuteMs,
    });
    new Dashboard(this, "Dashboard", { parts: this, alarms });
  }
}

/** By the rules of `cdk deploy`, and with its defaults. */
function settingsOf(props: OnTheDotProps): Settings {
  const read = readSettings({ context: asContext(props), env: {}, production: isProductionOf(props) });
  if ("wrong" in read) throw new Error(read.wrong.join("; "));
  const broken = brokenSpans(spansFor(read.settings.maxTimeoutMs));
  if (broken.length > 0) throw new Error(`maxTimeoutMs: ${broken.join("; ")}`);
  return read.settings;
}

function isProductionOf({ production, stage }: OnTheDotProps): boolean {
  return production ?? stage === productionStage;
}

function concurrencyOf({ concurrency }: OnTheDotProps): Record<Priority, number> {
  const each = executorsPerQueue;
  return { critical: each, high: each, normal: each, low: each, ...concurrency };
}

function houseOf(props: OnTheDotProps, settings: Settings, tableName: string): House {
  const isProduction = isProductionOf(props);
  return {
    stage: settings.stage,
    environment: environmentOf(settings, tableName),
    logRetention: isProduction ? logs.RetentionDays.THREE_MONTHS : logs.RetentionDays.TWO_WEEKS,
    memoryMb: { ...memoryMbDefault, ...props.memoryMb },
    reservedConcurrency: isProduction ? reservedOf(props, settings.ranges) : null,
    network: props.network ?? null,
  };
}

/** What every function is told. */
function environmentOf(settings: Settings, tableName: string): Record<string, string> {
  return {
    ONTHEDOT_STAGE: settings.stage,
    ONTHEDOT_TABLE: tableName,
    ONTHEDOT_SHARDS: String(settings.shards),
    ONTHEDOT_LOOKAHEAD: formatDuration(settings.lookaheadMs),
    ONTHEDOT_TICK: formatDuration(settings.tickMs),
    ONTHEDOT_MAX_TIMEOUT: formatDuration(settings.maxTimeoutMs),
    ONTHEDOT_RETENTION: formatDuration(settings.retentionMs),
    ONTHEDOT_KEEP_RESPONSES: settings.keepResponses,
    ONTHEDOT_LOG: "info",
  };
}

/** The executor gets what its queues may use together: fewer would throttle hints, and each throttled one is received in vain. */
function reservedOf(props: OnTheDotProps, ranges: number): Record<DoorName, number> {
  const concurrency = concurrencyOf(props);
  const executors = priorities.map((priority) => {
    const ready = props.pollers?.[priority];
    return ready === undefined ? concurrency[priority] : invocationsPerPoller * ready.maximum;
  });
  return {
    ...reserved,
    dispatcher: Math.max(dispatchersReserved, 2 * ranges),
    executor: executors.reduce((sum, count) => sum + count, 0),
  };
}

/** One text for the code of all functions. */
function codeOf(doors: Readonly<Record<DoorName, Door>>): string {
  const keys = Object.values(doors).map((door) => door.codeKey);
  return createHash("sha256").update(keys.join("\n")).digest("hex").slice(0, 16);
}
