/**
 * The second net under the log: text from elsewhere, above all the messages of errors, is masked where it looks like a
 * credential, and cannot break out of its line.
 */

import { maskNamed } from "./namedSecrets.ts";

/** To the end of the block, or of the text where that was cut. */
const privateKeys = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/gs;

/**
 * Keys and signing secrets of onthedot; credentials in a header's form, whatever their scheme; user names and passwords, queries and
 * fragments in URLs. Where a word begins is not asked: an escaped line break before it ends in a letter.
 */
const secretPatterns: readonly (readonly [pattern: RegExp, masked: string])[] = [
  [/(otd|whsec)_[A-Za-z0-9+/=_-]+/g, "$1_***"],
  [/(bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{6,}/gi, "$1 ***"],
  [/([a-z0-9+.-]:\/\/)(?:[^\s/?#@]*@)+/gi, "$1***@"],
];

/** Whole URLs, so that each is looked at once; and in one of them the query and the fragment. */
const urls = /:\/\/[^\s"']*/g;
const query = /[?#].*/s;

/** What all of it needs one of, so that the many lines without any pay for one look only. */
const suspicious = /otd_|whsec_|:\/\/|bearer|basic|digest|key|authorization|cookie|passw|passphrase|secret|token|credential/i;

/** Masks rather too much: a masked word costs a second look, a leaked one a new key. */
export function maskSecrets(text: string): string {
  if (!suspicious.test(text)) return text;
  // What stands under a telling name goes first: what is a secret might look like the end of a URL.
  const named = maskNamed(text.replace(privateKeys, "***"));
  const masked = secretPatterns.reduce((soFar, [pattern, replacement]) => soFar.replace(pattern, replacement), named);
  return masked.replace(urls, (url) => url.replace(query, "?***"));
}

/** Text from outside could else forge a line of its own, or move the cursor of the terminal that shows it. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

export type Described = {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: Described;
};

/** A chain of causes deeper than this is a loop or noise. */
const causesMax = 4;

/** An error as plain data, its causes below it. Only these properties: a client's error may carry the request on it, headers and all. */
export function describeCause(cause: unknown, depth: "message" | "stack", left = causesMax): Described {
  if (!(cause instanceof Error)) return { name: typeof cause, message: maskSecrets(String(cause)) };
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  return {
    name: cause.name,
    message: maskSecrets(cause.message),
    ...(code === undefined ? {} : { code }),
    ...(depth === "stack" && cause.stack !== undefined ? { stack: maskSecrets(cause.stack) } : {}),
    ...(cause.cause === undefined || left <= 1 ? {} : { cause: describeCause(cause.cause, depth, left - 1) }),
  };
}
