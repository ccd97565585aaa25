import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { statesPage } from "../../docs/diagrams.ts";
import { becauses } from "../../src/core/job.ts";
import { limits } from "../../src/core/limits.ts";

const page = readFileSync(new URL("../../docs/states.md", import.meta.url), "utf8");

describe("docs/states.md", () => {
  it("is what the code says (else: npm run docs)", () => {
    expect(page).toBe(statesPage());
  });

  it("has every reason and every limit", () => {
    for (const name of [...becauses, ...Object.keys(limits)]) expect(page).toContain(`| \`${name}\` |`);
  });

  it("draws no way out of a final state, and one into each", () => {
    for (const state of ["succeeded", "failed", "cancelled"]) {
      expect(page).toMatch(new RegExp(`^  \\w+ --> ${state}: `, "m"));
      expect(page).not.toMatch(new RegExp(`^  ${state} --> \\w`, "m"));
    }
  });
});
