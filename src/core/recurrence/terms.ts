/** One field of a cron expression: names, ranges, steps and lists to a set of numbers; what only the day fields have goes through `special`. */

import { nearest } from "../nearest.ts";
import { type Members, membersOf } from "./pattern.ts";

/** What one field may hold. */
export type FieldKind = {
  /** As messages name it. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** In the order of their numbers from `min`. */
  readonly names: readonly string[];
  /** Written numbers that stand for others: Sunday is 0, and 7 as well. */
  readonly alias?: { readonly written: number; readonly value: number };
  /** Whether a range may go past the end and on from the beginning. Years do not. */
  readonly wraps: boolean;
};

/** The values of one term, or what is wrong with it. */
export type TermRead = { readonly values: readonly number[] } | { readonly wrong: string };

const monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
/** From Sunday. */
export const weekdayNames: readonly string[] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const plain = { names: [], wraps: true } as const;
export const fieldKinds = {
  second: { name: "second", min: 0, max: 59, ...plain },
  minute: { name: "minute", min: 0, max: 59, ...plain },
  hour: { name: "hour", min: 0, max: 23, ...plain },
  dayOfMonth: { name: "day of month", min: 1, max: 31, ...plain },
  month: { name: "month", min: 1, max: 12, names: monthNames, wraps: true },
  dayOfWeek: { name: "day of week", min: 0, max: 6, names: weekdayNames, wraps: true, alias: { written: 7, value: 0 } },
  /** EventBridge counts from Sunday = 1. */
  dayOfWeekFromOne: { name: "day of week", min: 1, max: 7, names: weekdayNames, wraps: true },
  year: { name: "year", min: 1970, max: 2199, names: [], wraps: false },
} as const satisfies Record<string, FieldKind>;

/** Bounds the work, and the number of mistakes that can be named. 60 seconds are the longest list that says anything. */
const termsMax = 100;

/** The terms of a field, each read by `readTerm`; the first that is wrong ends it. */
export function readTerms(kind: FieldKind, text: string, readTerm: (term: string) => TermRead): TermRead {
  const terms = text.split(",");
  if (terms.length > termsMax) return { wrong: `${kind.name}: expected at most ${termsMax} entries, got ${terms.length}` };
  const values: number[] = [];
  for (const term of terms) {
    const read = readTerm(term);
    if ("wrong" in read) return read;
    values.push(...read.values);
  }
  return { values };
}

export function readMembers(kind: FieldKind, text: string, offset = 0): { readonly members: Members } | { readonly wrong: string } {
  const read = readTerms(kind, text, (term) => readTerm(kind, term));
  if ("wrong" in read) return read;
  return {
    members: membersOf(
      read.values.map((value) => value - offset),
      kind.max - offset + 1,
    ),
  };
}

const term = /^(?:(\*)|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:\/([0-9]+))?$/;

/** One of `*`, `a`, `a-b`, each with `/n` or without. */
export function readTerm(kind: FieldKind, text: string): TermRead {
  const match = term.exec(text);
  if (match === null) return { wrong: wrongTerm(kind, text) };
  const [, star, first, last, written] = match;
  const step = written === undefined ? 1 : Number(written);
  const stepMax = kind.wraps ? highest(kind) : kind.max - kind.min;
  if (step < 1 || step > stepMax) {
    const advice = step > stepMax ? "; a step counts within the field and cannot reach beyond it" : "";
    return { wrong: `${kind.name}: expected a step of 1–${stepMax}, got "${shown(text)}"${advice}` };
  }
  if (star !== undefined) return { values: stepped(kind, kind.min, kind.max, step) };
  const from = readValue(kind, first ?? "");
  if (typeof from === "string") return { wrong: from };
  if (last === undefined) return { values: stepped(kind, from, written === undefined ? from : kind.max, step) };
  const to = readValue(kind, last);
  if (typeof to === "string") return { wrong: to };
  if (from > to && !kind.wraps) return { wrong: `${kind.name}: expected a range from less to more, got "${shown(text)}"` };
  // 0-7 are all days, though its ends are the same Sunday; 7-7 and SUN-SUN are one.
  const closes = last === "7" && kind.alias !== undefined && from === 0 && first !== "7";
  return { values: stepped(kind, from, closes ? kind.max : to, step) };
}

/** Past the end it goes on from the beginning, counting on. */
function stepped(kind: FieldKind, from: number, to: number, step: number): number[] {
  const size = kind.max - kind.min + 1;
  const end = to < from ? to + size : to;
  const values: number[] = [];
  for (let value = from; value <= end; value += step) values.push(value > kind.max ? value - size : value);
  return values;
}

/** A number or a name; a text says what is wrong with it. */
export function readValue(kind: FieldKind, text: string): number | string {
  if (/^\d{1,4}$/.test(text)) {
    const value = Number(text);
    if (value === kind.alias?.written) return kind.alias.value;
    return value >= kind.min && value <= kind.max ? value : `${expected(kind)}, got "${shown(text)}"`;
  }
  const index = kind.names.indexOf(text.toUpperCase());
  return index >= 0 ? kind.min + index : wrongTerm(kind, text);
}

function highest({ max, alias }: FieldKind): number {
  return alias === undefined ? max : Math.max(max, alias.written);
}

function expected(kind: FieldKind): string {
  const { name, min, names } = kind;
  return `${name}: expected ${min}–${highest(kind)}${names.length > 0 ? ` or ${names[0]}–${names.at(-1)}` : ""}`;
}

function wrongTerm(kind: FieldKind, text: string): string {
  if (text === "") return `${expected(kind)}, got nothing between two commas`;
  if (text === "?") return `${kind.name}: expected a value or *, got "?"; only the day fields take it`;
  if (/^\*[0-9A-Za-z]/.test(text))
    return `${kind.name}: expected "*" or "*/n", got "${shown(text)}"; did you mean "*/${shown(text.slice(1))}"?`;
  if (/^[0-9*].*\/$|\/0*$/.test(text)) return `${kind.name}: expected a step after "/", got "${shown(text)}"`;
  const word = /[A-Za-z]+/.exec(text)?.[0].toUpperCase() ?? "";
  const meant = kind.names.find((name) => word.startsWith(name)) ?? nearest(word, kind.names);
  const hint = meant === undefined || meant === word ? "" : `; did you mean "${meant}"?`;
  return `${expected(kind)}, a range a-b, a step a/n or *, got "${shown(text)}"${hint}`;
}

/** A caller's own text inside a message: cut, and without what would break a line. */
export function shown(text: string): string {
  const cut = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(cut).slice(1, -1);
}
