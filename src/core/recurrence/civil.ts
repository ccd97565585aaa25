/**
 * Dates and times as a calendar on a wall shows them, without zone and without `Date`: a local time is counted in milliseconds as if
 * the wall hung in Greenwich.
 */

import { dayMs } from "../time.ts";

declare const localMs: unique symbol;

/** A wall-clock time: milliseconds from 1970-01-01T00:00:00 on the wall. It names no instant until a zone does. */
export type LocalMs = number & { readonly [localMs]: true };

export type CivilDate = { readonly year: number; readonly month: number; readonly day: number };

export function toLocalMs(value: number): LocalMs {
  return value as LocalMs;
}

/** Days from 1970-01-01. Counts in years that begin in March, so that the leap day is a year's last, in eras of 400 years. */
export function daysOf(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** The way back from {@link daysOf}. */
export function dateOf(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** 0 is Sunday. 1970-01-01 was a Thursday. */
export function weekdayOf(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

export function lastDayOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export function dayOf(local: LocalMs): number {
  return Math.floor(local / dayMs);
}

const date = /^\d{4}-\d{2}-\d{2}$/;

/** Days from 1970-01-01 of `"2027-01-31"`; undefined for anything else, days that do not exist included. */
export function parseDate(text: string): number | undefined {
  if (!date.test(text)) return undefined;
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8))];
  if (month < 1 || month > 12 || day < 1 || day > lastDayOf(year, month)) return undefined;
  return daysOf(year, month, day);
}

const time = /^([0-9-]{10})T(\d{2}):(\d{2}):(\d{2})$/;

/** `"2027-01-31T09:00:00"`, which names no zone. */
export function parseLocal(text: string): LocalMs | undefined {
  const match = time.exec(text);
  const days = parseDate(match?.[1] ?? "");
  if (match === null || days === undefined) return undefined;
  const [hour, minute, second] = match.slice(2).map(Number) as [number, number, number];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return toLocalMs(days * dayMs + ((hour * 60 + minute) * 60 + second) * 1_000);
}

/** `"2027-01-31T09:00:00"`, with milliseconds where there are any. */
export function formatLocal(local: LocalMs): string {
  const text = new Date(local).toISOString();
  return text.endsWith(".000Z") ? text.slice(0, -5) : text.slice(0, -1);
}
