import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excludedBetween } from "../../../src/core/recurrence/excluded.ts";
import { instants, nextAfter } from "../../../src/core/recurrence/occurrences.ts";
import type { Rule } from "../../../src/core/recurrence/rule.ts";
import { type EpochMs, later, toEpochMs } from "../../../src/core/time.ts";
import { always } from "../../always.ts";
import { rules } from "./drawn.ts";
import { at, ruleOf, took } from "./rules.ts";

const berlin = "Europe/Berlin";
const [from, end] = [at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z")];
const listed = (rule: Rule, first: EpochMs, until: EpochMs) => instants(rule, { from: first, until, max: 100_000 }).at;

/** The counts and the ends of each piece, however many it takes. */
function inPieces(rule: Rule, max: number): { count: number; first: EpochMs; last: EpochMs }[] {
  const pieces: { count: number; first: EpochMs; last: EpochMs }[] = [];
  let goOnAt: EpochMs | null = later(from, -1);
  while (goOnAt !== null) {
    const piece = excludedBetween(rule, { after: goOnAt, before: end, max });
    if (piece === undefined) break;
    expect(piece.count).toBeLessThanOrEqual(max);
    expect(piece.goOnAt === null || piece.goOnAt >= piece.last).toBe(true);
    pieces.push({ count: piece.count, first: piece.first, last: piece.last });
    goOnAt = piece.goOnAt;
  }
  return pieces;
}

describe("what exceptions left out", () => {
  it("and what they left are the rule without them, and no instant is in both", () => {
    always(rules, fc.integer({ min: 1, max: 400 }), (written, max) => {
      const rule = ruleOf(written);
      const all = listed({ ...rule, exceptions: [] }, from, end);
      const left = new Set(listed(rule, from, end));
      const out = all.filter((instant) => !left.has(instant));
      // One by one the pieces name each of them; of longer ones they name the ends and the count.
      expect(inPieces(rule, 1)).toEqual(out.map((instant) => ({ count: 1, first: instant, last: instant })));
      const pieces = inPieces(rule, max);
      expect(pieces.reduce((sum, { count }) => sum + count, 0)).toBe(out.length);
      let place = 0;
      for (const { count, first, last } of pieces) {
        expect([first, last]).toEqual([out[place], out[place + count - 1]]);
        place += count;
      }
    });
  });

  it("between two that follow one another is what lies between them, and neither of the two", () => {
    const rule = ruleOf({ when: { cron: "0 9 * * *", timezone: berlin }, except: [{ dates: [{ from: "2027-01-02", to: "2027-01-04" }] }] });
    const after = at("2027-01-01T08:00:00Z");
    const next = nextAfter(rule, after);
    if (next.kind !== "next") throw new Error(next.kind);
    const before = next.occurrence.nominalAt;
    const [first, last] = [at("2027-01-02T08:00:00Z"), at("2027-01-04T08:00:00Z")];
    expect(excludedBetween(rule, { after, before, max: 100 })).toEqual({ count: 3, first, last, goOnAt: null });
    expect(excludedBetween(rule, { after: first, before: last, max: 100 })).toMatchObject({ count: 1, first: at("2027-01-03T08:00:00Z") });
  });

  it("is none where nothing was excepted, or nothing lies between", () => {
    const daily = { cron: "0 9 * * *", timezone: berlin };
    const look = { after: at("2027-01-01T08:00:00Z"), before: at("2027-03-01T08:00:00Z"), max: 9 };
    expect(excludedBetween(ruleOf({ when: daily }), look)).toBeUndefined();
    expect(excludedBetween(ruleOf({ when: daily, except: [{ cron: "* 8 * * *" }] }), look)).toBeUndefined();
    const rule = ruleOf({ when: daily, except: [{ cron: "* 9 * * *" }] });
    expect(excludedBetween(rule, { ...look, before: look.after })).toBeUndefined();
    expect(excludedBetween(rule, { ...look, before: at("2027-01-02T08:00:00Z") })).toBeUndefined();
  });

  it("is what no member owes: what one has left out and another fires is not among it", () => {
    const when = [
      { cron: "0 23 * * *", timezone: "UTC" },
      { cron: "0 0 * * *", timezone: berlin },
    ];
    const rule = ruleOf({ when, except: [{ dates: ["2026-12-31"] }] });
    // At 23 o'clock UTC of the 30th Berlin has its 31st, and UTC fires; a day later it is the other way round.
    const look = { after: at("2026-12-29T23:00:00Z"), before: at("2027-01-02T00:00:00Z"), max: 9 };
    expect(excludedBetween(rule, look)).toBeUndefined();
  });

  it("keeps within the rule's start and end", () => {
    const startAt = at("2027-01-02T00:00:00Z");
    const endAt = at("2027-01-04T00:00:00Z");
    const rule = ruleOf({ when: { cron: "@daily" }, except: [{ cron: "* * * 1 *" }], startAt, endAt });
    const look = { after: at("2026-12-01T00:00:00Z"), before: at("2027-02-01T00:00:00Z"), max: 9 };
    expect(excludedBetween(rule, look)).toEqual({ count: 2, first: startAt, last: at("2027-01-03T00:00:00Z"), goOnAt: null });
  });

  it("is counted up to the most that is asked for, in bounded time, also where the search stops", () => {
    const after = at("2026-12-31T23:59:59Z");
    const before = at("2036-01-01T00:00:00Z");
    const whole = ruleOf({ when: { cron: "* * * * * *", timezone: berlin }, except: [{ cron: "* * * * *" }] });
    expect(excludedBetween(whole, { after, before, max: 10_000 })).toEqual({
      count: 10_000,
      first: later(after, 1_000),
      last: later(after, 10_000_000),
      goOnAt: later(after, 10_000_999),
    });
    const except = Array.from({ length: 100 }, (_, index) => ({ cron: `${index % 2}/2 * * * * * ${2_027 + Math.floor(index / 2)}` }));
    const rule = ruleOf({ when: { cron: "* * * * * *" }, except });
    const halves = excludedBetween(rule, { after, before, max: 100_000 });
    expect(took(() => excludedBetween(rule, { after, before, max: 100_000 }))).toBeLessThan(500);
    expect(halves?.first).toBe(later(after, 1_000));
    expect(halves?.goOnAt).toBe(toEpochMs((halves?.last ?? 0) + 999));
  });
});
