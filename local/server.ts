/**
 * The HTTP server of the home: takes requests off the socket and hands them to the API. Bounds what a slow or half-open client
 * can hold, and answers what the parser refuses as a problem too.
 */

import { createServer, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";

export type Listening =
  | { readonly kind: "listening"; readonly url: string; close(): Promise<void> }
  | { readonly kind: "refused"; readonly message: string };

/** A request's head must be complete within this; slower clients are cut, or a few of them could hold every connection. */
const headMsMax = 10_000;
/** The whole request: the largest batch over a slow line, and no longer. */
const requestMsMax = 60_000;
/** Longer than the idle time of common proxies, so that they close first and no request meets a closing socket. */
const keepAliveMs = 65_000;
const connectionsMax = 10_000;

export async function listen(options: {
  readonly host: string;
  readonly port: number;
  readonly fetch: (request: Request) => Response | Promise<Response>;
}): Promise<Listening> {
  const listener = getRequestListener(options.fetch);
  const server = createServer(
    { headersTimeout: headMsMax, requestTimeout: requestMsMax, keepAliveTimeout: keepAliveMs, connectionsCheckingInterval: 2_000 },
    listener,
  );
  server.maxConnections = connectionsMax;
  server.on("clientError", refuseUnparsed);
  try {
    await bind(server, options);
  } catch (error) {
    return { kind: "refused", message: messageOf(error, options) };
  }
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { kind: "listening", url: `http://${host}:${port}`, close: () => closeServer(server) };
}

function bind(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
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

/** Takes nothing new; requests that run are answered. */
function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  return closed;
}

/** What the parser refuses never reaches the API; it is answered in the same form where the connection still allows it. */
function refuseUnparsed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, code, detail] = unparsed(error.code);
  const type = `urn:onthedot:problem:${code}`;
  const body = JSON.stringify({ type, title: STATUS_CODES[status], status, code, detail });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function unparsed(code: string | undefined): [status: number, code: string, detail: string] {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return [431, "invalid_request", "The request's headers are too large; send at most 16 KiB."];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, "invalid_request", "The request did not arrive in time; send it without pauses."];
    default:
      return [400, "invalid_request", "The request is not valid HTTP/1.1."];
  }
}
