#!/usr/bin/env node
/** Runs the program under a Node that can: the one that calls it where it is new enough, else the one that npm installed with it. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../cli/main.ts", import.meta.url);
const major = Number(process.versions.node.split(".")[0]);

if (major >= 24) {
  await import(main.href);
} else {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const installed = fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
  if (!existsSync(installed)) {
    console.error(`onthedot needs Node 24, got ${process.versions.node}; run "npm install" in its folder, which brings one`);
    process.exit(2);
  }
  const child = spawn(installed, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // Ctrl-C reaches the whole process group; the child decides when to end, and this process ends with it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}
