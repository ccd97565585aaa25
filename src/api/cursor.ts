/**
 * The place in a list at which the next page begins. Opaque to callers, signed, and good only for the tenant and the filter
 * that it was made for: one altered or taken elsewhere is refused instead of silently showing another list.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { TenantId } from "../core/ids.ts";
import { toEpochMs } from "../core/time.ts";
import type { ListKey } from "../engine/ports.ts";
import { fieldProblem, type Problem } from "./problem.ts";

/** What a cursor is bound to. `filter` is any text that is the same for the same filter. */
export type CursorScope = { readonly key: Uint8Array; readonly tenant: TenantId; readonly filter: string };

/** 128 bits: far beyond guessing, and half as long in a URL. */
const macBytes = 16;
const cursorCharsMax = 256;

export function writeCursor(place: ListKey, scope: CursorScope): string {
  const payload = Buffer.from(`${place.createdAt} ${place.id}`);
  return Buffer.concat([mac(payload, scope), payload]).toString("base64url");
}

/** Undefined: not a cursor that `writeCursor` made for this scope. */
export function readCursor(text: string, scope: CursorScope): ListKey | undefined {
  if (text.length > cursorCharsMax) return undefined;
  const bytes = Buffer.from(text, "base64url");
  // Buffer.from skips what it cannot read; several texts would be one cursor.
  if (bytes.toString("base64url") !== text || bytes.length <= macBytes) return undefined;
  const payload = bytes.subarray(macBytes);
  if (!timingSafeEqual(bytes.subarray(0, macBytes), mac(payload, scope))) return undefined;
  const [createdAt = "", id = ""] = payload.toString().split(" ");
  return { createdAt: toEpochMs(Number(createdAt)), id };
}

export function cursorProblem(): Problem {
  const message = "expected the nextCursor of a page with the same filter, got something else; begin again without a cursor";
  return fieldProblem("invalid_request", [{ field: "cursor", code: "invalid_value", message }]);
}

function mac(payload: Uint8Array, { key, tenant, filter }: CursorScope): Buffer {
  // Lengths first, so that no tenant and filter can be shifted into another pair of the same bytes.
  const head = JSON.stringify(["cursor", tenant, filter]);
  return createHmac("sha256", key).update(`${head.length} ${head}`).update(payload).digest().subarray(0, macBytes);
}
