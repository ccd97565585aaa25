/** What is kept of an answer for people to look at: a bounded part of its head and body, without what could be a secret. */

import { limits } from "../core/limits.ts";
import type { Answer } from "../core/outcome.ts";

export type Excerpt = {
  readonly headers: Readonly<Record<string, string>>;
  /** The first bytes of the body as text; bytes that are no UTF-8 are shown as U+FFFD. */
  readonly body: string;
};

/** Headers whose value lets its bearer in. Shown as present, never in clear. */
const secretHeader =
  /^(?:set-cookie|cookie|authorization|proxy-authorization|www-authenticate|proxy-authenticate|authentication-info)$|token|secret|api-?key|signature|session/;

export function excerptOf(answer: Extract<Answer, { kind: "response" }>): Uint8Array {
  const headers: Record<string, string> = {};
  let left: number = limits.excerptHeaderBytesMax;
  for (const [name, value] of Object.entries(answer.headers)) {
    left -= name.length + value.length;
    if (left < 0) break;
    headers[name] = secretHeader.test(name) ? "***" : value;
  }
  const body = new TextDecoder().decode(answer.excerpt);
  return Buffer.from(JSON.stringify({ headers, body } satisfies Excerpt));
}

export function parseExcerpt(bytes: Uint8Array): Excerpt {
  return JSON.parse(new TextDecoder().decode(bytes)) as Excerpt;
}
