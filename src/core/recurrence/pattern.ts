/**
 * What a cron expression means on a wall: a set of local times, as sets of seconds, minutes, hours, days, months and years. It knows no
 * zone, so it has no gaps and no folds.
 */

import { dayMs, hourMs, minuteMs, secondMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { dateOf, dayOf, daysOf, type LocalMs, lastDayOf, toLocalMs, weekdayOf } from "./civil.ts";

/** A set of small numbers, as a table: at `n` stands the smallest member that is not below `n`, or -1. */
export type Members = readonly number[];

/** Days that depend on the month: counted from its end, nearest to a day, or one of its weekdays by number. */
export type MonthDay =
  | { readonly kind: "fromLast"; readonly back: number }
  | { readonly kind: "workdayNear"; readonly day: number }
  | { readonly kind: "lastWorkday" }
  | { readonly kind: "lastOfWeekday"; readonly weekday: number }
  | { readonly kind: "nthOfWeekday"; readonly weekday: number; readonly nth: number };

/** The days that one of the two day fields allows: `days` has bit 1 for the 1st, `weekdays` bit 0 for Sunday. */
export type Days = { readonly days: number; readonly weekdays: number; readonly special: readonly MonthDay[] };

/** What a pattern allows of a day: the same each day. */
export type Times = { readonly seconds: Members; readonly minutes: Members; readonly hours: Members };

/** The days that a pattern allows in the months that it allows. */
export type Dates = {
  readonly dayOfMonth: Days;
  readonly dayOfWeek: Days;
  /** Whether a day that one of the two fields allows is enough. */
  readonly either: boolean;
};

/** The months, of the years, that a pattern allows. */
export type Months = {
  readonly months: Members;
  /** From {@link ruleBounds.yearMin}. */
  readonly years: Members;
};

export type Pattern = Times & Dates & Months;

export const everyDayOfMonth: Days = { days: ~1, weekdays: 0, special: [] };
export const everyDayOfWeek: Days = { days: 0, weekdays: 0b1111111, special: [] };

export function membersOf(values: readonly number[], size: number): Members {
  const members: number[] = new Array(size).fill(-1);
  for (const value of values) members[value] = value;
  for (let value = size - 2; value >= 0; value--) if (members[value] !== value) members[value] = members[value + 1] ?? -1;
  return members;
}

function atOrAfter(members: Members, value: number): number {
  return members[value] ?? -1;
}

export function has(members: Members, value: number): boolean {
  return members[value] === value;
}

/** Of sets that begin with 0: whether they hold all there is. */
export function isFull(members: Members): boolean {
  return members.every((member, value) => member === value);
}

/** Bits 1, 8, 15, 22, 29. */
const weekly = 0b100000010000001000000100000010;

/** The days of a month that the pattern allows: bit 1 is the 1st. */
export function daysIn(pattern: Dates, year: number, month: number): number {
  const last = lastDayOf(year, month);
  const firstWeekday = weekdayOf(daysOf(year, month, 1));
  const ofMonth = allowed(pattern.dayOfMonth, firstWeekday, last);
  const ofWeek = allowed(pattern.dayOfWeek, firstWeekday, last);
  const both = pattern.either ? ofMonth | ofWeek : ofMonth & ofWeek;
  return both & (last === 31 ? ~1 : (1 << (last + 1)) - 2);
}

function allowed({ days, weekdays, special }: Days, firstWeekday: number, last: number): number {
  let bits = days;
  for (let weekday = 0; weekday < 7; weekday++) {
    if ((weekdays & (1 << weekday)) !== 0) bits |= weekly << ((weekday - firstWeekday + 7) % 7);
  }
  for (const one of special) {
    const day = specialDay(one, firstWeekday, last);
    if (day >= 1 && day <= last) bits |= 1 << day;
  }
  return bits;
}

/** Below 1 or beyond the month's last where the month has no such day. */
function specialDay(special: MonthDay, firstWeekday: number, last: number): number {
  switch (special.kind) {
    case "fromLast":
      return last - special.back;
    case "workdayNear":
      return special.day > last ? 0 : workdayNear(special.day, firstWeekday, last);
    case "lastWorkday":
      return workdayNear(last, firstWeekday, last);
    case "lastOfWeekday": {
      const first = ((special.weekday - firstWeekday + 7) % 7) + 1;
      return first + 7 * Math.floor((last - first) / 7);
    }
    case "nthOfWeekday":
      return ((special.weekday - firstWeekday + 7) % 7) + 1 + 7 * (special.nth - 1);
  }
}

/** Monday to Friday nearest to a day, within its month. */
function workdayNear(day: number, firstWeekday: number, last: number): number {
  const weekday = (firstWeekday + day - 1) % 7;
  if (weekday === 6) return day === 1 ? 3 : day - 1;
  if (weekday === 0) return day === last ? day - 2 : day + 1;
  return day;
}

/** The first day at or after one that is among those of a month, by `daysOfMonth`; undefined where there is none up to the last year. */
export function dayFrom({ months, years }: Months, from: number, daysOfMonth: (year: number, month: number) => number): number | undefined {
  let { year, month, day } = dateOf(from);
  if (year < ruleBounds.yearMin) [year, month, day] = [ruleBounds.yearMin, 1, 1];
  for (;;) {
    const allowedYear = atOrAfter(years, year - ruleBounds.yearMin) + ruleBounds.yearMin;
    if (allowedYear < ruleBounds.yearMin) return undefined;
    if (allowedYear !== year) [year, month, day] = [allowedYear, 1, 1];
    const allowedMonth = month > 12 ? -1 : atOrAfter(months, month);
    if (allowedMonth < 0) {
      [year, month, day] = [year + 1, 1, 1];
      continue;
    }
    if (allowedMonth !== month) [month, day] = [allowedMonth, 1];
    const rest = daysOfMonth(year, month) & (-1 << day);
    if (rest !== 0) return daysOf(year, month, 31 - Math.clz32(rest & -rest));
    [month, day] = [month + 1, 1];
  }
}

/** The first time of a day, in seconds, that is not before one; -1 where there is none. */
function timeFrom({ seconds, minutes, hours }: Times, from: number): number {
  const hour = Math.floor(from / 3_600);
  const minute = Math.floor((from % 3_600) / 60);
  const sameHour = has(hours, hour);
  if (sameHour && has(minutes, minute)) {
    const second = atOrAfter(seconds, from % 60);
    if (second >= 0) return hour * 3_600 + minute * 60 + second;
  }
  const nextMinute = sameHour && minute < 59 ? atOrAfter(minutes, minute + 1) : -1;
  if (nextMinute >= 0) return hour * 3_600 + nextMinute * 60 + atOrAfter(seconds, 0);
  const nextHour = hour < 23 ? atOrAfter(hours, hour + 1) : -1;
  return nextHour < 0 ? -1 : nextHour * 3_600 + atOrAfter(minutes, 0) * 60 + atOrAfter(seconds, 0);
}

/** The first local time of the pattern at or after one; undefined where there is none up to the end of the last year. */
export function localFrom(pattern: Pattern, from: LocalMs): LocalMs | undefined {
  const daysOfMonth = (year: number, month: number) => daysIn(pattern, year, month);
  return firstLocal(
    from,
    (day) => dayFrom(pattern, day, daysOfMonth),
    (_, second) => timeFrom(pattern, second),
  );
}

/** The first local time at or after one, by the first day at or after a day and the first time of it, in seconds, at or after one. */
export function firstLocal(
  from: LocalMs,
  nextDay: (day: number) => number | undefined,
  nextTime: (day: number, second: number) => number,
): LocalMs | undefined {
  const today = dayOf(from);
  const second = Math.ceil((from - today * dayMs) / secondMs);
  const day = nextDay(today);
  if (day === undefined) return undefined;
  const time = day === today ? (second < 86_400 ? nextTime(day, second) : -1) : nextTime(day, 0);
  if (time >= 0) return toLocalMs(day * dayMs + time * secondMs);
  const next = nextDay(today + 1);
  return next === undefined ? undefined : toLocalMs(next * dayMs + nextTime(next, 0) * secondMs);
}

/** Whether the second in which a local time lies is one of the pattern's. */
export function isMatch(pattern: Pattern, local: LocalMs): boolean {
  const days = dayOf(local);
  const second = Math.floor((local - days * dayMs) / secondMs);
  if (timeFrom(pattern, second) !== second) return false;
  const { year, month, day } = dateOf(days);
  const isMonth = has(pattern.years, year - ruleBounds.yearMin) && has(pattern.months, month);
  return isMonth && (daysIn(pattern, year, month) & (1 << day)) !== 0;
}

/**
 * Where the run of matching seconds ends in which a matching local time lies: the first local time after it that does not match. Steps
 * by the largest unit that the pattern allows whole, and whole months at a time.
 */
export function runEnd(pattern: Pattern, local: LocalMs): LocalMs {
  const unitMs = wholeUnitMs(pattern);
  if (unitMs === dayMs) return toLocalMs(dayNotIn(pattern, dayOf(local) + 1) * dayMs);
  let end = Math.floor(local / unitMs) * unitMs + unitMs;
  // Every larger unit has a part that does not match, so this ends within two of them.
  while (isMatch(pattern, toLocalMs(end))) end += unitMs;
  return toLocalMs(end);
}

/** The first day at or after one that the pattern does not allow; none is allowed after the last year. */
function dayNotIn(pattern: Pattern, from: number): number {
  let { year, month, day } = dateOf(from);
  while (has(pattern.years, year - ruleBounds.yearMin) && has(pattern.months, month)) {
    const bits = daysIn(pattern, year, month);
    while (day <= lastDayOf(year, month)) {
      if ((bits & (1 << day)) === 0) return daysOf(year, month, day);
      day++;
    }
    [year, month, day] = month === 12 ? [year + 1, 1, 1] : [year, month + 1, 1];
  }
  return daysOf(year, month, day);
}

function wholeUnitMs({ seconds, minutes, hours }: Times): number {
  if (!isFull(seconds)) return secondMs;
  if (!isFull(minutes)) return minuteMs;
  return isFull(hours) ? dayMs : hourMs;
}
