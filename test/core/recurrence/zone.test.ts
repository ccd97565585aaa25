import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toLocalMs } from "../../../src/core/recurrence/civil.ts";
import { findZone, formatZoned, localAt, passesOf, wrongZone, type Zone } from "../../../src/core/recurrence/zone.ts";
import { dayMs, hourMs, minuteMs, toEpochMs } from "../../../src/core/time.ts";
import { always } from "../../always.ts";
import { at, wall, zoneNames } from "./rules.ts";

const zoneOf = (name: string): Zone => {
  const zone = findZone(name);
  if (zone === undefined) throw new Error(`expected the zone ${name}`);
  return zone;
};
const names = fc.constantFrom(...zoneNames);
const instants = fc.integer({ min: 0, max: Date.UTC(2199, 11, 31) / 1_000 }).map((seconds) => toEpochMs(seconds * 1_000));

/** The changes of a year: when, and from which offset to which in minutes. */
function changes(name: string, year: number): string[] {
  const zone = zoneOf(name);
  const found: string[] = [];
  let stretch = zone.stretchAt(toEpochMs(Date.UTC(year, 0, 1)));
  while (stretch.endAt < Date.UTC(year + 1, 0, 1)) {
    const next = zone.stretchAt(stretch.endAt);
    if (next.offsetMs !== stretch.offsetMs) {
      found.push(`${new Date(next.startAt).toISOString().slice(0, 16)}Z ${stretch.offsetMs / 60_000} → ${next.offsetMs / 60_000}`);
    }
    stretch = next;
  }
  return found;
}

describe("a zone", () => {
  it.each([
    ["Europe/Berlin", 2026, ["2026-03-29T01:00Z 60 → 120", "2026-10-25T01:00Z 120 → 60"]],
    ["America/New_York", 2026, ["2026-03-08T07:00Z -300 → -240", "2026-11-01T06:00Z -240 → -300"]],
    ["Europe/London", 2026, ["2026-03-29T01:00Z 0 → 60", "2026-10-25T01:00Z 60 → 0"]],
    ["Australia/Lord_Howe", 2026, ["2026-04-04T15:00Z 660 → 630", "2026-10-03T15:30Z 630 → 660"]],
    ["Asia/Kathmandu", 1985, ["1985-12-31T18:30Z 330 → 345"]],
    ["Asia/Kathmandu", 2026, []],
    ["Pacific/Apia", 2011, ["2011-04-02T14:00Z -600 → -660", "2011-09-24T14:00Z -660 → -600", "2011-12-30T10:00Z -600 → 840"]],
    ["Africa/Casablanca", 2025, ["2025-02-23T02:00Z 60 → 0", "2025-04-06T02:00Z 0 → 60"]],
    ["Antarctica/Troll", 2026, ["2026-03-29T01:00Z 0 → 120", "2026-10-25T01:00Z 120 → 0"]],
    // The shortest stretches of an offset since 1970.
    ["America/Recife", 2000, ["2000-02-27T02:00Z -120 → -180", "2000-10-08T03:00Z -180 → -120", "2000-10-15T02:00Z -120 → -180"]],
    ["America/Boa_Vista", 2000, ["2000-02-27T03:00Z -180 → -240", "2000-10-08T04:00Z -240 → -180", "2000-10-15T03:00Z -180 → -240"]],
    ["America/Fortaleza", 2000, ["2000-02-27T02:00Z -120 → -180", "2000-10-08T03:00Z -180 → -120", "2000-10-22T02:00Z -120 → -180"]],
    ["America/Argentina/Tucuman", 2004, ["2004-06-01T03:00Z -180 → -240", "2004-06-13T04:00Z -240 → -180"]],
    ["UTC", 2026, []],
  ])("%s changes its clocks in %d: %j", (name, year, known) => {
    expect(changes(name, year)).toEqual(known);
  });

  it("shows at any instant what Intl says, in every zone of the runtime", () => {
    always(names, instants, (name, instant) => {
      expect(localAt(zoneOf(name), instant), name).toBe(wall(name, instant));
    });
    for (const name of zoneNames) {
      for (const year of [1970, 1995, 2026, 2037]) {
        const instant = at(`${year}-07-04T12:34:56Z`);
        expect(localAt(zoneOf(name), instant), name).toBe(wall(name, instant));
      }
    }
  });

  it("passes a local time as often as its clocks show it, and each pass shows it", () => {
    always(names, instants, (name, instant) => {
      const zone = zoneOf(name);
      const local = localAt(zone, instant);
      const passes = passesOf(zone, local);
      expect(passes.map((pass) => pass.at)).toContain(instant);
      for (const pass of passes) expect(wall(name, pass.at)).toBe(local);
    });
    const berlin = zoneOf("Europe/Berlin");
    const passes = (text: string) => passesOf(berlin, toLocalMs(Date.parse(`${text}Z`))).length;
    expect(passes("2026-03-29T01:59:59")).toBe(1);
    expect(passes("2026-03-29T02:00:00")).toBe(0);
    expect(passes("2026-03-29T02:59:59")).toBe(0);
    expect(passes("2026-03-29T03:00:00")).toBe(1);
    expect(passes("2026-10-25T01:59:59")).toBe(1);
    expect(passes("2026-10-25T02:00:00")).toBe(2);
    expect(passes("2026-10-25T02:59:59")).toBe(2);
    expect(passes("2026-10-25T03:00:00")).toBe(1);
  });

  it("is found in any case, and shown in the spelling of the tz data; an alias keeps its own name", () => {
    const shown = (name: string) => formatZoned(zoneOf(name), at("2026-07-01T00:00:00Z"));
    expect(shown("europe/berlin")).toBe("2026-07-01T02:00:00+02:00[Europe/Berlin]");
    expect(shown("utc")).toBe("2026-07-01T00:00:00+00:00[UTC]");
    expect(shown("Europe/Kyiv")).toBe("2026-07-01T03:00:00+03:00[Europe/Kyiv]");
    expect(shown("US/Eastern")).toBe("2026-06-30T20:00:00-04:00[US/Eastern]");
    expect(shown("America/St_Johns")).toBe("2026-06-30T21:30:00-02:30[America/St_Johns]");
    expect(formatZoned(zoneOf("Africa/Monrovia"), at("1971-01-01T00:00:00.250Z"))).toBe(
      "1970-12-31T23:15:30.250-00:44:30[Africa/Monrovia]",
    );
  });

  it.each([
    ["Europe/Berln", '"Europe/Berlin"'],
    ["Berlin", '"Europe/Berlin"'],
    ["new york", '"America/New_York"'],
    [" Europe/Berlin", '"Europe/Berlin"'],
    ["PST", "abbreviations"],
    ["BST", "abbreviations"],
    ["+02:00", '"Etc/GMT-2"'],
    ["UTC+2", '"Etc/GMT-2"'],
    ["Mars/Phobos", "expected the IANA name"],
    ["SystemV/PST8PDT", "expected the IANA name"],
    ["Europe//Berlin", "expected the IANA name"],
    ["", 'got ""'],
    ["../etc/passwd", "expected the IANA name"],
    ["Europe/Berlin\u0000", "expected the IANA name"],
    ["Europe/".repeat(1_400), "expected the IANA name"],
  ])("is not found by %.40j, and the message has %s", (name, hint) => {
    expect(findZone(name)).toBeUndefined();
    expect(wrongZone(name)).toContain(hint);
  });

  it("has whole minutes since 1973, which unions of rules rely on", () => {
    // Offsets with seconds are the older ones: a part of the zones is enough for later years.
    for (const [index, name] of zoneNames.entries()) {
      const zone = zoneOf(name);
      const until = at(index % 20 === 0 ? "2040-01-01T00:00:00Z" : "1983-01-01T00:00:00Z");
      for (let stretch = zone.stretchAt(at("1973-01-01T00:00:00Z")); stretch.endAt < until; ) {
        stretch = zone.stretchAt(stretch.endAt);
        const isWhole = stretch.offsetMs % minuteMs === 0 && (stretch.startAt % minuteMs === 0 || stretch.startAt % 2 ** 35 === 0);
        if (!isWhole) throw new Error(`${name} at ${new Date(stretch.startAt).toISOString()}`);
      }
    }
  });

  it("loses no change between two looks at its offsets", () => {
    // Each zone's offset each 36 hours from 2000 to 2010, the years in which most governments changed their minds.
    for (const name of zoneNames.filter((_, index) => index % 12 === 0)) {
      const zone = zoneOf(name);
      for (let instant = Date.UTC(2000, 0, 1); instant < Date.UTC(2010, 0, 1); instant += 36 * hourMs + dayMs / 3) {
        if (localAt(zone, toEpochMs(instant)) !== wall(name, instant)) throw new Error(`${name} at ${new Date(instant).toISOString()}`);
      }
    }
  });
});
