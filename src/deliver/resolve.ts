/**
 * Turns the host of a URL into addresses that a connection may go to. Whoever connects must connect to these and not look the name
 * up again: a name that is public when judged and private when called (DNS rebinding) is the attack that this is for.
 */

import { promises as dns, type LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { type AllowList, judgeAddress, judgeUrl } from "../core/address.ts";
import { type Failure, failureOf } from "./failure.ts";

/** One server: what a connection is for. */
export type Place = {
  /** Names the place: scheme, host and port, as in `URL.origin`. */
  readonly origin: string;
  readonly secure: boolean;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
};

/** All addresses of a name; rejects with the system's error. */
export type Lookup = (name: string) => Promise<readonly LookupAddress[]>;

export type Vetted = { readonly addresses: readonly LookupAddress[] };

/** Never rejects. */
export type Resolve = (place: Place) => Promise<Vetted | Failure>;

/** getaddrinfo and not the DNS alone, so that the hosts file and the platform's resolver count as for every other program. */
const systemLookup: Lookup = (name) => dns.lookup(name, { all: true, order: "verbatim" });

export function createResolve({ allow, lookup = systemLookup }: { allow: AllowList; lookup?: Lookup }): Resolve {
  // getaddrinfo holds one of a few threads while it waits: a burst of calls to one name asks once. Each answer is still judged per call.
  const asking = new Map<string, Promise<readonly LookupAddress[]>>();
  const ask = (name: string) => {
    const asked = asking.get(name) ?? lookup(name).finally(() => asking.delete(name));
    asking.set(name, asked);
    return asked;
  };

  return async (place) => {
    const judged = judgeUrl(place.origin, allow);
    if (typeof judged === "object") return denied(judged.denied);
    const family = isIP(place.host);
    if (family !== 0) return { addresses: [{ address: place.host, family }] };
    try {
      const addresses = await ask(place.host);
      if (addresses.length === 0) return failureOf(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), "resolve");
      return judged === "open" ? { addresses } : vet(addresses, place.port, allow);
    } catch (error) {
      return failureOf(error instanceof Error ? error : new Error("lookup failed", { cause: error }), "resolve");
    }
  };
}

/**
 * One denied address denies the name. To drop it and take the others would let whoever owns the name probe, answer by
 * answer, and a public name with a private address in it is an attack or a mistake, never a target.
 */
function vet(addresses: readonly LookupAddress[], port: number, allow: AllowList): Vetted | Failure {
  for (const { address } of addresses) {
    const judged = judgeAddress(address, port, allow);
    if (judged !== "open") return denied(`the name resolves to an address that is not called: ${judged.denied}`);
  }
  return { addresses };
}

function denied(message: string): Failure {
  return { reason: "target_denied", code: null, message };
}
