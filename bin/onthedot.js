#!/usr/bin/env node
/** Runs the program under a Node that can: the one that calls it where it is new enough, else the one that npm installed with it. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../cli/main.ts", import.meta.url);
const major = Number(process.versions.node.split(".")[0]);

// Names are looked up on this pool, at most half of it at once, and a name server that does not answer holds its thread for many
// seconds: with the usual four, two such names would hold up the calls to all others. It must be said before the pool is used.
process.env.UV_THREADPOOL_SIZE ??= "64";

if (major >= 24) {
  await import(main.href);
} else {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const installed = fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
  if (existsSync(installed)) runUnder(installed);
  else refuse(`run "npm install" in its folder, which brings one`);
}

/** This process stands for the other: what is sent to it is passed on, and it ends as the other ends. */
function runUnder(node) {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  // The program itself and not this file, which under a Node that is too old as well would start itself for ever.
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" });
  // Ctrl-C reaches the whole process group, so the child sees it twice, and takes it for one.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => refuse(`the one in node_modules could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // By the same signal, so that a shell sees what it would have seen of the child.
    for (const one of signals) process.removeAllListeners(one);
    process.kill(process.pid, signal);
  });
}

function refuse(remedy) {
  console.error(`onthedot needs Node 24, got ${process.versions.node}; ${remedy}`);
  process.exitCode = 2;
}
