/** The digest by which a repeated request is told from another one under the same idempotency key. */

import { createHash } from "node:crypto";

/**
 * The digest of a request as written, without its key: spacing and the order of names do not matter, everything else does. A
 * relative `delay` stays relative, so repeating it later is the same request. Part of the storage format.
 */
export function fingerprint(request: Readonly<Record<string, unknown>>): string {
  const { key: _key, ...written } = request;
  return createHash("sha256").update(canonical(written)).digest("base64url");
}

/** JSON with sorted names (as RFC 8785). The recursion is bounded by the depth that a request may have. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}
