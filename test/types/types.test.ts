import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as transitions from "../../src/core/transition.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const expectation = "// @ts-expect-error";
const source = readFileSync(new URL("transitions.ts", import.meta.url), "utf8");

/** What the compiler says of a file of the tests: line (from 1) and code of each error. */
function compile(text: string): { line: number; code: string }[] {
  const folder = mkdtempSync(join(tmpdir(), "onthedot-types-"));
  try {
    const files = {
      "probe.ts": text.replaceAll("../../src/", `${root}src/`),
      "tsconfig.json": JSON.stringify(config),
      "package.json": '{ "type": "module" }',
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const run = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
    });
    const errors = [...run.stdout.matchAll(/^(.*)\((\d+),\d+\): error (TS\d+)/gm)];
    const elsewhere = errors.filter(([, file]) => !file?.endsWith("probe.ts"));
    if (elsewhere.length > 0 || run.stderr !== "") throw new Error(`expected errors in the probe only, got ${run.stdout}${run.stderr}`);
    return errors.map(([, , line, code]) => ({ line: Number(line), code: code ?? "" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const config = {
  extends: join(root, "tsconfig.json"),
  // The probe lies outside the repository and names its imports in full.
  compilerOptions: { typeRoots: [join(root, "node_modules/@types")], rewriteRelativeImportExtensions: false },
  include: ["probe.ts"],
};

describe("what must not compile", () => {
  it("is refused line by line, for the type of what is passed and for nothing else", () => {
    const expected = source.split("\n").flatMap((line, index) => (line === expectation ? [index + 2] : []));
    const errors = compile(source.replaceAll(expectation, "//"));
    expect(errors.map(({ line }) => line)).toEqual(expected);
    // Wrong argument; no such property; not this type; a property is missing.
    const codes = new Set(errors.map(({ code }) => code));
    expect([...codes].filter((code) => !["TS2345", "TS2339", "TS2322", "TS1360", "TS2741"].includes(code))).toEqual([]);
  });

  it("would be noticed if it compiled: an expectation without an error is one", () => {
    const legal = source.replace("claim(running, lease, facts)", "claim(waiting, lease, facts)");
    expect(compile(legal)).toEqual([{ line: source.split("\n").indexOf(expectation) + 1, code: "TS2578" }]);
  });

  it("has every verb in every state that it has no business with", () => {
    const states = ["waiting", "running", "succeeded", "failed", "cancelled"];
    const verbs = Object.keys(transitions).filter((name) => name !== "create");
    const legal = verbs.flatMap((verb) =>
      states.filter((state) => !source.includes(`\n${verb}(${state}, `)).map((state) => `${verb} ${state}`),
    );
    expect(legal.toSorted()).toEqual([
      "cancel waiting",
      "claim waiting",
      "edit waiting",
      "expire running",
      "loseLease running",
      "replay cancelled",
      "replay failed",
      "replay succeeded",
      "requestCancel running",
      "settle running",
    ]);
  });
});
