/**
 * The hot minute from the command line: what a stack does at AWS's limits.
 *
 *   npm run sim:scale                    every scenario, as tables (some minutes)
 *   npm run sim:scale -- --only flood    those whose name holds the text
 *   npm run sim:scale -- --smoke         a few small ones, in seconds
 *   npm run sim:scale -- --write         every scenario, written into docs/SCALING.md
 */

import { parseArgs } from "node:util";
import { writeBlock } from "../../docs/blocks.ts";
import { type Result, tablesOf } from "./report.ts";
import { scenarios, smoke } from "./scenarios.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    smoke: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    seed: { type: "string", default: "1" },
  },
});

const seed = Number(values.seed);
const chosen = (values.smoke ? smoke : scenarios).filter(({ name }) => name.includes(values.only));
if (!Number.isSafeInteger(seed) || chosen.length === 0 || (values.write && (values.smoke || values.only !== ""))) {
  console.error("expected --seed as a number, --only as a part of a scenario's name, and --write with neither --only nor --smoke");
  process.exit(2);
}

const results: Result[] = [];
for (const scenario of chosen) {
  const startedAt = performance.now();
  const run = await simulate(scenario.setup, scenario.load, seed);
  process.stderr.write(`${scenario.name}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
  if (run.startedCount !== run.jobCount)
    throw new Error(`expected all ${run.jobCount} jobs to start, and ${run.startedCount} did: ${scenario.name}`);
  results.push({ scenario, run });
}
const tables = tablesOf(results);
console.log(tables);
if (values.write) writeBlock("SCALING.md", "simulation", tables);
