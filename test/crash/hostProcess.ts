/** The real program as a child process, as an operator starts it; and a target in this process that remembers what came. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/onthedot.js", import.meta.url));

export type HostProcess = {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it wrote to standard error so far. */
  errors(): string;
  /** Ends it by the signal and answers its exit code (null: by the signal). */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

export type HostEnd = { readonly code: number | null; readonly errors: string };

/**
 * Starts the program on a folder; any free port. Answers how it ended, where it ended before it was ready. `fileBytesMax`: no file of
 * it may grow beyond, as if the disk were full there.
 */
async function startHost(data: string, env: Readonly<Record<string, string>> = {}, fileBytesMax?: number): Promise<HostProcess | HostEnd> {
  const [command, ...args] = fileBytesMax === undefined ? [process.execPath] : limitedShell(fileBytesMax);
  const child = spawn(command ?? "", [...args, program, "start"], {
    env: {
      PATH: process.env["PATH"],
      ONTHEDOT_DATA: data,
      ONTHEDOT_PORT: "0",
      ONTHEDOT_RECEIVER_PORT: "0",
      ONTHEDOT_ALLOW_TARGETS: "127.0.0.0/8",
      ONTHEDOT_LOG: "warn",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const ready = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const match = /^ready (http:\S+)$/m.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
  });
  const first = await Promise.race([ready, exited]);
  if (typeof first !== "string") return { code: first, errors };
  return {
    url: first,
    child,
    errors: () => errors,
    async end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

/** The soft limit only, so that it can be lifted while the program runs; writes beyond it fail instead of ending the process. */
function limitedShell(fileBytesMax: number): string[] {
  const limit = `trap "" XFSZ; ulimit -S -f ${Math.floor(fileBytesMax / 1_024)}; exec "$@"`;
  return ["bash", "-c", limit, "bash", process.execPath];
}

/** As `startHost`, where it must get ready. */
export async function startHostReady(
  data: string,
  env: Readonly<Record<string, string>> = {},
  fileBytesMax?: number,
): Promise<HostProcess> {
  const host = await startHost(data, env, fileBytesMax);
  if ("code" in host) throw new Error(`expected the host to be ready, it ended with ${host.code}: ${host.errors}`);
  return host;
}

/** As `startHost`, where it must end before it is ready. */
export async function startHostRefused(data: string, env: Readonly<Record<string, string>> = {}): Promise<HostEnd> {
  const host = await startHost(data, env);
  if ("code" in host) return host;
  await host.end("SIGKILL");
  throw new Error("expected the host to end before it is ready, it serves");
}

export type ReceivedCall = {
  readonly job: string;
  readonly attempt: number;
  readonly at: number;
  readonly body: string;
  answered: boolean;
};

/** A target that remembers each call, and answers as the caller decides. */
export async function startTarget(answer: (call: ReceivedCall) => { status: number; afterMs?: number }) {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const header = (name: string) => String(request.headers[name] ?? "");
      const call = { job: header("webhook-id"), attempt: Number(header("onthedot-attempt")), at: Date.now(), body, answered: false };
      calls.push(call);
      const { status, afterMs } = answer(call);
      setTimeout(() => {
        response.writeHead(status).end("ok", () => {
          call.answered = true;
        });
      }, afterMs ?? 0);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    calls,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export async function post(url: string, body: unknown): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}
