/** Claims about every value of a kind, checked on a hundred that are drawn; a counterexample is shrunk and printed with its seed. */

import { type Arbitrary, assert, property } from "fast-check";

type Arbitraries<Values extends [unknown, ...unknown[]]> = { [Index in keyof Values]: Arbitrary<Values[Index]> };

type Parts<Values extends [unknown, ...unknown[]]> = [...Arbitraries<Values>, claim: (...values: Values) => void];

/** The last argument is the claim, which throws where it is false; the others say of what it is claimed. */
export function always<Values extends [unknown, ...unknown[]]>(...parts: Parts<Values>): void {
  alwaysIn(100, ...parts);
}

/** As `always`, for claims of which each value takes long to check. */
export function alwaysIn<Values extends [unknown, ...unknown[]]>(numRuns: number, ...parts: Parts<Values>): void {
  const claim = parts.at(-1) as (...values: Values) => void;
  const drawn = parts.slice(0, -1) as Arbitraries<Values>;
  const checked = property<Values>(...drawn, (...values) => {
    claim(...values);
  });
  // The overload of `assert` for claims that are promises would make every call look like one.
  void assert(checked, { numRuns });
}
