/** The program as a shell starts it: its output, its end, and what may be sent to it meanwhile. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const programPath = fileURLToPath(new URL("../../bin/onthedot.js", import.meta.url));

/** Half of a start is compiling; the programs of these tests compile once. */
const compileCache = fileURLToPath(new URL("../../node_modules/.cache/onthedot-tests", import.meta.url));

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
};

export type Program = {
  readonly child: ChildProcess;
  /** So far. */
  output(): string;
  errors(): string;
  /** Resolves when the process is gone and its output was read to the end. */
  readonly ended: Promise<Ended>;
  /** Where it serves; rejects if it ended instead. */
  ready(): Promise<string>;
};

export type Run = {
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than this Node, and what comes before the script. */
  readonly node?: readonly [string, ...string[]];
  readonly script?: string;
};

const started: ChildProcess[] = [];
const folders: string[] = [];
afterAll(async () => {
  // Of a test that failed: one that passed has seen its program end.
  for (const child of started) child.kill("SIGKILL");
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "onthedot-cli-"));
  folders.push(folder);
  return folder;
}

/** Free a moment ago, for what must be known before the program says it. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export function run(args: readonly string[], { env = {}, node = [process.execPath], script = programPath }: Run = {}): Program {
  const [command, ...before] = node;
  // Nothing of the environment that the tests run in: a setting of the developer's own would change what is printed.
  const base = { PATH: process.env["PATH"], NODE_COMPILE_CACHE: compileCache };
  const child = spawn(command, [...before, script, ...args], {
    env: { ...base, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, "close").then(([code, signal]): Ended => ({ code, signal, output, errors }));
  const ready = async () => {
    for (let isOver = false; !isOver; ) {
      const url = /^ready (http:\S+)$/m.exec(output)?.[1];
      if (url !== undefined) return url;
      isOver = await Promise.race([ended.then(() => true), once(child.stdout, "data").then(() => false)]);
    }
    throw new Error(`expected the program to be ready, it ended: ${errors}`);
  };
  return { child, output: () => output, errors: () => errors, ended, ready };
}

/** `onthedot start` on a folder of its own, any free port, no receiver. */
export async function runStart(args: readonly string[] = [], { env = {}, ...how }: Run = {}): Promise<Program> {
  const own = { ONTHEDOT_DATA: await freshFolder(), ONTHEDOT_PORT: "0", ONTHEDOT_RECEIVER_PORT: "0" };
  return run(["start", ...args], { ...how, env: { ...own, ...env } });
}

export const pause = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));

/** Looks again until it is so. */
export async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (const endsAt = performance.now() + 10_000; performance.now() < endsAt; await pause(10)) if (await look()) return;
  throw new Error(`expected ${what} within ten seconds`);
}
