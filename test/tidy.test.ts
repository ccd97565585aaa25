import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  ambientFacts,
  bannedIdentifiers,
  bannedNames,
  defaultExports,
  leftoverMarks,
  longFiles,
  longFunctions,
  readTree,
  type SourceFile,
  silentFiles,
  suppressedTypes,
  unusedExports,
  unusedFiles,
  wrongImports,
} from "./tidy.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const files = readTree(root, ["src", "local", "functions", "infra", "cli", "bench", "docs", "test"]);
const program = files.filter(({ path }) => /^(?:src|local|functions|infra|cli)\//.test(path));
const tidyItself = /^test\/tidy/;

const linesMax = 300;
const functionLinesMax = 60;

/** Files that are longer, each with its reason. */
const longForAReason: Record<string, string> = {};

const longFunctionsForAReason: Record<string, string> = {
  "src/api/jobPaths.ts jobPaths": "one table of every call, which is easier to read whole",
};

/** Exports that only tests use, each with its reason. */
const unusedForAReason: Record<string, string> = {
  "src/core/signature.ts parseSecret": "destinations, which hold the secrets, are the next part; the format is fixed and proved now",
  "src/core/signature.ts sign": "destinations, which hold the secrets, are the next part; the format is fixed and proved now",
  "src/core/address.ts specialIpv4": "the registry's blocks are each proved",
  "src/core/address.ts specialIpv6": "the registry's blocks are each proved",
  "src/core/address.ts allowNothing": "the policy of a host that allows nothing more, against which the blocks are proved",
  "src/core/retry.ts backoffMs": "the curve is proved on its own, without its jitter",
  "src/store/item.ts itemCharsMax": "the bound is proved against the largest job there may be",
  "src/store/dynamo/skew.ts skewOf": "what is certain of a clock is proved on its own",
  "src/api/openapi.ts openApi": "the document is proved as a value; the API serves its text",
  "local/lock.ts lockFile": "the name is part of what an operator sees in the folder",
  "local/settings.ts firstTryTargets": "the list is proved against the receiver's own addresses",
  "local/settings.ts isLoopback": "the rule that opens the host without a key is proved on its own",
};
const unusedFilesForAReason: Record<string, string> = {
  "src/core/signature.ts": "destinations, which hold the secrets, are the next part",
};

describe("the house", () => {
  it("imports one way: core, engine, then store, hints, deliver and api, then the homes", () => {
    expect(wrongImports(files)).toEqual([]);
  });

  it("takes time and chance as arguments in core and engine", () => {
    expect(ambientFacts(files)).toEqual([]);
  });

  it("has no buckets: each file is named for what it holds", () => {
    expect(bannedNames(files.filter(({ path }) => !path.startsWith("test/types/")))).toEqual([]);
  });

  it(`has files of at most ${linesMax} lines`, () => {
    expect(longFiles(program, linesMax, longForAReason)).toEqual([]);
  });

  it(`has functions of at most ${functionLinesMax} lines`, () => {
    expect(longFunctions(program, functionLinesMax, longFunctionsForAReason)).toEqual([]);
  });

  it("leaves no mark of something to be done", () => {
    expect(leftoverMarks(files.filter(({ path }) => !tidyItself.test(path)))).toEqual([]);
  });

  it("silences no compiler", () => {
    expect(suppressedTypes(program)).toEqual([]);
  });

  it("exports names", () => {
    expect(defaultExports(files.filter(({ path }) => !tidyItself.test(path)))).toEqual([]);
  });

  it("uses every file", () => {
    expect(unusedFiles(files, unusedFilesForAReason)).toEqual([]);
  });

  it("uses every exported name", () => {
    expect(unusedExports(files, unusedForAReason)).toEqual([]);
  });

  it("says job, attempt and executor", () => {
    expect(bannedIdentifiers(files)).toEqual([]);
  });

  it("opens each file with what it is responsible for", () => {
    expect(silentFiles(program)).toEqual([]);
  });
});

const file = (path: string, text: string): SourceFile => ({ path, text });

describe("a rule of the house", () => {
  it.each([
    ["src/core/job.ts", 'import { turn } from "../engine/turn.ts";'],
    ["src/core/job.ts", 'import type { Turn } from "../engine/turn.ts";'],
    ["src/core/job.ts", 'import {\n  a,\n  b,\n} from "../engine/turn.ts";'],
    ["src/core/job.ts", 'import { z } from "zod";'],
    ["src/core/job.ts", 'import { readFileSync } from "node:fs";'],
    ["src/core/ids.ts", 'import { randomBytes } from "node:crypto";'],
    ["src/engine/turn.ts", 'import { createHash, randomUUID } from "node:crypto";'],
    ["src/engine/turn.ts", 'import { memoryStore } from "../store/memory.ts";'],
    ["src/engine/turn.ts", 'const store = await import("../store/memory.ts");'],
    ["src/store/memory.ts", 'import { send } from "../hints/memory.ts";'],
    ["src/api/routes.ts", 'import { send } from "../deliver/http.ts";'],
    ["src/api/routes.ts", 'export { send } from "../deliver/http.ts";'],
    ["src/api/routes.ts", 'import { fetch } from "undici";'],
    ["src/store/memory.ts", 'import { host } from "../../local/host.ts";'],
    ["src/store/memory.ts", 'import { main } from "../../cli/main.ts";'],
    ["infra/table.ts", 'import { createTable } from "../src/store/dynamo/table.ts";'],
    ["infra/door.ts", 'import { handler } from "../functions/api.ts";'],
    ["infra/settings.ts", 'import { settingNames } from "../local/settingsTable.ts";'],
  ])("refuses in %s: %s", (path, text) => {
    expect(wrongImports([file(path, text)])).toHaveLength(1);
  });

  it.each([
    ["src/core/ids.ts", 'import { createHash } from "node:crypto";'],
    ["src/engine/turn.ts", 'import { endOf } from "../core/hint.ts";'],
    ["src/store/sqlite.ts", 'import { DatabaseSync } from "node:sqlite";'],
    ["src/deliver/http.ts", 'import { Client } from "undici";'],
    ["local/host.ts", 'import { memoryStore } from "../src/store/memory.ts";'],
    ["infra/table.ts", 'import { table } from "../src/store/keys.ts";'],
    ["infra/queues.ts", 'import { priorities } from "../src/core/job.ts";'],
    ["src/core/job.ts", '// import { turn } from "../engine/turn.ts";'],
  ])("lets pass in %s: %s", (path, text) => {
    expect(wrongImports([file(path, text)])).toEqual([]);
  });

  it.each([
    "const at = Date.now();",
    "const at = new Date();",
    "const chance = Math.random();",
    "const id = crypto.randomUUID();",
    "crypto.getRandomValues(bytes);",
    "setTimeout(f, 1);",
    "await new Promise((resolve) => setImmediate(resolve));",
    "const before = performance.now();",
  ])("finds time or chance in: %s", (text) => {
    expect(ambientFacts([file("src/engine/a.ts", `/** Date.now() */\n${text}\n`)])).toEqual([
      "src/engine/a.ts:2: takes time or chance from the air",
    ]);
    expect(ambientFacts([file("src/store/a.ts", text)])).toEqual([]);
  });

  it.each(["const date = new Date(at);", "// Date.now() would", 'throw new Error("no clock");', "const at = Date.UTC(2027, 0);"])(
    "finds none in: %s",
    (text) => {
      expect(ambientFacts([file("src/engine/a.ts", text)])).toEqual([]);
    },
  );

  it("finds a bucket by its name, in any spelling", () => {
    const named = ["src/core/utils.ts", "src/api/stringHelpers.ts", "src/common/job.ts", "src/store/types.ts", "local/job-manager.ts"];
    expect(bannedNames(named.map((path) => file(path, "")))).toHaveLength(5);
    expect(bannedNames([file("src/core/job.ts", ""), file("src/engine/settle.ts", "")])).toEqual([]);
  });

  it("finds a long file, and an excuse that is no longer needed", () => {
    const long = file("src/core/a.ts", "x\n".repeat(301));
    expect(longFiles([long], 300, {})).toHaveLength(1);
    expect(longFiles([long], 300, { "src/core/a.ts": "a table" })).toEqual([]);
    expect(longFiles([file("src/core/a.ts", "x\n".repeat(300))], 300, { "src/core/a.ts": "a table" })).toHaveLength(1);
  });

  it("finds a long function, and does not blame it for those inside it", () => {
    const body = (count: number, indent = "  ") => `${indent}x();\n`.repeat(count);
    const long = (count: number) => [
      `export function f(a: number): void {\n${body(count)}}\n`,
      `export async function f(\n  a: number,\n): Promise<void> {\n${body(count - 2)}}\n`,
      `const f = (a: number) => {\n${body(count)}};\n`,
      `const object = {\n  async f(a) {\n${body(count, "    ")}  },\n};\n`,
    ];
    for (const text of long(59)) expect(longFunctions([file("src/a.ts", text)], 60), text).toHaveLength(1);
    for (const text of long(58)) expect(longFunctions([file("src/a.ts", text)], 60), text).toEqual([]);
    const factory = `export function f() {\n  return {\n    a() {\n${body(40, "      ")}    },\n    b() {\n${body(40, "      ")}    },\n  };\n}\n`;
    expect(longFunctions([file("src/a.ts", factory)], 60)).toEqual([]);
  });

  it("finds marks, defaults and silenced types", () => {
    expect(leftoverMarks([file("a.ts", "x;\n// TODO: y\n"), file("b.ts", "todo(); hackathon();")])).toEqual([
      "a.ts:2: says what is still to be done",
    ]);
    expect(defaultExports([file("a.ts", "export default 1;"), file("b.ts", "export const b = 1;")])).toHaveLength(1);
    expect(suppressedTypes([file("a.ts", "// @ts-ignore\nx;"), file("b.ts", "x as any;"), file("c.ts", "x as many;")])).toHaveLength(2);
  });

  it("finds a file and an export that only tests use", () => {
    const used = file("src/core/a.ts", "export const a = 1;\nexport type B = 2;\nexport function c() {}\n");
    const user = file("local/host.ts", 'import { a, type B as C } from "../src/core/a.ts";\n');
    const whole = file("local/host.ts", 'import * as all from "../src/core/a.ts";\nall.a; all.B; all.c;\n');
    const test = file("test/a.test.ts", 'import { c } from "../src/core/a.ts";\n');
    expect(unusedFiles([used, test], {})).toEqual(["src/core/a.ts: is imported by nothing but tests"]);
    expect(unusedFiles([used, user], {})).toEqual([]);
    expect(unusedFiles([used, file("src/store/b.ts", 'new Worker(new URL("../core/a.ts", import.meta.url))')], {})).toHaveLength(1);
    expect(unusedExports([used, user, test], {})).toEqual(["src/core/a.ts c: is exported, and used by tests at most"]);
    expect(unusedExports([used, user, test], { "src/core/a.ts c": "later" })).toEqual([]);
    const answer = file("src/core/a.ts", "export type Answer = 1;\nexport function a(): Answer {}\nexport type Dead = 1;\n");
    expect(unusedExports([answer, user], {})).toEqual(["src/core/a.ts Dead: is exported, and used by tests at most"]);
    expect(unusedExports([used, whole], { "src/core/a.ts c": "later" })).toHaveLength(1);
  });

  it("finds a word that has another name here", () => {
    expect(bannedIdentifiers([file("src/engine/a.ts", "const taskId = 1;\nfunction startWorker() {}\n")])).toHaveLength(2);
    expect(
      bannedIdentifiers([file("src/engine/a.ts", '// a task\nconst a = "worker";\n'), file("src/store/a.ts", "new Worker(a);")]),
    ).toEqual([]);
  });

  it("finds a file that does not say what it is for", () => {
    expect(
      silentFiles([
        file("a.ts", "/** Says. */\n"),
        file("b.ts", "#!/usr/bin/env node\n/** Says. */\n"),
        file("c.ts", "import {} from 'a';\n"),
      ]),
    ).toHaveLength(1);
  });
});

/** The files that Biome finds something in, with the rule, under the configuration of the house. */
function lint(given: Readonly<Record<string, string>>): string[] {
  const folder = mkdtempSync(join(tmpdir(), "onthedot-tidy-"));
  try {
    const { vcs: _, $schema: __, ...config } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
    const plugin = readFileSync(join(root, "test/ambient.grit"), "utf8");
    const written = { ...given, "biome.json": JSON.stringify(config), "test/ambient.grit": plugin };
    for (const [path, text] of Object.entries(written)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
    const run = spawnSync(process.execPath, [biome, "lint", "--reporter=json", "."], { cwd: folder, encoding: "utf8" });
    const report = JSON.parse(run.stdout) as { diagnostics: { category: string; location: { path: string } }[] };
    return report.diagnostics.map(({ category, location }) => `${location.path} ${category}`).toSorted();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("Biome", () => {
  it("refuses a cycle of imports, an import against the direction, and a clock in the core, and nothing that is legal", () => {
    const findings = lint({
      "src/core/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
      "src/core/b.ts": 'import { a } from "./a.ts";\nexport const b = () => a;\n',
      "src/core/c.ts": "export const c = () => setTimeout(() => {}, 1);\n",
      "src/core/d.ts": "export const d = () => [Date.now(), new Date(), Math.random()];\n",
      "src/core/legal.ts": "export const legal = (at: number) => new Date(at);\n",
      "src/core/upwards.ts": 'import { e } from "../engine/e.ts";\nexport const upwards = e;\n',
      "src/engine/e.ts": 'import { legal } from "../core/legal.ts";\nexport const e = legal;\n',
      "src/engine/upwards.ts": 'import { f } from "../store/f.ts";\nexport const upwards = f;\n',
      "src/store/f.ts": 'import { e } from "../engine/e.ts";\nexport const f = () => [e, Date.now()];\n',
      "src/store/sideways.ts": 'import { g } from "../hints/g.ts";\nexport const sideways = g;\n',
      "src/hints/g.ts": "export const g = 1;\n",
    });
    expect(findings).toEqual([
      "src/core/a.ts lint/suspicious/noImportCycles",
      "src/core/b.ts lint/suspicious/noImportCycles",
      "src/core/c.ts lint/style/noRestrictedGlobals",
      "src/core/d.ts plugin",
      "src/core/d.ts plugin",
      "src/core/d.ts plugin",
      "src/core/upwards.ts lint/style/noRestrictedImports",
      "src/engine/upwards.ts lint/style/noRestrictedImports",
      "src/store/sideways.ts lint/style/noRestrictedImports",
    ]);
  });
});
