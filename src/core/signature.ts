/**
 * Standard Webhooks signatures (standardwebhooks.com, version 1): HMAC-SHA256 over "id.timestamp.body", made for each attempt over
 * the exact bytes that are sent.
 */

import { createHmac } from "node:crypto";
import { type EpochMs, secondMs } from "./time.ts";

const secretPrefix = "whsec_";
/** The specification's bounds for a key, in bytes. */
const keyBytesMin = 24;
const keyBytesMax = 64;

/** A secret as its owner holds it, `whsec_` and base64; undefined when it is not one. */
export function parseSecret(secret: string): Uint8Array | undefined {
  const base64 = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret;
  const key = Buffer.from(base64, "base64");
  // Buffer skips what is not base64; only a round trip shows that nothing was skipped.
  if (key.toString("base64") !== base64) return undefined;
  return key.byteLength >= keyBytesMin && key.byteLength <= keyBytesMax ? key : undefined;
}

/** The value of `webhook-signature`: one signature for each key, so that a rotation breaks no receiver. */
export function sign(message: { id: string; now: EpochMs; bytes: Uint8Array }, keys: readonly Uint8Array[]): string {
  const head = `${message.id}.${Math.floor(message.now / secondMs)}.`;
  return keys.map((key) => `v1,${createHmac("sha256", key).update(head).update(message.bytes).digest("base64")}`).join(" ");
}
