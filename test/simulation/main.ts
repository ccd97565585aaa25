/**
 * The simulation from the command line: runs seeds, prints what they broke, and ends with 1 where anything was broken.
 *
 *   npm run sim -- --count 2000                        seeds 1 to 2,000 in both profiles
 *   npm run sim -- --seed 123 --profile cloud --log    one seed, with all that happened in it
 *   npm run sim -- --bug all                           the first seed that catches each planted bug
 */

import { parseArgs } from "node:util";
import type { Bug } from "./bug.ts";
import { bugs, seedsMax } from "./bugs.ts";
import { lineOf } from "./history.ts";
import { loadMutant } from "./mutant.ts";
import { commandFor, type Profile, profiles, simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    count: { type: "string", default: "500" },
    profile: { type: "string" },
    bug: { type: "string" },
    log: { type: "boolean", default: false },
  },
});

/** Broken seeds that are told about at length: the others are likely broken by the same. */
const shownMax = 5;
let shown = 0;

const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.count) : 1;
const chosen = profiles.filter((profile) => values.profile === undefined || profile === values.profile);
if (chosen.length === 0 || !Number.isSafeInteger(from) || !Number.isSafeInteger(count)) {
  console.error(`expected --seed, --from and --count as numbers and --profile as one of ${profiles.join(", ")}`);
  process.exit(2);
}

process.exitCode = (values.bug === undefined ? await runSeeds() : await runBugs(values.bug)) === 0 ? 0 : 1;

/** Answers how many seeds broke something. */
async function runSeeds(): Promise<number> {
  let broken = 0;
  for (const profile of chosen) {
    const startedAt = performance.now();
    for (let seed = from; seed < from + count; seed++) broken += await runSeed(seed, profile);
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(`${profile}: ${count} seeds in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)} seeds/s`);
  }
  console.log(broken === 0 ? "every invariant held" : `${broken} seeds broke an invariant; keep them in test/simulation/seeds.json`);
  return broken;
}

async function runSeed(seed: number, profile: Profile): Promise<number> {
  const { history, violations } = await simulate(seed, profile);
  if (values.log) for (const happening of history) console.log(lineOf(happening));
  if (violations.length === 0) return 0;
  shown += 1;
  if (shown > shownMax) return 1;
  console.log(`\nseed ${seed} of ${profile}: ${violations.length} violations. To see it happen: ${commandFor(seed, profile)}`);
  for (const { invariant, message } of violations.slice(0, 10)) console.log(`  ${invariant}: ${message}`);
  return 1;
}

/** Answers how many planted bugs no seed caught. */
async function runBugs(name: string): Promise<number> {
  let survived = 0;
  for (const bug of bugs.filter((one) => name === "all" || one.name.includes(name))) {
    const caught = await firstCatch(bug);
    if (caught === undefined) survived += 1;
    console.log(
      `${caught === undefined ? "SURVIVED" : String(caught.seed).padStart(8)}  ${bug.profile.padEnd(5)}  ${bug.name}${caught?.by ?? ""}`,
    );
  }
  return survived;
}

async function firstCatch(bug: Bug): Promise<{ seed: number; by: string } | undefined> {
  const { code, remove } = await loadMutant(bug.name, bug.mutations);
  try {
    for (let seed = from; seed < from + seedsMax; seed++) {
      const [first] = (await simulate(seed, bug.profile, { code })).violations;
      if (first !== undefined) return { seed, by: `: ${first.invariant}` };
    }
    return undefined;
  } finally {
    remove();
  }
}
