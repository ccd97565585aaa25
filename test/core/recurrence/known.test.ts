/** Known answers: what fires where clocks change, by the tz data and CONTRACT's readings, worked out by hand. */

import { describe, expect, it } from "vitest";
import type { WrittenMember } from "../../../src/core/recurrence/member.ts";
import { listed, refusals } from "./rules.ts";

type Row = readonly [when: WrittenMember & { timezone: string }, from: string, known: readonly string[]];

const rows: Record<string, readonly Row[]> = {
  "in a gap": [
    [
      { cron: "30 2 * * *", timezone: "Europe/Berlin" },
      "2026-03-28T00:00:00Z",
      ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00 gap_shifted", "2026-03-30T02:30:00+02:00"],
    ],
    [
      { cron: "30 2 * * *", timezone: "Europe/Berlin", gap: "skip" },
      "2026-03-28T00:00:00Z",
      ["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00"],
    ],
    // Several shifted to one instant fire once, also where a time of the rule's own is there.
    [
      { cron: "*/15 2 * * *", timezone: "Europe/Berlin" },
      "2026-03-29T00:00:00Z",
      ["2026-03-29T03:00:00+02:00 gap_shifted", "2026-03-30T02:00:00+02:00", "2026-03-30T02:15:00+02:00"],
    ],
    [
      { cron: "0,30 2-3 * * *", timezone: "Europe/Berlin" },
      "2026-03-29T00:00:00Z",
      ["2026-03-29T03:00:00+02:00 gap_shifted", "2026-03-29T03:30:00+02:00", "2026-03-30T02:00:00+02:00"],
    ],
    // The edges: 02:00 does not exist, 01:59:59 and 03:00 do.
    [
      { cron: "0 2 * * *", timezone: "Europe/Berlin" },
      "2026-03-29T00:00:00Z",
      ["2026-03-29T03:00:00+02:00 gap_shifted", "2026-03-30T02:00:00+02:00"],
    ],
    [
      { cron: "59 59 1 * * *", timezone: "Europe/Berlin" },
      "2026-03-29T00:00:00Z",
      ["2026-03-29T01:59:59+01:00", "2026-03-30T01:59:59+02:00"],
    ],
    [{ cron: "0 3 * * *", timezone: "Europe/Berlin" }, "2026-03-29T00:00:00Z", ["2026-03-29T03:00:00+02:00", "2026-03-30T03:00:00+02:00"]],
    [
      { cron: "30 2 * * *", timezone: "America/New_York" },
      "2026-03-08T05:00:00Z",
      ["2026-03-08T03:00:00-04:00 gap_shifted", "2026-03-09T02:30:00-04:00"],
    ],
    [
      { cron: "30 1 * * SUN", timezone: "Europe/London" },
      "2026-03-28T00:00:00Z",
      ["2026-03-29T02:00:00+01:00 gap_shifted", "2026-04-05T01:30:00+01:00"],
    ],
    // Half an hour.
    [
      { cron: "15 2 * * *", timezone: "Australia/Lord_Howe" },
      "2026-10-03T00:00:00Z",
      ["2026-10-04T02:30:00+11:00 gap_shifted", "2026-10-05T02:15:00+11:00"],
    ],
    [
      { cron: "45 2 * * *", timezone: "Australia/Lord_Howe" },
      "2026-10-03T00:00:00Z",
      ["2026-10-04T02:45:00+11:00", "2026-10-05T02:45:00+11:00"],
    ],
    // Fifteen minutes, at midnight, and for ever.
    [
      { cron: "10 0 * * *", timezone: "Asia/Kathmandu" },
      "1985-12-30T18:00:00Z",
      ["1985-12-31T00:10:00+05:30", "1986-01-01T00:15:00+05:45 gap_shifted", "1986-01-02T00:10:00+05:45"],
    ],
    // A whole day that never was.
    [
      { cron: "0 9 * * *", timezone: "Pacific/Apia" },
      "2011-12-29T00:00:00Z",
      ["2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00 gap_shifted", "2011-12-31T09:00:00+14:00"],
    ],
    [
      { cron: "0 9 * * *", timezone: "Pacific/Apia", gap: "skip" },
      "2011-12-29T00:00:00Z",
      ["2011-12-29T09:00:00-10:00", "2011-12-31T09:00:00+14:00"],
    ],
    [{ cron: "0 0 12 30 12 ? 2011", timezone: "Pacific/Apia" }, "2011-12-29T00:00:00Z", ["2011-12-31T00:00:00+14:00 gap_shifted"]],
    // Clocks put forward at midnight.
    [
      { cron: "0 0 * * *", timezone: "Africa/Cairo" },
      "2026-04-23T00:00:00Z",
      ["2026-04-24T01:00:00+03:00 gap_shifted", "2026-04-25T00:00:00+03:00"],
    ],
    // Ramadan: an hour back for a month, and forward again.
    [
      { cron: "30 2 * * *", timezone: "Africa/Casablanca" },
      "2025-04-05T12:00:00Z",
      ["2025-04-06T03:00:00+01:00 gap_shifted", "2025-04-07T02:30:00+01:00"],
    ],
    // Two hours.
    [
      { cron: "30 1,2 * * *", timezone: "Antarctica/Troll" },
      "2026-03-28T12:00:00Z",
      ["2026-03-29T03:00:00+02:00 gap_shifted", "2026-03-30T01:30:00+02:00", "2026-03-30T02:30:00+02:00"],
    ],
    // 31 December 1985 was the last day of the old offset.
    [
      { cron: "10 0 * * *", timezone: "Asia/Kathmandu", gap: "skip" },
      "1985-12-31T17:00:00Z",
      ["1986-01-02T00:10:00+05:45", "1986-01-03T00:10:00+05:45"],
    ],
    [
      { cron: "30 1 * * *", timezone: "Europe/London", gap: "skip" },
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30:00+00:00", "2026-03-30T01:30:00+01:00"],
    ],
    [
      { cron: "30 1,2 * * *", timezone: "Antarctica/Troll", gap: "skip" },
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30:00+00:00", "2026-03-28T02:30:00+00:00", "2026-03-30T01:30:00+02:00"],
    ],
    [
      { cron: "15 2 * * *", timezone: "Australia/Lord_Howe", gap: "skip" },
      "2026-10-03T00:00:00Z",
      ["2026-10-05T02:15:00+11:00", "2026-10-06T02:15:00+11:00"],
    ],
    // A day that the month has and this zone's year had not.
    [
      { cron: "0 12 30 * *", timezone: "Pacific/Apia", gap: "skip" },
      "2011-11-29T00:00:00Z",
      ["2011-11-30T12:00:00-10:00", "2012-01-30T12:00:00+14:00"],
    ],
    [{ cron: "30 2 * * *", timezone: "UTC" }, "2026-03-29T00:00:00Z", ["2026-03-29T02:30:00+00:00", "2026-03-30T02:30:00+00:00"]],
  ],
  "in a fold": [
    [
      { cron: "30 2 * * *", timezone: "Europe/Berlin" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T02:30:00+02:00 fold_first", "2026-10-26T02:30:00+01:00"],
    ],
    [
      { cron: "30 2 * * *", timezone: "Europe/Berlin", fold: "last" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T02:30:00+01:00 fold_last", "2026-10-26T02:30:00+01:00"],
    ],
    [
      { cron: "30 2 * * *", timezone: "Europe/Berlin", fold: "both" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T02:30:00+02:00 fold_first", "2026-10-25T02:30:00+01:00 fold_last", "2026-10-26T02:30:00+01:00"],
    ],
    // Asked in the middle of it: what the first pass fired is past.
    [{ cron: "30 2 * * *", timezone: "Europe/Berlin" }, "2026-10-25T00:30:00.001Z", ["2026-10-26T02:30:00+01:00"]],
    [{ cron: "30 2 * * *", timezone: "Europe/Berlin" }, "2026-10-25T00:30:00Z", ["2026-10-25T02:30:00+02:00 fold_first"]],
    [
      { cron: "30 2 * * *", timezone: "Europe/Berlin", fold: "last" },
      "2026-10-25T01:15:00Z",
      ["2026-10-25T02:30:00+01:00 fold_last", "2026-10-26T02:30:00+01:00"],
    ],
    [
      { cron: "0,30 1 * * *", timezone: "America/New_York" },
      "2026-11-01T04:00:00Z",
      ["2026-11-01T01:00:00-04:00 fold_first", "2026-11-01T01:30:00-04:00 fold_first", "2026-11-02T01:00:00-05:00"],
    ],
    // The edges: 02:00 of Berlin is shown twice, 03:00 once.
    [
      { cron: "0 2,3 * * *", timezone: "Europe/Berlin", fold: "both" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T02:00:00+02:00 fold_first", "2026-10-25T02:00:00+01:00 fold_last", "2026-10-25T03:00:00+01:00"],
    ],
    [
      { cron: "45 1 * * *", timezone: "Australia/Lord_Howe", fold: "both" },
      "2026-04-04T00:00:00Z",
      ["2026-04-05T01:45:00+11:00 fold_first", "2026-04-05T01:45:00+10:30 fold_last", "2026-04-06T01:45:00+10:30"],
    ],
    [
      { cron: "15 1 * * *", timezone: "Australia/Lord_Howe", fold: "both" },
      "2026-04-04T14:00:00Z",
      ["2026-04-05T01:15:00+11:00", "2026-04-06T01:15:00+10:30"],
    ],
    [
      { cron: "30 1,2 * * *", timezone: "Antarctica/Troll", fold: "last" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T01:30:00+00:00 fold_last", "2026-10-25T02:30:00+00:00 fold_last", "2026-10-26T01:30:00+00:00"],
    ],
    // Both passes of two hours.
    [
      { cron: "30 1,2 * * *", timezone: "Antarctica/Troll", fold: "both" },
      "2026-10-24T12:00:00Z",
      [
        "2026-10-25T01:30:00+02:00 fold_first",
        "2026-10-25T02:30:00+02:00 fold_first",
        "2026-10-25T01:30:00+00:00 fold_last",
        "2026-10-25T02:30:00+00:00 fold_last",
        "2026-10-26T01:30:00+00:00",
      ],
    ],
    [
      { cron: "30 1 * * *", timezone: "Europe/London" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T01:30:00+01:00 fold_first", "2026-10-26T01:30:00+00:00"],
    ],
    [
      { cron: "30 1 * * *", timezone: "Europe/London", fold: "last" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T01:30:00+00:00 fold_last", "2026-10-26T01:30:00+00:00"],
    ],
    [
      { cron: "30 1 * * *", timezone: "America/New_York", fold: "both" },
      "2026-10-31T12:00:00Z",
      ["2026-11-01T01:30:00-04:00 fold_first", "2026-11-01T01:30:00-05:00 fold_last", "2026-11-02T01:30:00-05:00"],
    ],
    // On 1 April 2012 four o'clock became three.
    [
      { cron: "30 3 * * *", timezone: "Pacific/Apia", fold: "last" },
      "2012-03-31T00:00:00Z",
      ["2012-04-01T03:30:00+13:00 fold_last", "2012-04-02T03:30:00+13:00"],
    ],
    [
      { cron: "30 2 * * *", timezone: "Africa/Casablanca", fold: "both" },
      "2025-02-22T12:00:00Z",
      ["2025-02-23T02:30:00+01:00 fold_first", "2025-02-23T02:30:00+00:00 fold_last", "2025-02-24T02:30:00+00:00"],
    ],
    // Zones without folds.
    [
      { cron: "30 2 * * *", timezone: "UTC", fold: "both" },
      "2026-10-25T00:00:00Z",
      ["2026-10-25T02:30:00+00:00", "2026-10-26T02:30:00+00:00"],
    ],
    [
      { cron: "10 0 * * *", timezone: "Asia/Kathmandu", fold: "both" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T00:10:00+05:45", "2026-10-26T00:10:00+05:45"],
    ],
    [
      { cron: "30 2 * * *", timezone: "Africa/Casablanca" },
      "2025-02-22T12:00:00Z",
      ["2025-02-23T02:30:00+01:00 fold_first", "2025-02-24T02:30:00+00:00"],
    ],
  ],
  "by the clock, whatever the policy": [
    [
      { cron: "30 * * * *", timezone: "Europe/Berlin", gap: "shift" },
      "2026-03-29T00:00:00Z",
      ["2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-03-29T04:30:00+02:00"],
    ],
    [
      { cron: "30 0-23 * * *", timezone: "Europe/Berlin", fold: "first" },
      "2026-10-25T00:00:00Z",
      ["2026-10-25T02:30:00+02:00 fold_first", "2026-10-25T02:30:00+01:00 fold_last", "2026-10-25T03:30:00+01:00"],
    ],
    // A wrapped range that leaves no hour out covers the day as well.
    [
      { cron: "0 5-4 * * *", timezone: "Europe/Berlin", fold: "last" },
      "2026-10-25T00:00:00Z",
      ["2026-10-25T02:00:00+02:00 fold_first", "2026-10-25T02:00:00+01:00 fold_last", "2026-10-25T03:00:00+01:00"],
    ],
    [
      { cron: "*/20 * * * *", timezone: "Australia/Lord_Howe" },
      "2026-10-03T15:00:00Z",
      ["2026-10-04T01:40:00+10:30", "2026-10-04T02:40:00+11:00", "2026-10-04T03:00:00+11:00"],
    ],
    [
      { cron: "0 */1 * * *", timezone: "Pacific/Apia" },
      "2011-12-30T09:00:00Z",
      ["2011-12-29T23:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T01:00:00+14:00"],
    ],
    [
      { cron: "*/30 * * * *", timezone: "Antarctica/Troll" },
      "2026-03-29T00:30:00Z",
      ["2026-03-29T00:30:00+00:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"],
    ],
    [
      { cron: "*/10 * * * *", timezone: "Asia/Kathmandu" },
      "1985-12-31T18:15:00Z",
      ["1985-12-31T23:50:00+05:30", "1986-01-01T00:20:00+05:45", "1986-01-01T00:30:00+05:45"],
    ],
    [
      { cron: "30 * * * *", timezone: "Africa/Casablanca" },
      "2025-02-23T01:00:00Z",
      ["2025-02-23T02:30:00+01:00 fold_first", "2025-02-23T02:30:00+00:00 fold_last", "2025-02-23T03:30:00+00:00"],
    ],
    // 23 of 24 hours are times of day, and policies count.
    [
      { cron: "30 0-22 * * *", timezone: "Europe/Berlin" },
      "2026-03-29T00:00:00Z",
      ["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00 gap_shifted", "2026-03-29T03:30:00+02:00"],
    ],
  ],
  "by EventBridge's rules": [
    [
      { expression: "cron(30 2 * * ? *)", timezone: "Europe/Berlin" },
      "2026-03-28T00:00:00Z",
      ["2026-03-28T02:30:00+01:00", "2026-03-30T02:30:00+02:00"],
    ],
    [
      { expression: "cron(30 2 * * ? *)", timezone: "Europe/Berlin" },
      "2026-10-24T12:00:00Z",
      ["2026-10-25T02:30:00+02:00 fold_first", "2026-10-26T02:30:00+01:00"],
    ],
    [
      { expression: "cron(30 * * * ? *)", timezone: "Europe/Berlin" },
      "2026-10-25T00:00:00Z",
      ["2026-10-25T02:30:00+02:00 fold_first", "2026-10-25T03:30:00+01:00"],
    ],
    [
      { expression: "cron(0 9 ? * 1 *)", timezone: "UTC" },
      "2027-01-01T00:00:00Z",
      ["2027-01-03T09:00:00+00:00", "2027-01-10T09:00:00+00:00"],
    ],
    [
      { expression: "cron(0 9 ? * 7 *)", timezone: "UTC" },
      "2027-01-01T00:00:00Z",
      ["2027-01-02T09:00:00+00:00", "2027-01-09T09:00:00+00:00"],
    ],
    [
      { expression: "cron(0 9 ? * L *)", timezone: "UTC" },
      "2027-01-01T00:00:00Z",
      ["2027-01-02T09:00:00+00:00", "2027-01-09T09:00:00+00:00"],
    ],
    [
      { expression: "cron(0 12 ? * MON-FRI *)", timezone: "UTC" },
      "2027-01-01T00:00:00Z",
      ["2027-01-01T12:00:00+00:00", "2027-01-04T12:00:00+00:00"],
    ],
    [
      { expression: "cron(0 9 ? * 6L *)", timezone: "UTC" },
      "2027-01-01T00:00:00Z",
      ["2027-01-29T09:00:00+00:00", "2027-02-26T09:00:00+00:00"],
    ],
    [{ expression: "cron(0 9 ? * 3#1 2028)", timezone: "UTC" }, "2027-01-01T00:00:00Z", ["2028-01-04T09:00:00+00:00"]],
    [
      { expression: "cron(0/10 10 LW * ? *)", timezone: "UTC" },
      "2027-01-01T00:00:00Z",
      ["2027-01-29T10:00:00+00:00", "2027-01-29T10:10:00+00:00"],
    ],
    [
      { expression: "rate(1 day)", timezone: "Europe/Berlin" },
      "2026-03-28T12:00:00Z",
      ["2026-03-28T13:00:00+01:00", "2026-03-29T14:00:00+02:00", "2026-03-30T14:00:00+02:00"],
    ],
    [
      { expression: "rate(5 minutes)", timezone: "UTC" },
      "2027-01-01T00:00:30Z",
      ["2027-01-01T00:00:30+00:00", "2027-01-01T00:05:30+00:00"],
    ],
    [{ expression: "at(2027-01-01T09:00:00)", timezone: "America/New_York" }, "2026-12-01T00:00:00Z", ["2027-01-01T09:00:00-05:00"]],
    // Once, in the first pass.
    [{ expression: "at(2026-10-25T02:30:00)", timezone: "Europe/Berlin" }, "2026-10-01T00:00:00Z", ["2026-10-25T02:30:00+02:00"]],
  ],
};

for (const [where, table] of Object.entries(rows)) {
  describe(`a rule ${where}`, () => {
    it.each(table)("%j from %s fires at %j", (when, from, known) => {
      expect(listed({ when }, from, known.length)).toEqual(known);
    });
  });
}

describe("an EventBridge expression", () => {
  it.each([
    ["at(2026-03-29T02:30:00)", "jumps over"],
    ["at(2026-02-30T02:30:00)", "existing date and time"],
    ["at(2026-03-29T02:30:00Z)", "`timezone`"],
    ["at(1969-03-29T02:30:00)", "1970–2199"],
    ["at()", "existing date"],
    ["cron(0 12 * * * *)", "exactly one"],
    ["cron(0 12 ? * ? *)", "exactly one"],
    ["cron(0 12 1 * MON *)", "exactly one"],
    ["cron(0 12 * * ?)", "expected 6 fields"],
    ["cron(0 12 ? * 0 *)", "day of week: expected 1–7"],
    ["cron(0 12 30 2 ? *)", "never matches"],
    ["cron()", "expected 6 fields"],
    ["rate(0 minutes)", "positive"],
    ["rate(5 seconds)", "minutes, hours or days"],
    ["rate(1.5 hours)", "positive"],
    ["rate(99999 days)", "at most"],
    ["rate(5minutes)", "positive"],
    ["Rate(5 minutes)", "lower case"],
    ["rate(5 minutes", "not closed"],
    ["0 12 * * *", "`cron`"],
    ["every day", "expected"],
    ["", "expected an expression"],
    ["x".repeat(10_000), "at most 200"],
  ])("%.30s is refused", (expression, hint) => {
    const [message = ""] = refusals({ when: { expression, timezone: "Europe/Berlin" } });
    expect(message).toMatch(/^when\.expression: /);
    expect(message).toContain(hint);
  });
});
