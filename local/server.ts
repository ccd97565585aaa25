/**
 * The HTTP server of the home: takes requests off the socket and hands them to the API. Bounds what a slow, silent or half-open
 * client can hold, and answers what never reaches the API as a problem too.
 */

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { type Problem, problem, problemDocument, problemKinds } from "../src/api/problem.ts";

export type Listening =
  | {
      readonly kind: "listening";
      readonly url: string;
      /** Takes nothing new. Resolves when the requests that run are answered and every connection is closed. */
      close(): Promise<void>;
    }
  | { readonly kind: "refused"; readonly message: string };

export type Bounds = {
  /** A request's head must be complete within this, from the first moment of its connection; slower clients are cut, or a few could hold all. */
  readonly headMsMax: number;
  /** The whole request: the largest batch over a slow line, and no longer. */
  readonly requestMsMax: number;
  /** Longer than the idle time of common proxies, so that they close first and no request meets a closing socket. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves: its client vanished or does not read its answer. Longer than any request may take. */
  readonly stillMsMax: number;
  /** How often the first two are looked at, and so how late a cut may come. */
  readonly lookEveryMs: number;
  /** A refused client may read its answer for so long before the connection is cut under what it still sends. */
  readonly lingerMs: number;
};

const boundsDefault: Bounds = {
  headMsMax: 10_000,
  requestMsMax: 60_000,
  keepAliveMs: 65_000,
  stillMsMax: 90_000,
  lookEveryMs: 2_000,
  lingerMs: 1_000,
};
/** Far more than clients of one machine open, far fewer than would use up its memory. */
const connectionsMax = 10_000;
/** Node's default, named for the sentence that tells of it. */
const headBytesMax = 16 * 1_024;

export async function listen(options: {
  readonly host: string;
  readonly port: number;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly bounds?: Partial<Bounds>;
}): Promise<Listening> {
  const bounds = { ...boundsDefault, ...options.bounds };
  const server = createServer({
    headersTimeout: bounds.headMsMax,
    requestTimeout: bounds.requestMsMax,
    keepAliveTimeout: bounds.keepAliveMs,
    connectionsCheckingInterval: bounds.lookEveryMs,
    maxHeaderSize: headBytesMax,
    // Node would answer a missing one itself, by an empty 400; `wrongHead` says what is missing.
    requireHostHeader: false,
  });
  server.timeout = bounds.stillMsMax;
  server.maxConnections = connectionsMax;
  // A client that closes its side after a request (`nc -N`) waits for the answer; without this its job is made and the answer lost.
  // Node's own documents leave the property out, its code has had it since 0.x; the test says when that ends.
  Object.assign(server, { httpAllowHalfOpen: true });
  const close = serveOn(server, options.fetch, bounds.lingerMs);
  try {
    await bind(server, options);
  } catch (error) {
    return { kind: "refused", message: messageOf(error, options) };
  }
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { kind: "listening", url: `http://${host}:${port}`, close };
}

function bind(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // One connection could not be accepted, for want of file handles most likely. Those that are open are served on.
      server.on("error", () => {});
      resolve();
    });
  });
}

function messageOf(error: unknown, { host, port }: { host: string; port: number }): string {
  if (!(error instanceof Error && "code" in error)) throw error;
  switch (error.code) {
    case "EADDRINUSE":
      return `port ${port} on ${host} is in use; stop the other program, or choose another port with --port or ONTHEDOT_PORT`;
    case "EACCES":
      return `port ${port} on ${host} may not be opened by this user; choose a port above 1023 with --port or ONTHEDOT_PORT`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is no address of this machine; choose another with --host or ONTHEDOT_HOST`;
    default:
      return `${host}:${port} could not be opened: ${error.message}`;
  }
}

/** Answers how to close the server. */
function serveOn(server: Server, fetch: (request: Request) => Response | Promise<Response>, lingerMs: number): () => Promise<void> {
  const sockets = new Set<Socket>();
  const answering = new Set<ServerResponse>();
  /** The newest request of each connection: what its answer has come to decides how the connection may be refused. */
  const newest = new WeakMap<Duplex, ServerResponse>();
  const refuseSocket = createRefuser(newest, lingerMs);
  let isClosing = false;

  // HTTP/1.0 knows no Host; a browser always sends one, so that this name helps no page around the guard of names.
  const listener = getRequestListener(fetch, { hostname: "localhost", errorHandler: unserved });
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    answering.add(response);
    newest.set(request.socket, response);
    response.once("close", () => {
      answering.delete(response);
      if (isClosing) closeUnused();
    });
    const wrong = wrongHead(request);
    if (wrong === undefined) void listener(request, response);
    else refuse(response, wrong);
  };
  /** Not `closeIdleConnections`: it spares those that have sent nothing yet, or half a head, and they could send the rest. */
  const closeUnused = (): void => {
    const used = new Set([...answering].map(({ req }) => req.socket));
    for (const socket of sockets) if (!used.has(socket)) socket.destroy();
  };

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("request", take);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    continueWhenRead(request, response);
    take(request, response);
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => refuse(response, unknownExpectation));
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => refuseSocket(socket, noProxy));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === "ECONNRESET") socket.destroy();
    else refuseSocket(socket, unparsed(error.code));
  });
  return () => {
    isClosing = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    closeUnused();
    return closed;
  };
}

/**
 * `Expect: 100-continue`: the client sends the body when told to, and is told to when somebody begins to read it. What is refused by
 * its head alone never asks for the body; whether that comes all the same nobody knows, so such an answer ends the connection (RFC 9110 §10.1.1).
 */
function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  const onListener = (event: string | symbol) => {
    if (event !== "data" && event !== "readable") return;
    request.off("newListener", onListener);
    // The adapter reads the rest of what was refused, to be rid of it.
    if (response.headersSent) return;
    response.shouldKeepAlive = true;
    response.writeContinue();
  };
  request.on("newListener", onListener);
}

/** A problem of the head or of the connection. HTTP has a finer status for some than the table of codes, which callers branch on. */
type Refusal = { readonly status: number; readonly problem: Problem };

function refusal(status: number, detail: string): Refusal {
  return { status, problem: problem("invalid_request", detail) };
}

const noHost = refusal(400, "The request names no host; send a Host header.");
const unknownExpectation = refusal(417, "The request expects what is not known here; send Expect: 100-continue, or no Expect.");
const noProxy = refusal(400, "CONNECT asks a proxy for a tunnel, and this is none; send the request itself.");

function wrongHead(request: IncomingMessage): Refusal | undefined {
  return request.headers.host === undefined && request.httpVersion !== "1.0" ? noHost : undefined;
}

function unparsed(code: string | undefined): Refusal {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return refusal(431, `The request's URL and headers are too large together; send at most ${headBytesMax} bytes.`);
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refusal(408, "The request did not arrive in time; send it without pauses.");
    default:
      return refusal(400, "What arrived is not valid HTTP/1.1, or ended before it was complete.");
  }
}

/** What is thrown around the API, which itself answers everything: the adapter's, for a URL or a Host that cannot be, or a bug. */
function unserved(error: unknown): Response {
  const refused =
    error instanceof RequestError
      ? refusal(400, "The request's target and its Host make no URL together; send a path and the name of a host.")
      : { status: problemKinds.internal.status, problem: problem("internal", "Something went wrong on our side. Send the request again.") };
  const { headers, body } = documentOf(refused);
  return new Response(body, { status: refused.status, headers });
}

function documentOf({ status, problem }: Refusal): { headers: Record<string, string>; body: string } {
  const requestId = randomUUID();
  const body = JSON.stringify({ ...problemDocument(problem, requestId), status });
  return { headers: { "content-type": "application/problem+json", "cache-control": "no-store", "x-request-id": requestId }, body };
}

/** The rest of the request is not read: the connection ends with the answer. */
function refuse(response: ServerResponse, refused: Refusal): void {
  const { headers, body } = documentOf(refused);
  response.writeHead(refused.status, { ...headers, connection: "close", "content-length": Buffer.byteLength(body) }).end(body);
}

/** Refuses on the bare socket, where there is no request to answer, or none that can still be read. */
function createRefuser(newest: WeakMap<Duplex, ServerResponse>, lingerMs: number): (socket: Duplex, refused: Refusal) => void {
  /** What a client sends after its refusal fails again, and must not cut the connection before the answer is read. */
  const refusedSockets = new WeakSet<Duplex>();
  return function refuseSocket(socket, refused) {
    if (refusedSockets.has(socket)) return;
    refusedSockets.add(socket);
    const last = newest.get(socket);
    const isAnswered = last === undefined || last.writableFinished;
    if (isAnswered) endWith(socket, refused, lingerMs);
    // The request before is complete and its answer on its way: sent now, the refusal would be taken for that answer.
    else if (last.req.complete) last.once("close", () => endWith(socket, refused, lingerMs));
    // Its own body is wrong. An answer that has begun, or waits for those before it, cannot be replaced by another.
    else if (last.headersSent || last.socket === null) socket.destroy();
    else endWith(socket, refused, lingerMs);
  };
}

function endWith(socket: Duplex, refused: Refusal, lingerMs: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { headers, body } = documentOf(refused);
  const all = { ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\n${lines.join("")}\r\n${body}`);
  const cut = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(cut));
}
