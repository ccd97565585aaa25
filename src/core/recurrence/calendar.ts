/** Calendars: days that rules leave out, kept once under a name, such as a country's holidays and every weekend. */

import { nearest } from "../nearest.ts";
import { dayMs } from "../time.ts";
import { dayOf, toLocalMs, weekdayOf } from "./civil.ts";
import { type Cover, coverOf, mergeSpans, readSpans, type Span, type WrittenDate } from "./dates.ts";
import { type Mistake, readZone } from "./member.ts";
import { shown, weekdayNames } from "./terms.ts";
import type { Zone } from "./zone.ts";

/** A calendar as written: plain data, and what is stored. At least one of `dates` and `weekly` has an entry. */
export type WrittenCalendar = {
  /** IANA's name: where its days begin and end. Default: the zone of each rule that it is judged for. */
  readonly timezone?: string | undefined;
  /** Up to 366. */
  readonly dates: readonly WrittenDate[];
  /** "SUN" to "SAT", in any case; not all seven, which would leave nothing. */
  readonly weekly?: readonly string[] | undefined;
};

export type Calendar = {
  /** null: that of the rule whose occurrence is judged. */
  readonly zone: Zone | null;
  readonly coveredUntil: Cover;
};

export type CalendarRead =
  | { readonly ok: true; readonly calendar: Calendar }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** A calendar, or each mistake in it with its path from the calendar's own top. */
export function parseCalendar(written: WrittenCalendar): CalendarRead {
  const mistakes: Mistake[] = [];
  const zone = written.timezone === undefined ? null : readZone(written.timezone, [], mistakes);
  const weekly = readWeekly(written.weekly ?? [], mistakes);
  const spans = readSpans(written.dates, 0, { path: ["dates"], mistakes });
  if (written.dates.length === 0 && (written.weekly ?? []).length === 0) {
    mistakes.push({ path: ["dates"], code: "too_small", message: "expected an entry in dates or weekly, got none in either" });
  }
  if (mistakes.length > 0 || zone === undefined || spans === undefined) return { ok: false, mistakes };
  return { ok: true, calendar: { zone, coveredUntil: coverWith(weekly, spans) } };
}

/** Weekdays, from Sunday as 0. */
type Weekdays = ReadonlySet<number>;

/** One of the seven is left, so that every stretch of covered days between two dates ends within a week. */
const weeklyMax = 6;

function readWeekly(written: readonly string[], mistakes: Mistake[]): Weekdays {
  const weekdays = new Set<number>();
  if (written.length > weeklyMax) {
    const message = `expected 0–${weeklyMax} weekdays, got ${written.length}; all seven would leave nothing`;
    mistakes.push({ path: ["weekly"], code: "too_large", message });
    return weekdays;
  }
  for (const [index, text] of written.entries()) {
    const word = text.toUpperCase();
    const weekday = weekdayNames.indexOf(word);
    if (weekday >= 0) weekdays.add(weekday);
    else mistakes.push({ path: ["weekly", index], code: "invalid_value", message: wrongWeekday(text, word) });
  }
  return weekdays;
}

function wrongWeekday(text: string, word: string): string {
  const meant = weekdayNames.find((name) => word.startsWith(name)) ?? nearest(word, weekdayNames);
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return `expected one of ${weekdayNames.join(", ")}, got "${shown(text)}"${hint}`;
}

/** Spans take in the weekdays that touch them, so that no covered run has to be pieced together when it is asked for. */
function coverWith(weekly: Weekdays, spans: readonly Span[]): Cover {
  const dated = coverOf(mergeSpans(spans.map(({ first, last }) => ({ first: runStart(weekly, first), last: runEnd(weekly, last) }))));
  return (local) => {
    const until = dated(local);
    if (until !== undefined) return until;
    const day = dayOf(local);
    return weekly.has(weekdayOf(day)) ? toLocalMs((runEnd(weekly, day) + 1) * dayMs) : undefined;
  };
}

/** The first of the weekly days that lie before a day without a break; the day itself where there are none. */
function runStart(weekly: Weekdays, day: number): number {
  return weekly.has(weekdayOf(day - 1)) ? runStart(weekly, day - 1) : day;
}

/** The last of the weekly days that lie after a day without a break; the day itself where there are none. */
function runEnd(weekly: Weekdays, day: number): number {
  return weekly.has(weekdayOf(day + 1)) ? runEnd(weekly, day + 1) : day;
}
