/**
 * A receiver to aim jobs at: says of each call when it arrived and how late that was, and answers as the call's path asks for. For
 * first jobs, tests and the bench. Listens on loopback only, keeps the last calls and no bodies.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { limits } from "../src/core/limits.ts";
import { type EpochMs, parseInstant, toEpochMs } from "../src/core/time.ts";
import type { Log } from "../src/system/log.ts";
import { readScript, receiverHelp, type Script } from "./receiverScript.ts";

/** One call as it arrived. What a caller other than onthedot leaves out is null. */
export type ReceivedCall = {
  readonly jobId: string | null;
  readonly attempt: number | null;
  readonly dueAt: EpochMs | null;
  /** When the head of the request was read. */
  readonly receivedAt: EpochMs;
  /** `receivedAt` minus `dueAt`: of a retry it holds the backoff too. */
  readonly latenessMs: number | null;
  readonly method: string;
  /** Without its query, which may carry what must not be logged. */
  readonly path: string;
  readonly webhookId: string | null;
  /** Of the body, which was read to its end. */
  readonly bytes: number;
};

export type Receiver = {
  readonly kind: "listening";
  readonly url: string;
  /** The last ones, oldest first. */
  calls(): readonly ReceivedCall[];
  /** Cuts every connection, those that hang included. */
  close(): Promise<void>;
};

export type ReceiverOptions = {
  /** 0: any that is free. */
  readonly port: number;
  readonly log: Log;
  readonly now?: () => EpochMs;
  /** Told of each call once its body is read, before it is answered. */
  readonly onCall?: (call: ReceivedCall) => void;
  /** How many calls `calls()` looks back on. */
  readonly keep?: number;
};

/** Enough to look back on; a bench that wants all of them counts in `onCall`. */
const callsKept = 1_000;
/** Longer than clients keep a connection, so that none is closed here while a call is on its way. */
const keepAliveMs = 65_000;

/** "port_taken": another program holds the port, or the system does not give it to this user. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver | { readonly kind: "port_taken" }> {
  const { log, onCall, keep = callsKept, now = () => toEpochMs(Date.now()) } = options;
  const calls: ReceivedCall[] = [];
  const remember = (call: ReceivedCall) => {
    calls.push(call);
    // Dropped in lots: shifting an array by one for each call would move the whole of it.
    if (calls.length >= 2 * keep) calls.splice(0, calls.length - keep);
  };
  const server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
    const receivedAt = now();
    readCall(request, receivedAt)
      .then((call) => {
        // A connection that broke before the body's end was no call.
        if (call === undefined) return;
        if (call.method === "GET" && call.path === "/" && call.jobId === null) {
          response.setHeader("content-type", "text/plain; charset=utf-8").end(receiverHelp);
          return;
        }
        remember(call);
        onCall?.(call);
        answer(call, response, log);
      })
      // The receiver runs inside the host: what goes wrong with one call to it must not end all others.
      .catch((cause: unknown) => {
        log("error", "the receiver could not answer a call", { cause });
        response.destroy();
      });
  });
  if ((await bind(server, options.port)) === "port_taken") return { kind: "port_taken" };
  const { port } = server.address() as AddressInfo;
  return { kind: "listening", url: `http://127.0.0.1:${port}`, calls: () => calls.slice(-keep), close: () => close(server) };
}

function bind(server: Server, port: number): Promise<"bound" | "port_taken"> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve("port_taken");
      else reject(error);
    };
    server.once("error", refuse);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", refuse);
      resolve("bound");
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Reads the body to its end and counts it. Undefined: the connection broke first. Never rejects. */
function readCall(request: IncomingMessage, receivedAt: EpochMs): Promise<ReceivedCall | undefined> {
  return new Promise((resolve) => {
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on("end", () => resolve(callOf(request, receivedAt, bytes)));
    request.on("close", () => resolve(undefined));
    // Followed by "close", which says all there is to say.
    request.on("error", () => resolve(undefined));
  });
}

function callOf(request: IncomingMessage, receivedAt: EpochMs, bytes: number): ReceivedCall {
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === "string" ? value : null;
  };
  const dueAt = parseInstant(header("onthedot-due-at") ?? "") ?? null;
  const attempt = Number.parseInt(header("onthedot-attempt") ?? "", 10);
  return {
    jobId: header("onthedot-job"),
    attempt: Number.isNaN(attempt) ? null : attempt,
    dueAt,
    receivedAt,
    latenessMs: dueAt === null ? null : receivedAt - dueAt,
    method: request.method ?? "",
    path: (request.url ?? "/").split("?")[0]?.slice(0, limits.urlCharsMax) ?? "/",
    webhookId: header("webhook-id"),
    bytes,
  };
}

function answer(call: ReceivedCall, response: ServerResponse, log: Log): void {
  const script = readScript(call.path);
  if ("wrong" in script) {
    response.writeHead(400, { "content-type": "text/plain; charset=utf-8" }).end(`${script.wrong}\n\n${receiverHelp}`);
    return;
  }
  if (log.isOn("info")) writeCall(log, call);
  if (script.end === "hang") return;
  if (script.delayMs === 0) respond(call, script, response);
  else
    endWith(
      response,
      setTimeout(() => respond(call, script, response), script.delayMs),
    );
}

/** A caller that goes away takes what it waited for with it. */
function endWith(response: ServerResponse, timer: NodeJS.Timeout): void {
  response.once("close", () => clearTimeout(timer));
}

function respond(call: ReceivedCall, script: Script, response: ServerResponse): void {
  if (script.end === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  response.statusCode = script.until !== null && (call.attempt ?? 1) >= script.until ? 200 : script.status;
  for (const [name, value] of script.headers) response.appendHeader(name, value);
  if (script.end === "short") {
    response.setHeader("content-length", 1_000).write("short", () => response.destroy());
    return;
  }
  switch (script.body.kind) {
    case "json":
      if (!response.hasHeader("content-type")) response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ok: response.statusCode < 300, ...call }));
      return;
    case "bytes":
      response.end(Buffer.alloc(script.body.byteCount, "."));
      return;
    case "drip":
      drip(response, script.body.forMs);
  }
}

const dripMs = 50;

function drip(response: ServerResponse, forMs: number): void {
  let leftMs = forMs;
  response.flushHeaders();
  const timer = setInterval(() => {
    leftMs -= dripMs;
    response.write(".");
    if (leftMs > 0) return;
    clearInterval(timer);
    response.end();
  }, dripMs);
  endWith(response, timer);
}

/** `received job_… 3 ms late`; a retry says how long after the due instant it came, for that is no lateness of its own. */
function writeCall(log: Log, call: ReceivedCall): void {
  const { jobId, attempt, latenessMs, method, path, bytes } = call;
  const since =
    latenessMs === null
      ? ""
      : attempt !== null && attempt > 1
        ? `, attempt ${attempt}, ${latenessMs} ms after it was due`
        : `, ${latenessMs} ms late`;
  const fields = {
    method,
    path,
    byteCount: bytes,
    latenessMs,
    ...(jobId === null ? {} : { job: jobId }),
    ...(attempt === null ? {} : { attempt }),
  };
  log("info", `received ${method} ${path}${jobId === null ? "" : ` of ${jobId}`}${since}`, fields);
}
