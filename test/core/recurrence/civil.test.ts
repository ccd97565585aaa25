import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dateOf, daysOf, formatLocal, lastDayOf, parseDate, parseLocal, toLocalMs, weekdayOf } from "../../../src/core/recurrence/civil.ts";
import { dayMs } from "../../../src/core/time.ts";
import { always } from "../../always.ts";

/** Two cycles of the calendar, one of them before 1970. */
const days = fc.integer({ min: -146_097, max: 146_097 });

describe("a civil date", () => {
  it("is the one that Date knows, in both directions", () => {
    always(days, (count) => {
      const date = new Date(count * dayMs);
      const known = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
      expect(dateOf(count)).toEqual(known);
      expect(daysOf(known.year, known.month, known.day)).toBe(count);
      expect(weekdayOf(count)).toBe(date.getUTCDay());
      expect(lastDayOf(known.year, known.month)).toBe(new Date(Date.UTC(known.year, known.month, 0)).getUTCDate());
    });
  });

  it.each(["2027-02-29", "2027-13-01", "2027-00-10", "2027-04-31", "2027-01-00", "2027-1-1", "27-01-01", "2027-01-01 ", "", "2100-02-29"])(
    "is not read from %j",
    (text) => {
      expect(parseDate(text)).toBeUndefined();
    },
  );

  it("comes back from its own spelling with a time", () => {
    always(fc.integer({ min: 0, max: 7_258_118_399 }), (seconds) => {
      const local = toLocalMs(seconds * 1_000);
      expect(parseLocal(formatLocal(local))).toBe(local);
    });
  });

  it.each([
    "2027-02-29T00:00:00",
    "2027-01-01T24:00:00",
    "2027-01-01T00:60:00",
    "2027-01-01T00:00:60",
    "2027-01-01T00:00:00Z",
    "2027-01-01",
  ])("with a time is not read from %j", (text) => {
    expect(parseLocal(text)).toBeUndefined();
  });
});
