/** The queues of hints, one a priority, each with the queue to which it moves what nobody can handle. */

import { Duration } from "aws-cdk-lib";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { undertakerTimeoutMs, visibilityPerTimeout } from "../src/core/invocation.ts";
import { type Priority, priorities } from "../src/core/job.ts";
import { dayMs } from "../src/core/time.ts";
import { acknowledge } from "./acknowledge.ts";
import { nameOf } from "./names.ts";

export type QueuesProps = {
  readonly stage: string;
  /** How long a received hint stays hidden. */
  readonly visibilityMs: number;
};

/** Fewer runs could be used up by throttling alone; more only repeat what failed. AWS asks for at least five. */
const receivesMax = 5;

/** A hint is of no use after minutes; a message that is none fails its runs within them. */
const hintsKeptMs = dayMs;

/** The longest that SQS keeps anything: the age counts from the first queue on, and the undertaker may be broken for a while. */
const deadLettersKeptMs = 14 * dayMs;

export class Queues extends Construct {
  readonly byPriority: Readonly<Record<Priority, sqs.Queue>>;
  readonly deadByPriority: Readonly<Record<Priority, sqs.Queue>>;
  /** Ticks that EventBridge Scheduler could not deliver. */
  readonly deadTicks: sqs.Queue;

  constructor(scope: Construct, id: string, { stage, visibilityMs }: QueuesProps) {
    super(scope, id);
    this.deadByPriority = eachPriority((priority) =>
      deadLetterQueue(this, `Dead${capitalized(priority)}`, nameOf(stage, `${priority}-dead`)),
    );
    this.byPriority = eachPriority(
      (priority) =>
        new sqs.Queue(this, capitalized(priority), {
          ...guarded,
          queueName: nameOf(stage, priority),
          visibilityTimeout: Duration.millis(visibilityMs),
          retentionPeriod: Duration.millis(hintsKeptMs),
          deadLetterQueue: { queue: this.deadByPriority[priority], maxReceiveCount: receivesMax },
        }),
    );
    this.deadTicks = deadLetterQueue(this, "DeadTicks", nameOf(stage, "ticks-dead"));
    acknowledge(this.deadTicks, {
      "AwsSolutions-SQS3": "It is the dead-letter queue of schedules, which the rule does not look at.",
    });
  }

  get all(): readonly sqs.Queue[] {
    return priorities.map((priority) => this.byPriority[priority]);
  }

  /** In the order of the priorities, the ticks' last. */
  get allDead(): readonly sqs.Queue[] {
    return [...priorities.map((priority) => this.deadByPriority[priority]), this.deadTicks];
  }
}

/** Encrypted by SQS, at no cost, and deaf to plain HTTP. */
const guarded = { encryption: sqs.QueueEncryption.SQS_MANAGED, enforceSSL: true };

function deadLetterQueue(scope: Construct, id: string, queueName: string): sqs.Queue {
  const queue = new sqs.Queue(scope, id, {
    ...guarded,
    queueName,
    visibilityTimeout: Duration.millis(visibilityPerTimeout * undertakerTimeoutMs),
    retentionPeriod: Duration.millis(deadLettersKeptMs),
  });
  acknowledge(queue, {
    "Serverless-SQSRedrivePolicy": "It is a dead-letter queue itself; the undertaker empties it, and an alarm tells when it does not.",
  });
  return queue;
}

function eachPriority<Value>(make: (priority: Priority) => Value): Record<Priority, Value> {
  return { critical: make("critical"), high: make("high"), normal: make("normal"), low: make("low") };
}

export function capitalized(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
