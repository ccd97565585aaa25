/** One rule as callers write it to how it keeps time, with every mistake in it named by its field. */

import { type EpochMs, formatDuration, parseDuration, parseInstant } from "../time.ts";
import { firstAt, horizonAt, ruleBounds } from "./bounds.ts";
import { parseCron, runsByTheClock } from "./cron.ts";
import { parseExpression, wrongAt } from "./eventBridge.ts";
import type { Fold, Gap } from "./firing.ts";
import { shown } from "./terms.ts";
import type { Timed } from "./voice.ts";
import { findZone, passesOf, wrongZone, type Zone } from "./zone.ts";

/** A rule as written: exactly one of `cron`, `every`, `at` and `expression`. Plain data, and what is stored. */
export type WrittenMember = {
  readonly cron?: string | undefined;
  readonly every?: string | undefined;
  readonly at?: readonly string[] | undefined;
  readonly expression?: string | undefined;
  /** IANA's name. Default: UTC. */
  readonly timezone?: string | undefined;
  readonly gap?: Gap | undefined;
  readonly fold?: Fold | undefined;
  /** The anchor of `every`. */
  readonly from?: string | undefined;
};

export type Path = readonly (string | number)[];
export type Mistake = {
  readonly path: Path;
  readonly code: "required" | "invalid_format" | "invalid_value" | "too_small" | "too_large";
  readonly message: string;
};

/** A rule read. */
export type Member = Timed & { readonly path: Path };

/** What reading collects mistakes in. */
export type Reading = { readonly anchorAt: EpochMs; readonly mistakes: Mistake[] };

/** The member, or undefined where there was a mistake. Fields that are absent are no mistake: what must be there is the shape's matter. */
export function readMember(written: WrittenMember, path: Path, reading: Reading): Member | undefined {
  const zone = readZone(written.timezone, path, reading.mistakes);
  if (written.cron !== undefined) return readCron(written, written.cron, zone, path, reading.mistakes);
  if (written.every !== undefined) return readEvery(written, written.every, zone, path, reading);
  if (written.at !== undefined) return readList(written.at, zone, path, reading.mistakes);
  return written.expression === undefined ? undefined : readExpression(written.expression, zone, path, reading);
}

export function readZone(written: string | undefined, path: Path, mistakes: Mistake[]): Zone | undefined {
  const name = written ?? "UTC";
  const zone = findZone(name);
  if (zone === undefined) mistakes.push({ path: [...path, "timezone"], code: "invalid_value", message: wrongZone(name) ?? "" });
  return zone;
}

function readCron(
  { gap = "shift", fold = "first" }: WrittenMember,
  cron: string,
  zone: Zone | undefined,
  path: Path,
  mistakes: Mistake[],
): Member | undefined {
  const read = parseCron(cron);
  if (!read.ok) {
    mistakes.push(...inText(cron, [...path, "cron"], read.wrong));
    return undefined;
  }
  if (zone === undefined) return undefined;
  const { pattern } = read;
  const policy = runsByTheClock(pattern) ? ({ gap: "skip", fold: "both" } as const) : { gap, fold };
  return { path, zone, timing: { kind: "wall", pattern, ...policy } };
}

function readExpression(expression: string, zone: Zone | undefined, path: Path, { anchorAt, mistakes }: Reading): Member | undefined {
  const own = [...path, "expression"];
  const read = parseExpression(expression);
  if (!read.ok) {
    mistakes.push(...inText(expression, own, read.wrong));
    return undefined;
  }
  if (zone === undefined) return undefined;
  const { value } = read;
  switch (value.kind) {
    case "cron":
      return { path, zone, timing: { kind: "wall", pattern: value.pattern, gap: "skip", fold: "first" } };
    case "rate":
      return { path, zone, timing: { kind: "every", everyMs: value.everyMs, anchorAt } };
    case "at": {
      const [first] = passesOf(zone, value.local);
      if (first !== undefined) return { path, zone, timing: { kind: "list", instants: [first.at] } };
      mistakes.push({ path: own, code: "invalid_value", message: wrongAt(value.local, zone) });
      return undefined;
    }
  }
}

function readEvery({ from }: WrittenMember, every: string, zone: Zone | undefined, path: Path, reading: Reading): Member | undefined {
  const { everyMsMin, everyMsMax } = ruleBounds;
  const own = [...path, "every"];
  const everyMs = parseDuration(every);
  const [min, max] = [formatDuration(everyMsMin), formatDuration(everyMsMax)];
  const got = `got "${shown(every)}"`;
  if (everyMs === undefined) {
    reading.mistakes.push({ path: own, code: "invalid_format", message: `expected a duration such as "90s", "15m" or "1h30m", ${got}` });
  } else if (everyMs < everyMsMin) {
    reading.mistakes.push({ path: own, code: "too_small", message: `expected at least ${min}, ${got}` });
  } else if (everyMs > everyMsMax) {
    reading.mistakes.push({ path: own, code: "too_large", message: `expected at most ${max}, ${got}` });
  }
  const anchorAt = from === undefined ? reading.anchorAt : readInstant(from, [...path, "from"], reading.mistakes);
  if (everyMs === undefined || everyMs < everyMsMin || everyMs > everyMsMax || anchorAt === undefined || zone === undefined)
    return undefined;
  return { path, zone, timing: { kind: "every", everyMs, anchorAt } };
}

function readList(at: readonly string[], zone: Zone | undefined, path: Path, mistakes: Mistake[]): Member | undefined {
  const own = [...path, "at"];
  const { instantsMax, mistakesMax } = ruleBounds;
  if (at.length === 0 || at.length > instantsMax) {
    const code = at.length === 0 ? "too_small" : "too_large";
    mistakes.push({ path: own, code, message: `expected 1–${instantsMax} instants, got ${at.length}` });
    return undefined;
  }
  const before = mistakes.length;
  const instants: EpochMs[] = [];
  for (const [index, text] of at.entries()) {
    const instant = mistakes.length < mistakesMax ? readInstant(text, [...own, index], mistakes) : undefined;
    if (instant !== undefined) instants.push(instant);
  }
  if (mistakes.length > before || zone === undefined || instants.length < at.length) return undefined;
  const sorted = [...new Set(instants)].sort((a, b) => a - b);
  return { path, zone, timing: { kind: "list", instants: sorted } };
}

function readInstant(text: string, path: Path, mistakes: Mistake[]): EpochMs | undefined {
  const at = parseInstant(text);
  const expected = 'expected an existing date and time with an offset such as "2027-01-01T09:00:00Z"';
  if (at === undefined) mistakes.push({ path, code: "invalid_format", message: `${expected}, got "${shown(text)}"` });
  else if (at < firstAt || at >= horizonAt) {
    const range = `${ruleBounds.yearMin}–${ruleBounds.yearMax}`;
    mistakes.push({ path, code: at < firstAt ? "too_small" : "too_large", message: `expected a year of ${range}, got "${shown(text)}"` });
  } else return at;
  return undefined;
}

/** A text that is too long has another code than one that cannot be read. */
export function inText(text: string, path: Path, wrong: readonly string[]): Mistake[] {
  const code = text.length > ruleBounds.expressionCharsMax ? "too_large" : "invalid_format";
  return wrong.map((message) => ({ path, code, message }));
}
