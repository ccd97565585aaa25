/** Why a call brought no answer: what the system, TLS or the parser said, in the closed set of reasons and in a sentence for people. */

import { errors } from "undici";
import type { FailureReason } from "../core/outcome.ts";

export type Failure = {
  readonly reason: FailureReason;
  /** The code of the system, of TLS or of the HTTP parser. */
  readonly code: string | null;
  /** Holds no header, no part of a body, and no address that a name resolved to. */
  readonly message: string;
};

/** Where a failure happened decides its reason: the same ECONNRESET is another thing during a handshake and inside a body. */
export type Phase = "resolve" | "connect" | "handshake" | "answer" | "body";

const sentences: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name does not resolve to an address",
  EAI_AGAIN: "the name could not be looked up now",
  ECONNREFUSED: "the target refused the connection",
  ECONNRESET: "the target reset the connection",
  EPIPE: "the target closed the connection while the request was sent",
  ETIMEDOUT: "the target did not answer the connection",
  EHOSTUNREACH: "no route leads to the target",
  ENETUNREACH: "no route leads to the target's network",
  EMFILE: "this host has no file descriptor left for a connection",
  CERT_HAS_EXPIRED: "the target's certificate has expired",
  CERT_NOT_YET_VALID: "the target's certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the target's certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the target's certificate comes from an authority that is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the target's certificate comes from an authority that is not trusted",
  /** Told before a body began: a head that contradicts itself. */
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the head of the answer is not HTTP/1.1",
  ERR_TLS_CERT_ALTNAME_INVALID: "the target's certificate is for another name",
};

/** The socket's own codes. In a handshake they mean the network, not the certificate. */
const networkCodes = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EMFILE"]);

/** undici's codes for a request that it refuses to write, which is a bug of ours. */
const unsendable = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"]);
/** undici's code for a head that grew beyond its bound. */
const overflow = "UND_ERR_HEADERS_OVERFLOW";

export function failureOf(error: Error, phase: Phase): Failure {
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  if (code === overflow) return { reason: "too_large", code: null, message: "expected a head of at most 16 KiB" };
  if (code !== null && unsendable.has(code))
    return { reason: "network", code: null, message: "expected a request that HTTP/1.1 can carry" };
  switch (phase) {
    case "resolve":
      return { reason: "dns", code, message: sentenceOf(code, "the name could not be looked up") };
    case "connect":
      return { reason: "network", code, message: sentenceOf(code, "the connection could not be opened") };
    case "handshake":
      if (code !== null && networkCodes.has(code)) return { reason: "network", code, message: sentenceOf(code, "") };
      return { reason: "tls", code, message: sentenceOf(code, "the TLS handshake failed") };
    case "answer":
      if (isGarbage(error)) return garbage(code, error);
      return { reason: "network", code: publicCode(code), message: sentenceOf(code, "the connection ended before an answer came") };
    case "body":
      if (isGarbage(error)) return garbage(code, error);
      return { reason: "truncated", code: publicCode(code), message: "the connection ended inside the answer's body" };
  }
}

/** The parser met bytes that are not HTTP. Where it met the end of the connection instead, it has no bytes to show. */
function isGarbage(error: Error): boolean {
  return error instanceof errors.HTTPParserError && "data" in error && error.data !== "";
}

/** The parser's message names a rule of HTTP and nothing of the answer. Its code is missing in undici 8.12: nothing maps its numbers to names. */
function garbage(code: string | null, error: Error): Failure {
  return { reason: "network", code, message: error.message };
}

function sentenceOf(code: string | null, otherwise: string): string {
  return sentences[code ?? ""] ?? otherwise;
}

/** undici's own codes name the library and not what happened. */
function publicCode(code: string | null): string | null {
  return code?.startsWith("UND_ERR_") === true ? null : code;
}
