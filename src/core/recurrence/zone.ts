/**
 * A time zone as a table of stretches with one offset each. The data are the runtime's own: `Intl` says the offset of an instant, and
 * where it differs between two instants the change is found by bisection, once.
 */

import { nearest } from "../nearest.ts";
import { dayMs, type EpochMs, hourMs, minuteMs, secondMs, toEpochMs } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { formatLocal, type LocalMs, toLocalMs } from "./civil.ts";

/**
 * A stretch of time with one offset; `endAt` is not in it. Two neighbours may have the same offset: the table is made piece by piece.
 */
export type Stretch = { readonly startAt: EpochMs; readonly endAt: EpochMs; readonly offsetMs: number };

export type Zone = {
  /** As the caller wrote it, in the spelling of the tz data. */
  readonly name: string;
  stretchAt(at: EpochMs): Stretch;
};

/** Some 398 days: what is made at once. */
const pieceMs = 2 ** 35;
/**
 * Some six days: what lies between two looks at an offset. The shortest stretches that the tz data know since 1970 last seven (Recife,
 * October 2000; Gaza, October 2040).
 */
const probeMs = 2 ** 29;
/** More than any two offsets of one zone differ: the International Date Line can be crossed by a decree. */
export const foldMsMax = 26 * hourMs;
/** What lies further ahead than any fold that begins before it can reach back. */
export const farMs = 2 * dayMs;

type Probe = (at: number) => number;

/** The same zone by the same name, however often it is asked for. Some 600 names exist; spellings in odd case are not kept beyond this. */
const zonesKept = 1_000;
const zones = new Map<string, Zone>();
/** Tables by the name that the runtime knows the zone by: an alias shares its zone's. */
const tables = new Map<string, Zone["stretchAt"]>();

/** IANA's names without a slash. The runtime knows others, such as "BST", which is Bangladesh to it and Britain to most who write it. */
const plainNames =
  /^(?:CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT0|GMT[+-]0|Greenwich|HST|Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|Portugal|ROC|ROK|Singapore|Turkey|UCT|UTC|Universal|W-SU|WET|Zulu)$/i;

/** The runtime's "SystemV/…" are nobody else's. */
const placeNames = /^(?!SystemV\/)[A-Za-z_]+\/[A-Za-z0-9_+/-]+$/i;

/** The zone of an IANA name, in any case; undefined where the runtime knows none. */
export function findZone(written: string): Zone | undefined {
  const known = zones.get(written);
  if (known !== undefined) return known;
  if (written.length > ruleBounds.zoneCharsMax || (!plainNames.test(written) && !placeNames.test(written))) return undefined;
  const zone = /^utc$/i.test(written) ? { name: "UTC", stretchAt: tableOf("UTC", () => 0) } : namedZone(written);
  if (zone === undefined) return undefined;
  if (zones.size >= zonesKept) zones.clear();
  zones.set(written, zone);
  return zone;
}

function namedZone(written: string): Zone | undefined {
  const format = formatOf(written);
  if (format === undefined) return undefined;
  const canonical = format.resolvedOptions().timeZone;
  return { name: spelled(written, canonical), stretchAt: tableOf(canonical, probeOf(format)) };
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  } catch {
    // The one thing that it throws for: the runtime knows no such zone.
    return undefined;
  }
}

/** "europe/berlin" is shown as "Europe/Berlin"; "Europe/Kyiv" stays, though the runtime may know it by an older name. */
function spelled(written: string, canonical: string): string {
  return written.toLowerCase() === canonical.toLowerCase() ? canonical : written;
}

function tableOf(canonical: string, probe: Probe): Zone["stretchAt"] {
  const known = tables.get(canonical);
  if (known !== undefined) return known;
  const pieces = new Map<number, readonly Stretch[]>();
  const stretchAt = (at: EpochMs): Stretch => {
    const index = Math.floor(at / pieceMs);
    let piece = pieces.get(index);
    if (piece === undefined) {
      piece = stretchesOf(probe, index * pieceMs, (index + 1) * pieceMs);
      pieces.set(index, piece);
    }
    for (const stretch of piece) if (at < stretch.endAt) return stretch;
    throw new Error(`expected a stretch of ${canonical} at ${at}, got none`);
  };
  tables.set(canonical, stretchAt);
  return stretchAt;
}

const offsetText = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

function probeOf(format: Intl.DateTimeFormat): Probe {
  return (at) => {
    const text = format.format(at);
    const match = offsetText.exec(text);
    if (match === null) throw new Error(`expected an offset at the end, got ${text}`);
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
    const sizeMs = Number(hours) * hourMs + Number(minutes) * minuteMs + Number(seconds) * secondMs;
    return sign === "-" ? -sizeMs : sizeMs;
  };
}

function stretchesOf(probe: Probe, fromMs: number, untilMs: number): Stretch[] {
  const found: Stretch[] = [];
  let startMs = fromMs;
  let offsetMs = probe(fromMs);
  for (let at = fromMs; at < untilMs; ) {
    const next = Math.min(at + probeMs, untilMs);
    const change = next === untilMs ? changeIn(probe, at, next - secondMs, offsetMs) : changeIn(probe, at, next, offsetMs);
    if (change === undefined) {
      at = next;
      continue;
    }
    found.push({ startAt: toEpochMs(startMs), endAt: toEpochMs(change), offsetMs });
    startMs = change;
    offsetMs = probe(change);
    at = change;
  }
  found.push({ startAt: toEpochMs(startMs), endAt: toEpochMs(untilMs), offsetMs });
  return found;
}

/** The first instant with another offset than at `fromMs`, where the offset at `toMs` is another. Changes are on whole seconds. */
function changeIn(probe: Probe, fromMs: number, toMs: number, offsetMs: number): number | undefined {
  if (probe(toMs) === offsetMs) return undefined;
  let before = Math.floor(fromMs / secondMs);
  let after = Math.floor(toMs / secondMs);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (probe(middle * secondMs) === offsetMs) before = middle;
    else after = middle;
  }
  return after * secondMs;
}

export function localAt(zone: Zone, at: EpochMs): LocalMs {
  return toLocalMs(at + zone.stretchAt(at).offsetMs);
}

/** One passing of a local time: the instant, and the stretch that it lies in. */
export type Pass = { readonly at: EpochMs; readonly stretch: Stretch };

/** Every instant at which the clocks of a zone show a local time, in order: none in a gap, two in a fold, one otherwise. */
export function passesOf(zone: Zone, local: LocalMs): Pass[] {
  const passes: Pass[] = [];
  let stretch = zone.stretchAt(toEpochMs(local - foldMsMax));
  for (;;) {
    const at = toEpochMs(local - stretch.offsetMs);
    if (at >= stretch.startAt && at < stretch.endAt) passes.push({ at, stretch });
    if (stretch.endAt > local + foldMsMax) return passes;
    stretch = zone.stretchAt(stretch.endAt);
  }
}

/** `"2026-03-29T03:00:00+02:00[Europe/Berlin]"` (RFC 9557). */
export function formatZoned(zone: Zone, at: EpochMs): string {
  const { offsetMs } = zone.stretchAt(at);
  const sizeMs = Math.abs(offsetMs);
  const seconds = (sizeMs % minuteMs) / secondMs;
  const parts = [Math.floor(sizeMs / hourMs), Math.floor((sizeMs % hourMs) / minuteMs), ...(seconds === 0 ? [] : [seconds])];
  const offset = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return `${formatLocal(toLocalMs(at + offsetMs))}${offsetMs < 0 ? "-" : "+"}${offset}[${zone.name}]`;
}

/** What is wrong with the name of a zone, or undefined. */
export function wrongZone(written: string): string | undefined {
  if (findZone(written) !== undefined) return undefined;
  const shown = JSON.stringify(written.length > 40 ? `${written.slice(0, 40)}…` : written);
  const expected = `expected the IANA name of a time zone such as "Europe/Berlin" or "UTC", got ${shown}`;
  const meant = nearestZone(written);
  if (meant !== undefined) return `${expected}; did you mean "${meant}"?`;
  if (/^[A-Z]{3,4}$/i.test(written)) return `${expected}; abbreviations stand for several zones: name a place`;
  if (/^(?:UTC|GMT)?[+-]\d/i.test(written))
    return `${expected}; for a fixed offset there are "Etc/GMT-2" (two hours ahead of UTC) and its like`;
  return expected;
}

/** "Berlin" and "europe berlin" are meant as well as "Europe/Berln". */
function nearestZone(written: string): string | undefined {
  const plain = written
    .trim()
    .replaceAll(/[\s/]+/g, "_")
    .toLowerCase();
  if (plain === "" || written.length > ruleBounds.zoneCharsMax) return undefined;
  const names = ["UTC", ...Intl.supportedValuesOf("timeZone")];
  const same = names.find((name) => {
    const known = name.replaceAll("/", "_").toLowerCase();
    return known === plain || known.endsWith(`_${plain}`);
  });
  return same ?? nearest(written, names);
}
