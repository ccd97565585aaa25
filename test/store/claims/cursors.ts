/** Claims about how far the wheel has been hinted. */

import { expect, test } from "vitest";
import { later } from "../../../src/core/time.ts";
import type { Cursor } from "../../../src/engine/ports.ts";
import { startAt } from "../../builders.ts";
import type { OnBench } from "../conformance.ts";

let ranges = 0;
/** A range that no other claim uses. */
const nextRange = () => ranges++;

function cursor(range: number, given: Partial<Cursor> = {}): Cursor {
  return { range, version: 1, places: { 0: startAt, 3: later(startAt, 7) }, leaseUntil: null, ...given };
}

export function cursorClaims(onBench: OnBench): void {
  test(
    "a range that no turn has walked has no cursor",
    onBench(async ({ cursors }) => {
      expect(await cursors.load(nextRange())).toBeUndefined();
    }),
  );

  test(
    "a saved cursor is read back whole, and ranges do not see each other",
    onBench(async ({ cursors }) => {
      const first = cursor(nextRange());
      const second = cursor(nextRange(), { places: {}, leaseUntil: later(startAt, 60_000) });
      expect(await cursors.save(first)).toBe("saved");
      expect(await cursors.save(second)).toBe("saved");
      expect(await cursors.load(first.range)).toEqual(first);
      expect(await cursors.load(second.range)).toEqual(second);
    }),
  );

  test(
    "a cursor is saved only over the version before it",
    onBench(async ({ cursors }) => {
      const range = nextRange();
      expect(await cursors.save(cursor(range, { version: 2 }))).toBe("stale");
      expect(await cursors.save(cursor(range))).toBe("saved");
      expect(await cursors.save(cursor(range, { leaseUntil: startAt }))).toBe("stale");
      expect(await cursors.save(cursor(range, { version: 3 }))).toBe("stale");
      expect(await cursors.load(range)).toEqual(cursor(range));
      const next = cursor(range, { version: 2, places: { 0: later(startAt, 1) } });
      expect(await cursors.save(next)).toBe("saved");
      expect(await cursors.load(range)).toEqual(next);
    }),
  );

  test(
    "of eight turns that take one cursor at once, one does",
    onBench(async ({ cursors }) => {
      const range = nextRange();
      await cursors.save(cursor(range));
      const takes = Array.from({ length: 8 }, (_, turn) => cursor(range, { version: 2, leaseUntil: later(startAt, turn) }));
      const answers = await Promise.all(takes.map((take) => cursors.save(take)));
      expect(answers.filter((answer) => answer === "saved")).toHaveLength(1);
      expect(await cursors.load(range)).toEqual(takes[answers.indexOf("saved")]);
    }),
  );
}
