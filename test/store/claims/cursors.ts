/** Claims about how far the wheel has been hinted. */

import { expect, test } from "vitest";
import { later } from "../../../src/core/time.ts";
import type { Cursor, Cursors } from "../../../src/engine/ports.ts";
import { startAt } from "../../builders.ts";
import type { OnBench } from "../conformance.ts";

let ranges = 0;
/** A range that no other claim uses. */
const nextRange = () => ranges++;

/** A lease of a minute, as a turn of that time takes it. */
function lease(cursors: Cursors, range: number, atMs = 0): ReturnType<Cursors["lease"]> {
  const now = later(startAt, atMs);
  return cursors.lease(range, { now, until: later(now, 60_000), beyond: later(now, 63_000) });
}

async function leased(cursors: Cursors, range: number, atMs = 0): Promise<Cursor> {
  const cursor = await lease(cursors, range, atMs);
  if (cursor === "leased") throw new Error("expected a lease");
  return cursor;
}

/** What a turn writes at its end: its places, and nobody's lease. */
const ended = (cursor: Cursor, places: Cursor["places"] = cursor.places): Cursor => ({
  ...{ range: cursor.range, version: cursor.version + 1, places, leaseUntil: null },
});

export function cursorClaims(onBench: OnBench): void {
  test(
    "a range that no turn has walked has a cursor without places, leased at once",
    onBench(async ({ cursors }) => {
      const range = nextRange();
      expect(await lease(cursors, range)).toEqual({ range, version: 1, places: {}, leaseUntil: later(startAt, 60_000) });
    }),
  );

  test(
    "what a turn saved the next one leases whole, and ranges do not see each other",
    onBench(async ({ cursors }) => {
      const [first, second] = [await leased(cursors, nextRange()), await leased(cursors, nextRange())];
      const places = { 0: startAt, 3: later(startAt, 7) };
      expect(await cursors.save(ended(first, places))).toBe("saved");
      expect(await cursors.save(ended(second, { 3: startAt }))).toBe("saved");
      expect(await lease(cursors, first.range)).toMatchObject({ version: 3, places });
      expect(await lease(cursors, second.range)).toMatchObject({ version: 3, places: { 3: startAt } });
    }),
  );

  test(
    "a lease holds until its end, and one from beyond what now could be holds nothing",
    onBench(async ({ cursors }) => {
      const range = nextRange();
      await leased(cursors, range, 10_000);
      expect(await lease(cursors, range, 10_000)).toBe("leased");
      expect(await lease(cursors, range, 69_999)).toBe("leased");
      // Seven seconds before it was taken, and only then: a clock was set back.
      expect(await lease(cursors, range, 7_000)).toBe("leased");
      expect(await lease(cursors, range, 6_999)).toMatchObject({ version: 2 });
      expect(await lease(cursors, range, 66_999)).toMatchObject({ version: 3 });
    }),
  );

  test(
    "a turn that saves on its way keeps its lease",
    onBench(async ({ cursors }) => {
      const cursor = await leased(cursors, nextRange());
      const saved = { ...cursor, version: cursor.version + 1, places: { 1: startAt }, leaseUntil: later(startAt, 90_000) };
      expect(await cursors.save(saved)).toBe("saved");
      expect(await lease(cursors, cursor.range, 80_000)).toBe("leased");
      expect(await lease(cursors, cursor.range, 90_000)).toMatchObject({ places: { 1: startAt } });
    }),
  );

  test(
    "a cursor is saved only over the version before it",
    onBench(async ({ cursors }) => {
      const range = nextRange();
      expect(await cursors.save({ range, version: 1, places: {}, leaseUntil: null })).toBe("stale");
      const cursor = await leased(cursors, range);
      expect(await cursors.save(cursor)).toBe("stale");
      expect(await cursors.save({ ...cursor, version: cursor.version + 2 })).toBe("stale");
      expect(await cursors.save(ended(cursor))).toBe("saved");
      expect(await cursors.save(ended(cursor))).toBe("stale");
    }),
  );

  test(
    "of eight turns that take one cursor at once, one does",
    onBench(async ({ cursors }) => {
      const range = nextRange();
      const answers = await Promise.all(Array.from({ length: 8 }, () => lease(cursors, range)));
      expect(answers.filter((answer) => answer !== "leased")).toHaveLength(1);
    }),
  );
}
