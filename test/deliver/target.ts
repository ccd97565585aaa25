/** Targets on loopback whose every byte a test decides, and a deliverer to aim at them. All are closed when the test ends. */

import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { onTestFinished } from "vitest";
import { parseAllowList } from "../../src/core/address.ts";
import type { Answer } from "../../src/core/outcome.ts";
import { toEpochMs } from "../../src/core/time.ts";
import { createDeliver, type DeliverOptions } from "../../src/deliver/http.ts";
import type { CallRequest, Deliver } from "../../src/engine/ports.ts";
import { leafKey } from "./certificates.ts";

export type Target = {
  readonly port: number;
  readonly url: string;
  /** Whole requests as they came, in order; latin1. */
  readonly requests: string[];
  /** Every connection that was accepted. */
  readonly sockets: Socket[];
  /** Resolves when so many connections were accepted. */
  accepted(count: number): Promise<void>;
};

export type Answering = (socket: Socket, request: string, index: number) => void;

export function openTarget(answer: Answering, host = "127.0.0.1"): Promise<Target> {
  return listen(createServer(), "connection", answer, host);
}

export function openTlsTarget(certificate: string, answer: Answering): Promise<Target & { names: string[] }> {
  const names: string[] = [];
  const server = createTlsServer({
    key: leafKey,
    cert: certificate,
    SNICallback: (name, done) => {
      names.push(name);
      done(null, undefined);
    },
  });
  server.on("tlsClientError", () => {});
  return listen(server, "secureConnection", answer, "127.0.0.1").then((target) => ({ ...target, names }));
}

async function listen(server: Server, event: string, answer: Answering, host: string): Promise<Target> {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  let told = () => {};
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    told();
  });
  server.on(event, (socket: Socket) => {
    socket.on("error", () => {});
    eachRequest(socket, (request) => {
      requests.push(request);
      answer(socket, request, requests.length - 1);
    });
  });
  await new Promise<void>((done) => server.listen(0, host, done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`expected a port, got ${address}`);
  const accepted = async (count: number) => {
    while (sockets.length < count) await new Promise<void>((done) => (told = done));
  };
  const shown = host.includes(":") ? `[${host}]` : host;
  return { port: address.port, url: `http://${shown}:${address.port}/hook`, requests, sockets, accepted };
}

function eachRequest(socket: Socket, take: (request: string) => void): void {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = headEnd + 4 + Number(/content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
    if (text.length < length) return;
    const request = text.slice(0, length);
    text = text.slice(length);
    take(request);
  });
}

export const now = () => toEpochMs(Date.now());

export function openDeliver({
  allow = "127.0.0.0/8",
  ...options
}: { allow?: string } & Partial<Omit<DeliverOptions, "allow" | "now">> = {}) {
  const list = parseAllowList(allow);
  if ("wrong" in list) throw new Error(list.wrong);
  const deliver = createDeliver({ allow: list.allow, now, ...options });
  onTestFinished(() => deliver.close());
  return deliver;
}

export const post: CallRequest = { method: "POST", headers: { "content-type": "text/plain" }, body: Buffer.from("hello"), startBy: null };
export const get: CallRequest = { method: "GET", headers: {}, body: null, startBy: null };

export function call(
  deliver: Deliver,
  url: string,
  { request = post, timeoutMs = 5_000, signal = new AbortController().signal } = {},
): Promise<Answer> {
  return deliver.prepare(url, timeoutMs).send(request, signal);
}

/** The answer of a target that always answers these bytes, and whether it then closes. */
export async function answerTo(
  bytes: string | Uint8Array,
  { request = post, afterwards = "keep" }: { request?: CallRequest; afterwards?: "keep" | "end" | "reset" } = {},
): Promise<Answer & { target: Target }> {
  const target = await openTarget((socket) => {
    if (afterwards === "end") socket.end(bytes);
    else if (afterwards === "reset") socket.write(bytes, () => socket.resetAndDestroy());
    else socket.write(bytes);
  });
  return { ...(await call(openDeliver(), target.url, { request })), target };
}

export const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
