/**
 * Several patterns as one set of local times. A search through each of a thousand costs a thousand looks for every instant at which they
 * meet; here what they allow is put together for the month, the day, the hour and the minute that a search stands in, once for each.
 */

import { dayMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { dateOf, dayOf, daysOf, type LocalMs, toLocalMs } from "./civil.ts";
import { type Dates, dayFrom, daysIn, firstLocal, has, localFrom, type Members, membersOf, type Pattern } from "./pattern.ts";

export type Union = {
  /** The first local time of any of the patterns at or after one; undefined where there is none up to the end of the last year. */
  from(local: LocalMs): LocalMs | undefined;
  /**
   * Says all of what the patterns of a local time's year allow: two unions with the same shape match the same times until both `until`s.
   * Undefined where no pattern has that year.
   */
  shapeAt(local: LocalMs): { readonly shape: string; readonly until: LocalMs } | undefined;
};

export function unionOf(patterns: readonly Pattern[]): Union {
  const [only, ...others] = patterns;
  const shapes = new Map<Pattern, string>();
  const shapeOf = (pattern: Pattern) => {
    const shape = shapes.get(pattern) ?? shapeText(pattern);
    shapes.set(pattern, shape);
    return shape;
  };
  return {
    from: only !== undefined && others.length === 0 ? (local) => localFrom(only, local) : fromAny(patterns),
    shapeAt: (local) => shapeAt(patterns, shapeOf, local),
  };
}

function shapeAt(patterns: readonly Pattern[], shapeOf: (pattern: Pattern) => string, local: LocalMs): ReturnType<Union["shapeAt"]> {
  const { year } = dateOf(dayOf(local));
  const place = year - ruleBounds.yearMin;
  const active = patterns.filter(({ years }) => has(years, place));
  if (active.length === 0) return undefined;
  let until = place + 1;
  while (until < yearsSize && patterns.every(({ years }) => has(years, until) === has(years, place))) until++;
  const shape = [...new Set(active.map(shapeOf))].sort().join("\n");
  return { shape, until: toLocalMs(daysOf(ruleBounds.yearMin + until, 1, 1) * dayMs) };
}

const yearsSize = ruleBounds.yearMax - ruleBounds.yearMin + 1;

function shapeText(pattern: Pattern): string {
  const { hours, minutes, seconds } = timesOf(pattern);
  return `${hours} ${minutes.join()} ${seconds.join()} ${bitsOf(pattern.months, 0, 13)} ${datesText(pattern)}`;
}

function datesText({ dayOfMonth, dayOfWeek, either }: Dates): string {
  return JSON.stringify([dayOfMonth, dayOfWeek, either]);
}

/** A set of 60, in two halves. */
type Sixty = readonly [low: number, high: number];

/** The times of a day, as bits. The same object for patterns with the same times. */
type DayTimes = { readonly hours: number; readonly minutes: Sixty; readonly seconds: Sixty };

function timesOf({ hours, minutes, seconds }: Pattern): DayTimes {
  return { hours: bitsOf(hours, 0, 24), minutes: sixtyOf(minutes), seconds: sixtyOf(seconds) };
}

function sixtyOf(members: Members): Sixty {
  return [bitsOf(members, 0, 30), bitsOf(members, 30, 60)];
}

function bitsOf(members: Members, first: number, end: number): number {
  let bits = 0;
  for (let value = first; value < end; value++) if (has(members, value)) bits |= 1 << (value - first);
  return bits;
}

function bitFrom(bits: number, from: number): number {
  const rest = from > 31 ? 0 : bits & (-1 << from);
  return rest === 0 ? -1 : 31 - Math.clz32(rest & -rest);
}

function sixtyFrom([low, high]: Sixty, from: number): number {
  const inLow = from < 30 ? bitFrom(low, from) : -1;
  if (inLow >= 0) return inLow;
  const inHigh = bitFrom(high, Math.max(from - 30, 0));
  return inHigh < 0 ? -1 : inHigh + 30;
}

function hasSixty([low, high]: Sixty, value: number): boolean {
  return ((value < 30 ? low >> value : high >> (value - 30)) & 1) === 1;
}

function sum(times: readonly DayTimes[], field: "minutes" | "seconds"): Sixty {
  let [low, high] = [0, 0];
  for (const { [field]: bits } of times) {
    low |= bits[0];
    high |= bits[1];
  }
  return [low, high];
}

/** A pattern in the union. `dates` is the same number for patterns that allow the same days of a month. */
type Part = { readonly pattern: Pattern; readonly times: DayTimes; readonly dates: number };

function partsOf(patterns: readonly Pattern[]): Part[] {
  const known = new Map<string, DayTimes>();
  const dates = new Map<string, number>();
  return patterns.map((pattern) => {
    const times = timesOf(pattern);
    const timesText = `${times.hours} ${times.minutes.join()} ${times.seconds.join()}`;
    if (!known.has(timesText)) known.set(timesText, times);
    const text = datesText(pattern);
    if (!dates.has(text)) dates.set(text, dates.size);
    return { pattern, times: known.get(timesText) ?? times, dates: dates.get(text) ?? 0 };
  });
}

type Month = {
  readonly key: number;
  readonly days: number;
  readonly parts: readonly { readonly days: number; readonly times: DayTimes }[];
};

function fromAny(patterns: readonly Pattern[]): Union["from"] {
  const parts = partsOf(patterns);
  const years = anyOf(patterns.map((pattern) => pattern.years));
  const months = anyOf(patterns.map((pattern) => pattern.months));
  let last: Month = { key: -1, days: 0, parts: [] };
  const monthOf = (year: number, month: number): Month => {
    const key = year * 12 + month;
    if (last.key !== key) last = readMonth(parts, year, month);
    return last;
  };
  const nextDay = (day: number) => dayFrom({ years, months }, day, (year, month) => monthOf(year, month).days);
  let today = { day: -1, timeFrom: (_: number) => -1 };
  const nextTime = (day: number, second: number) => {
    if (today.day !== day) today = { day, timeFrom: timesIn(monthOf, day) };
    return today.timeFrom(second);
  };
  return (local) => firstLocal(local, nextDay, nextTime);
}

function anyOf(sets: readonly Members[]): Members {
  const size = sets[0]?.length ?? 0;
  const values = Array.from({ length: size }, (_, value) => value);
  return membersOf(
    values.filter((value) => sets.some((set) => has(set, value))),
    size,
  );
}

function readMonth(parts: readonly Part[], year: number, month: number): Month {
  const byDates: number[] = [];
  const found: { days: number; times: DayTimes }[] = [];
  let all = 0;
  for (const { pattern, times, dates } of parts) {
    if (!has(pattern.months, month) || !has(pattern.years, year - ruleBounds.yearMin)) continue;
    byDates[dates] ??= daysIn(pattern, year, month);
    const days = byDates[dates];
    if (days === 0) continue;
    all |= days;
    found.push({ days, times });
  }
  return { key: year * 12 + month, days: all, parts: found };
}

/** The first time of a day, in seconds, that is not before one; -1 where there is none. */
function timesIn(monthOf: (year: number, month: number) => Month, day: number): (second: number) => number {
  const date = dateOf(day);
  const bit = 1 << date.day;
  const times = new Set<DayTimes>();
  for (const part of monthOf(date.year, date.month).parts) if ((part.days & bit) !== 0) times.add(part.times);
  const inDay = [...times];
  const hours = inDay.reduce((bits, one) => bits | one.hours, 0);
  let hour = { hour: -1, times: inDay, minutes: [0, 0] as Sixty };
  let minute = { minute: -1, seconds: [0, 0] as Sixty };
  const enter = (value: number) => {
    if (hour.hour === value) return;
    const inHour = inDay.filter((one) => ((one.hours >> value) & 1) === 1);
    hour = { hour: value, times: inHour, minutes: sum(inHour, "minutes") };
    minute = { minute: -1, seconds: [0, 0] };
  };
  const secondFrom = (value: number, from: number) => {
    if (minute.minute !== value) {
      const inMinute = hour.times.filter(({ minutes }) => hasSixty(minutes, value));
      minute = { minute: value, seconds: sum(inMinute, "seconds") };
    }
    return sixtyFrom(minute.seconds, from);
  };
  const inHour = (value: number, from: number): number => {
    enter(value);
    const first = sixtyFrom(hour.minutes, Math.floor(from / 60));
    if (first < 0) return -1;
    const second = secondFrom(first, first * 60 >= from ? 0 : from % 60);
    if (second >= 0) return value * 3_600 + first * 60 + second;
    const next = sixtyFrom(hour.minutes, first + 1);
    return next < 0 ? -1 : value * 3_600 + next * 60 + secondFrom(next, 0);
  };
  return (from) => {
    const now = Math.floor(from / 3_600);
    const time = ((hours >> now) & 1) === 1 ? inHour(now, from % 3_600) : -1;
    if (time >= 0) return time;
    const later = now < 23 ? bitFrom(hours, now + 1) : -1;
    return later < 0 ? -1 : inHour(later, 0);
  };
}
