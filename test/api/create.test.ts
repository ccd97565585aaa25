import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { readBody } from "../../src/engine/payload.ts";
import { openCaller, target, wrongFields } from "./caller.ts";

const caller = openCaller();
const now = "2027-01-01T00:00:00.000Z";

async function wrongOf(fields: unknown): Promise<Record<string, string>> {
  return wrongFields(await caller.problem(400, "POST", "/v1/jobs", { body: fields }));
}

/** The bytes that a job will send. */
async function sentBytes(id: string): Promise<string | undefined> {
  const { engine } = caller.home;
  const job = await engine.store.load({ tenant: "main" as never, id: id as never });
  const bytes = job === undefined ? null : await readBody(engine, job);
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : undefined;
}

describe("a job that says little", () => {
  test("gets every default, filled in in the answer", async () => {
    expect(await caller.create()).toMatchObject({
      state: "waiting",
      because: "created",
      version: 1,
      dueAt: now,
      nextAttemptAt: now,
      createdAt: now,
      timeout: "30s",
      deadline: null,
      priority: "normal",
      labels: {},
      body: null,
      target: { url: "https://example.com/hook", method: "POST", headers: {} },
      retry: {
        maxAttempts: 4,
        minBackoff: "10s",
        maxBackoff: "1h",
        maxDoublings: 5,
        maxAge: "24h",
        jitter: true,
        retryOn: ["5xx", 408, 425, 429, "network", "timeout"],
      },
      attempts: [],
      attemptCount: 0,
      startedAt: null,
      endedAt: null,
      cancelRequestedAt: null,
      replayOf: null,
      history: [{ at: now, from: null, to: "waiting", because: "created" }],
    });
  });

  test("is answered with 201, its path and its version", async () => {
    const { status, headers, text } = await caller.send("POST", "/v1/jobs", { body: { target } });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/v1/jobs/${JSON.parse(text).id}`);
    expect(headers.get("etag")).toBe('"1"');
  });
});

describe("instants and durations", () => {
  test.each([
    [{ dueAt: "2027-06-01T02:00:00+02:00" }, { dueAt: "2027-06-01T00:00:00.000Z" }],
    [{ delay: "90s" }, { dueAt: "2027-01-01T00:01:30.000Z" }],
    [{ delay: "PT90S" }, { dueAt: "2027-01-01T00:01:30.000Z" }],
    [{ delay: "0s" }, { dueAt: now }],
    [{ dueAt: "2026-01-01T00:00:00Z" }, { dueAt: "2026-01-01T00:00:00.000Z", nextAttemptAt: now }],
    [{ delay: "1h", expireAfter: "6h" }, { deadline: "2027-01-01T07:00:00.000Z" }],
    [{ deadline: now }, { deadline: now }],
    [{ timeout: "15m" }, { timeout: "15m" }],
    [{ timeout: "1500ms" }, { timeout: "1s500ms" }],
    [{ dueAt: "2036-12-31T00:00:00Z" }, { dueAt: "2036-12-31T00:00:00.000Z" }],
  ])("%j is taken as %j", async (fields, expected) => {
    expect(await caller.create(fields)).toMatchObject(expected);
  });

  test.each([
    [{ dueAt: "2027-02-30T00:00:00Z" }, { dueAt: "invalid_format" }],
    [{ dueAt: "2027-01-01T24:00:00Z" }, { dueAt: "invalid_format" }],
    [{ dueAt: "2027-01-01T00:00:00" }, { dueAt: "invalid_format" }],
    [{ dueAt: "2027-01-01" }, { dueAt: "invalid_format" }],
    [{ dueAt: "2027-01-01T00:00:00+25:00" }, { dueAt: "invalid_format" }],
    [{ dueAt: "0000-01-01T00:00:00+01:00" }, { dueAt: "invalid_format" }],
    [{ dueAt: 1_800_000_000 }, { dueAt: "invalid_type" }],
    [{ dueAt: null }, { dueAt: "invalid_type" }],
    [{ dueAt: "2037-06-01T00:00:00Z" }, { dueAt: "too_large" }],
    [{ dueAt: now, delay: "1s" }, { delay: "conflict" }],
    [{ delay: "-1s" }, { delay: "invalid_format" }],
    [{ delay: "1s1h" }, { delay: "invalid_format" }],
    [{ delay: "90" }, { delay: "invalid_format" }],
    [{ delay: 90 }, { delay: "invalid_type" }],
    [{ delay: "4000d" }, { delay: "too_large" }],
    [{ deadline: "2026-12-31T23:59:59.999Z" }, { deadline: "too_small" }],
    [{ delay: "2h", deadline: "2027-01-01T01:00:00Z" }, { deadline: "too_small" }],
    [{ deadline: "2040-01-01T00:00:00Z" }, { deadline: "too_large" }],
    [{ deadline: now, expireAfter: "1h" }, { expireAfter: "conflict" }],
    [{ expireAfter: "0s" }, { expireAfter: "too_small" }],
    [{ timeout: "999ms" }, { timeout: "too_small" }],
    [{ timeout: "0s" }, { timeout: "too_small" }],
    [{ timeout: "15m1s" }, { timeout: "too_large" }],
    [{ timeout: "1ms100us" }, { timeout: "invalid_format" }],
  ])("%j is refused as %j", async (fields, expected) => {
    expect(await wrongOf({ target, ...fields })).toEqual(expected);
  });

  test("a timeout beyond what the home can do is refused, and the limit named", async () => {
    const onAws = openCaller({ maxTimeoutMs: 120_000 });
    const { errors } = await onAws.problem(400, "POST", "/v1/jobs", { body: { target, timeout: "5m" } });
    expect(errors[0]?.message).toBe(`expected at most 2m, this installation's maxTimeout, got "5m"`);
  });
});

describe("bodies", () => {
  test.each([
    [{ body: { a: [1, null, "ü"] } }, { contentType: "application/json", bytes: 19 }, '{"a":[1,null,"ü"]}'],
    [{ body: false }, { contentType: "application/json", bytes: 5 }, "false"],
    [{ body: 0.1 }, { contentType: "application/json", bytes: 3 }, "0.1"],
    [{ bodyText: "a\n b" }, { contentType: "text/plain", bytes: 4 }, "a\n b"],
    [{ bodyText: "é" }, { contentType: "text/plain; charset=utf-8", bytes: 2 }, "é"],
    [{ bodyText: "" }, { contentType: "text/plain", bytes: 0 }, ""],
    [{ bodyBase64: "aGk=" }, { contentType: "application/octet-stream", bytes: 2 }, "hi"],
    [{ bodyText: "a,b", target: { ...target, headers: { "content-type": "text/csv" } } }, { contentType: "text/csv", bytes: 3 }, "a,b"],
  ])("%j is sent as %j", async (fields, summary, bytes) => {
    const { id, body } = await caller.create(fields);
    expect(body).toEqual(summary);
    expect(await sentBytes(id)).toBe(bytes);
  });

  test("a JSON body with a __proto__ member is sent with it", async () => {
    const { id } = await caller.job(201, "POST", "/v1/jobs", {
      raw: '{"target":{"url":"https://example.com/"},"body":{"__proto__":{"a":1}}}',
    });
    expect(await sentBytes(id)).toBe('{"__proto__":{"a":1}}');
  });

  test.each([
    [{ body: 1, bodyText: "a" }, { bodyText: "conflict" }],
    [
      { body: 1, bodyText: "a", bodyBase64: "" },
      { bodyText: "conflict", bodyBase64: "conflict" },
    ],
    [{ body: null }, { body: "invalid_type" }],
    [{ bodyText: 1 }, { bodyText: "invalid_type" }],
    [{ bodyText: "\ud800" }, { bodyText: "invalid_format" }],
    [{ bodyBase64: "aGk" }, { bodyBase64: "invalid_format" }],
    [{ bodyBase64: "aG\nk=" }, { bodyBase64: "invalid_format" }],
    [{ bodyBase64: "aGl=" }, { bodyBase64: "invalid_format" }],
    [{ bodyBase64: "-_-_" }, { bodyBase64: "invalid_format" }],
    [{ target: { ...target, method: "GET" }, body: 1 }, { body: "conflict" }],
    [{ target: { ...target, method: "HEAD" }, bodyText: "" }, { bodyText: "conflict" }],
  ])("%j is refused as %j", async (fields, expected) => {
    expect(await wrongOf({ target, ...fields })).toEqual(expected);
  });

  test("a body is measured as it is sent: 256 KiB pass, one byte more is 413", async () => {
    const bytes = Buffer.alloc(limits.bodyBytesMax + 1, "a");
    expect((await caller.create({ bodyBase64: bytes.subarray(1).toString("base64") })).body?.bytes).toBe(limits.bodyBytesMax);
    const escaped = `{"target":{"url":"${target.url}"},"bodyText":"${"\\u0001".repeat(limits.bodyBytesMax)}"}`;
    expect((await caller.job(201, "POST", "/v1/jobs", { raw: escaped })).body?.bytes).toBe(limits.bodyBytesMax);
    for (const fields of [
      { bodyBase64: bytes.toString("base64") },
      { bodyText: bytes.toString() },
      { body: bytes.subarray(2).toString() },
    ]) {
      const document = await caller.problem(413, "POST", "/v1/jobs", { body: { target, ...fields } });
      expect(wrongFields(document)).toEqual({ body: "too_large" });
    }
  });

  test("a number that a double would change is refused with its path, and bodyText named as the way", async () => {
    const raw = '{"target":{"url":"https://example.com/"},"body":{"items":[0,1,2,{"price":12345678901234567890}]},"labels":[]}';
    const document = await caller.problem(400, "POST", "/v1/jobs", { raw });
    expect(wrongFields(document)).toEqual({ "body.items[3].price": "inexact_number", labels: "invalid_type" });
    expect(document.errors.find(({ code }) => code === "inexact_number")?.message).toContain("bodyText");
  });
});

describe("mistakes in the request as a whole", () => {
  test("all wrong fields are named at once, whichever rule they break", async () => {
    const fields = {
      target: { url: "x", method: "FETCH" },
      body: 1,
      bodyText: 2,
      dueAt: "tomorrow",
      deadline: "2020-01-01T00:00:00Z",
      delay: "1s",
      retry: { maxAttempts: 0 },
      prio: "high",
    };
    expect(await wrongOf(fields)).toEqual({
      "target.url": "invalid_format",
      "target.method": "invalid_value",
      bodyText: "conflict",
      dueAt: "invalid_format",
      delay: "conflict",
      deadline: "too_small",
      "retry.maxAttempts": "too_small",
      prio: "unknown_field",
    });
  });

  test.each([
    ["due_at", "did you mean `dueAt`?"],
    ["dueat", "did you mean `dueAt`?"],
    ["lables", "did you mean `labels`?"],
    ["prio", "did you mean `priority`?"],
    ["url", "did you mean `target.url`?"],
    ["maxAttempts", "did you mean `retry.maxAttempts`?"],
    ["xyzzy", "leave it out"],
    ["destination", "leave it out"],
    ["schedule", "leave it out"],
  ])("the unknown field %s is refused with a hint", async (name, hint) => {
    const { errors } = await caller.problem(400, "POST", "/v1/jobs", { body: { target, [name]: 1 } });
    expect(errors).toEqual([{ field: name, code: "unknown_field", message: expect.stringContaining(hint) }]);
  });

  test("a missing target is named", async () => {
    expect(await wrongOf({})).toEqual({ target: "required" });
    expect(await wrongOf({ target: {} })).toEqual({ "target.url": "required" });
  });

  test.each(["[]", "null", "1", '"a"', "true"])("%s instead of an object is refused", async (raw) => {
    expect(wrongFields(await caller.problem(400, "POST", "/v1/jobs", { raw }))).toEqual({ "": "invalid_type" });
  });

  test("ten thousand unknown fields are answered by a bounded number of errors", async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, 0]));
    const { errors } = await caller.problem(400, "POST", "/v1/jobs", { body: { target, ...many } });
    expect(errors.length).toBeLessThanOrEqual(60);
  });

  test.each([
    ['{"target":{"url":"https://a.example/","url":"https://b.example/"}}', 'expected each name once, got "url" twice at target.url'],
    [`{"body":${"[".repeat(100)}${"]".repeat(100)}}`, "levels of nesting"],
    ['{"target":', "got the end of the body"],
  ])("%s is no JSON that could be relied on", async (raw, said) => {
    const document = await caller.problem(400, "POST", "/v1/jobs", { raw });
    expect([document.code, document.detail]).toEqual(["invalid_json", expect.stringContaining(said)]);
  });
});
