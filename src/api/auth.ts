/**
 * Who may ask. With a key configured, a request carries it. Without one the home is open to its own machine, and the names in
 * `Host` and `Origin` must be the machine's own: else any web page could reach it through a name that it points to 127.0.0.1.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { type Problem, problem } from "./problem.ts";

export type Guard = {
  /** Undefined: the request may pass. */
  refusal(request: Request): Problem | undefined;
  /** Whether what is for the owner's eyes may be shown: health in full. */
  knows(request: Request): boolean;
};

export type Access =
  /** Whoever is on this machine. */
  | { readonly kind: "loopback" }
  /** Whoever knows the key. */
  | { readonly kind: "key"; readonly key: string }
  /** Every request that arrives: a door before this one has judged it. */
  | { readonly kind: "judged" };

/** `open`: a path that stays open when a key is configured. The guard of the machine's own names holds for it all the same. */
export function createGuard(access: Access): { readonly closed: Guard; readonly open: Guard } {
  if (access.kind !== "key") {
    const refusal = access.kind === "loopback" ? foreignName : () => undefined;
    const guard: Guard = { refusal, knows: () => true };
    return { closed: guard, open: guard };
  }
  const expected = digest(access.key);
  const knows = (request: Request) => {
    const given = bearer(request.headers.get("authorization"));
    // Digests are compared, for they have one length: the time tells nothing of the key, not even how long it is.
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
  return {
    closed: { refusal: (request) => (knows(request) ? undefined : unauthorized(request)), knows },
    open: { refusal: () => undefined, knows },
  };
}

function bearer(header: string | null): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(header ?? "")?.[1];
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function unauthorized(request: Request): Problem {
  const given = request.headers.has("authorization");
  const detail = given
    ? "The API key is not valid. Send the configured key as `Authorization: Bearer <key>`."
    : "This installation asks for an API key. Send it as `Authorization: Bearer <key>`.";
  return problem("unauthorized", detail, { "www-authenticate": given ? 'Bearer error="invalid_token"' : "Bearer" });
}

function foreignName(request: Request): Problem | undefined {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  const origin = request.headers.get("origin");
  if (isLoopbackHost(host) && (origin === null || isLoopbackName(nameOf(origin)))) return undefined;
  return problem(
    "forbidden",
    "Without an API key only this machine is served: call it as localhost, 127.0.0.1 or [::1], or configure ONTHEDOT_API_KEY to serve other names.",
  );
}

/** The usual spellings, known without parsing: this is asked of every request. */
const usualHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/;

function isLoopbackHost(host: string): boolean {
  return usualHost.test(host) || isLoopbackName(nameOf(`http://${host}`));
}

/** The host name in an origin, in its normal form; undefined for `null` and whatever else is no origin. */
function nameOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).hostname : undefined;
}

function isLoopbackName(name: string | undefined): boolean {
  if (name === undefined) return false;
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
}
