/** What a rule leaves out. An exception is judged on the local time of an occurrence, and says how far what it covers goes on. */

import { dayMs, type EpochMs, toEpochMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { dayOf, type LocalMs, parseDate, toLocalMs } from "./civil.ts";
import { minuteWide, parseCron } from "./cron.ts";
import { inText, type Mistake, type Path, readZone } from "./member.ts";
import { isMatch, runEnd } from "./pattern.ts";
import { shown } from "./terms.ts";
import { farMs, foldMsMax, type Stretch, type Zone } from "./zone.ts";

/** A date, or the dates from one to another, both among them. */
export type WrittenDate = string | { readonly from: string; readonly to: string };

/** An exception as written: exactly one of `cron` and `dates`. */
export type WrittenException = {
  readonly cron?: string | undefined;
  readonly dates?: readonly WrittenDate[] | undefined;
  /** Default: the rule's own. */
  readonly timezone?: string | undefined;
};

export type Exception = {
  /** null: that of the rule whose occurrence is judged. */
  readonly zone: Zone | null;
  /** The end of what is covered around a local time, at least as far as is sure; undefined where it is not covered. */
  coveredUntil(local: LocalMs): LocalMs | undefined;
};

export function readException(written: WrittenException, path: Path, mistakes: Mistake[]): Exception | undefined {
  const zone = written.timezone === undefined ? null : readZone(written.timezone, path, mistakes);
  const coveredUntil = written.cron === undefined ? readDates(written.dates, path, mistakes) : readCover(written.cron, path, mistakes);
  return zone === undefined || coveredUntil === undefined ? undefined : { zone, coveredUntil };
}

function readCover(cron: string, path: Path, mistakes: Mistake[]): Exception["coveredUntil"] | undefined {
  const read = parseCron(cron);
  if (!read.ok) {
    mistakes.push(...inText(cron, [...path, "cron"], read.wrong));
    return undefined;
  }
  const pattern = read.seconds ? read.pattern : minuteWide(read.pattern);
  return (local) => (isMatch(pattern, local) ? runEnd(pattern, local) : undefined);
}

type Days = { readonly first: number; readonly last: number };

function readDates(dates: WrittenException["dates"], path: Path, mistakes: Mistake[]): Exception["coveredUntil"] | undefined {
  if (dates === undefined) return undefined;
  const before = mistakes.length;
  const own = [...path, "dates"];
  if (dates.length === 0 || dates.length > ruleBounds.datesMax) {
    const code = dates.length === 0 ? "too_small" : "too_large";
    mistakes.push({ path: own, code, message: `expected 1–${ruleBounds.datesMax} entries, got ${dates.length}` });
    return undefined;
  }
  const spans: Days[] = [];
  for (const [index, date] of dates.entries()) {
    if (mistakes.length >= ruleBounds.mistakesMax) break;
    const span = readSpan(date, [...own, index], mistakes);
    if (span !== undefined) spans.push(span);
  }
  if (mistakes.length > before) return undefined;
  const merged = mergeSpans(spans);
  return (local) => {
    const day = dayOf(local);
    const span = spanFrom(merged, day);
    return span === undefined || span.first > day ? undefined : toLocalMs((span.last + 1) * dayMs);
  };
}

/** The first span that ends on a day or after it. */
function spanFrom(merged: readonly Days[], day: number): Days | undefined {
  let low = 0;
  let high = merged.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((merged[middle]?.last ?? day) < day) low = middle + 1;
    else high = middle;
  }
  return merged[low];
}

function readSpan(date: WrittenDate, path: Path, mistakes: Mistake[]): Days | undefined {
  const read = (text: string, own: Path) => {
    const day = parseDate(text);
    const message = `expected an existing date such as "2027-01-01", got "${shown(text)}"`;
    if (day === undefined) mistakes.push({ path: own, code: "invalid_format", message });
    return day;
  };
  if (typeof date === "string") {
    const day = read(date, path);
    return day === undefined ? undefined : { first: day, last: day };
  }
  const [first, last] = [read(date.from, [...path, "from"]), read(date.to, [...path, "to"])];
  if (first === undefined || last === undefined) return undefined;
  if (last >= first) return { first, last };
  mistakes.push({ path: [...path, "to"], code: "too_small", message: `expected a date not before "${date.from}", got "${date.to}"` });
  return undefined;
}

/** Ascending, and with nothing between two that is not left open. */
function mergeSpans(spans: readonly Days[]): Days[] {
  const merged: Days[] = [];
  for (const span of spans.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || span.first > before.last + 1) merged.push(span);
    else merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, span.last) };
  }
  return merged;
}

/** Until when an instant's surroundings are covered by any of the exceptions, judged in `zone` by those without one; undefined where it is not. */
export function excludedUntil(exceptions: readonly Exception[], zone: Zone, at: EpochMs): EpochMs | undefined {
  let until: EpochMs | undefined;
  for (const exception of exceptions) {
    const stretch = (exception.zone ?? zone).stretchAt(at);
    const local = exception.coveredUntil(toLocalMs(at + stretch.offsetMs));
    if (local === undefined) continue;
    const end = coveredInstants(local, at, stretch);
    if (until === undefined || end > until) until = end;
  }
  return until;
}

/** What the clocks show after a change is judged anew, but for a run that is longer than any change could reach back. */
function coveredInstants(local: LocalMs, at: EpochMs, { endAt, offsetMs }: Stretch): EpochMs {
  const inStretch = Math.min(local - offsetMs, endAt);
  return toEpochMs(endAt - at > farMs ? Math.max(inStretch, local - foldMsMax) : inStretch);
}
