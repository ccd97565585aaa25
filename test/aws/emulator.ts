/**
 * MiniStack, which stands in for AWS on this machine: installed once into a folder of the checkout's cache, started on loopback with a
 * folder of its own for all it writes, and stopped with everything that it started.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const version = "1.5.33";
const venv = fileURLToPath(new URL(`../../node_modules/.cache/ministack-${version}`, import.meta.url));
const launcher = fileURLToPath(new URL("launch.py", import.meta.url));
const python = join(venv, "bin", "python");
/** Written last: an installation that was cut off lacks it, and is made anew. */
const installedMark = join(venv, "installed");

const startMsMax = 30_000;
const stopMsMax = 10_000;

export type Emulator = {
  readonly endpoint: string;
  /** Of the launcher: USR1 has it enforce IAM, USR2 no longer. */
  readonly pid: number;
  /** Where everything is that it and its functions write. */
  readonly folder: string;
  /** Ends it and its functions, and removes the folder. */
  stop(): Promise<void>;
};

/** Needs the network the first time only. A sentence where something is missing. */
export async function installEmulator(): Promise<"installed" | { readonly missing: string }> {
  if (existsSync(installedMark)) return "installed";
  await rm(venv, { recursive: true, force: true });
  await mkdir(dirname(venv), { recursive: true });
  try {
    await run("python3", ["-m", "venv", venv]);
  } catch (cause) {
    return { missing: `expected python3 with venv (Debian: python3-venv), to install the emulator with: ${lastLine(cause)}` };
  }
  try {
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `ministack==${version}`]);
  } catch (cause) {
    return { missing: `expected PyPI to be in reach, for ministack ${version}: ${lastLine(cause)}` };
  }
  await writeFile(installedMark, "");
  return "installed";
}

function lastLine(cause: unknown): string {
  const { stderr, message } = cause as { stderr?: string; message: string };
  return (stderr || message).trim().split("\n").at(-1) ?? "";
}

export type EmulatorOptions = {
  /** How often a schedule of each minute comes. */
  readonly minuteSeconds: number;
  /** Executors of one queue at once. */
  readonly executorsMax: number;
  /** Gets what it and its functions write, as it comes. */
  readonly logFile: string;
};

export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), "onthedot-aws-"));
  const port = await freePort();
  const child = spawn(python, [launcher], {
    // A group of its own, so that its functions can be ended with it, whatever became of it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    cwd: folder,
    // Nothing else of this environment: its functions inherit all of it.
    env: {
      PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
      HOME: folder,
      TMPDIR: folder,
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: "local",
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
      DOCKER_HOST: `unix://${folder}/none`,
      ONTHEDOT_EMULATOR_MINUTE: String(options.minuteSeconds),
      ONTHEDOT_EMULATOR_EXECUTORS: String(options.executorsMax),
    },
  });
  const log = createWriteStream(options.logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(child);
    log.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(endpoint, child);
  } catch (cause) {
    await stop();
    throw new Error(`expected the emulator to be ready, it wrote: ${(await readFile(options.logFile, "utf8")).slice(-2_000)}`, { cause });
  }
  return { endpoint, pid: child.pid ?? 0, folder, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("expected a port of TCP");
  return address.port;
}

async function ready(endpoint: string, child: ChildProcess): Promise<void> {
  for (const endsAt = performance.now() + startMsMax; performance.now() < endsAt && child.exitCode === null; ) {
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(child.exitCode === null ? `no answer within ${startMsMax} ms` : `it ended with ${child.exitCode}`);
}

/** First by asking; its functions end with it. What is left of its group then is killed. */
async function end(child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
  await ended;
  clearTimeout(patience);
  try {
    process.kill(-(child.pid ?? Number.NaN), "SIGKILL");
  } catch (cause) {
    // ESRCH: nobody is left, as it should be.
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}
