/** Where items stand. These places are in databases already: a change of one of these lines loses jobs from sight. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { toEpochMs } from "../../src/core/time.ts";
import { compareListKeys, compareWheelKeys } from "../../src/store/keys.ts";

/** Few instants and few ids, so that equal ones meet. */
const key = fc.record({
  wakeAt: fc.integer({ min: 0, max: 3 }).map(toEpochMs),
  id: fc.string({ unit: fc.constantFrom("A", "B", "0"), maxLength: 3 }),
});

test("the wheel is ordered by instant, then by id; a list the other way round", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const sign = Math.sign(compareWheelKeys(a, b));
      expect(sign).toBe(
        a.wakeAt < b.wakeAt || (a.wakeAt === b.wakeAt && a.id < b.id) ? -1 : a.wakeAt === b.wakeAt && a.id === b.id ? 0 : 1,
      );
      expect(Math.sign(compareListKeys({ createdAt: a.wakeAt, id: a.id }, { createdAt: b.wakeAt, id: b.id }))).toBe(0 - sign);
    }),
  );
});
