/** One connection and what speaks HTTP/1.1 on it. */

import { Socket } from "node:net";
import { Client } from "undici";
import type { Place } from "./resolve.ts";

export type Connection = {
  readonly origin: string;
  readonly socket: Socket;
  /** Speaks HTTP/1.1 on this socket and on no other. */
  readonly client: Client;
  /** Whether a request was given to it. Only then does the client read the socket and end it when idle. */
  used: boolean;
  /** Told when the connection closes while a call holds it. */
  holder: { lost(): void } | null;
  /** When it was last given back, by the wall clock: timers stand still while a process is frozen, and servers do not wait for them. */
  idleSince: number;
};

/** Below the 5 s after which Node's, Apache's and many other servers close: of two that close at once, the one that sends loses. */
export const idleMs = 4_000;
/** The default of Node and the upper end of what servers send; more is a mistake or an attack. */
const headBytesMax = 16 * 1_024;

const gone = new Error("the connection closed before the request was sent");

export function toConnection(socket: Socket, place: Place): Connection {
  let handedOver = false;
  const client = new Client(place.origin, {
    connect: (_options, done) => {
      // The client would connect anew when the socket closes before the request is sent. Whether to try again is the call's decision.
      if (handedOver) return done(gone, null);
      handedOver = true;
      // In a turn of its own: the client takes note of the connection only after it has asked for it.
      queueMicrotask(() => done(null, socket));
    },
    allowH2: false,
    pipelining: 1,
    maxHeaderSize: headBytesMax,
    keepAliveTimeout: idleMs,
    // A server's own wish for longer is not followed: what lay long may have been closed by anything on the way.
    keepAliveMaxTimeout: idleMs,
    // These watch for silence and not for the deadline; the call has a timer of its own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  socket.once("timeout", () => socket.destroy());
  return { origin: place.origin, socket, client, used: false, holder: null, idleSince: Number.POSITIVE_INFINITY };
}

/**
 * undici compiles its parser for the first connection of a process, which took 4 ms here and takes more on a small Lambda: the first call
 * would be late by it. So a connection that leads nowhere is first, while nobody waits.
 */
export function warmUp(): void {
  const client = new Client("http://nowhere.invalid", { connect: (_options, done) => queueMicrotask(() => done(null, new Socket())) });
  client.dispatch(
    { path: "/", method: "GET" },
    {
      onRequestStart: (controller) => controller.abort(gone),
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd() {},
      onResponseError() {},
    },
  );
}
