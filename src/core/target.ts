/** Where a job's call goes. The URL's and headers' rules are judged here, in words a caller can act on; the address behind the name, in `address.ts`. */

import { limits } from "./limits.ts";

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export type Method = (typeof methods)[number];

export type Target = {
  readonly url: string;
  readonly method: Method;
  /** Names in lower case, in the order given. */
  readonly headers: Readonly<Record<string, string>>;
};

/** GET and HEAD carry no body. */
export function takesBody(method: Method): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Set by onthedot or by HTTP itself on each call; a job that brought its own would forge or break them. */
const headersRefused = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "traceparent",
  "user-agent",
]);
const prefixesRefused = ["webhook-", "onthedot-"];
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible ASCII, space and tab inside: what every receiver reads alike. CR, LF and NUL would let a value become a header. */
const valuePattern = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/;

/** What is wrong with a URL, or the URL in its normal form. Credentials and fragments are refused: neither is sent as the caller expects. */
export function readUrl(text: string): { url: string } | { wrong: string } {
  if (text.length > limits.urlCharsMax) return { wrong: `expected at most ${limits.urlCharsMax} characters, got ${text.length}` };
  if (!URL.canParse(text)) return { wrong: 'expected an absolute URL such as "https://example.com/hook"' };
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { wrong: `expected a URL that starts with http:// or https://, got ${url.protocol}//` };
  }
  if (url.username !== "" || url.password !== "") {
    return { wrong: "expected a URL without user name and password; put credentials into an authorization header" };
  }
  if (url.hash !== "" || text.includes("#")) return { wrong: "expected a URL without a fragment (#…): fragments are never sent" };
  if (url.port === "0") return { wrong: "expected a port from 1 to 65535, got 0" };
  if (url.href.length > limits.urlCharsMax) {
    return { wrong: `expected at most ${limits.urlCharsMax} characters after percent-encoding, got ${url.href.length}` };
  }
  return { url: url.href };
}

/** What is wrong with one header of a job, or undefined. `name` is in lower case. */
export function wrongHeader(name: string, value: string): string | undefined {
  if (!tokenPattern.test(name)) return "expected a header name of letters, digits and !#$%&'*+-.^_`|~";
  if (headersRefused.has(name) || prefixesRefused.some((prefix) => name.startsWith(prefix))) {
    return `the header "${name}" is set by onthedot on every call; leave it out`;
  }
  if (!valuePattern.test(value)) return "expected a header value of printable ASCII without line breaks or outer spaces";
  return undefined;
}
