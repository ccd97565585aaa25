import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { excerptOf, parseExcerpt } from "../../src/engine/excerpt.ts";
import { startAt } from "../builders.ts";

function excerpt(headers: Record<string, string>, bytes: Uint8Array = Buffer.from("ok")) {
  const answer = {
    kind: "response",
    sentAt: startAt,
    endedAt: startAt,
    status: 500,
    headers,
    excerpt: bytes,
    byteCount: 2,
    body: "complete",
  } as const;
  return parseExcerpt(excerptOf(answer));
}

describe("an excerpt", () => {
  it("has the headers and the body's beginning as text", () => {
    expect(excerpt({ "content-type": "text/plain", "x-request-id": "7" }, Buffer.from("ü€😀"))).toEqual({
      headers: { "content-type": "text/plain", "x-request-id": "7" },
      body: "ü€😀",
    });
  });

  it.each([
    ["set-cookie"],
    ["cookie"],
    ["authorization"],
    ["proxy-authorization"],
    ["www-authenticate"],
    ["x-auth-token"],
    ["x-csrf-token"],
    ["x-api-key"],
    ["apikey"],
    ["client-secret"],
    ["x-hub-signature-256"],
    ["x-session-id"],
  ])("shows that %s was there, and not its value", (name) => {
    const shown = excerpt({ [name]: "hunter2" });
    expect(shown.headers).toEqual({ [name]: "***" });
    expect(JSON.stringify(shown)).not.toContain("hunter2");
  });

  it("shows bytes that are no text as such, and does not fail on them", () => {
    expect(excerpt({}, Uint8Array.from([0x61, 0xff, 0x62])).body).toBe("a\u{fffd}b");
    expect(excerpt({}, Buffer.from("€").subarray(0, 2)).body).toBe("\u{fffd}");
  });

  it("is bounded, whatever the target sends", () => {
    const headers = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "v".repeat(100)]));
    const shown = excerpt(headers, new Uint8Array(limits.excerptBytesMax).fill(0xff));
    const headerChars = Object.entries(shown.headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    expect(headerChars).toBeLessThanOrEqual(limits.excerptHeaderBytesMax);
    expect(Object.keys(shown.headers).length).toBeGreaterThan(10);
    expect(shown.body.length).toBeLessThanOrEqual(limits.excerptBytesMax);
  });
});
