import { describe, expect, it } from "vitest";
import { readBlock } from "../../docs/blocks.ts";
import { costBlocks } from "../../docs/costs.ts";
import { latenessRow } from "../scale/report.ts";
import { scenarios } from "../scale/scenarios.ts";
import { simulate } from "../scale/simulate.ts";

const rowOf = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

describe("the pages' costs", () => {
  it("are what the code counts (else: npm run docs)", { timeout: 60_000 }, async () => {
    const blocks = await costBlocks();
    expect(blocks.map(({ page, name }) => [name, readBlock(page, name)])).toEqual(blocks.map(({ name, block }) => [name, block]));
  });
});

describe("docs/SCALING.md", () => {
  const block = readBlock("SCALING.md", "simulation");

  it("has a row for each scenario, and no other", () => {
    const names = [...block.matchAll(/^\| (?!---)([^|]+) \|/gm)].map(([, name]) => name?.trim() ?? "").filter((name) => name !== "");
    expect([...new Set(names)].toSorted()).toEqual(scenarios.map(({ name }) => name).toSorted());
  });

  it("says what the simulation says, held against its cheapest rows (else: npm run sim:scale -- --write)", {
    timeout: 60_000,
  }, async () => {
    for (const scenario of scenarios.filter(({ load }) => load.jobCount <= 60_000)) {
      const run = await simulate(scenario.setup, scenario.load, 1);
      expect(block, scenario.name).toContain(rowOf(latenessRow(scenario, run)));
    }
  });
});
