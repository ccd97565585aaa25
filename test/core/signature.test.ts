import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import { parseSecret, sign } from "../../src/core/signature.ts";
import { always } from "../always.ts";
import { startAt } from "../builders.ts";

const keys = fc.uint8Array({ minLength: 24, maxLength: 64 });
const secretOf = (key: Uint8Array) => `whsec_${Buffer.from(key).toString("base64")}`;

/** What a receiver does with its copy of the secret. Throws where the signature does not hold. */
function receive(secret: string, message: { id: string; text: string; signature: string }): unknown {
  vi.useFakeTimers({ now: startAt });
  try {
    const headers = { "webhook-id": message.id, "webhook-timestamp": String(startAt / 1_000), "webhook-signature": message.signature };
    return new Webhook(secret).verify(message.text, headers);
  } finally {
    vi.useRealTimers();
  }
}

describe("a signature", () => {
  it("holds for a receiver that uses the standard's own library", () => {
    always(keys, fc.jsonValue(), (key, value) => {
      const text = JSON.stringify(value);
      const signature = sign({ id: "job_1", now: startAt, bytes: Buffer.from(text) }, [key]);
      expect(receive(secretOf(key), { id: "job_1", text, signature })).toEqual(JSON.parse(text));
    });
  });

  it("is over the exact bytes, also where they are no text", () => {
    always(keys, fc.uint8Array({ maxLength: 200 }), (key, bytes) => {
      // The library signs text; what it takes for a text of Latin-1 bytes is compared where the bytes are ASCII.
      const ascii = bytes.map((byte) => byte & 0x7f);
      const text = Buffer.from(ascii).toString("latin1");
      const theirs = new Webhook(secretOf(key)).sign("job_1", new Date(startAt), text);
      expect(sign({ id: "job_1", now: startAt, bytes: ascii }, [key])).toBe(theirs);
    });
    const key = new Uint8Array(32);
    const signatures = [[0xff], [0xfe], [0xef, 0xbf, 0xbd]].map((bytes) =>
      sign({ id: "a", now: startAt, bytes: Uint8Array.from(bytes) }, [key]),
    );
    expect(new Set(signatures).size).toBe(3);
  });

  it("with two keys holds for the holder of either, so a rotation breaks no receiver", () => {
    always(keys, keys, (oldKey, newKey) => {
      const signature = sign({ id: "job_1", now: startAt, bytes: Buffer.from("{}") }, [newKey, oldKey]);
      for (const key of [oldKey, newKey]) expect(receive(secretOf(key), { id: "job_1", text: "{}", signature })).toEqual({});
    });
  });

  it("does not hold for another key, another id or another body", () => {
    const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const signature = sign({ id: "job_1", now: startAt, bytes: Buffer.from("{}") }, [key]);
    expect(() => receive(secretOf(other), { id: "job_1", text: "{}", signature })).toThrow();
    expect(() => receive(secretOf(key), { id: "job_2", text: "{}", signature })).toThrow();
    expect(() => receive(secretOf(key), { id: "job_1", text: "{ }", signature })).toThrow();
  });
});

describe("a secret", () => {
  it("is read with and without its prefix", () => {
    always(keys, (key) => {
      expect(parseSecret(secretOf(key))).toEqual(Buffer.from(key));
      expect(parseSecret(secretOf(key).slice("whsec_".length))).toEqual(Buffer.from(key));
    });
  });

  it.each([
    ["is too short", secretOf(new Uint8Array(23))],
    ["is too long", secretOf(new Uint8Array(65))],
    ["is no base64", `whsec_${"!".repeat(40)}`],
    ["has a space within", `${secretOf(new Uint8Array(24)).slice(0, 20)} ${secretOf(new Uint8Array(24)).slice(20)}`],
    ["lacks its padding", secretOf(new Uint8Array(25)).replace(/=+$/, "")],
    ["is written in base64url", secretOf(new Uint8Array(30).fill(0xff)).replaceAll("/", "_")],
    ["is empty", ""],
  ])("that %s is none", (_, secret) => {
    expect(parseSecret(secret)).toBeUndefined();
  });
});
