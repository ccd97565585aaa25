/** Opens one TCP or TLS connection to vetted addresses, and says when it can carry a request. */

import type { LookupAddress } from "node:dns";
import { isIP, connect as openTcp, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect as openTls } from "node:tls";
import { type Failure, failureOf } from "./failure.ts";
import type { Place } from "./resolve.ts";

/**
 * `done` is called once, unless the socket is destroyed before. The socket keeps a listener for errors, so that none of a connection that nobody
 * uses any more can end the process.
 */
export function connect(place: Place, addresses: readonly LookupAddress[], done: (result: Socket | Failure) => void): Socket {
  const to = destination(place, addresses);
  // A TLS session is not resumed: Node checks the certificate's name only in a full handshake.
  const socket = place.secure ? openTls({ ...to, ...servername(place.host), ALPNProtocols: ["http/1.1"] }) : openTcp(to);
  let phase: "connect" | "handshake" | "open" = "connect";
  const opened = () => {
    phase = "open";
    done(socket);
  };
  if (place.secure) socket.once("connect", () => (phase = "handshake")).once("secureConnect", opened);
  else socket.once("connect", opened);
  socket.on("error", (error) => {
    if (phase !== "open") done(failureOf(error, phase));
  });
  return socket;
}

/** Node tries several addresses side by side (RFC 8305), but only these: its look-up is answered from what was vetted. */
function destination(place: Place, addresses: readonly LookupAddress[]): TcpNetConnectOpts {
  const [first] = addresses;
  if (first !== undefined && addresses.length === 1) return { host: first.address, port: place.port, noDelay: true };
  return {
    host: place.host,
    port: place.port,
    noDelay: true,
    autoSelectFamily: true,
    lookup: (_name, options, answer) => {
      if (options.all === true) answer(null, [...addresses]);
      else answer(null, first?.address ?? "", first?.family);
    },
  };
}

/** The name that the server chooses its certificate by, and that the certificate must be for. Addresses are not sent (RFC 6066), but checked. */
function servername(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host.replace(/\.$/, "") } : {};
}
