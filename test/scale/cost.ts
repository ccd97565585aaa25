/**
 * What a stack costs: counted units times prices, a pure function. What a month costs when nothing happens, and what a million jobs cost
 * on top of it. Free tiers are left out, and so is what only your own use decides: reads by the API, retries, answers that are kept.
 */

import { type Priced, prices } from "./prices.ts";

export type Usage = Readonly<Partial<Record<Priced, number>>>;

/** Dollars, by the lines of the bill. */
export type Bill = Readonly<Record<Line, number>>;

const lines = {
  "DynamoDB writes": ["writeUnits"],
  "DynamoDB reads": ["readUnits"],
  "DynamoDB storage": ["storedGbMonth", "recoveryGbMonth"],
  SQS: ["sqsRequests"],
  "Lambda time": ["lambdaGbSeconds"],
  "Lambda requests": ["lambdaRequests"],
  "provisioned pollers": ["pollerHours"],
  "API Gateway": ["apiRequests"],
  Scheduler: ["scheduledInvocations"],
  CloudWatch: ["logGb", "metricMonths", "alarmMonths", "dashboardMonths"],
  "Secrets Manager": ["secretMonths"],
  "data out": ["dataOutGb"],
} as const satisfies Record<string, readonly Priced[]>;
export type Line = keyof typeof lines;
export const lineNames = Object.keys(lines) as Line[];

export function billOf(usage: Usage): Bill {
  const dollars = (line: Line) => lines[line].reduce((sum, priced) => sum + (usage[priced] ?? 0) * prices[priced], 0);
  return Object.fromEntries(lineNames.map((line) => [line, dollars(line)])) as Record<Line, number>;
}

export function totalOf(bill: Bill): number {
  return Object.values(bill).reduce((sum, dollars) => sum + dollars, 0);
}

/** A month of thirty days. */
const monthMinutes = 30 * 24 * 60;
export const monthSeconds = monthMinutes * 60;

/** What a stack has and does without a job. `infra/` says how many. */
export const standing = {
  /** Four queues, their four dead-letter queues, and the ticks'. */
  mappings: 9,
  /** A mapping with a bound on its concurrency keeps five long polls of 20 s open; AWS may do with fewer. */
  pollsPerMapping: 5,
  pollSeconds: 20,
  alarms: 20,
  dashboards: 1,
  secrets: 1,
  /** Five that turns and the hourly reconcile report, eleven more once jobs come: by outcome, lateness, duration, creates. */
  metrics: 16,
  /** Lines of the log in bytes: estimates from the code's own lines and Lambda's. */
  logBytesPerTurn: 1_200,
  logBytesPerCall: 550,
  logBytesPerInvocation: 1_700,
  logBytesPerRequest: 1_300,
  /** A create: parse, write, answer, on a third of a processor. */
  apiMs: 30,
  apiMsPerFurtherJob: 3,
  /** What a call sends: the client's part of a TLS handshake, head, a body of 200 bytes. What an answer of the API sends. */
  bytesPerCall: 2_000,
  bytesPerAnswer: 1_000,
  /** An ended job's item and its entry in the list, until retention ends. */
  bytesPerJob: 1_300,
  retentionMonths: 1,
} as const;

/** What one turn over an empty wheel of all shards takes. */
export type IdleTurn = { readonly ms: number; readonly readUnits: number; readonly writeUnits: number };

export type Sizes = {
  readonly ranges: number;
  readonly memoryMb: number;
  readonly dispatcherMemoryMb: number;
  readonly apiMemoryMb: number;
  readonly provisionedPollers: number;
};

const gb = (memoryMb: number) => memoryMb / 1_024;

/** A month in which nothing happens. */
export function idleMonth(sizes: Sizes, turn: IdleTurn): Usage {
  const turns = monthMinutes * sizes.ranges;
  const emptyPolls = (standing.mappings * standing.pollsPerMapping * monthSeconds) / standing.pollSeconds;
  return {
    // A turn over a part of the shards takes a part of the time.
    lambdaGbSeconds: (monthMinutes * turn.ms * gb(sizes.dispatcherMemoryMb)) / 1_000,
    lambdaRequests: turns,
    readUnits: monthMinutes * turn.readUnits,
    writeUnits: turns * turn.writeUnits,
    scheduledInvocations: turns + monthMinutes / 60,
    sqsRequests: emptyPolls,
    pollerHours: (sizes.provisionedPollers * monthMinutes) / 60,
    logGb: (turns * standing.logBytesPerTurn) / 1e9,
    metricMonths: standing.metrics,
    alarmMonths: standing.alarms,
    dashboardMonths: standing.dashboards,
    secretMonths: standing.secrets,
  };
}

/** Units that a job of the reference size takes of the table, its wheel and its list: `docs/units.ts` counts them. */
export type JobUnits = { readonly writes: number; readonly reads: number };

/** How jobs come and go, counted in a run of the simulation. */
export type Shape = {
  readonly namesPerHint: number;
  /** Requests that send, for each message. */
  readonly sendsPerHint: number;
  /** How long an invocation lasts: the hold before the instant, the call, its settling. */
  readonly msPerHint: number;
  /** Of the wheel's pages, for each job. */
  readonly pageUnitsPerJob: number;
};

type Million = {
  /** How many are created at once. */
  readonly jobsPerRequest: number;
  readonly perJob: JobUnits;
};

/** A million jobs on top of the month. */
export function millionJobs(shape: Shape, sizes: Sizes, { jobsPerRequest, perJob }: Million): Usage {
  const jobs = 1e6;
  const hints = jobs / shape.namesPerHint;
  const requests = jobs / jobsPerRequest;
  const apiMs = standing.apiMs + (jobsPerRequest - 1) * standing.apiMsPerFurtherJob;
  return {
    writeUnits: jobs * perJob.writes,
    readUnits: jobs * (perJob.reads + shape.pageUnitsPerJob),
    // Sent, received, deleted.
    sqsRequests: hints * (shape.sendsPerHint + 2),
    lambdaRequests: hints + requests,
    lambdaGbSeconds: (hints * shape.msPerHint * gb(sizes.memoryMb) + requests * apiMs * gb(sizes.apiMemoryMb)) / 1_000,
    apiRequests: requests,
    logGb: (jobs * standing.logBytesPerCall + hints * standing.logBytesPerInvocation + requests * standing.logBytesPerRequest) / 1e9,
    dataOutGb: (jobs * (standing.bytesPerCall + standing.bytesPerAnswer)) / 1e9,
    storedGbMonth: (jobs * standing.bytesPerJob * standing.retentionMonths) / 1e9,
  };
}

/** The share of a million jobs in a month's fixed cost, where so many come a second. */
export function sharePerMillion(month: Usage, jobsPerSecond: number): Usage {
  const months = 1e6 / (jobsPerSecond * monthSeconds);
  return Object.fromEntries(Object.entries(month).map(([priced, amount]) => [priced, amount * months]));
}

export function sumOf(...usages: readonly Usage[]): Usage {
  const sum: Partial<Record<Priced, number>> = {};
  for (const usage of usages)
    for (const [priced, amount] of Object.entries(usage)) sum[priced as Priced] = (sum[priced as Priced] ?? 0) + amount;
  return sum;
}
