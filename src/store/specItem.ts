/** How what a caller wrote of a schedule stands in its text (`scheduleItem.ts`): what nearly every schedule has takes a character. */

import type { Priority } from "../core/job.ts";
import type { Window } from "../core/recurrence/window.ts";
import type { RetryPolicy } from "../core/retry.ts";
import type { JobTemplate, Misfire, MisfirePolicy, Overlap, ScheduleSpec } from "../core/schedule.ts";
import type { EpochMs } from "../core/time.ts";
import {
  after,
  bodyOf,
  type Labels,
  retryOf,
  type StoredBody,
  type StoredRetry,
  type StoredTarget,
  storedBody,
  storedRetry,
  storedTarget,
  targetOf,
} from "./jobItem.ts";

/** Stands for what nearly every schedule has: no such thing, or the usual one. One character, where `null` has four. */
export const usual = 0;
export type Usual = typeof usual;
/** A number in brackets, for 0 is one too. */
export type Perhaps = Usual | readonly [number];

type StoredWindow = readonly [kind: "span", spanMs: number] | readonly [kind: "share", percent: number];
type StoredTemplate = readonly [
  target: StoredTarget,
  body: StoredBody | Usual,
  timeoutMs: number,
  expireAfterMs: Perhaps,
  retry: StoredRetry | Usual,
  priority: Priority,
  labels: Labels | Usual,
];
type StoredMisfire = readonly [policy: MisfirePolicy, withinMs: number, max: number];
export type StoredSpec = readonly [
  /** Plain data, as it was written. */
  when: ScheduleSpec["when"],
  except: ScheduleSpec["except"] | Usual,
  startAt: Perhaps,
  endAt: Perhaps,
  window: StoredWindow | Usual,
  job: StoredTemplate,
  overlap: Overlap,
  misfire: StoredMisfire | Usual,
  maxRuns: Perhaps,
  pauseAfterFailures: Perhaps,
  labels: Labels | Usual,
  set: string | Usual,
];

/** They belong to the format: a default that changes elsewhere must not change stored schedules. */
const usualMisfire: Misfire = { policy: "latest", withinMs: 3_600_000, max: 100 };
const usualRetry: StoredRetry = [4, 10_000, 3_600_000, 5, 86_400_000, true, 0];
const usualRetryText = JSON.stringify(usualRetry);

export function storedSpec(spec: ScheduleSpec, createdAt: EpochMs): StoredSpec {
  const { when, except, startAt, endAt, window, job, overlap, maxRuns, pauseAfterFailures, labels, set } = spec;
  return [
    ...([when, except.length === 0 ? usual : except, storedAt(startAt, createdAt), storedAt(endAt, createdAt)] as const),
    window === null ? usual : window.kind === "span" ? [window.kind, window.spanMs] : [window.kind, window.percent],
    ...([storedTemplate(job, createdAt), overlap, storedMisfire(spec.misfire)] as const),
    ...([storedNumber(maxRuns), storedNumber(pauseAfterFailures), storedLabels(labels), set ?? usual] as const),
  ];
}

export function specOf(stored: StoredSpec, createdAt: EpochMs): ScheduleSpec {
  const [when, except, startAt, endAt, window, job, overlap, misfire, maxRuns, pauseAfterFailures, labels, set] = stored;
  return {
    ...{ when, except: except === usual ? [] : except, startAt: atOf(startAt, createdAt), endAt: atOf(endAt, createdAt) },
    ...{ window: window === usual ? null : windowOf(window), job: templateOf(job, createdAt), overlap, misfire: misfireOf(misfire) },
    ...{ maxRuns: numberOf(maxRuns), pauseAfterFailures: numberOf(pauseAfterFailures) },
    ...{ labels: labelsOf(labels), set: set === usual ? null : set },
  };
}

function windowOf(stored: StoredWindow): Window {
  return stored[0] === "span" ? { kind: stored[0], spanMs: stored[1] } : { kind: stored[0], percent: stored[1] };
}

function storedTemplate(
  { target, body, timeoutMs, expireAfterMs, retry, priority, labels }: JobTemplate,
  createdAt: EpochMs,
): StoredTemplate {
  return [
    ...([storedTarget(target), body === null ? usual : storedBody(body, createdAt), timeoutMs, storedNumber(expireAfterMs)] as const),
    ...([unlessUsual(retry), priority, storedLabels(labels)] as const),
  ];
}

function templateOf([target, body, timeoutMs, expireAfterMs, retry, priority, labels]: StoredTemplate, createdAt: EpochMs): JobTemplate {
  return {
    ...{
      target: targetOf(target),
      body: body === usual ? null : bodyOf(body, createdAt),
      timeoutMs,
      expireAfterMs: numberOf(expireAfterMs),
    },
    ...{ retry: retryOf(retry === usual ? usualRetry : retry), priority, labels: labelsOf(labels) },
  };
}

function unlessUsual(retry: RetryPolicy): StoredRetry | Usual {
  const stored = storedRetry(retry);
  return JSON.stringify(stored) === usualRetryText ? usual : stored;
}

function storedMisfire({ policy, withinMs, max }: Misfire): StoredMisfire | Usual {
  const isUsual = policy === usualMisfire.policy && withinMs === usualMisfire.withinMs && max === usualMisfire.max;
  return isUsual ? usual : [policy, withinMs, max];
}

function misfireOf(stored: StoredMisfire | Usual): Misfire {
  return stored === usual ? usualMisfire : { policy: stored[0], withinMs: stored[1], max: stored[2] };
}

function storedLabels(labels: Labels): Labels | Usual {
  return Object.keys(labels).length === 0 ? usual : labels;
}

function labelsOf(stored: Labels | Usual): Labels {
  return stored === usual ? {} : stored;
}

function storedNumber(value: number | null): Perhaps {
  return value === null ? usual : [value];
}

function numberOf(stored: Perhaps): number | null {
  return stored === usual ? null : stored[0];
}

export function storedAt(at: EpochMs | null, createdAt: EpochMs): Perhaps {
  return at === null ? usual : [at - createdAt];
}

export function atOf(stored: Perhaps, createdAt: EpochMs): EpochMs | null {
  return stored === usual ? null : after(stored[0], createdAt);
}
