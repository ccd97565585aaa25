/** The bytes of a request: never more than its limit in memory, and only JSON. */

import { type Problem, problem, type Read, refused } from "./problem.ts";

/**
 * Reads the whole body. A length that is declared is judged before a byte is read; one that is not, while reading. Empty
 * bytes need no content type; whether they will do is the caller's matter.
 */
export async function readContent(request: Request, bytesMax: number): Promise<Read<Uint8Array>> {
  const type = request.headers.get("content-type");
  const wrongType = wrongContentType(type, request.headers.get("content-encoding"));
  if (type !== null && wrongType !== undefined) return refused(wrongType);
  const length = request.headers.get("content-length");
  const declared = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  if (declared !== undefined && declared > bytesMax) return refused(tooLarge(bytesMax));
  const content = declared === undefined ? await readStream(request, bytesMax) : await readDeclared(request, bytesMax);
  if (content.ok && content.value.byteLength > 0 && wrongType !== undefined) return refused(wrongType);
  return content;
}

function wrongContentType(type: string | null, encoding: string | null): Problem | undefined {
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    return problem(
      "unsupported_media_type",
      `expected a body without Content-Encoding, got ${JSON.stringify(encoding)}; send it uncompressed`,
    );
  }
  if (type === null) return problem("unsupported_media_type", "expected a body with a type, got none; send Content-Type: application/json");
  if (/^application\/json *(?:; *charset="?utf-8"? *)?$/i.test(type)) return undefined;
  const got = JSON.stringify(type.slice(0, 80));
  return problem("unsupported_media_type", `expected JSON in UTF-8, got ${got}; send it with Content-Type: application/json`);
}

function tooLarge(bytesMax: number): Problem {
  return problem(
    "payload_too_large",
    `expected a request of at most ${bytesMax} bytes, got more; send less, or put large data where the target can fetch it`,
  );
}

/** A server that names the length has bounded the body by it: reading at once is many times cheaper than a stream. */
async function readDeclared(request: Request, bytesMax: number): Promise<Read<Uint8Array>> {
  try {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.byteLength > bytesMax ? refused(tooLarge(bytesMax)) : { ok: true, value: bytes };
  } catch {
    return refused(cutShort());
  }
}

async function readStream(request: Request, bytesMax: number): Promise<Read<Uint8Array>> {
  if (request.body === null) return { ok: true, value: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { ok: true, value: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) };
      byteCount += value.byteLength;
      if (byteCount > bytesMax) {
        await reader.cancel();
        return refused(tooLarge(bytesMax));
      }
      chunks.push(value);
    }
  } catch {
    return refused(cutShort());
  }
}

/** Reading fails only when the caller's connection does: it is the caller's news, and no fault of ours to log. */
function cutShort(): Problem {
  return problem("invalid_json", "The body ended before it was complete; nothing was done. Send the request again.");
}
