/** That a target gets the bytes that were meant for it, and the headers that say what they are. */

import { describe, expect, it } from "vitest";
import type { JobAnswer } from "../../src/api/answers.ts";
import { clientOf, type Recorded, type Subject } from "./subject.ts";

const bodyBytesMax = 256 * 1_024;

export function bodies(subject: Subject): void {
  const { send, ended, problem } = clientOf(subject);

  /** `request`: the JSON text as it goes over the wire, with "$url" for the recorder. */
  async function sentFor(request: string): Promise<{ job: JobAnswer; sent: Recorded }> {
    const { status, json } = await send<JobAnswer>("POST", "/v1/jobs", request.replace("$url", `${subject.recorderUrl()}/`));
    expect([status, json]).toEqual([201, expect.anything()]);
    const job = await ended(json.id);
    expect(job.state).toBe("succeeded");
    const sent = subject.recorded(json.id);
    if (sent === undefined) throw new Error(`expected the recorder to have seen ${json.id}`);
    return { job, sent };
  }

  describe.concurrent("a body", () => {
    it("of JSON arrives compact, its numbers, order and characters as they were", async () => {
      const { sent } = await sentFor(`{ "target": { "url": "$url" },
        "body": { "b" : [ 1, 2.50, -0.1e1, true, null ], "a": "\\u00fc \\ud83d\\ude00 \\u2028", "2": { }, "1": "x" } }`);
      const parsed = JSON.parse(sent.body.toString()) as unknown;
      expect(parsed).toEqual({ b: [1, 2.5, -1, true, null], a: "ü 😀 \u2028", "2": {}, "1": "x" });
      expect(sent.body.toString()).toBe(JSON.stringify(parsed));
      expect(sent.headers["content-type"]).toBe("application/json");
    });

    it("of text arrives byte for byte, at its largest too", async () => {
      // Two, three and four bytes a character, and those that JSON escapes.
      const awkward = 'ü€😀\r\n\t"\\\u0000\u2028';
      const text = `${awkward}${"ü".repeat((bodyBytesMax - Buffer.byteLength(awkward)) / 2)}`;
      const exact = text.padEnd(text.length + bodyBytesMax - Buffer.byteLength(text), "x");
      const { job, sent } = await sentFor(JSON.stringify({ target: { url: "$url" }, bodyText: exact }));
      expect(sent.body.equals(Buffer.from(exact))).toBe(true);
      expect(sent.body.byteLength).toBe(bodyBytesMax);
      expect(sent.headers["content-length"]).toBe(String(bodyBytesMax));
      expect(sent.headers["content-type"]).toMatch(/^text\/plain/);
      expect(job.body?.bytes).toBe(bodyBytesMax);
    });

    it("of one byte more is too large, however it is spelled", async () => {
      const target = { url: `${subject.recorderUrl()}/` };
      const tooLarge = Buffer.alloc(bodyBytesMax + 1, "x");
      for (const body of [{ bodyText: tooLarge.toString() }, { bodyBase64: tooLarge.toString("base64") }, { body: tooLarge.toString() }])
        await problem(413, "payload_too_large", "POST", "/v1/jobs", { target, ...body });
    });

    it("of base64 arrives as its bytes, all 256 of them", async () => {
      const bytes = Buffer.from(Array.from({ length: 1_024 }, (_, index) => index % 256));
      const { sent } = await sentFor(JSON.stringify({ target: { url: "$url" }, bodyBase64: bytes.toString("base64") }));
      expect(sent.body.equals(bytes)).toBe(true);
      expect(sent.headers["content-type"]).toBe("application/octet-stream");
    });

    it("goes under the content type that the job names", async () => {
      const target = { url: "$url", headers: { "Content-Type": "application/cloudevents+json" } };
      const { sent } = await sentFor(JSON.stringify({ target, body: {} }));
      expect(sent.headers["content-type"]).toBe("application/cloudevents+json");
      expect(sent.body.toString()).toBe("{}");
    });

    it("whose number a double would change is refused, not altered", async () => {
      const url = `${subject.recorderUrl()}/`;
      for (const number of ["12345678901234567890", "1e400"])
        await problem(400, "invalid_request", "POST", "/v1/jobs", `{"target":{"url":"${url}"},"body":{"n":${number}}}`);
    });
  });

  describe.concurrent("a call", () => {
    it("says which job, attempt and instant it is, and who calls", async () => {
      const { job, sent } = await sentFor('{ "target": { "url": "$url", "headers": { "X-Custom": "kept" } }, "delay": "200ms" }');
      expect(sent.headers).toMatchObject({
        "x-custom": "kept",
        "onthedot-job": job.id,
        "onthedot-attempt": "1",
        "onthedot-due-at": job.dueAt,
        "webhook-id": expect.stringMatching(/\S/),
        "webhook-timestamp": expect.stringMatching(/^\d{10}$/),
        traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
        "user-agent": expect.stringMatching(/^onthedot\/\d/),
      });
    });

    it("by GET carries no body", async () => {
      const { sent } = await sentFor('{ "target": { "url": "$url", "method": "GET" } }');
      expect([sent.body.byteLength, sent.headers["content-type"], sent.headers["transfer-encoding"]]).toEqual([0, undefined, undefined]);
    });

    it("sends a credential that no answer shows", async () => {
      const { job, sent } = await sentFor('{ "target": { "url": "$url", "headers": { "authorization": "Bearer hunter2" } } }');
      expect(sent.headers["authorization"]).toBe("Bearer hunter2");
      expect(JSON.stringify(job)).not.toContain("hunter2");
    });
  });
}
