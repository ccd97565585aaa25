import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { openHome } from "../engine/home.ts";
import { healthy, openCaller, requestOf, target, wrongFields } from "./caller.ts";

const noneId = "job_00000000000000000000000000";

describe("bodies as HTTP carries them", () => {
  test.each([
    ["application/json", 201],
    ["application/json; charset=utf-8", 201],
    ['Application/JSON;charset="UTF-8"', 201],
    ["application/json; charset=latin1", 415],
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["application/merge-patch+json", 415],
    ["", 415],
  ])("of the type %j are answered %i", async (type, status) => {
    expect((await openCaller().send("POST", "/v1/jobs", { body: { target }, headers: { "content-type": type } })).status).toBe(status);
  });

  test("without a type are 415 and not taken for JSON", async () => {
    const request = requestOf("POST", "/v1/jobs", { body: { target } });
    request.headers.delete("content-type");
    const response = await openCaller().api.fetch(request);
    expect([response.status, JSON.parse(await response.text()).code]).toEqual([415, "unsupported_media_type"]);
  });

  test("that are empty are no JSON", async () => {
    for (const path of ["/v1/jobs", "/v1/jobs/batch"]) {
      const document = await openCaller().problem(400, "POST", path);
      expect([document.code, document.detail]).toEqual(["invalid_json", expect.stringContaining("empty body")]);
    }
  });

  test("that are compressed are 415, for nothing would unpack them", async () => {
    await openCaller().problem(415, "POST", "/v1/jobs", { body: { target }, headers: { "content-encoding": "gzip" } });
  });

  test.each([
    ["/v1/jobs", limits.requestBytesMax],
    ["/v1/jobs/batch", limits.batchBytesMax],
  ])("that declare more than the limit of %s are refused before a byte is read", async (path, bytesMax) => {
    let pulled = 0;
    const raw = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    await openCaller().problem(413, "POST", path, { raw, headers: { "content-length": String(bytesMax + 1) } });
    expect(pulled).toBe(0);
  });

  test("that declare nothing are read no further than the limit", async () => {
    let pulled = 0;
    const raw = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(64 * 1_024).fill(0x20));
      },
    });
    await openCaller().problem(413, "POST", "/v1/jobs", { raw });
    // As many pieces as the limit holds, and the few that a stream reads ahead.
    expect(pulled).toBeLessThan(limits.requestBytesMax / (64 * 1_024) + 4);
  });

  test("that arrive in pieces are put together", async () => {
    const bytes = Buffer.from(JSON.stringify({ target, bodyText: "é" }));
    const raw = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    await openCaller().job(201, "POST", "/v1/jobs", { raw });
  });

  test("that break off are the caller's problem and no error of ours", async () => {
    const caller = openCaller();
    const raw = new ReadableStream({ pull: (controller) => controller.error(new Error("ECONNRESET")) });
    await caller.problem(400, "POST", "/v1/jobs", { raw });
    expect(caller.logged).toEqual([]);
  });

  test("that are no UTF-8 are refused", async () => {
    expect((await openCaller().problem(400, "POST", "/v1/jobs", { raw: Uint8Array.of(0x7b, 0xff, 0x7d) })).code).toBe("invalid_json");
  });
});

describe("paths and methods", () => {
  test.each([
    "/",
    "/v1",
    "/v2/jobs",
    "/v1/jobs/",
    "/v1/jobs/a/b",
    `/v1/jobs/${noneId}/cancel/`,
    "/v1/schedules/a/b",
    "/v1/calendars/a/preview",
    "/openapi.yaml",
    "/v1//jobs",
    "/V1/jobs",
  ])("%s is no path", async (path) => {
    expect((await openCaller().problem(404, "GET", path)).code).toBe("not_found");
  });

  test.each([
    ["PUT", "/v1/jobs", "GET, HEAD, POST"],
    ["OPTIONS", "/v1/jobs", "GET, HEAD, POST"],
    ["constructor", "/v1/jobs", "GET, HEAD, POST, PATCH, PUT, DELETE"],
    ["__proto__", "/v1/jobs", "GET, HEAD, POST, PATCH, PUT, DELETE"],
    ["GET", "/v1/jobs/batch", "POST"],
    ["POST", `/v1/jobs/${noneId}`, "GET, HEAD, PATCH"],
    ["DELETE", `/v1/jobs/${noneId}`, "GET, HEAD, PATCH"],
    ["GET", `/v1/jobs/${noneId}/cancel`, "POST"],
    ["PUT", `/v1/jobs/${noneId}/replay`, "POST"],
    ["POST", "/v1/health", "GET, HEAD"],
    ["POST", "/v1/metrics", "GET, HEAD"],
    ["DELETE", "/openapi.json", "GET, HEAD"],
  ])("%s %s is 405 and allows %s", async (method, path, allow) => {
    const { status, headers } = await openCaller().send(method, path);
    expect([status, headers.get("allow")]).toEqual([405, allow]);
  });

  test("HEAD is answered as GET without a body", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    const { status, headers, text } = await caller.send("HEAD", `/v1/jobs/${id}`);
    expect([status, headers.get("etag"), text]).toEqual([200, '"1"', ""]);
  });

  test.each([
    ["POST", "/v1/jobs?dryRun=1"],
    ["GET", `/v1/jobs/${noneId}?fields=id`],
    ["POST", `/v1/jobs/${noneId}/cancel?force`],
    ["GET", "/v1/health?x=1"],
    ["GET", "/openapi.json?x=1"],
  ])("an unknown query parameter of %s %s is refused", async (method, path) => {
    expect(Object.values(wrongFields(await openCaller().problem(400, method, path)))).toEqual(["unknown_field"]);
  });
});

describe("request ids", () => {
  test.each(["my-request.1", "a".repeat(128), "9f86d081-884c-4d65", "Root=1-67:a/b+c"])("%s is kept", async (id) => {
    expect((await openCaller().send("GET", "/v1/health", { headers: { "x-request-id": id } })).headers.get("x-request-id")).toBe(id);
  });

  test.each(["", "a b", "a".repeat(129), "<script>", 'a"b', "é"])("%j is replaced", async (id) => {
    const answered = (await openCaller().send("GET", "/v1/health", { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(answered).toMatch(/^[\da-f-]{36}$/);
  });
});

describe("an open home", () => {
  test.each(["127.0.0.1:4000", "localhost", "localhost:4000", "[::1]:4000", "127.9.9.9", "app.localhost:3000", "LOCALHOST"])(
    "serves the host %s",
    async (host) => {
      expect((await openCaller().send("GET", "/v1/health", { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "evil.example:4000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.168.1.7:4000",
    "[::2]",
    "127.0.0.1@evil.example",
    ":",
    "notlocalhost",
  ])("refuses the host %s on every path, that of health too", async (host) => {
    for (const path of ["/v1/health", "/openapi.json", "/v1/jobs", "/nope"]) {
      expect((await openCaller().problem(403, "GET", path, { headers: { host } })).code).toBe("forbidden");
    }
  });

  test.each([
    ["http://localhost:3000", 201],
    ["http://127.0.0.1:4000", 201],
    ["https://evil.example", 403],
    ["null", 403],
    ["", 403],
  ])("answers the origin %j with %i", async (origin, status) => {
    expect((await openCaller().send("POST", "/v1/jobs", { body: { target }, headers: { origin } })).status).toBe(status);
  });
});

describe("a home with a key", () => {
  const key = "otd_abcdefghijklmnopqrstuvwx";
  const keyed = () => openCaller({ key });

  test.each([
    ["GET", "/v1/jobs"],
    ["POST", "/v1/jobs"],
    ["POST", "/v1/jobs/batch"],
    ["GET", `/v1/jobs/${noneId}`],
    ["PATCH", `/v1/jobs/${noneId}`],
    ["POST", `/v1/jobs/${noneId}/cancel`],
    ["POST", `/v1/jobs/${noneId}/replay`],
    ["GET", "/v1/metrics"],
    ["GET", "/nope"],
    ["DELETE", "/v1/jobs"],
  ])("asks for it on %s %s", async (method, path) => {
    const { status, headers } = await keyed().send(method, path);
    expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await keyed().send(method, path, { headers: { authorization: `Bearer ${key}` } })).status).not.toBe(401);
  });

  test.each([
    "Bearer wrong",
    `Bearer ${key}x`,
    `Bearer ${key.slice(0, -1)}`,
    `Basic ${key}`,
    key,
    `Bearer ${key} ${key}`,
    "Bearer",
    `bearer${key}`,
  ])("refuses %j, and repeats nothing of it", async (authorization) => {
    const { status, text } = await keyed().send("GET", "/v1/jobs", { headers: { authorization } });
    expect(status).toBe(401);
    expect(text).not.toContain(key.slice(0, -1));
    expect(text).not.toContain("wrong");
  });

  test("takes the scheme in any case", async () => {
    expect((await keyed().send("GET", "/v1/jobs", { headers: { authorization: `bearer ${key}` } })).status).toBe(200);
  });

  test("serves any host", async () => {
    expect((await keyed().send("GET", "/v1/jobs", { headers: { authorization: `Bearer ${key}`, host: "api.example" } })).status).toBe(200);
  });

  test("shows the status alone to whoever does not know it, and all to whoever does", async () => {
    expect(JSON.parse((await keyed().send("GET", "/v1/health")).text)).toEqual({ status: "ok" });
    const full = await keyed().send("GET", "/v1/health", { headers: { authorization: `Bearer ${key}` } });
    expect(JSON.parse(full.text)).toEqual({ ...healthy, version: "0.0.0-test" });
    expect((await keyed().send("GET", "/openapi.json")).status).toBe(200);
  });
});

describe("health and metrics", () => {
  const failing = async () => ({ ...healthy, status: "failing" as const, checks: { ...healthy.checks, store: "the disk is full" } });

  test("health without a key configured is answered in full", async () => {
    expect(JSON.parse((await openCaller().send("GET", "/v1/health")).text)).toEqual({ ...healthy, version: "0.0.0-test" });
  });

  test("a home that is not well answers 503 with what is wrong", async () => {
    const document = await openCaller({ health: failing }).problem(503, "GET", "/v1/health");
    expect([document.code, document.detail, document.checks?.["store"]]).toEqual([
      "unavailable",
      "Not healthy: the disk is full",
      "the disk is full",
    ]);
  });

  test("what is wrong is not told to whoever does not know the key", async () => {
    const { status, text } = await openCaller({ health: failing, key: "otd_abcdefghijklmnopqrstuvwx" }).send("GET", "/v1/health");
    expect([status, text.includes("disk")]).toEqual([503, false]);
  });

  test("metrics are Prometheus text", async () => {
    const response = await openCaller().api.fetch(requestOf("GET", "/v1/metrics", {}));
    expect([response.headers.get("content-type"), await response.text()]).toEqual([
      "text/plain; version=0.0.4; charset=utf-8",
      "onthedot_up 1\n",
    ]);
  });
});

describe("what goes wrong behind the API", () => {
  function failingWith(cause: Error) {
    const home = openHome();
    const fail = async () => Promise.reject(cause);
    return openCaller({
      home: { ...home, engine: { ...home.engine, store: { ...home.engine.store, insert: fail, load: fail, list: fail } } },
    });
  }

  test.each([
    ["POST", "/v1/jobs", { target }],
    ["GET", "/v1/jobs", undefined],
    ["GET", `/v1/jobs/${noneId}`, undefined],
    ["PATCH", `/v1/jobs/${noneId}`, { priority: "low" }],
    ["POST", `/v1/jobs/${noneId}/cancel`, undefined],
  ])("an outage is 503 with Retry-After for %s %s, a bug 500, and neither tells its cause", async (method, path, body) => {
    const outage = failingWith(new OutageError("secret table of acme"));
    const away = await outage.send(method, path, { body });
    expect([away.status, away.headers.get("retry-after")]).toEqual([503, "2"]);
    const bug = failingWith(new TypeError("secret table of acme"));
    const broken = await bug.send(method, path, { body, headers: { "x-request-id": "mine" } });
    expect(broken.status).toBe(500);
    expect(away.text + broken.text).not.toContain("secret");
    expect(bug.logged).toMatchObject([{ level: "error", requestId: "mine", cause: expect.any(TypeError) }]);
    expect(outage.logged).toMatchObject([{ level: "warn" }]);
  });
});
