/** Schedules as the clients of a seed want them: rules of seconds to minutes, short enough of breath that a seed holds some tens of their occurrences. */

import type { Priority } from "../../../src/core/job.ts";
import { type RetryPolicy, retryDefault } from "../../../src/core/retry.ts";
import { type Misfire, misfirePolicies, type Overlap, overlaps } from "../../../src/core/schedule.ts";
import { type EpochMs, hourMs, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import type { Wanted } from "../../../src/engine/schedules/put.ts";
import type { Dice } from "../chance.ts";
import { type Beat, type Rule, written } from "./rule.ts";

export type Wish = {
  readonly rule: Rule;
  /** Its jobs' body, and no other wish's. */
  readonly content: string;
  readonly beside: boolean;
  readonly overlap: Overlap;
  readonly misfire: Misfire;
  readonly maxRuns: number | null;
  readonly pauseAfterFailures: number | null;
  readonly timeoutMs: number;
  readonly expireAfterMs: number | null;
  readonly retry: RetryPolicy;
  readonly priority: Priority;
};

export function wantedOf(name: string, { rule, content, beside, ...wish }: Wish): Wanted {
  const { timeoutMs, expireAfterMs, retry, priority, ...policies } = wish;
  return {
    ...written(rule),
    ...policies,
    job: {
      ...{ target: { url: `https://example.com/${name}`, method: "POST", headers: {} }, labels: {} },
      ...{ timeoutMs, expireAfterMs, retry, priority },
      body: { contentType: "text/plain", bytes: Buffer.from(beside ? `${content} ${"x".repeat(401)}` : content) },
    },
    ...{ labels: {}, set: null },
  };
}

/** What is drawn once for a schedule, and stays through its edits unless an edit is about it. */
export function drawWish(dice: Dice, content: string, now: EpochMs, spanMs: number): Wish {
  const overlap = dice.pick(overlaps);
  return {
    rule: drawRule(dice, now, spanMs),
    ...{ content, beside: dice.happens(0.2), overlap },
    misfire: { policy: dice.pick(misfirePolicies), withinMs: dice.pick([minuteMs, 5 * minuteMs, hourMs]), max: dice.pick([1, 3, 10]) },
    maxRuns: dice.happens(0.15) ? dice.whole(1, 8) : null,
    pauseAfterFailures: dice.happens(0.2) ? dice.whole(1, 3) : null,
    timeoutMs: dice.pick([5, 10, 20]) * secondMs,
    expireAfterMs: dice.happens(0.1) ? dice.pick([secondMs, minuteMs]) : null,
    retry: {
      ...{ maxAttempts: dice.whole(1, 4), minBackoffMs: dice.pick([100, secondMs, 5 * secondMs]), maxBackoffMs: 10 * secondMs },
      ...{ maxDoublings: 2, maxAgeMs: dice.pick([minuteMs, hourMs]), jitter: dice.happens(0.5), retryOn: retryDefault.retryOn },
    },
    priority: dice.pick(["normal", "normal", "high"]),
  };
}

/** As many as a schedule may have of its own accord: each costs as much as a job and a half. */
const occurrencesMax = 20;

export function drawRule(dice: Dice, now: EpochMs, spanMs: number): Rule {
  const everyMs = dice.pick([1, 2, 5, 10, 10, 15, 20, 30, 60, 60, 120, 300, 600]) * secondMs;
  // Sometimes so many that their log is longer than the item keeps.
  const count = dice.happens(0.1) ? 2 * occurrencesMax : dice.whole(3, occurrencesMax);
  const startAt = dice.happens(0.2) ? later(now, dice.whole(0, Math.floor(spanMs / 2))) : null;
  const isEndless = spanMs / everyMs <= occurrencesMax && dice.happens(0.8);
  return {
    beat: drawBeat(dice, startAt ?? now, everyMs, count),
    except: dice.happens(0.35) ? drawExcept(dice, now, everyMs) : null,
    startAt,
    endAt: isEndless ? null : later(startAt ?? now, count * everyMs + 500),
    window: drawWindow(dice, everyMs),
  };
}

function drawBeat(dice: Dice, from: EpochMs, everyMs: number, count: number): Beat {
  const draw = dice.whole(1, 10);
  if (draw === 1) return { kind: "list", at: Array.from({ length: count }, (_, index) => later(from, (index + 1) * everyMs)) };
  if (draw <= 4) return { kind: "every", everyMs, fromAt: dice.happens(0.5) ? later(from, dice.whole(-100, 100) * 500) : null };
  const unitMs = everyMs < minuteMs ? secondMs : minuteMs;
  return { kind: "steps", everyMs, phaseMs: dice.whole(0, everyMs / unitMs - 1) * unitMs };
}

/** Some minutes that are near: of a rule that fires more seldom, more of them. */
function drawExcept(dice: Dice, now: EpochMs, everyMs: number): Rule["except"] {
  const minute = Math.floor(now / minuteMs) % 60;
  const first = Math.min(58, minute + dice.whole(0, 3));
  return { first, last: Math.min(59, first + dice.whole(1, Math.max(1, Math.ceil((2 * everyMs) / minuteMs)))) };
}

function drawWindow(dice: Dice, everyMs: number): Rule["window"] {
  if (dice.happens(0.6)) return null;
  if (dice.happens(0.4)) return { kind: "share", percent: dice.pick([30, 100]) };
  return { kind: "span", spanMs: Math.max(secondMs, dice.whole(1, Math.ceil((1.5 * everyMs) / secondMs)) * secondMs) };
}
