import { array, integer, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { always } from "../always.ts";
import { createBudget } from "./budget.ts";

const never = Number.POSITIVE_INFINITY;
const asks = array(record({ at: integer({ min: 0, max: 5_000 }), units: integer({ min: 1, max: 30 }) }), { maxLength: 200 });

describe("a budget", () => {
  it("gives no second more than its units, whoever asks in whatever order, and gives all that was asked for", () => {
    always(asks, integer({ min: 20, max: 400 }), (given, perSecond) => {
      const budget = createBudget(perSecond);
      for (const { at, units } of given) expect(budget.take(at, units, never)).toBeGreaterThanOrEqual(at);
      expect(budget.peakPerSecond()).toBeLessThanOrEqual(perSecond * 1.001);
      expect(budget.taken()).toBe(given.reduce((sum, { units }) => sum + units, 0));
    });
  });

  it("lets those wait who find a second used up: the hundredth of a hundred a second comes after almost one", () => {
    const budget = createBudget(100);
    const times = Array.from({ length: 100 }, () => budget.take(0, 1, never) ?? Number.NaN);
    expect(times[0]).toBe(0);
    expect(times[99]).toBeGreaterThan(900);
    expect(times[99]).toBeLessThanOrEqual(1_000);
    expect(budget.take(0, 1, never)).toBeGreaterThanOrEqual(1_000);
  });

  it("takes nothing from who has no patience", () => {
    const budget = createBudget(10);
    for (let count = 0; count < 10; count++) budget.take(0, 1, never);
    expect(budget.take(0, 1, 500)).toBeUndefined();
    expect(budget.taken()).toBe(10);
    expect(budget.take(600, 1, 500)).toBeDefined();
  });
});
