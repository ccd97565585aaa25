/**
 * The connections of this process. A call holds one from the moment it is prepared until its answer is read, and no two calls share one:
 * so a call that is due has its connection, however many are due with it.
 */

import type { Socket } from "node:net";
import { connect } from "./connect.ts";
import { type Connection, idleMs, toConnection, warmUp } from "./connection.ts";
import type { Failure } from "./failure.ts";
import type { Place, Resolve, Vetted } from "./resolve.ts";

export type Pool = {
  /** An idle connection to the origin, for the caller alone. */
  take(origin: string): Connection | undefined;
  /** Takes a connection back; it is closed if it cannot carry another request. */
  put(connection: Connection): void;
  /** Whether a connection may be opened ahead of its need. Closes the longest idle one for it. */
  makesRoom(): boolean;
  /** Looks up, judges, connects. `done` is called once, later, unless the returned function gave it up before. */
  open(place: Place, done: (result: Connection | Failure) => void): () => void;
  /** Ends every connection, and resolves when all are closed. */
  close(): Promise<void>;
  readonly closed: boolean;
};

export const closing: Failure = { reason: "aborted", code: null, message: "onthedot is shutting down" };

/** Beyond its idle time by this much nobody closed it, so nothing ran here meanwhile: a function between two invocations, a machine asleep. */
const frozenMs = 1_000;

export type PoolOptions = { readonly resolve: Resolve; readonly connectionsMax: number; readonly now: () => number };

export function createPool({ resolve, connectionsMax, now }: PoolOptions): Pool {
  /** By origin, last used last. */
  const idle = new Map<string, Connection[]>();
  /** All idle ones, longest idle first. */
  const oldest = new Set<Connection>();
  const sockets = new Set<Socket>();
  const openings = new Set<(result: Failure) => void>();
  let openCount = 0;
  let closed = false;
  let emptied = () => {};
  warmUp();

  const withdraw = (connection: Connection) => {
    const stack = idle.get(connection.origin);
    if (oldest.delete(connection)) stack?.splice(stack.indexOf(connection), 1);
    if (stack?.length === 0) idle.delete(connection.origin);
  };

  const adopt = (socket: Socket, place: Place) => {
    const connection = toConnection(socket, place);
    openCount += 1;
    socket.once("close", () => {
      openCount -= 1;
      withdraw(connection);
      connection.holder?.lost();
    });
    return connection;
  };

  const remember = (socket: Socket) => {
    sockets.add(socket);
    return socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) emptied();
    });
  };

  return {
    get closed() {
      return closed;
    },
    take(origin) {
      const stack = idle.get(origin);
      for (let connection = stack?.pop(); connection !== undefined; connection = stack?.pop()) {
        oldest.delete(connection);
        // Between its end and its close event a connection still lies here.
        if (!connection.socket.writable) continue;
        if (now() - connection.idleSince > idleMs + frozenMs) {
          connection.socket.destroy();
          continue;
        }
        if (!connection.used) connection.socket.setTimeout(0);
        return connection;
      }
      return undefined;
    },
    put(connection) {
      connection.holder = null;
      // An answer that came before its request was read leaves bytes unsent, which would delay the next request.
      if (closed || !connection.socket.writable || connection.socket.writableLength > 0) return void connection.socket.destroy();
      if (!connection.used) connection.socket.setTimeout(idleMs);
      connection.idleSince = now();
      const stack = idle.get(connection.origin);
      if (stack === undefined) idle.set(connection.origin, [connection]);
      else stack.push(connection);
      oldest.add(connection);
    },
    makesRoom() {
      if (openCount + openings.size < connectionsMax) return true;
      const [longest] = oldest;
      if (longest === undefined) return false;
      withdraw(longest);
      longest.socket.destroy();
      return true;
    },
    open(place, done) {
      let socket: Socket | null = null;
      const settle = (result: Socket | Failure) => {
        if (!openings.delete(settle)) return;
        done("reason" in result ? result : adopt(result, place));
      };
      openings.add(settle);
      const begin = (vetted: Vetted | Failure) => {
        if (!openings.has(settle)) return;
        if ("reason" in vetted) settle(vetted);
        else socket = remember(connect(place, vetted.addresses, settle));
      };
      if (closed) queueMicrotask(() => settle(closing));
      else void resolve(place).then(begin);
      return () => {
        openings.delete(settle);
        socket?.destroy();
      };
    },
    async close() {
      closed = true;
      for (const settle of [...openings]) settle(closing);
      for (const socket of sockets) socket.destroy();
      if (sockets.size > 0) await new Promise<void>((done) => (emptied = done));
    },
  };
}
