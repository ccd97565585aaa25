/**
 * What AWS allows, as the simulation takes it, for us-east-1. Each number names the page that says it; the pages were read in November 2026
 * from stored copies, and where one carries a date that date is given. "Ask" in a comment: AWS raises it on request.
 */

import { minuteMs, secondMs } from "../../src/core/time.ts";

export const quotas = {
  /** A partition of a table or of an index serves so many units a second, whatever the table has. docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html */
  partitionWrites: 1_000,
  partitionReads: 3_000,
  /** A new on-demand table, and each of its indexes, starts with so much. Same page. A table can be warmed beforehand, for money. */
  newTableWrites: 4_000,
  newTableReads: 12_000,
  /** More than double the peak so far may throttle within 30 minutes. repost.aws/knowledge-center/on-demand-table-throttling-dynamodb */
  doublingMs: 30 * minuteMs,
  /** For each on-demand table. Ask. docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html */
  tableWrites: 40_000,
  tableReads: 40_000,

  /** An SQS mapping starts with five invocations at once, adds 300 a minute while messages wait, and stops at 1,250. docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  pollsAtStart: 5,
  pollsPerMinute: 300,
  pollsMax: 1_250,
  /** In provisioned mode each poller carries ten invocations, and 1,000 a minute are added. aws.amazon.com/blogs/aws, "AWS Lambda enhances event processing with provisioned mode", 14 November 2025. */
  invocationsPerPoller: 10,
  provisionedPerMinute: 1_000,
  /** docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html and quotas-queues.html */
  messagesPerBatch: 10,
  delaySecondsMax: 900,

  /** Functions of one account and region that run at once. Ask. A fresh account has less. docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, as of 20 September 2026. */
  concurrency: 1_000,
  /** New environments of one function: a thousand each ten seconds, given back continuously. docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html */
  environmentsAtOnce: 1_000,
  environmentsPerSecond: 100,
  /** A function with so much memory has one whole vCPU; less is in proportion. git.mcrn.ar/mariano/lambda_local_runner, lambda-13-cost.md (undated), quotes AWS; its own page was not read. */
  memoryMbPerCpu: 1_769,

  /** Scheduler keeps the minute, not the second. From the design of this system; AWS's own page was not read. */
  tickJitterMs: 59 * secondMs,
  /** Requests a second to all HTTP APIs of an account. Ask. open-exam-prep.com/study-guides/aws-solutions-architect, as of June 2026; not verified on AWS's own page. */
  apiRequests: 10_000,
} as const;
