/** When the next attempt may start: the backoff curve, its jitter, and what a target asks for by Retry-After. */

import { limits } from "./limits.ts";
import { type EpochMs, later, laterOf, secondMs, toEpochMs } from "./time.ts";

/** What a caller may name in `retryOn`: a status, a class of statuses, or a class of failures. */
export type RetryOn = "4xx" | "5xx" | "network" | "timeout" | number;

const retryOnDefault: readonly RetryOn[] = ["5xx", 408, 425, 429, "network", "timeout"];

export type RetryPolicy = {
  readonly maxAttempts: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly maxDoublings: number;
  /** No retry starts later than this after `dueAt`. */
  readonly maxAgeMs: number;
  readonly jitter: boolean;
  readonly retryOn: readonly RetryOn[];
};

/** What a job gets that says nothing. */
export const retryDefault: RetryPolicy = {
  maxAttempts: limits.attemptMaxDefault,
  minBackoffMs: limits.minBackoffMsDefault,
  maxBackoffMs: limits.maxBackoffMsDefault,
  maxDoublings: limits.doublingsDefault,
  maxAgeMs: limits.maxAgeMsDefault,
  jitter: true,
  retryOn: retryOnDefault,
};

/**
 * The curve's wait before retry number `retry` (1 for the first): doubles `maxDoublings` times, then grows by the last
 * doubled step, never above `maxBackoffMs`. The curve of Cloud Tasks, whose users know it.
 */
export function backoffMs(policy: RetryPolicy, retry: number): number {
  const doublings = Math.min(retry - 1, policy.maxDoublings);
  const stepMs = policy.minBackoffMs * 2 ** doublings;
  return Math.min(stepMs * (retry - doublings), policy.maxBackoffMs);
}

/**
 * When the retry may start. Full jitter draws from (0, curve], so that clients that failed together do not return
 * together. `fraction` is in [0, 1). Never before what the target asked for.
 */
export function retryAt(policy: RetryPolicy, retry: number, waitMs: number | null, now: EpochMs, fraction: number): EpochMs {
  const curveMs = backoffMs(policy, retry);
  const drawnMs = policy.jitter ? Math.max(1, Math.ceil(curveMs * (1 - fraction))) : curveMs;
  return laterOf(later(now, drawnMs), later(now, waitMs ?? 0));
}

/**
 * Reads a Retry-After header: seconds, or an HTTP date in any of its three spellings (RFC 9110 §10.2.3, §5.6.7).
 * Answers the wait in milliseconds, at most a day; null when absent, unreadable or past.
 */
export function readRetryAfter(value: string | undefined, now: EpochMs): number | null {
  const text = value?.trim();
  if (text === undefined || text === "") return null;
  // A header that came twice is joined by a comma; the longer wait honours both.
  const isSeconds = /^\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?)*$/.test(text);
  const waitMs = isSeconds ? Math.ceil(Math.max(...text.split(",").map(Number)) * secondMs) : waitUntilDate(text, now);
  if (waitMs === null || waitMs <= 0) return null;
  return Math.min(waitMs, limits.retryAfterMsMax);
}

function waitUntilDate(text: string, now: EpochMs): number | null {
  const at = parseHttpDate(text, now);
  return at === undefined ? null : at - now;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const fixdate =
  /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) GMT$/;
const rfc850 =
  /^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) GMT$/;
const asctime = /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) (?<year>\d{4})$/;

/** `Date.parse` would also read local times and words; a header is one of three exact forms or nothing. */
function parseHttpDate(text: string, now: EpochMs): EpochMs | undefined {
  const groups = (fixdate.exec(text) ?? rfc850.exec(text) ?? asctime.exec(text))?.groups;
  if (groups === undefined) return undefined;
  const part = (name: string) => Number(groups[name]);
  const month = months.indexOf(groups["month"] ?? "");
  const year = groups["year"]?.length === 2 ? fullYear(part("year"), now) : part("year");
  const day = part("day");
  const at = Date.UTC(year, month, day, part("hour"), part("minute"), part("second"));
  // Date.UTC rolls "31 Feb 25:61:00" over; the round trip shows it.
  const back = new Date(at);
  const sameDay = month >= 0 && back.getUTCMonth() === month && back.getUTCDate() === day;
  const sameTime =
    back.getUTCHours() === part("hour") && back.getUTCMinutes() === part("minute") && back.getUTCSeconds() === part("second");
  return sameDay && sameTime ? toEpochMs(at) : undefined;
}

/** RFC 850's two digits: a year more than 50 years ahead means the last century's. */
function fullYear(twoDigits: number, now: EpochMs): number {
  const yearNow = new Date(now).getUTCFullYear();
  const year = Math.floor(yearNow / 100) * 100 + twoDigits;
  return year > yearNow + 50 ? year - 100 : year;
}
