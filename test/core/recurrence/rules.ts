/** Short ways to a rule and to what it yields, and the local times of a zone as `Intl` says them: apart from the code that is tested. */

import type { WrittenCalendar } from "../../../src/core/recurrence/calendar.ts";
import { occurrences } from "../../../src/core/recurrence/occurrences.ts";
import { parseRule, type Rule, type WrittenRule } from "../../../src/core/recurrence/rule.ts";
import { type EpochMs, toEpochMs } from "../../../src/core/time.ts";

export function at(text: string): EpochMs {
  return toEpochMs(Date.parse(text));
}

/** Calendars by name, as a caller of `parseRule` has loaded them. */
export type Kept = Readonly<Record<string, WrittenCalendar>>;

export function ruleOf(written: WrittenRule, createdAt: EpochMs = at("2027-01-01T00:00:00Z"), kept: Kept = {}): Rule {
  // What is stored is the written form as JSON: each rule in these tests has gone that way.
  const stored = JSON.parse(JSON.stringify(written)) as WrittenRule;
  const parsed = parseRule(stored, createdAt, new Map(Object.entries(kept)));
  if (!parsed.ok) throw new Error(parsed.mistakes.map(({ message }) => message).join("; "));
  return parsed.rule;
}

/** Local spelling without the zone's name, and the note behind it. */
export function listed(written: WrittenRule, from: string, count: number, kept: Kept = {}): string[] {
  const { found } = occurrences(ruleOf(written, at(from), kept), { from: at(from), count });
  return found.map(({ local, note }) => `${local.replace(/\[.*\]$/, "")}${note === null ? "" : ` ${note}`}`);
}

/** Nominal instants from `from` to before `to`. */
export function instants(rule: Rule, from: EpochMs, to: EpochMs): number[] {
  const { found, stoppedAt } = occurrences({ ...rule, endAt: to }, { from, count: 100_000 });
  if (stoppedAt !== null) throw new Error(`expected the search to end, got stopped at ${stoppedAt}`);
  return found.map(({ nominalAt }) => nominalAt);
}

/** Why a rule is refused: `field: message` for each mistake. */
export function refusals(written: unknown, createdAt: EpochMs = at("2027-01-01T00:00:00Z")): string[] {
  const parsed = parseRule(written as WrittenRule, createdAt);
  return parsed.ok ? [] : parsed.mistakes.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

/** Milliseconds of processor time: what others do on the machine meanwhile does not count. */
export function took(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a zone show at an instant, in milliseconds as if in Greenwich. */
export function wall(zone: string, instant: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const two = "2-digit";
    const fields = { year: "numeric", month: two, day: two, hour: two, minute: two, second: two } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...fields });
    formats.set(zone, format);
  }
  const [, month, day, year, hour, minute, second] = /(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)/.exec(format.format(instant)) ?? [];
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

export const zoneNames = ["UTC", ...Intl.supportedValuesOf("timeZone")];
