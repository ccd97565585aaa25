/**
 * EventBridge Scheduler in values of ours: the schedules of a group, read, put and deleted. It knows nothing of what they are for.
 * Every verb may be repeated without harm. Throttling, silence and faults of AWS are an `OutageError`; a missing right is one clear line.
 */

import { randomUUID } from "node:crypto";
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  type GetScheduleCommandOutput,
  ListSchedulesCommand,
  ResourceNotFoundException,
  type SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { OutageError } from "../engine/ports.ts";

export type Schedule = {
  readonly name: string;
  /** `cron(…)`, `rate(…)` or `at(…)`. */
  readonly expression: string;
  readonly timezone: string;
  readonly isEnabled: boolean;
  readonly target: {
    readonly arn: string;
    /** Whose right the call is made by. */
    readonly roleArn: string;
    /** What the target is given; null: an event of the Scheduler's own. */
    readonly input: string | null;
    /** The queue for what could not be delivered; null: it is dropped. */
    readonly deadLetterArn: string | null;
    readonly retry: { readonly ageSecondsMax: number; readonly attemptsMax: number };
  };
};

export type Scheduler = {
  /** The names of a group's schedules that begin so, in no order. */
  list(group: string, prefix: string): Promise<readonly string[]>;
  get(group: string, name: string): Promise<Schedule | undefined>;
  /** Makes the schedule, or replaces it whole: what is not part of a `Schedule` (a start, an end, a window) is as if it were new. */
  put(group: string, schedule: Schedule): Promise<void>;
  /** One that is gone already is deleted. */
  delete(group: string, name: string): Promise<void>;
};

/** What the Scheduler itself takes where nothing is said: it tries for a day. */
const retryDefault = { ageSecondsMax: 86_400, attemptsMax: 185 };

/** Each repetition of one request that the SDK makes carries the same token, so that it takes effect once. */
const once = () => ({ ClientToken: randomUUID() });

export function createScheduler(client: Pick<SchedulerClient, "send">): Scheduler {
  async function create(group: string, schedule: Schedule): Promise<"created" | "exists"> {
    const request = new CreateScheduleCommand({ ...once(), ...written(group, schedule) });
    const made = () => client.send(request).then(() => "created" as const);
    return unless(ConflictException, "exists", "scheduler:CreateSchedule", made);
  }

  async function update(group: string, schedule: Schedule): Promise<"updated" | "absent"> {
    const request = new UpdateScheduleCommand({ ...once(), ...written(group, schedule) });
    const made = () => client.send(request).then(() => "updated" as const);
    return unless(ResourceNotFoundException, "absent", "scheduler:UpdateSchedule", made);
  }

  return {
    async list(group, prefix) {
      const names: string[] = [];
      let NextToken: string | undefined;
      do {
        const request = new ListSchedulesCommand({ GroupName: group, NamePrefix: prefix, ...(NextToken && { NextToken }) });
        const page = await ask("scheduler:ListSchedules", () => client.send(request));
        for (const { Name } of page.Schedules ?? []) if (Name !== undefined) names.push(Name);
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return names;
    },
    async get(group, name) {
      const request = new GetScheduleCommand({ GroupName: group, Name: name });
      const got = await unless(ResourceNotFoundException, undefined, "scheduler:GetSchedule", () => client.send(request));
      return got === undefined ? undefined : read(name, got);
    },
    async put(group, schedule) {
      if ((await update(group, schedule)) === "updated") return;
      // Made meanwhile by another who puts it: the later one counts.
      if ((await create(group, schedule)) === "exists" && (await update(group, schedule)) === "absent")
        throw new OutageError(`the schedule ${schedule.name} comes and goes; another process changes it`);
    },
    async delete(group, name) {
      const request = new DeleteScheduleCommand({ ...once(), GroupName: group, Name: name });
      await unless(ResourceNotFoundException, undefined, "scheduler:DeleteSchedule", () => client.send(request));
    },
  };
}

function written(group: string, { name, expression, timezone, isEnabled, target }: Schedule) {
  const { arn, roleArn, input, deadLetterArn, retry } = target;
  return {
    GroupName: group,
    Name: name,
    ScheduleExpression: expression,
    ScheduleExpressionTimezone: timezone,
    FlexibleTimeWindow: { Mode: "OFF" as const },
    State: isEnabled ? ("ENABLED" as const) : ("DISABLED" as const),
    Target: {
      Arn: arn,
      RoleArn: roleArn,
      ...(input === null ? {} : { Input: input }),
      ...(deadLetterArn === null ? {} : { DeadLetterConfig: { Arn: deadLetterArn } }),
      RetryPolicy: { MaximumEventAgeInSeconds: retry.ageSecondsMax, MaximumRetryAttempts: retry.attemptsMax },
    },
  };
}

function read(name: string, got: GetScheduleCommandOutput): Schedule {
  const { Arn = "", RoleArn = "", Input = null, DeadLetterConfig, RetryPolicy } = got.Target ?? {};
  return {
    name,
    expression: got.ScheduleExpression ?? "",
    timezone: got.ScheduleExpressionTimezone ?? "UTC",
    isEnabled: got.State !== "DISABLED",
    target: {
      arn: Arn,
      roleArn: RoleArn,
      input: Input,
      deadLetterArn: DeadLetterConfig?.Arn ?? null,
      retry: {
        ageSecondsMax: RetryPolicy?.MaximumEventAgeInSeconds ?? retryDefault.ageSecondsMax,
        attemptsMax: RetryPolicy?.MaximumRetryAttempts ?? retryDefault.attemptsMax,
      },
    },
  };
}

/** The answer where one expected refusal came, of the kind given. */
async function unless<T, Answer>(
  refusal: new (...args: never[]) => Error,
  answer: Answer,
  action: string,
  request: () => Promise<T>,
): Promise<T | Answer> {
  try {
    return await request();
  } catch (cause) {
    if (cause instanceof refusal) return answer;
    throw translated(action, cause);
  }
}

async function ask<T>(action: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    throw translated(action, cause);
  }
}

/** What passes by itself. The SDK has repeated each some times already. A conflict is another's change that is still being made. */
const passingErrors = new Set([
  ...["ThrottlingException", "TooManyRequestsException", "InternalServerException", "ServiceUnavailableException", "ConflictException"],
  ...["TimeoutError", "AbortError", "NetworkingError", "ExpiredTokenException", "RequestTimeout", "RequestTimeoutException"],
]);

type SdkError = Error & { readonly $metadata?: { readonly httpStatusCode?: number }; readonly code?: string };

function translated(action: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { name, message, $metadata, code } = cause as SdkError;
  const status = $metadata?.httpStatusCode;
  // An error of the socket has a system's code, and no answer of AWS behind it.
  const isUnanswered = status === undefined && code !== undefined;
  if (passingErrors.has(name) || isUnanswered || (status !== undefined && (status >= 500 || status === 429)))
    return new OutageError(`${action} did not succeed: ${name}`, { cause });
  switch (name) {
    case "AccessDeniedException":
      return new Error(`expected the right to ${action}, and the role of this function lacks it: ${message}`, { cause });
    case "ResourceNotFoundException":
      return new Error(`expected the schedule group, and there is none for ${action}: ${message}; deploy the stack again`, { cause });
    case "ServiceQuotaExceededException":
      return new Error(`${action} would exceed a quota of this account: ${message}; ask AWS for more, or want fewer`, { cause });
    default:
      return cause;
  }
}
