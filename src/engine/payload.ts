/** Bodies and excerpts: written before the commit that names them, read when they are needed and not earlier. */

import type { AnyRef } from "../core/item.ts";
import type { Body } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { type EpochMs, later, laterOf } from "../core/time.ts";
import type { Engine } from "./engine.ts";

/** A body as a caller sent it. */
export type BodyBytes = { readonly contentType: string; readonly bytes: Uint8Array };

/** When the last attempt of a job could start; its payloads must outlive that. */
type Lifetime = { readonly dueAt: EpochMs; readonly deadline: EpochMs | null; readonly retry: { readonly maxAgeMs: number } };

/**
 * Retention beyond the last possible attempt: an ended job shows its body's size only, but a first attempt that an outage held
 * up for days still needs the bytes.
 */
export function keptUntil(engine: Engine, job: Lifetime): EpochMs {
  const lastStart = job.deadline ?? later(laterOf(job.dueAt, engine.clock.now()), job.retry.maxAgeMs);
  return later(lastStart, limits.timeoutMsMax + engine.params.retentionMs);
}

/** Small bodies ride inside the item; larger ones are written beside it, under a name that never existed before. */
export async function keepBody(engine: Engine, owner: AnyRef, body: BodyBytes | null, until: EpochMs): Promise<Body | null> {
  if (body === null) return null;
  const { contentType, bytes } = body;
  const byteCount = bytes.byteLength;
  if (byteCount <= limits.inlineBodyBytesMax) return { contentType, byteCount, ...inline(bytes) };
  const payloadId = engine.ids.payload();
  await engine.store.writePayload(owner, { id: payloadId, bytes, keptUntil: until });
  return { contentType, byteCount, kept: "beside", payloadId, keptUntil: until };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function inline(bytes: Uint8Array): { kept: "inline"; text: string } | { kept: "inline_base64"; base64: string } {
  try {
    return { kept: "inline", text: utf8.decode(bytes) };
  } catch {
    // Not UTF-8: a string would alter the bytes.
    return { kept: "inline_base64", base64: Buffer.from(bytes).toString("base64") };
  }
}

/** "gone": the payload's time has passed. */
export async function readBody(engine: Engine, owner: AnyRef & { readonly body: Body | null }): Promise<Uint8Array | null | "gone"> {
  const { body } = owner;
  if (body === null) return null;
  switch (body.kept) {
    case "inline":
      return Buffer.from(body.text);
    case "inline_base64":
      return Buffer.from(body.base64, "base64");
    case "beside": {
      const [bytes] = await engine.store.readPayloads(owner, [body.payloadId]);
      return bytes ?? "gone";
    }
  }
}
