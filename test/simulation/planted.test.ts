/** What the simulation is worth: mistakes of one line, planted in a copy of the engine, each of which it must catch. */

import { afterAll, describe, expect, it } from "vitest";
import type { Bug } from "./bug.ts";
import { bugs, guardsOff, seedsMax } from "./bugs.ts";
import type { Code } from "./code.ts";
import { loadMutant } from "./mutant.ts";
import { commandFor, type Profile, simulate } from "./simulate.ts";

/** Enough to meet each guard many times. */
const seedsPerGuard = 25;

/** What a seed broke, with the command that shows how; empty where everything held. */
async function broken(seed: number, profile: Profile, code: Code): Promise<string[]> {
  const { violations } = await simulate(seed, profile, { code });
  return violations.map(({ invariant, message }) => `${invariant}: ${message}\n  ${commandFor(seed, profile)}`);
}

const removals: (() => void)[] = [];
afterAll(() => {
  for (const remove of removals) remove();
});

async function mutant(bug: Bug): Promise<Code> {
  const { code, remove } = await loadMutant(bug.name, bug.mutations);
  removals.push(remove);
  return code;
}

describe("a planted bug is caught:", () => {
  it.each(bugs)("$name", async (bug) => {
    const code = await mutant(bug);
    for (const seed of [bug.caughtAt, ...Array.from({ length: seedsMax }, (_, index) => index + 1)]) {
      if ((await broken(seed, bug.profile, code)).length > 0) return;
    }
    expect.fail(`expected one of ${seedsMax} seeds to catch it, got none`);
  });
});

describe("with one of two guards off, every invariant still holds:", () => {
  it.each(guardsOff)("$name", async (guard) => {
    const code = await mutant(guard);
    const violations: string[] = [];
    for (let seed = 1; seed <= seedsPerGuard; seed++) violations.push(...(await broken(seed, guard.profile, code)));
    expect(violations).toEqual([]);
  });
});
