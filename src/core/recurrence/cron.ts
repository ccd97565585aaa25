/** Cron expressions of 5, 6 and 7 fields to patterns, or to what is wrong with each field. */

import { ruleBounds } from "./bounds.ts";
import { toLocalMs } from "./civil.ts";
import { type DaysRead, readDayOfMonth, readDayOfWeek } from "./days.ts";
import { isFull, localFrom, type Members, type Pattern } from "./pattern.ts";
import { type FieldKind, fieldKinds, readMembers } from "./terms.ts";

/** `wrong` has an entry for each wrong field. */
export type CronRead =
  | { readonly ok: true; readonly pattern: Pattern /** Whether seconds were written. */; readonly seconds: boolean }
  | { readonly ok: false; readonly wrong: readonly string[] };

const aliases: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

export function parseCron(written: string): CronRead {
  const early = wrongText(written, ruleBounds.expressionCharsMax);
  if (early !== undefined) return refuse(early);
  const text = written.trim();
  if (text.startsWith("@")) return parseAlias(text);
  if (/^(?:CRON_)?TZ=/i.test(text)) return refuse("expected five to seven fields, got a time zone before them; say it in `timezone`");
  if (/^(?:cron|rate|at)\(/i.test(text))
    return refuse(`expected five to seven fields, got "${text.slice(0, 40)}"; an EventBridge expression goes into \`expression\``);
  const fields = text.split(/[ \t]+/);
  if (fields.length < 5 || fields.length > 7) {
    const forms = "minute, hour, day of month, month, day of week; 6 with seconds first, 7 with the year last";
    return refuse(`expected 5 fields (${forms}), got ${fields.length}`);
  }
  const [second = "", minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = "", year = "*"] =
    fields.length === 5 ? ["0", ...fields] : fields;
  const read = readPattern({ second, minute, hour, dayOfMonth, month, dayOfWeek, year }, fieldKinds.dayOfWeek);
  return "wrong" in read ? { ok: false, wrong: read.wrong } : { ok: true, pattern: read.pattern, seconds: fields.length > 5 };
}

function refuse(wrong: string): CronRead {
  return { ok: false, wrong: [wrong] };
}

/** What is wrong with an expression before it is looked into. A hostile one is not looked into. */
export function wrongText(written: string, charsMax: number): string | undefined {
  if (written.length > charsMax) return `expected at most ${charsMax} characters, got ${written.length}; split it into a list of rules`;
  if (written.trim() === "") return `expected an expression such as "0 9 * * MON-FRI", got ${written === "" ? "none" : "only spaces"}`;
  if (/[^\x20-\x7e\t]/.test(written)) return "expected printable ASCII characters on one line, got others";
  return undefined;
}

function parseAlias(text: string): CronRead {
  const expression = Object.hasOwn(aliases, text.toLowerCase()) ? aliases[text.toLowerCase()] : undefined;
  if (expression !== undefined) return parseCron(expression);
  const advice = /^@every\b/i.test(text) ? '; write { "every": "15m" } instead of a cron' : "";
  return refuse(`expected one of ${Object.keys(aliases).join(", ")}, got "${text.slice(0, 40)}"${advice}`);
}

function wholeOf(size: number): Members {
  return Array.from({ length: size }, (_, value) => value);
}

const everyYear = wholeOf(ruleBounds.yearMax - ruleBounds.yearMin + 1);

export type Fields = Readonly<Record<"second" | "minute" | "hour" | "dayOfMonth" | "month" | "dayOfWeek" | "year", string>>;

/** Fields of any dialect, which differ in how they count weekdays. */
export function readPattern(fields: Fields, weekdays: FieldKind): { readonly pattern: Pattern } | { readonly wrong: readonly string[] } {
  const reads = {
    seconds: readMembers(fieldKinds.second, fields.second),
    minutes: readMembers(fieldKinds.minute, fields.minute),
    hours: readMembers(fieldKinds.hour, fields.hour),
    dayOfMonth: readDayOfMonth(fields.dayOfMonth),
    months: readMembers(fieldKinds.month, fields.month),
    dayOfWeek: readDayOfWeek(weekdays, fields.dayOfWeek),
    years: fields.year === "*" ? { members: everyYear } : readMembers(fieldKinds.year, fields.year, ruleBounds.yearMin),
  };
  const wrong = Object.values(reads).flatMap((read) => ("wrong" in read ? [read.wrong] : []));
  if (wrong.length > 0) return { wrong };
  const open = (text: string) => text.startsWith("*") || text === "?";
  const pattern: Pattern = {
    seconds: members(reads.seconds),
    minutes: members(reads.minutes),
    hours: members(reads.hours),
    months: members(reads.months),
    years: members(reads.years),
    dayOfMonth: days(reads.dayOfMonth),
    dayOfWeek: days(reads.dayOfWeek),
    either: !open(fields.dayOfMonth) && !open(fields.dayOfWeek),
  };
  const never = localFrom(pattern, toLocalMs(0)) === undefined;
  return never ? { wrong: [neverMatches(fields)] } : { pattern };
}

function members(read: ReturnType<typeof readMembers>): Members {
  if ("wrong" in read) throw new Error(`expected members, got "${read.wrong}"`);
  return read.members;
}

function days(read: DaysRead): Pattern["dayOfMonth"] {
  if ("wrong" in read) throw new Error(`expected days, got "${read.wrong}"`);
  return read.days;
}

function neverMatches({ dayOfMonth, month, dayOfWeek, year }: Fields): string {
  const fields = [
    `day of month "${dayOfMonth}"`,
    `month "${month}"`,
    `day of week "${dayOfWeek}"`,
    ...(year === "*" ? [] : [`year "${year}"`]),
  ];
  return `expected a day that exists, got an expression that never matches: no date has ${fields.join(", ")}; February has 28 or 29 days, April, June, September and November have 30`;
}

/** A pattern that covers each of its minutes whole. */
export function minuteWide(pattern: Pattern): Pattern {
  return { ...pattern, seconds: wholeOf(60) };
}

/** Whether it runs by the clock: an hour field that covers the whole day says "so many minutes apart", not "at that time of day". */
export function runsByTheClock({ hours }: Pattern): boolean {
  return isFull(hours);
}
