/** Started by a Node that is too old, the program runs under the one that npm installed, and nobody can tell the difference. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { freshFolder, programPath, run, runStart } from "./program.ts";

/** This Node, which says that it is an old one: what it starts says again what it is. On every machine. */
const pretending = [
  process.execPath,
  "--import",
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.11.0"}})',
] as const;

/** The first of this machine that is really old, if there is one. */
const old = ["/usr/bin", "/usr/local/bin", ...(process.env["PATH"] ?? "").split(delimiter)]
  .map((folder) => join(folder, "node"))
  .find((node) => existsSync(node) && isOld(node));

function isOld(node: string): boolean {
  const major = Number(spawnSync(node, ["-p", 'process.versions.node.split(".")[0]'], { encoding: "utf8" }).stdout);
  return major >= 20 && major < 24;
}

type Case = readonly [name: string, signal: NodeJS.Signals, node: readonly [string, ...string[]]];
const cases: readonly Case[] = [
  ["a Node that says it is 20", "SIGTERM", pretending],
  ...(old === undefined ? [] : [[old, "SIGINT", [old]] as const]),
];

describe.concurrent.each(cases)("under %s", (_, signal, node) => {
  it("the program prints what it prints under a new one", async () => {
    const [old, own] = await Promise.all([run(["config"], { node }).ended, run(["config"]).ended]);
    expect(old).toEqual(own);
  });

  it("its exit code comes through", async () => {
    expect(await run(["strat"], { node }).ended).toMatchObject({ code: 2, output: "", errors: expect.stringContaining('"start"') });
  });

  it(`${signal} reaches it, and it ends in its own time`, async () => {
    const program = await runStart([], { node });
    const url = await program.ready();
    program.child.kill(signal);
    const { code, errors } = await program.ended;
    expect([code, errors]).toEqual([0, expect.stringContaining(`"signal":"${signal}"`)]);
    await expect(fetch(`${url}/v1/health`)).rejects.toThrow("fetch failed");
  });
});

describe.concurrent("where the Node that npm installed", () => {
  /** The program's first file alone, in a folder of its own. */
  async function install(): Promise<{ readonly root: string; readonly script: string }> {
    const root = await freshFolder();
    await mkdir(join(root, "bin"));
    await mkdir(join(root, "node_modules", ".bin"), { recursive: true });
    await writeFile(join(root, "package.json"), '{"type":"module"}');
    const script = join(root, "bin", "onthedot.js");
    await copyFile(programPath, script);
    return { root, script };
  }

  it("is not there, it says what is needed and what brings it", async () => {
    const { script } = await install();
    expect(await run(["version"], { node: pretending, script }).ended).toMatchObject({
      ...{ code: 2, output: "" },
      errors: expect.stringMatching(/^onthedot needs Node 24, got 20\.11\.0; run "npm install" .*\n$/),
    });
  });

  it("cannot be started, it says so in one line", async () => {
    const { root, script } = await install();
    await writeFile(join(root, "node_modules", ".bin", "node"), "for another kind of machine", { mode: 0o644 });
    expect(await run(["version"], { node: pretending, script }).ended).toMatchObject({
      ...{ code: 2, output: "" },
      errors: expect.stringMatching(/^onthedot needs Node 24, got 20\.11\.0; .*EACCES\n$/),
    });
  });

  it("ends by a signal, the program ends by the same one", async () => {
    const { root, script } = await install();
    await symlink(process.execPath, join(root, "node_modules", ".bin", "node"));
    await mkdir(join(root, "cli"));
    await writeFile(join(root, "cli", "main.ts"), 'process.kill(process.pid, "SIGKILL");\nsetInterval(() => {}, 1_000);\n');
    expect(await run([], { node: pretending, script }).ended).toMatchObject({ code: null, signal: "SIGKILL" });
  });
});
