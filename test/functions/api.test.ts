/** The door of the HTTP API, fed requests as API Gateway hands them over: what reaches the API, and what comes back. */

import { afterAll, describe, expect, it, vi } from "vitest";
import type { AdminKey } from "../../functions/adminKey.ts";
import type { Access } from "../../src/api/auth.ts";
import { ProblemDocument } from "../../src/api/problem.ts";
import { limits } from "../../src/core/limits.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { openCaller, requestOf, target } from "../api/caller.ts";
import { type Home, openHome } from "../engine/home.ts";
import { contextOf } from "./environment.ts";
import { httpEvent, otherRequests } from "./httpEvents.ts";
import { stubEnvironment, writtenBy } from "./instance.ts";
import { foreignEvents } from "./sqsEvents.ts";

stubEnvironment("api");
const { createApiDoor, handler } = await import("../../functions/api.ts");
afterAll(() => {
  vi.unstubAllEnvs();
});

const key = "otd_0123456789abcdef";
const context = contextOf("api", 29_000);

type Answered = {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
};

function open(given: { adminKey?: () => Promise<AdminKey>; access?: Access; home?: Home; refuseWhenOff?: () => Promise<void> } = {}) {
  const home = given.home ?? openHome();
  // No executor hears of what is made here.
  home.hints.stop();
  const logged: { level: string; message: string; cause: unknown }[] = [];
  const made: string[] = [];
  const counted: string[] = [];
  const answer = createApiDoor({
    adminKey: given.adminKey ?? (async () => ({ key, cursorKey: Buffer.from("cursors") })),
    apiFor: (adminKey) => {
      made.push(adminKey.key);
      return openCaller({ home, access: given.access ?? { kind: "key", key: adminKey.key } }).api;
    },
    refuseWhenOff: given.refuseWhenOff ?? (async () => {}),
    metrics: { count: (name) => void counted.push(name) },
    log: Object.assign(
      (level: string, message: string, fields?: { cause?: unknown }) => void logged.push({ level, message, cause: fields?.cause }),
      {
        isOn: () => true,
      },
    ),
  });
  const raw = (event: unknown) => answer(event, context) as Promise<unknown> as Promise<Answered>;
  /** With the key, unless the headers bring another. */
  const send = (method: string, path: string, { headers, ...more }: Parameters<typeof httpEvent>[2] = {}) =>
    raw(httpEvent(method, path, { headers: { authorization: `Bearer ${key}`, ...headers }, ...more }));
  const post = (body: unknown, headers = {}) =>
    send("POST", "/v1/jobs", { body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });
  return { home, logged, made, counted, raw, send, post };
}

function problemOf({ statusCode, headers, body }: Answered): ProblemDocument {
  expect(headers["content-type"]).toBe("application/problem+json");
  const document = ProblemDocument.parse(JSON.parse(body));
  expect([document.status, document.requestId]).toEqual([statusCode, headers["x-request-id"]]);
  return document;
}

describe("a request", () => {
  it("with JSON makes a job, and the answer is one that API Gateway takes", async () => {
    const { post } = open();
    const answered = await post({ target, key: "order-17" });
    expect(answered).toEqual({
      statusCode: 201,
      isBase64Encoded: false,
      headers: {
        ...{ "content-type": "application/json", "cache-control": "no-store", "x-request-id": "JKJaXmPLvHcESHA=" },
        ...{ etag: '"1"', location: `/v1/jobs/${JSON.parse(answered.body).id}` },
      },
      body: expect.any(String),
    });
    expect(JSON.parse(answered.body)).toMatchObject({ state: "waiting", target });
    // Asked once more by its key, it is the same job.
    expect(await post({ target, key: "order-17" })).toMatchObject({ statusCode: 200, body: answered.body });
  });

  it("with a query reads it as the caller wrote it, repeated parameters and escapes alike", async () => {
    const { post, send } = open();
    await post({ target, labels: { order: "a b&c", place: "Köln" } });
    await post({ target, labels: { order: "other" } });
    const list = async (query: string) => JSON.parse((await send("GET", `/v1/jobs?${query}`)).body).data.length as number;
    expect(await list("state=waiting&state=running&limit=5")).toBe(2);
    expect(await list("label=order%3Aa%20b%26c")).toBe(1);
    expect(await list("label=order%3Aa+b%26c&label=place:K%C3%B6ln")).toBe(1);
    expect(await list("state=failed")).toBe(0);
    expect(problemOf(await send("GET", "/v1/jobs?limit=5&limit=6")).status).toBe(400);
  });

  it.each(["#old", "?old", "\n", "\\old"])(
    "whose path API Gateway has decoded to one that ends with %j is for no other schedule",
    async (end) => {
      const { raw } = open();
      const when = { cron: "0 9 * * *" };
      const body = JSON.stringify({ when, job: { target } });
      const to = (method: string, rawPath: string, given = {}) =>
        raw({
          ...httpEvent(method, "/", { headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, ...given }),
          rawPath,
        });
      const refusal = problemOf(await to("PUT", `/v1/schedules/nightly${end}`, { body }));
      expect([refusal.status, refusal.errors]).toMatchObject([400, [{ field: "name", code: "invalid_format" }]]);
      expect((await to("PUT", "/v1/schedules/nightly", { body })).statusCode).toBe(201);
      for (const method of ["GET", "DELETE"]) expect((await to(method, `/v1/schedules/nightly${end}`)).statusCode).toBe(404);
      expect((await to("GET", "/v1/schedules/nightly")).statusCode).toBe(200);
    },
  );

  it("walks a list by its cursors", async () => {
    const { post, send } = open();
    for (let index = 0; index < 3; index++) await post({ target });
    const first = JSON.parse((await send("GET", "/v1/jobs?limit=2")).body);
    const second = JSON.parse((await send("GET", `/v1/jobs?limit=2&cursor=${first.nextCursor}`)).body);
    expect([first.data.length, second.data.length, second.nextCursor]).toEqual([2, 1, null]);
  });

  it("whose body comes in base64 is read as its bytes", async () => {
    const { send } = open();
    const body = Buffer.from(JSON.stringify({ target, labels: { place: "Köln" } })).toString("base64");
    const answered = await send("POST", "/v1/jobs", { body, isBase64Encoded: true, headers: { "content-type": "application/json" } });
    expect(answered.statusCode).toBe(201);
    expect(JSON.parse(answered.body).labels).toEqual({ place: "Köln" });
    const cut = Buffer.from([0x7b, 0xff, 0xfe]).toString("base64");
    expect(
      problemOf(await send("POST", "/v1/jobs", { body: cut, isBase64Encoded: true, headers: { "content-type": "application/json" } })).code,
    ).toBe("invalid_json");
  });

  it("with HEAD is answered as GET is, without a body", async () => {
    const { send } = open();
    const answered = await send("HEAD", "/v1/jobs");
    expect([answered.statusCode, answered.body, answered.headers["content-type"]]).toEqual([200, "", "application/json"]);
  });

  it("with GET or HEAD and a body, which API Gateway lets pass, is served without it", async () => {
    const { send } = open();
    for (const method of ["GET", "HEAD"])
      expect(await send(method, "/v1/jobs", { body: "{}", headers: { "content-type": "application/json" } })).toMatchObject({
        statusCode: 200,
      });
  });

  it("with cookies, an empty header or none at all is served", async () => {
    const { send, raw } = open();
    expect(await send("GET", "/v1/jobs", { cookies: ["a=1", "b=2"], headers: { "x-empty": "" } })).toMatchObject({ statusCode: 200 });
    expect((await raw({ ...httpEvent("GET", "/v1/jobs"), headers: {} })).statusCode).toBe(401);
  });

  it("for a path that there is not, or by a method that it does not take, is told so by a problem", async () => {
    const { send } = open();
    expect(problemOf(await send("GET", "/v1/nothing")).code).toBe("not_found");
    expect(problemOf(await send("GET", "//v1/jobs")).code).toBe("not_found");
    const wrong = await send("DELETE", "/v1/jobs");
    expect([problemOf(wrong).code, wrong.headers["allow"]]).toEqual(["method_not_allowed", "GET, HEAD, POST"]);
  });

  it("that is broken or too large is told so by a problem", async () => {
    const { send, post } = open();
    const headers = { "content-type": "application/json" };
    expect(problemOf(await send("POST", "/v1/jobs", { body: '{"target":', headers })).code).toBe("invalid_json");
    expect(problemOf(await send("POST", "/v1/jobs", { headers })).status).toBe(400);
    expect(problemOf(await post({ target, body: "x".repeat(limits.bodyBytesMax + 1) })).status).toBe(413);
    expect(problemOf(await post({ target, body: "x".repeat(limits.requestBytesMax) })).status).toBe(413);
    // As large as Lambda takes.
    const largest = Buffer.alloc(4_500_000, " ").toString("base64");
    expect(problemOf(await send("POST", "/v1/jobs", { body: largest, isBase64Encoded: true, headers })).status).toBe(413);
  });
});

describe("the request id", () => {
  it("is API Gateway's own, the one of its access log", async () => {
    const { send } = open();
    const answered = await send("GET", "/v1/nothing", { requestId: "dTl9kjUyvHcEJJw=" });
    expect(problemOf(answered).requestId).toBe("dTl9kjUyvHcEJJw=");
  });

  it("is the caller's where there is one", async () => {
    const { send } = open();
    const answered = await send("GET", "/v1/nothing", { headers: { "x-request-id": "order-17" } });
    expect(problemOf(answered).requestId).toBe("order-17");
  });
});

describe("the admin key", () => {
  it.each([
    ["missing", {}, "Bearer"],
    ["wrong", { authorization: `Bearer ${key}0` }, 'Bearer error="invalid_token"'],
    ["without its prefix", { authorization: `Bearer ${key.slice(4)}` }, 'Bearer error="invalid_token"'],
    ["in another scheme", { authorization: `Basic ${key}` }, 'Bearer error="invalid_token"'],
  ])("that is %s is refused", async (_, headers, challenge) => {
    const { raw } = open();
    const answered = await raw(httpEvent("GET", "/v1/jobs", { headers }));
    expect([problemOf(answered).code, answered.headers["www-authenticate"]]).toEqual(["unauthorized", challenge]);
  });

  it("is not asked for where API Gateway has judged the request", async () => {
    const { raw } = open({ access: { kind: "judged" } });
    const authorization =
      "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20270101/us-east-2/execute-api/aws4_request, SignedHeaders=host, Signature=0";
    expect((await raw(httpEvent("GET", "/v1/jobs", { headers: { authorization } }))).statusCode).toBe(200);
  });

  it("makes the API once, and anew when it has changed", async () => {
    let current = key;
    const { send, made } = open({ adminKey: async () => ({ key: current, cursorKey: Buffer.from(current) }) });
    for (let index = 0; index < 3; index++) expect((await send("GET", "/v1/jobs")).statusCode).toBe(200);
    current = "otd_another";
    expect((await send("GET", "/v1/jobs")).statusCode).toBe(401);
    expect((await send("GET", "/v1/jobs", { headers: { authorization: "Bearer otd_another" } })).statusCode).toBe(200);
    expect(made).toEqual([key, "otd_another"]);
  });

  it("that cannot be read for an outage is a 503 that says when to ask again", async () => {
    const cause = new OutageError("secretsmanager:GetSecretValue did not succeed: ThrottlingException");
    const { send, logged, counted } = open({ adminKey: () => Promise.reject(cause) });
    const answered = await send("GET", "/v1/jobs");
    expect([problemOf(answered).code, answered.statusCode, answered.headers["retry-after"]]).toEqual(["unavailable", 503, "2"]);
    expect(counted).toEqual(["Outages"]);
    expect(problemOf(answered).requestId).toBe("JKJaXmPLvHcESHA=");
    expect(logged).toEqual([{ level: "warn", message: "a request could not be served", cause }]);
  });

  it("is not asked for while this instance's clock is off: nothing is made at instants that are wrong", async () => {
    const refuseWhenOff = () => Promise.reject(new OutageError("expected a clock within 3000 ms of the store's"));
    const { post, home } = open({ refuseWhenOff });
    expect((await post({ target })).statusCode).toBe(503);
    expect(home.seen).toEqual([]);
  });

  it("that may not be read is a 500 that shows nothing of the inside, and one line of the log", async () => {
    const cause = new Error("expected to read the admin key by secretsmanager:GetSecretValue: AccessDeniedException: not authorized");
    const { send, logged } = open({ adminKey: () => Promise.reject(cause) });
    const answered = await send("GET", "/v1/jobs");
    expect([problemOf(answered).code, answered.statusCode]).toEqual(["internal", 500]);
    expect(answered.body).not.toMatch(/secretsmanager|AccessDenied/);
    expect(logged).toEqual([{ level: "error", message: expect.any(String), cause }]);
  });

  it("keeps an answer from no caches, whatever went wrong", async () => {
    const { send } = open({ adminKey: () => Promise.reject(new OutageError("out")) });
    const { headers } = await send("GET", "/v1/jobs");
    expect([headers["cache-control"], headers["x-request-id"]]).toEqual(["no-store", "JKJaXmPLvHcESHA="]);
  });

  it("that cannot be read is told to HEAD as to GET, without a body", async () => {
    const { send } = open({ adminKey: () => Promise.reject(new OutageError("out")) });
    const { body, ...asked } = await send("GET", "/v1/jobs");
    expect(body).not.toBe("");
    expect(await send("HEAD", "/v1/jobs")).toEqual({ ...asked, body: "" });
  });
});

describe("an event of another shape", () => {
  const event = httpEvent("GET", "/v1/jobs");
  const { "an HTTP request": _, ...others } = foreignEvents;

  it.each([
    ...Object.entries(others),
    ...Object.entries(otherRequests),
    ["messages of a queue", { Records: [{ messageId: "m", body: "{}", eventSource: "aws:sqs" }] }],
    ["a request without a path", { ...event, rawPath: undefined }],
    ["a request without a context", { ...event, requestContext: undefined }],
    ["a request without a method", { ...event, requestContext: { ...event.requestContext, http: {} } }],
    ["a request whose headers are lists", { ...event, headers: { accept: ["*/*"] } }],
    ["a request whose body is no text", { ...event, body: { target } }],
    ["a request whose body is said to be base64, and is not", { ...event, body: "{%}", isBase64Encoded: true }],
    ["a request whose body in base64 was cut", { ...event, body: "e30", isBase64Encoded: true }],
  ])("(%s) is refused in one line", async (_, foreign) => {
    const { raw } = open();
    const refused = raw(foreign);
    await expect(refused).rejects.toThrow(/^expected a request of API Gateway's HTTP API in format 2\.0, got an event in which [^\n]+$/);
    await expect(refused).rejects.toMatchObject({ name: "ForeignEventError" });
  });

  it("fails the function's invocation", async () => {
    const lines = await writtenBy(() => expect(handler({}, context)).rejects.toMatchObject({ name: "ForeignEventError" }));
    expect(lines).toEqual([]);
  });
});

describe("the answers at this door", () => {
  it("are those of the API itself, header by header", async () => {
    const { home, send, post } = open();
    const caller = openCaller({ home, key });
    await post({ target, dueAt: "2027-02-01T00:00:00.000Z" });
    for (const [method, path] of [
      ["GET", "/v1/jobs"],
      ["GET", "/v1/health"],
      ["GET", "/openapi.json"],
      ["GET", "/v1/jobs/job_00000000000000000000000000"],
      ["POST", "/v1/jobs"],
    ] as const) {
      const headers = { authorization: `Bearer ${key}`, "x-request-id": "same" };
      const direct = await caller.api.fetch(requestOf(method, path, { headers }));
      expect(await send(method, path, { headers: { "x-request-id": "same" } })).toEqual({
        ...{ statusCode: direct.status, isBase64Encoded: false },
        ...{ headers: Object.fromEntries(direct.headers), body: await direct.text() },
      });
    }
  });
});
