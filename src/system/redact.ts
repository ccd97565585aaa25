/**
 * The second net under the log: text from elsewhere, above all the messages of errors, is masked where it looks like a
 * credential, and cannot break out of its line.
 */

/**
 * Keys and signing secrets of onthedot; credentials in a header's form, whatever their scheme; user names and passwords, queries and
 * fragments in URLs; and whatever is written as the value of a telling name. Masks rather too much: a masked word costs a second
 * look, a leaked one a new key.
 */
const secretPatterns: readonly (readonly [pattern: RegExp, masked: string])[] = [
  [/\b(otd|whsec)_[A-Za-z0-9+/=_-]+/g, "$1_***"],
  [/\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{6,}/gi, "$1 ***"],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi, "$1***@"],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"']*)[?#][^\s"']*/gi, "$1?***"],
  [/((?:authorization|cookie)["']?\s*[:=]).*/gi, "$1 ***"],
  [/((?:api[-_]?key|passw(?:or)?d|secret|token)["']?\s*[:=]\s*["']?)[^\s"',;]+/gi, "$1***"],
];

/** What all patterns need one of, so that the many lines without any pay for one look only. */
const suspicious = /otd_|whsec_|:\/\/|bearer|basic|digest|key|authorization|cookie|passw|secret|token/i;

export function maskSecrets(text: string): string {
  if (!suspicious.test(text)) return text;
  return secretPatterns.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text);
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
