/** The two day fields of a cron expression: beside numbers and ranges they have days that depend on the month. */

import { type Days, everyDayOfMonth, everyDayOfWeek, type MonthDay } from "./pattern.ts";
import { type FieldKind, fieldKinds, readTerm, readTerms, readValue, shown, type TermRead } from "./terms.ts";

export type DaysRead = { readonly days: Days } | { readonly wrong: string };

/** The last day less 30 is the 1st of a month of 31 days. */
const backMax = 30;

export function readDayOfMonth(text: string): DaysRead {
  if (text === "?" || text === "*") return { days: everyDayOfMonth };
  const special: MonthDay[] = [];
  const read = readTerms(fieldKinds.dayOfMonth, text, (term) => readMonthTerm(term, special));
  if ("wrong" in read) return read;
  return { days: { days: bitsOf(read.values), weekdays: 0, special } };
}

const none: TermRead = { values: [] };

function readMonthTerm(term: string, special: MonthDay[]): TermRead {
  const kind = fieldKinds.dayOfMonth;
  const [, back, day] = /^L(?:-(\d+))?$|^(\d+)W$/i.exec(term) ?? [];
  if (/^LW$/i.test(term)) {
    special.push({ kind: "lastWorkday" });
    return none;
  }
  if (day !== undefined) {
    const value = readValue(kind, day);
    if (typeof value === "string") return { wrong: value };
    special.push({ kind: "workdayNear", day: value });
    return none;
  }
  if (/^L/i.test(term)) {
    if (!/^L(?:-\d{1,2})?$/i.test(term)) return { wrong: `${kind.name}: expected L, L-n, nW or LW, got "${shown(term)}"` };
    if (Number(back ?? 0) > backMax) return { wrong: `${kind.name}: expected L-0 to L-${backMax}, got "${shown(term)}"` };
    special.push({ kind: "fromLast", back: Number(back ?? 0) });
    return none;
  }
  return readTerm(kind, term);
}

/** `kind` says how weekdays are counted: from Sunday as 0, or as EventBridge does from Sunday as 1. */
export function readDayOfWeek(kind: FieldKind, text: string): DaysRead {
  if (text === "?" || text === "*") return { days: everyDayOfWeek };
  const special: MonthDay[] = [];
  const read = readTerms(kind, text, (term) => readWeekTerm(kind, term, special));
  if ("wrong" in read) return read;
  return { days: { days: 0, weekdays: bitsOf(read.values.map((value) => value - kind.min)), special } };
}

function readWeekTerm(kind: FieldKind, term: string, special: MonthDay[]): TermRead {
  if (/^L$/i.test(term)) {
    // EventBridge means the week's last day; elsewhere it is a slip of somebody who thinks of the month's.
    if (kind.min === 1) return { values: [kind.max] };
    return { wrong: `${kind.name}: expected a weekday before L such as 5L for the last Friday of the month, got "L"` };
  }
  const last = /^([0-9A-Za-z]+)L$/i.exec(term)?.[1];
  if (last !== undefined) {
    const value = readValue(kind, last);
    if (typeof value === "string") return { wrong: value };
    special.push({ kind: "lastOfWeekday", weekday: value - kind.min });
    return none;
  }
  if (!term.includes("#")) return readTerm(kind, term);
  const [, day = "", nth = ""] = /^([0-9A-Za-z]+)#([1-5])$/.exec(term) ?? [];
  if (nth === "") return { wrong: `${kind.name}: expected a weekday and 1–5 such as 2#1 for the first Tuesday, got "${shown(term)}"` };
  const value = readValue(kind, day);
  if (typeof value === "string") return { wrong: value };
  special.push({ kind: "nthOfWeekday", weekday: value - kind.min, nth: Number(nth) });
  return none;
}

function bitsOf(values: readonly number[]): number {
  return values.reduce((bits, value) => bits | (1 << value), 0);
}
