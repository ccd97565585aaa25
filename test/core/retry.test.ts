import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { backoffMs, readRetryAfter, retryAt, retryDefault } from "../../src/core/retry.ts";
import { dayMs, later, secondMs } from "../../src/core/time.ts";
import { always } from "../always.ts";
import { startAt } from "../builders.ts";

const policies = fc
  .record({
    minBackoffMs: fc.integer({ min: limits.backoffMsMin, max: limits.minBackoffMsMax }),
    above: fc.integer({ min: 0, max: limits.maxBackoffMsMax - limits.minBackoffMsMax }),
    maxDoublings: fc.integer({ min: 0, max: limits.doublingsMax }),
    jitter: fc.boolean(),
  })
  .map(({ above, ...policy }) => ({ ...retryDefault, ...policy, maxBackoffMs: policy.minBackoffMs + above }));
const retries = fc.integer({ min: 1, max: limits.attemptMax });
const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function curve(given: { minBackoffS: number; maxBackoffS: number; maxDoublings: number }, count: number): number[] {
  const { minBackoffS, maxBackoffS, maxDoublings } = given;
  const policy = { ...retryDefault, minBackoffMs: minBackoffS * secondMs, maxBackoffMs: maxBackoffS * secondMs, maxDoublings };
  return Array.from({ length: count }, (_, index) => backoffMs(policy, index + 1) / secondMs);
}

describe("the backoff curve", () => {
  it("is that of Cloud Tasks' documentation: doubles, then grows by the last step, then stays", () => {
    expect(curve({ minBackoffS: 10, maxBackoffS: 300, maxDoublings: 3 }, 9)).toEqual([10, 20, 40, 80, 160, 240, 300, 300, 300]);
  });

  it.each([
    ["without doublings grows by its first step", { minBackoffS: 10, maxBackoffS: 45, maxDoublings: 0 }, [10, 20, 30, 40, 45, 45]],
    ["stops in the midst of doubling", { minBackoffS: 10, maxBackoffS: 50, maxDoublings: 16 }, [10, 20, 40, 50, 50]],
    ["is flat where both bounds are one", { minBackoffS: 10, maxBackoffS: 10, maxDoublings: 5 }, [10, 10, 10]],
    [
      "has the defaults that the contract names",
      { minBackoffS: 10, maxBackoffS: 3_600, maxDoublings: 5 },
      [10, 20, 40, 80, 160, 320, 640, 960],
    ],
  ])("%s", (_, given, expected) => {
    expect(curve(given, expected.length)).toEqual(expected);
  });

  it("never falls, and stays between its bounds", () => {
    always(policies, retries, (policy, retry) => {
      const waitMs = backoffMs(policy, retry);
      expect(waitMs).toBeGreaterThanOrEqual(policy.minBackoffMs);
      expect(waitMs).toBeLessThanOrEqual(policy.maxBackoffMs);
      expect(backoffMs(policy, retry + 1)).toBeGreaterThanOrEqual(waitMs);
    });
  });
});

describe("a retry", () => {
  it("is drawn from (0, curve] with jitter, and waits for the whole curve without", () => {
    always(policies, retries, fractions, (policy, retry, fraction) => {
      const waitMs = retryAt(policy, retry, null, startAt, fraction) - startAt;
      const curveMs = backoffMs(policy, retry);
      if (!policy.jitter) expect(waitMs).toBe(curveMs);
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(curveMs);
    });
  });

  it("reaches both ends of its draw", () => {
    expect(retryAt(retryDefault, 1, null, startAt, 0)).toBe(later(startAt, retryDefault.minBackoffMs));
    expect(retryAt(retryDefault, 1, null, startAt, 1 - Number.EPSILON)).toBe(later(startAt, 1));
  });

  it("never starts before a Retry-After, nor later than the later of both", () => {
    always(policies, retries, fractions, fc.integer({ min: 1, max: dayMs }), (policy, retry, fraction, waitMs) => {
      const at = retryAt(policy, retry, waitMs, startAt, fraction);
      expect(at).toBeGreaterThanOrEqual(startAt + waitMs);
      expect(at).toBe(Math.max(startAt + waitMs, retryAt(policy, retry, null, startAt, fraction)));
    });
  });
});

describe("a Retry-After", () => {
  // startAt is Friday, 2027-01-01T00:00:00Z.
  it.each([
    ["seconds", "120", 120 * secondMs],
    ["seconds with a fraction", "0.5", 500],
    ["seconds between spaces", " 120\t", 120 * secondMs],
    ["a leading zero", "0120", 120 * secondMs],
    ["two headers, joined: the longer", "60, 120", 120 * secondMs],
    ["an HTTP date", "Fri, 01 Jan 2027 00:01:00 GMT", 60 * secondMs],
    ["RFC 850's date", "Friday, 01-Jan-27 00:01:00 GMT", 60 * secondMs],
    ["RFC 850's date on the longest-named day", "Wednesday, 01-Jan-27 00:01:00 GMT", 60 * secondMs],
    ["asctime's date", "Fri Jan  1 00:01:00 2027", 60 * secondMs],
    ["asctime's date with two digits of day", "Fri Jan 01 00:01:00 2027", 60 * secondMs],
    ["seconds beyond a day, as a day", "86401", dayMs],
    ["seconds beyond any number, as a day", "9".repeat(400), dayMs],
    ["a date years ahead, as a day", "Sat, 01 Jan 2028 00:00:00 GMT", dayMs],
    ["RFC 850's year 76 as 2076", "Wednesday, 01-Jan-76 00:00:00 GMT", dayMs],
  ])("is read as %s", (_, value, waitMs) => {
    expect(readRetryAfter(value, startAt)).toBe(waitMs);
  });

  it.each([
    ["that is absent", undefined],
    ["of nothing", ""],
    ["of spaces", "  "],
    ["of zero", "0"],
    ["below zero", "-5"],
    ["with a plus", "+5"],
    ["with an exponent", "1e3"],
    ["in hexadecimal", "0x10"],
    ["of infinity", "Infinity"],
    ["in words", "a minute"],
    ["in another unit", "5m"],
    ["that is past", "Thu, 31 Dec 2026 23:59:59 GMT"],
    ["of this very instant", "Fri, 01 Jan 2027 00:00:00 GMT"],
    ["of RFC 850's last century", "Saturday, 01-Jan-78 00:00:00 GMT"],
    ["in another zone", "Fri, 01 Jan 2027 01:01:00 CET"],
    ["as RFC 3339", "2027-01-01T00:01:00Z"],
    ["of an unknown month", "Fri, 01 Foo 2027 00:01:00 GMT"],
    ["of 31 February", "Wed, 31 Feb 2027 00:01:00 GMT"],
    ["of hour 25", "Fri, 01 Jan 2027 25:00:00 GMT"],
    ["of minute 61", "Fri, 01 Jan 2027 00:61:00 GMT"],
    ["of second 75", "Fri, 01 Jan 2027 00:01:75 GMT"],
  ])("%s is none", (_, value) => {
    expect(readRetryAfter(value, startAt)).toBeNull();
  });

  it("is null or a whole wait of at most a day, whatever a target sends", () => {
    always(fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String)), (value) => {
      const waitMs = readRetryAfter(value, startAt);
      if (waitMs === null) return;
      expect(Number.isInteger(waitMs)).toBe(true);
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(limits.retryAfterMsMax);
    });
  });

  it("of any instant within a day is the same in all three spellings", () => {
    const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    always(fc.integer({ min: 1, max: 86_400 }), (seconds) => {
      const at = new Date(startAt + seconds * secondMs);
      const fixdate = at.toUTCString();
      const [, day, month, year, time] = /^..., (..) (...) (....) (.{8}) GMT$/.exec(fixdate) ?? [];
      const rfc850 = `${days[at.getUTCDay()]}, ${day}-${month}-${year?.slice(2)} ${time} GMT`;
      const asctime = `${fixdate.slice(0, 3)} ${month} ${String(at.getUTCDate()).padStart(2)} ${time} ${year}`;
      for (const value of [fixdate, rfc850, asctime]) expect(readRetryAfter(value, startAt), value).toBe(seconds * secondMs);
    });
  });
});
