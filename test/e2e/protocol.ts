/** That the door speaks HTTP as it promises: paths, methods, media types, problems, and what it says of itself. */

import { describe, expect, it } from "vitest";
import { clientOf, type Subject } from "./subject.ts";

export function protocol(subject: Subject): void {
  const { send, problem } = clientOf(subject);
  const noneId = "job_00000000000000000000000000";

  describe.concurrent("the API", () => {
    it("knows neither a path nor a job that does not exist, and tells no malformed id from a foreign one", async () => {
      await problem(404, "not_found", "GET", "/v2/jobs");
      await problem(404, "not_found", "GET", "/");
      const [foreign, malformed] = await Promise.all(
        [noneId, "job_constructor"].map((id) => problem(404, "not_found", "GET", `/v1/jobs/${id}`)),
      );
      expect(malformed?.detail.replace("job_constructor", noneId)).toBe(foreign?.detail);
      for (const path of [`/v1/jobs/${noneId}/cancel`, `/v1/jobs/${noneId}/replay`]) await problem(404, "not_found", "POST", path);
      await problem(404, "not_found", "PATCH", `/v1/jobs/${noneId}`, { priority: "low" });
    });

    it.each([
      ["DELETE", "/v1/jobs", "GET, HEAD, POST"],
      ["PUT", `/v1/jobs/${noneId}`, "GET, HEAD, PATCH"],
      ["GET", "/v1/jobs/batch", "POST"],
      ["POST", "/v1/health", "GET, HEAD"],
    ])("answers %s %s with what it takes instead", async (method, path, allowed) => {
      expect((await problem(405, "method_not_allowed", method, path)).headers.get("allow")).toBe(allowed);
    });

    it.each(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"])("does not take %s", async (type) => {
      await problem(415, "unsupported_media_type", "POST", "/v1/jobs", "{}", { "content-type": type });
    });

    it.each(["", "{", "[1", '{"target":1,"target":2}', "\u0000"])("calls %j no JSON, with where it breaks", async (text) => {
      await problem(400, "invalid_json", "POST", "/v1/jobs", text);
    });

    it("refuses a request that no job could need the size of", async () => {
      await problem(413, "payload_too_large", "POST", "/v1/jobs", `{"bodyText":"${"x".repeat(2_000_000)}"}`);
    });

    it("keeps a caller's request id, and makes one of its own for each other request", async () => {
      const given = await send("GET", "/v1/jobs?limit=1", undefined, { "x-request-id": "trace-17" });
      expect(given.headers.get("x-request-id")).toBe("trace-17");
      const own = await Promise.all([1, 2].map(async () => (await send("GET", "/v1/health")).headers.get("x-request-id")));
      expect(new Set([...own, null]).size).toBe(3);
    });

    it("describes each of its calls in an OpenAPI 3.1 document", async () => {
      const { status, json } = await send<{ openapi: string; paths: Record<string, Record<string, unknown>> }>("GET", "/openapi.json");
      expect([status, json.openapi]).toEqual([200, expect.stringMatching(/^3\.1\./)]);
      const calls = Object.entries(json.paths).flatMap(([path, methods]) =>
        Object.keys(methods)
          .filter((method) => /^(?:get|post|put|patch|delete)$/.test(method))
          .map((method) => `${method.toUpperCase()} ${path}`),
      );
      expect(calls).toEqual(
        expect.arrayContaining([
          "POST /v1/jobs",
          "GET /v1/jobs",
          "POST /v1/jobs/batch",
          "GET /v1/jobs/{id}",
          "PATCH /v1/jobs/{id}",
          "POST /v1/jobs/{id}/cancel",
          "POST /v1/jobs/{id}/replay",
        ]),
      );
    });

    it("says that it is well, and which version it is", async () => {
      const count = subject.counts === "itself" ? expect.any(Number) : null;
      const { status, json } = await send("GET", "/v1/health");
      expect(status).toBe(200);
      expect(json).toMatchObject({
        status: "ok",
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        checks: {
          store: "ok",
          clock: "ok",
          wheel: { behindMs: count, waiting: count, running: count },
        },
      });
    });
  });

  if (subject.counts === "itself") counted(subject);
  else
    it("counts elsewhere what it does, and has no such path", async () => {
      await problem(404, "not_found", "GET", "/v1/metrics");
    });
}

function counted(subject: Subject): void {
  const { create, ended } = clientOf(subject);

  it("counts what it did in the text that Prometheus reads", async () => {
    const job = await create("/");
    await ended(job.id);
    const response = await subject.fetch(`${subject.baseUrl()}/v1/metrics`, { headers: subject.headers() });
    const text = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, expect.stringMatching(/^text\/plain; version=/)]);
    expect(text.endsWith("\n")).toBe(true);
    const line = /^(?:# (?:HELP|TYPE) \S+ .+|[a-zA-Z_:][\w:]*(?:\{[^}]*\})? (?:[-+]?[\d.]+(?:e[-+]?\d+)?|[-+]Inf|NaN))$/;
    expect(text.split("\n").filter((each) => each !== "" && !line.test(each))).toEqual([]);
    expect(text).toMatch(/^onthedot_\w*lateness\w*_count(?:\{[^}]*\})? [1-9]/m);
  });
}
