/**
 * Instants and durations: their types, their spellings, and nothing that asks what time it is.
 * Inside the program an instant is epoch milliseconds; RFC 3339 exists only where a caller reads or writes it.
 */

declare const epochMs: unique symbol;

/** An instant: whole milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number & { readonly [epochMs]: true };

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Takes a number for an instant. Fractions are cut: an instant names the millisecond it lies in. */
export function toEpochMs(value: number): EpochMs {
  return Math.floor(value) as EpochMs;
}

export function later(at: EpochMs, durationMs: number): EpochMs {
  return toEpochMs(at + durationMs);
}

export function laterOf(a: EpochMs, b: EpochMs): EpochMs {
  return toEpochMs(Math.max(a, b));
}

export function earlierOf(a: EpochMs, b: EpochMs): EpochMs {
  return toEpochMs(Math.min(a, b));
}

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads an RFC 3339 date-time with an offset. Answers undefined for anything else, impossible dates included:
 * `Date` would silently roll 30 February over to March. A leap second (`:60`) is refused, for epoch time has none.
 */
export function parseInstant(text: string): EpochMs | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const offsetHour = part(10);
  const offsetMinute = part(11);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const fractionMs = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1_000);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, fractionMs);
  const offsetMs = (match[9] === "-" ? -1 : 1) * (offsetHour * hourMs + offsetMinute * minuteMs);
  return toEpochMs(date.getTime() - offsetMs);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** The instant as callers see it: UTC with milliseconds. */
export function formatInstant(at: EpochMs): string {
  return new Date(at).toISOString();
}

const units: Record<string, number> = { ms: 1, s: secondMs, m: minuteMs, h: hourMs, d: dayMs };
const compact = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const compactPart = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const iso8601 = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?)$/;

/** Reads `"1h30m"` or ISO 8601 `"PT1H30M"` into milliseconds; undefined for anything else, a fraction of a millisecond, or a unit named twice. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 40) return undefined;
  const totalMs = compact.test(text) ? sumCompact(text) : sumIso(text);
  return totalMs !== undefined && Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

function sumCompact(text: string): number | undefined {
  let totalMs = 0;
  let unitBeforeMs = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of text.matchAll(compactPart)) {
    const unitMs = units[unit ?? ""] ?? Number.NaN;
    // Units must fall from large to small: "5m5m" and "1s1h" are typos, not sums.
    if (!(unitMs < unitBeforeMs)) return undefined;
    unitBeforeMs = unitMs;
    totalMs += roundedProduct(Number(amount), unitMs);
  }
  return totalMs;
}

function sumIso(text: string): number | undefined {
  const match = iso8601.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined)) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  return part(1) * 7 * dayMs + part(2) * dayMs + part(3) * hourMs + part(4) * minuteMs + roundedProduct(part(5), secondMs);
}

/** 0.1 × 1000 is not 100 in binary; a product within a billionth of a whole number is that number. */
function roundedProduct(amount: number, unitMs: number): number {
  const product = amount * unitMs;
  const whole = Math.round(product);
  return Math.abs(product - whole) < 1e-6 ? whole : product;
}

/** A spelling that {@link parseDuration} reads back: 5400000 → `"1h30m"`, 0 → `"0s"`. Days from two on: a day's span is written "24h". */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  let text = "";
  for (const [unit, unitMs] of Object.entries(units).reverse()) {
    if (unit === "d" && durationMs < 2 * dayMs) continue;
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text === "" ? "0s" : text;
}
