/**
 * The only outgoing HTTP of the project. HTTP/1.1, no redirects, no decompression, bounded answers, a total deadline, and the address
 * policy on every connection.
 */

import type { AllowList } from "../core/address.ts";
import type { EpochMs } from "../core/time.ts";
import type { Deliver } from "../engine/ports.ts";
import { Call, failedCall } from "./call.ts";
import type { Failure } from "./failure.ts";
import { createPool } from "./pool.ts";
import { createResolve, type Lookup, type Place } from "./resolve.ts";

export type DeliverOptions = {
  readonly allow: AllowList;
  readonly now: () => EpochMs;
  /** All addresses of a name, where the system's are not to be asked. */
  readonly lookup?: Lookup;
  /**
   * How many connections may be open for what is not sent yet: idle, or opened ahead. It does not bound the calls in flight, which
   * are the engine's to bound: a call that is sent gets a connection.
   */
  readonly connectionsMax?: number;
};

/** Room for two generations of 256 calls in flight, below the 1,024 file descriptors that Lambda gives a process. */
const connectionsMaxDefault = 512;

/** `close` ends every connection; calls that still run are answered "aborted". */
export function createDeliver(options: DeliverOptions): Deliver & { close(): Promise<void> } {
  const { now } = options;
  const pool = createPool({ resolve: createResolve(options), connectionsMax: options.connectionsMax ?? connectionsMaxDefault, now });
  return {
    prepare(url, timeoutMs) {
      const place = readPlace(url);
      return place === undefined ? failedCall(noPlace, now) : new Call({ pool, now, timeoutMs, ...place });
    },
    close: () => pool.close(),
  };
}

/** URLs are judged when a job is made; one that was stored and still cannot be called fails as a call, not as the process. */
const noPlace: Failure = { reason: "network", code: null, message: "expected an absolute URL that starts with http:// or https://" };

function readPlace(text: string): { place: Place; path: string } | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  const secure = url.protocol === "https:";
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  return { place: { origin: url.origin, secure, host, port }, path: url.pathname + url.search };
}
