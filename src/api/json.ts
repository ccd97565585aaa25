/** Bytes of a request to a JSON value, strictly: nothing is guessed, dropped or altered on the way. */

import { type Finding, scanJson } from "./scan.ts";

export type JsonRead =
  | { readonly ok: true; readonly value: unknown; readonly findings: readonly Finding[] }
  /** No JSON at all. `wrong` says where, and what was expected there. */
  | { readonly ok: false; readonly wrong: string };

// A byte order mark is kept, so that the scan can refuse it: RFC 8259 forbids to send one.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one JSON text. Findings (a doubled key, a number that would change, nesting beyond `depthMax`) are answered beside the
 * value, with their paths: whoever knows the shape decides what they spoil.
 */
export function readJson(bytes: Uint8Array, depthMax: number): JsonRead {
  const text = decode(bytes);
  if (text === undefined) return { ok: false, wrong: "expected UTF-8, got bytes that are not; encode the body as UTF-8" };
  if (text === "") return { ok: false, wrong: "expected a JSON object, got an empty body" };
  const scanned = scanJson(text, depthMax);
  if (!scanned.ok) return scanned;
  return { ok: true, value: JSON.parse(text), findings: scanned.findings };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    // The one thing that decoding can fail on; the caller is told so.
    return undefined;
  }
}
