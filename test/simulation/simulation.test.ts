/** The engine under every fault that either home can meet, by seeds. What the simulation itself is worth, `planted.test.ts` tells. */

import { describe, expect, it } from "vitest";
import { createDice } from "./chance.ts";
import { lineOf } from "./history.ts";
import kept from "./seeds.json" with { type: "json" };
import { commandFor, type Profile, profiles, simulate } from "./simulate.ts";

/** What a machine does in a few seconds. `npm run sim -- --count 2000` goes on from here. */
const seedsPerProfile = 14;

/** What a seed broke, with the command that shows how; empty where everything held. */
async function broken(seed: number, profile: Profile): Promise<string[]> {
  const { violations } = await simulate(seed, profile);
  return violations.map(({ invariant, message }) => `${invariant}: ${message}\n  ${commandFor(seed, profile)}`);
}

describe.each(profiles)("a simulated world of the %s profile", (profile) => {
  it(`keeps every invariant in seeds 1 to ${seedsPerProfile}`, async () => {
    const violations: string[] = [];
    for (let seed = 1; seed <= seedsPerProfile; seed++) violations.push(...(await broken(seed, profile)));
    expect(violations.slice(0, 5)).toEqual([]);
  });

  it("keeps every invariant in the seeds that once broke one", async () => {
    const violations: string[] = [];
    for (const seed of kept[profile]) violations.push(...(await broken(seed, profile)));
    expect(violations).toEqual([]);
  });

  it("has the same history, byte for byte, whenever it runs with the same seed", async () => {
    const lines = async (seed: number) => (await simulate(seed, profile)).history.map(lineOf).join("\n");
    for (const seed of [2, 7]) expect(await lines(seed)).toBe(await lines(seed));
    expect(await lines(2)).not.toBe(await lines(3));
  });
});

describe("dice", () => {
  it("fall alike for one seed and name, however many were thrown before the fork", () => {
    const fresh = createDice("1").fork("target");
    const used = createDice("1");
    for (let draw = 0; draw < 10; draw++) used.fraction();
    expect(used.fork("target").bytes(16)).toEqual(fresh.bytes(16));
  });

  it("fall otherwise for another seed or another name", () => {
    const draws = (path: string) => createDice(path).bytes(16).join();
    expect(new Set([draws("1"), draws("2"), draws("1/a"), draws("1/b")]).size).toBe(4);
  });

  it("spread evenly over their faces", () => {
    const dice = createDice("even");
    const faces = Array.from({ length: 6 }, (_, face) => face);
    const thrown = Array.from({ length: 6_000 }, () => dice.whole(0, 5));
    for (const face of faces) expect(thrown.filter((value) => value === face).length).toBeGreaterThan(850);
  });
});
