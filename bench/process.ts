/** Child processes of the bench: each says `ready <url>` when it serves, and is stopped by its process id. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Child = {
  readonly url: string;
  readonly child: ChildProcess;
  /** From the start of the process to `ready`, in milliseconds. */
  readonly readyMs: number;
  /** CPU time used so far, in milliseconds, all threads; null where the system does not tell. */
  cpuMs(): number | null;
  stop(): Promise<void>;
};

export async function start(file: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const startedAt = performance.now();
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    execArgv: [],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const match = /^ready (http:\S+)$/m.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code} before it was ready`)));
  });
  return {
    url,
    child,
    readyMs: performance.now() - startedAt,
    cpuMs: () => (child.pid === undefined ? null : readCpuMs(child.pid)),
    async stop() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** The embedded home on a folder. */
export function startHome(data: string): Promise<Child> {
  const env = {
    ONTHEDOT_DATA: data,
    ONTHEDOT_PORT: "0",
    ONTHEDOT_RECEIVER_PORT: "0",
    ONTHEDOT_ALLOW_TARGETS: "127.0.0.0/8",
    ONTHEDOT_LOG: "warn",
  };
  return start("../bin/onthedot.js", ["start"], env);
}

/** User and system ticks stand in fields 14 and 15 of Linux's /proc/<pid>/stat; a tick is 10 ms (USER_HZ is 100 on every platform). */
function readCpuMs(pid: number): number | null {
  if (process.platform !== "linux") return null;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
