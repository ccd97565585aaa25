/**
 * EventBridge Scheduler's expressions with EventBridge's own rules: weekdays count from Sunday = 1, exactly one day field is `?`, a time
 * in a gap is skipped, one in a fold fires once, and `rate` counts elapsed time.
 */

import { dayMs, hourMs, minuteMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { formatLocal, type LocalMs, parseLocal } from "./civil.ts";
import { readPattern, wrongText } from "./cron.ts";
import type { Pattern } from "./pattern.ts";
import { fieldKinds, shown } from "./terms.ts";
import type { Zone } from "./zone.ts";

export type Expression =
  | { readonly kind: "cron"; readonly pattern: Pattern }
  | { readonly kind: "rate"; readonly everyMs: number }
  | { readonly kind: "at"; readonly local: LocalMs };

export type ExpressionRead = { readonly ok: true; readonly value: Expression } | { readonly ok: false; readonly wrong: readonly string[] };

const forms = '"rate(5 minutes)", "cron(0 12 ? * MON-FRI *)" or "at(2027-01-01T09:00:00)"';

export function parseExpression(written: string): ExpressionRead {
  const early = wrongText(written, ruleBounds.expressionCharsMax);
  if (early !== undefined) return refuse(early);
  const match = /^(cron|rate|at)\(\s*(.*?)\s*\)$/.exec(written.trim());
  if (match === null) return refuse(`expected ${forms}, got "${shown(written)}"${adviceOn(written.trim())}`);
  const [, kind, inside = ""] = match;
  if (kind === "rate") return parseRate(inside);
  return kind === "at" ? parseAt(inside) : parseCronFields(inside);
}

function refuse(...wrong: string[]): ExpressionRead {
  return { ok: false, wrong };
}

function adviceOn(text: string): string {
  if (/^(?:cron|rate|at)\(/i.test(text))
    return text.endsWith(")") ? "; the word before the bracket is in lower case" : "; the bracket is not closed";
  return /^[@*\d]/.test(text) ? "; a plain cron expression goes into `cron`" : "";
}

const unitsMs: Readonly<Record<string, number>> = { minute: minuteMs, hour: hourMs, day: dayMs };

function parseRate(inside: string): ExpressionRead {
  const [, count, unit] = /^(\d{1,9})\s+(minute|hour|day)s?$/.exec(inside) ?? [];
  const everyMs = Number(count) * (unitsMs[unit ?? ""] ?? 0);
  if (count === undefined || everyMs === 0)
    return refuse(`rate: expected a positive number and minutes, hours or days, got "${shown(inside)}"`);
  if (everyMs > ruleBounds.everyMsMax)
    return refuse(`rate: expected at most ${ruleBounds.everyMsMax / dayMs} days, got "${shown(inside)}"`);
  return { ok: true, value: { kind: "rate", everyMs } };
}

function parseAt(inside: string): ExpressionRead {
  const local = parseLocal(inside);
  if (local === undefined) {
    const advice = /(?:Z|[+-]\d\d:\d\d)$/.test(inside) ? "; it has no offset, its zone is said in `timezone`" : "";
    return refuse(`at: expected an existing date and time such as "2027-01-01T09:00:00", got "${shown(inside)}"${advice}`);
  }
  const year = Number(inside.slice(0, 4));
  if (year < ruleBounds.yearMin || year > ruleBounds.yearMax)
    return refuse(`at: expected a year of ${ruleBounds.yearMin}–${ruleBounds.yearMax}, got ${year}`);
  return { ok: true, value: { kind: "at", local } };
}

function parseCronFields(inside: string): ExpressionRead {
  const fields = inside.split(/[ \t]+/);
  if (fields.length !== 6) {
    return refuse(
      `cron: expected 6 fields (minute, hour, day of month, month, day of week, year), got ${inside === "" ? 0 : fields.length}`,
    );
  }
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = "", year = ""] = fields;
  const read = readPattern({ second: "0", minute, hour, dayOfMonth, month, dayOfWeek, year }, fieldKinds.dayOfWeekFromOne);
  const marks = [dayOfMonth, dayOfWeek].filter((text) => text === "?").length;
  const wrong =
    marks === 1 ? [] : [`expected ? in exactly one of day of month and day of week, got it in ${marks === 0 ? "neither" : "both"}`];
  if ("wrong" in read) return refuse(...wrong, ...read.wrong);
  return wrong.length > 0 ? refuse(...wrong) : { ok: true, value: { kind: "cron", pattern: read.pattern } };
}

/** What is wrong with a time that the clocks of a zone never show. */
export function wrongAt(local: LocalMs, zone: Zone): string {
  return `at: expected a time that the clocks show, got ${formatLocal(local)}, which ${zone.name} jumps over; name the time after the gap`;
}
