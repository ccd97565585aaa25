/** Days that are named one by one, or from one to another: as callers write them, and which local times they cover. */

import { dayMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { dayOf, type LocalMs, parseDate, toLocalMs } from "./civil.ts";
import type { Mistake, Path } from "./member.ts";
import { shown } from "./terms.ts";

/** A date, or the dates from one to another, both among them. */
export type WrittenDate = string | { readonly from: string; readonly to: string };

/** The end of what is covered around a local time, at least as far as is sure; undefined where it is not covered. */
export type Cover = (local: LocalMs) => LocalMs | undefined;

/** From one day to another, both among them, counted from 1970-01-01. */
export type Span = { readonly first: number; readonly last: number };

/** Undefined where there was a mistake. `countMin`: how many entries there must be. */
export function readSpans(
  dates: readonly WrittenDate[],
  countMin: number,
  { path, mistakes }: { readonly path: Path; readonly mistakes: Mistake[] },
): Span[] | undefined {
  const before = mistakes.length;
  const { datesMax, mistakesMax } = ruleBounds;
  if (dates.length < countMin || dates.length > datesMax) {
    const code = dates.length < countMin ? "too_small" : "too_large";
    mistakes.push({ path, code, message: `expected ${countMin}–${datesMax} entries, got ${dates.length}` });
    return undefined;
  }
  const spans: Span[] = [];
  for (const [index, date] of dates.entries()) {
    if (mistakes.length >= mistakesMax) break;
    const span = readSpan(date, [...path, index], mistakes);
    if (span !== undefined) spans.push(span);
  }
  return mistakes.length > before ? undefined : spans;
}

function readSpan(date: WrittenDate, path: Path, mistakes: Mistake[]): Span | undefined {
  const read = (text: string, own: Path) => {
    const day = parseDate(text);
    if (day !== undefined) return day;
    mistakes.push({ path: own, code: "invalid_format", message: `expected an existing date such as "2027-01-01", got "${shown(text)}"` });
    return undefined;
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
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || span.first > before.last + 1) merged.push(span);
    else merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, span.last) };
  }
  return merged;
}

/** `merged`: by {@link mergeSpans}, which makes the answer's end sure. */
export function coverOf(merged: readonly Span[]): Cover {
  return (local) => {
    const day = dayOf(local);
    const span = spanFrom(merged, day);
    return span === undefined || span.first > day ? undefined : toLocalMs((span.last + 1) * dayMs);
  };
}

/** The first span that ends on a day or after it. */
function spanFrom(merged: readonly Span[], day: number): Span | undefined {
  let low = 0;
  let high = merged.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((merged[middle]?.last ?? day) < day) low = middle + 1;
    else high = middle;
  }
  return merged[low];
}
