import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { soleTenant } from "../../src/core/ids.ts";
import { priorities } from "../../src/core/job.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { groupNames, type Named } from "../../src/engine/group.ts";
import { always } from "../always.ts";
import { nextJobId, startAt } from "../builders.ts";

const named = fc
  .record({ afterMs: fc.integer({ min: -2_000, max: 5_000 }), priority: fc.constantFrom(...priorities) })
  .map(({ afterMs, priority }): Named => ({ tenant: soleTenant, id: nextJobId(), wakeAt: later(startAt, afterMs), priority }));

describe("grouped names", () => {
  it("are each in one hint, with those of its second and priority, the earliest first", () => {
    always(fc.array(named, { maxLength: 60 }), fc.integer({ min: 1, max: 10 }), (names, namesPerHint) => {
      const hints = groupNames(names, namesPerHint);
      expect(hints.flatMap((hint) => hint.names.map((name) => name.id)).toSorted()).toEqual(names.map((name) => name.id).toSorted());
      const priorityOf = new Map(names.map((name) => [name.id, name.priority]));
      for (const hint of hints) {
        const wakeAts = hint.names.map((name) => name.wakeAt);
        expect(hint.names.length).toBeLessThanOrEqual(namesPerHint);
        expect(new Set(wakeAts.map((at) => Math.floor(at / secondMs))).size).toBe(1);
        expect(wakeAts).toEqual(wakeAts.toSorted((a, b) => a - b));
        expect(hint.startAt).toBe(wakeAts[0]);
        expect(new Set(hint.names.map((name) => priorityOf.get(name.id)))).toEqual(new Set([hint.priority]));
      }
    });
  });

  it("are as few hints as their seconds, priorities and sizes allow", () => {
    const names = Array.from({ length: 250 }, (_, index): Named => {
      return { tenant: soleTenant, id: nextJobId(), wakeAt: later(startAt, index % 1_000), priority: "normal" };
    });
    expect(groupNames(names, 100).map((hint) => hint.names.length)).toEqual([100, 100, 50]);
    expect(groupNames([], 100)).toEqual([]);
  });
});
