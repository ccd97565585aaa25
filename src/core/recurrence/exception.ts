/** What a rule leaves out. An exception is judged on the local time of an occurrence, and says how far what it covers goes on. */

import { nearest } from "../nearest.ts";
import { type EpochMs, toEpochMs } from "../time.ts";
import { type Calendar, parseCalendar, type WrittenCalendar } from "./calendar.ts";
import { type LocalMs, toLocalMs } from "./civil.ts";
import { minuteWide, parseCron } from "./cron.ts";
import { type Cover, coverOf, mergeSpans, readSpans, type WrittenDate } from "./dates.ts";
import { inText, type Mistake, type Path, readZone } from "./member.ts";
import { isMatch, runEnd } from "./pattern.ts";
import { shown } from "./terms.ts";
import { farMs, foldMsMax, type Stretch, type Zone } from "./zone.ts";

/** An exception as written: exactly one of `calendar`, `cron` and `dates`. */
export type WrittenException = {
  /** The name of a calendar, which is kept beside the rules that use it. */
  readonly calendar?: string | undefined;
  readonly cron?: string | undefined;
  readonly dates?: readonly WrittenDate[] | undefined;
  /** Default: the calendar's, or else the rule's own. */
  readonly timezone?: string | undefined;
};

export type Exception = {
  /** null: that of the rule whose occurrence is judged. */
  readonly zone: Zone | null;
  readonly coveredUntil: Cover;
};

/** Calendars by name. */
export type Calendars = ReadonlyMap<string, WrittenCalendar>;

/** The names of the calendars that exceptions use, each once: what a caller loads before it reads the rule. */
export function calendarsOf(except: readonly WrittenException[] | undefined): readonly string[] {
  return [...new Set((except ?? []).flatMap(({ calendar }) => (calendar === undefined ? [] : [calendar])))];
}

/** What reading collects mistakes in, and finds calendars by. */
type Reading = { readonly calendars: Calendars; readonly mistakes: Mistake[] };

export function readException(written: WrittenException, path: Path, { calendars, mistakes }: Reading): Exception | undefined {
  const zone = written.timezone === undefined ? null : readZone(written.timezone, path, mistakes);
  if (written.calendar !== undefined) {
    const calendar = readNamed(written.calendar, calendars, [...path, "calendar"], mistakes);
    return zone === undefined || calendar === undefined ? undefined : { ...calendar, zone: zone ?? calendar.zone };
  }
  const coveredUntil = written.cron === undefined ? readDates(written.dates, path, mistakes) : readCover(written.cron, path, mistakes);
  return zone === undefined || coveredUntil === undefined ? undefined : { zone, coveredUntil };
}

function readNamed(name: string, calendars: Calendars, path: Path, mistakes: Mistake[]): Calendar | undefined {
  const got = `got "${shown(name)}"`;
  const written = calendars.get(name);
  if (written === undefined) {
    const meant = nearest(name, [...calendars.keys()]);
    const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
    const message = `expected a calendar that exists, ${got}; put it first, by PUT /v1/calendars/${shown(name)}${hint}`;
    mistakes.push({ path, code: "invalid_value", message });
    return undefined;
  }
  const read = parseCalendar(written);
  if (read.ok) return read.calendar;
  // It was judged when it was put. What can have gone since is a zone that the runtime of that time knew.
  const [first] = read.mistakes;
  const message = `expected a calendar that can still be read, ${got}, in which ${first?.path.join(".")} is wrong: ${first?.message}`;
  mistakes.push({ path, code: "invalid_value", message });
  return undefined;
}

function readCover(cron: string, path: Path, mistakes: Mistake[]): Cover | undefined {
  const read = parseCron(cron);
  if (!read.ok) {
    mistakes.push(...inText(cron, [...path, "cron"], read.wrong));
    return undefined;
  }
  const pattern = read.seconds ? read.pattern : minuteWide(read.pattern);
  return (local) => (isMatch(pattern, local) ? runEnd(pattern, local) : undefined);
}

function readDates(dates: WrittenException["dates"], path: Path, mistakes: Mistake[]): Cover | undefined {
  const spans = dates === undefined ? undefined : readSpans(dates, 1, { path: [...path, "dates"], mistakes });
  return spans === undefined ? undefined : coverOf(mergeSpans(spans));
}

/** Until when an instant's surroundings are covered by any of the exceptions, judged in `zone` by those without one; undefined where it is not. */
export function excludedUntil(exceptions: readonly Exception[], zone: Zone, at: EpochMs): EpochMs | undefined {
  let until: EpochMs | undefined;
  for (const exception of exceptions) {
    const stretch = (exception.zone ?? zone).stretchAt(at);
    const local = exception.coveredUntil(toLocalMs(at + stretch.offsetMs));
    if (local === undefined) continue;
    const end = coveredInstants(local, at, stretch);
    if (until === undefined || end > until) until = end;
  }
  return until;
}

/** What the clocks show after a change is judged anew, but for a run that is longer than any change could reach back. */
function coveredInstants(local: LocalMs, at: EpochMs, { endAt, offsetMs }: Stretch): EpochMs {
  const inStretch = Math.min(local - offsetMs, endAt);
  return toEpochMs(endAt - at > farMs ? Math.max(inStretch, local - foldMsMax) : inStretch);
}
