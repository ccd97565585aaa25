import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dayMs,
  earlierOf,
  formatDuration,
  formatInstant,
  hourMs,
  later,
  laterOf,
  minuteMs,
  parseDuration,
  parseInstant,
  secondMs,
  toEpochMs,
} from "../../src/core/time.ts";
import { always } from "../always.ts";

/** Years 0000 to 9999: what RFC 3339 can spell. */
const instants = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9998, 11, 31) }).map(toEpochMs);

describe("an instant", () => {
  it.each([
    ["2027-01-01T00:00:00Z", Date.UTC(2027, 0, 1)],
    ["2027-01-01t00:00:00z", Date.UTC(2027, 0, 1)],
    ["2027-01-01T01:30:00+01:30", Date.UTC(2027, 0, 1)],
    ["2026-12-31T19:00:00-05:00", Date.UTC(2027, 0, 1)],
    ["2027-01-01T00:00:00-00:00", Date.UTC(2027, 0, 1)],
    ["2027-01-01T23:59:00+23:59", Date.UTC(2027, 0, 1)],
    ["2028-02-29T12:00:00Z", Date.UTC(2028, 1, 29, 12)],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
    ["2027-01-01T00:00:00.1Z", Date.UTC(2027, 0, 1) + 100],
    ["2027-01-01T00:00:00.57Z", Date.UTC(2027, 0, 1) + 570],
    ["1969-12-31T23:59:59.999Z", -1],
  ])("is read from %s", (text, at) => {
    expect(parseInstant(text)).toBe(at);
  });

  it.each([
    ["a day that no month has", "2027-01-32T00:00:00Z"],
    ["30 February", "2027-02-30T00:00:00Z"],
    ["29 February of a common year", "2027-02-29T00:00:00Z"],
    ["29 February of a century that is no leap year", "2100-02-29T00:00:00Z"],
    ["31 April", "2027-04-31T00:00:00Z"],
    ["day 0", "2027-01-00T00:00:00Z"],
    ["month 0", "2027-00-01T00:00:00Z"],
    ["month 13", "2027-13-01T00:00:00Z"],
    ["hour 24", "2027-01-01T24:00:00Z"],
    ["minute 60", "2027-01-01T00:60:00Z"],
    ["a leap second", "2016-12-31T23:59:60Z"],
    ["an offset of 24 hours", "2027-01-01T00:00:00+24:00"],
    ["an offset of 60 minutes", "2027-01-01T00:00:00+01:60"],
    ["no offset", "2027-01-01T00:00:00"],
    ["an offset without a colon", "2027-01-01T00:00:00+0100"],
    ["a date alone", "2027-01-01"],
    ["a space for the T", "2027-01-01 00:00:00Z"],
    ["a comma for the point", "2027-01-01T00:00:00,5Z"],
    ["a point without digits", "2027-01-01T00:00:00.Z"],
    ["ten digits of fraction", "2027-01-01T00:00:00.1234567890Z"],
    ["a year of five digits", "12027-01-01T00:00:00Z"],
    ["a line break at the end", "2027-01-01T00:00:00Z\n"],
    ["digits that are not ASCII", "２027-01-01T00:00:00Z"],
    ["epoch milliseconds", "1798761600000"],
    ["nothing", ""],
  ])("is not read from %s", (_, text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it("lies in the millisecond that its fraction names, never in the next", () => {
    always(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 1, max: 9 }), (nanoseconds, digits) => {
      const fraction = String(nanoseconds).padStart(9, "0").slice(0, digits);
      const at = parseInstant(`2027-01-01T00:00:00.${fraction}Z`);
      expect(at).toBe(Date.UTC(2027, 0, 1) + Number(fraction.padEnd(3, "0").slice(0, 3)));
    });
  });

  it("comes back from its own spelling", () => {
    always(instants, (at) => expect(parseInstant(formatInstant(at))).toBe(at));
  });

  it("is the same in every offset", () => {
    always(instants, fc.integer({ min: -1_439, max: 1_439 }), (at, offsetMinutes) => {
      const local = formatInstant(later(at, offsetMinutes * minuteMs)).slice(0, -1);
      const size = Math.abs(offsetMinutes);
      const offset = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, "0")).join(":");
      // A local year outside 0000–9999 has no RFC 3339 spelling.
      fc.pre(/^\d{4}-/.test(local));
      expect(parseInstant(`${local}${offsetMinutes < 0 ? "-" : "+"}${offset}`)).toBe(at);
    });
  });

  it("is a whole millisecond, also where a duration is not", () => {
    expect(later(toEpochMs(10.9), 0.9)).toBe(10);
    expect(toEpochMs(-0.5)).toBe(-1);
  });

  it("has an earlier and a later of two", () => {
    const [a, b] = [toEpochMs(1), toEpochMs(2)];
    expect([earlierOf(a, b), earlierOf(b, a), laterOf(a, b), laterOf(b, a)]).toEqual([a, a, b, b]);
  });
});

describe("a duration", () => {
  it.each([
    ["250ms", 250],
    ["90s", 90 * secondMs],
    ["1h30m", 90 * minuteMs],
    ["7d", 7 * dayMs],
    ["1d2h3m4s5ms", dayMs + 2 * hourMs + 3 * minuteMs + 4 * secondMs + 5],
    ["1.5h", 90 * minuteMs],
    ["0.1s", 100],
    ["0.57s", 570],
    ["0s", 0],
    ["PT90S", 90 * secondMs],
    ["PT1H30M", 90 * minuteMs],
    ["P1DT12H", 36 * hourMs],
    ["P7D", 7 * dayMs],
    ["P2W", 14 * dayMs],
    ["PT0.25S", 250],
    ["PT0S", 0],
  ])("of %s is read", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each([
    ["nothing", ""],
    ["a bare number", "90"],
    ["an unknown unit", "90x"],
    ["an upper-case unit", "90S"],
    ["a sign", "-90s"],
    ["a space", "1h 30m"],
    ["a unit named twice", "5m5m"],
    ["units in the wrong order", "1s1h"],
    ["a fraction of a millisecond", "0.5ms"],
    ["a fraction of a millisecond in seconds", "0.0001s"],
    ["no digits before the point", ".5s"],
    ["no digits after the point", "1.s"],
    ["an exponent", "1e3s"],
    ["more than can be counted exactly", "99999999999999999d"],
    ["forty-one characters", `${"0".repeat(40)}s`],
    ["P alone", "P"],
    ["PT alone", "PT"],
    ["a T with nothing behind", "P1DT"],
    ["months, whose length nobody knows", "P1M"],
    ["years", "P1Y"],
    ["weeks with days", "P1W1D"],
    ["a negative ISO duration", "-PT1S"],
  ])("is not read from %s", (_, text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("comes back from its own spelling, too", () => {
    always(fc.maxSafeNat(), (durationMs) => expect(parseDuration(formatDuration(durationMs))).toBe(durationMs));
  });

  it("is the same in both spellings", () => {
    const parts = fc.tuple(fc.nat(999), fc.nat(23), fc.nat(59), fc.nat(59));
    always(parts, ([days, hours, minutes, seconds]) => {
      expect(parseDuration(`${days}d${hours}h${minutes}m${seconds}s`)).toBe(parseDuration(`P${days}DT${hours}H${minutes}M${seconds}S`));
    });
  });

  it.each([
    [0, "0s"],
    [1, "1ms"],
    [90 * minuteMs, "1h30m"],
    [dayMs, "24h"],
    [2 * dayMs - 1, "47h59m59s999ms"],
    [2 * dayMs, "2d"],
  ])("of %d ms is spelled %s", (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it("is read in time that does not explode with a hostile text", () => {
    const before = process.hrtime.bigint();
    for (const text of ["1".repeat(1e6), `${"1m".repeat(1e5)}x`, `P${"1".repeat(1e6)}`]) expect(parseDuration(text)).toBeUndefined();
    expect(Number(process.hrtime.bigint() - before)).toBeLessThan(1e9);
  });
});
