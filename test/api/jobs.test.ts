import { describe, expect, test } from "vitest";
import { later, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { answerWith, type Home, openHome } from "../engine/home.ts";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

const noneId = "job_00000000000000000000000000";
const tomorrow = "2027-01-02T00:00:00.000Z";

/** A caller whose jobs stay in flight, and one such job. */
async function inFlight(): Promise<{ caller: Caller; home: Home; id: string }> {
  const home = openHome({ answer: answerWith(200, { afterMs: 20 * secondMs }) });
  const caller = openCaller({ home });
  const { id } = await caller.create();
  await home.runUntil(later(startAt, secondMs));
  return { caller, home, id };
}

/** A caller and a job of it whose call was answered so. */
async function ended(status: number, fields: Readonly<Record<string, unknown>> = {}): Promise<{ caller: Caller; home: Home; id: string }> {
  const home = openHome({ answer: answerWith(status, { headers: { "content-type": "text/plain", "set-cookie": "a=b" } }) });
  const caller = openCaller({ home });
  const { id } = await caller.create({ retry: { maxAttempts: 1 }, ...fields });
  await home.runUntil(later(startAt, 3 * secondMs));
  return { caller, home, id };
}

describe("looking at a job", () => {
  test("a job that was answered shows its attempt, the answer's excerpt, and no secret of it", async () => {
    const { caller, id } = await ended(503);
    const job = await caller.job(200, "GET", `/v1/jobs/${id}`);
    expect(job).toMatchObject({ state: "failed", because: "exhausted", attemptCount: 1, nextAttemptAt: null });
    expect(job.endedAt).not.toBeNull();
    expect(job.attempts).toEqual([
      {
        number: 1,
        startedAt: job.startedAt,
        endedAt: job.endedAt,
        latenessMs: expect.any(Number),
        outcome: "again",
        because: "status_503",
        response: {
          status: 503,
          headers: { "content-type": "text/plain", "set-cookie": "***" },
          body: "ok",
          bodyBytes: 2,
          truncated: false,
        },
        error: null,
      },
    ]);
    expect(job.history.map(({ from, to, because }) => [from, to, because])).toEqual([
      [null, "waiting", "created"],
      ["waiting", "running", "claimed"],
      ["running", "failed", "exhausted"],
    ]);
  });

  test("the ETag is the version, and every change raises it", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ dueAt: tomorrow });
    expect((await caller.send("GET", `/v1/jobs/${id}`)).headers.get("etag")).toBe('"1"');
    const patched = await caller.send("PATCH", `/v1/jobs/${id}`, { body: { priority: "high" } });
    expect(patched.headers.get("etag")).toBe('"2"');
    expect(JSON.parse(patched.text).version).toBe(2);
  });

  test.each([
    noneId,
    "x",
    "JOB_00000000000000000000000000",
    "job_0000000000000000000000000o",
    "job_",
    "%00",
    "%E0%A4%A",
    "job_00000000000000000000000000%0A",
    "sch_00000000000000000000000000",
  ])("%s is answered as no job at all, for reading and for writing", async (id) => {
    const caller = openCaller();
    const answers = await Promise.all([
      caller.problem(404, "GET", `/v1/jobs/${id}`),
      caller.problem(404, "PATCH", `/v1/jobs/${id}`, { body: { priority: "low" } }),
      caller.problem(404, "POST", `/v1/jobs/${id}/cancel`),
      caller.problem(404, "POST", `/v1/jobs/${id}/replay`),
    ]);
    expect(new Set(answers.map(({ detail }) => detail)).size).toBe(1);
  });
});

test("a percent-encoded id is the same id", async () => {
  const caller = openCaller();
  const { id } = await caller.create({ delay: "1h" });
  expect((await caller.job(200, "GET", `/v1/jobs/${id.replace("j", "%6a")}`)).id).toBe(id);
});

describe("changing a job", () => {
  test.each([
    [{ dueAt: "2027-01-01T02:00:00Z" }, { dueAt: "2027-01-01T02:00:00.000Z", nextAttemptAt: "2027-01-01T02:00:00.000Z" }],
    [
      { dueAt: tomorrow, deadline: null },
      { dueAt: tomorrow, deadline: null },
    ],
    [{ delay: "1m" }, { dueAt: "2027-01-01T00:01:00.000Z" }],
    [{ target: { url: "https://other.example/" } }, { target: { url: "https://other.example/", method: "POST", headers: {} } }],
    [{ bodyText: "changed" }, { body: { contentType: "text/plain", bytes: 7 } }],
    [{ timeout: "1m" }, { timeout: "1m" }],
    [{ deadline: tomorrow }, { deadline: tomorrow }],
    [{ deadline: null }, { deadline: null }],
    [{ expireAfter: "2h" }, { deadline: "2027-01-01T03:00:00.000Z" }],
    [{ delay: "1m", expireAfter: "2h" }, { deadline: "2027-01-01T02:01:00.000Z" }],
    [{ retry: { maxAttempts: 9 } }, { retry: { maxAttempts: 9, minBackoff: "10s" } }],
    [{ priority: "low" }, { priority: "low" }],
    [{ labels: { b: "2" } }, { labels: { b: "2" } }],
    [{ labels: {} }, { labels: {} }],
  ])("%j is answered with %j, and nothing else is different", async (change, expected) => {
    const caller = openCaller();
    const before = await caller.create({
      delay: "1h",
      expireAfter: "3h",
      labels: { a: "1" },
      body: { a: 1 },
      retry: { minBackoff: "20s" },
      timeout: "10s",
    });
    const after = await caller.job(200, "PATCH", `/v1/jobs/${before.id}`, { body: change });
    expect(after).toMatchObject({ ...expected, state: "waiting", because: "edited", version: 2 });
    const touched = new Set([...Object.keys(change), ...Object.keys(expected), "dueAt", "nextAttemptAt", "version", "because", "history"]);
    for (const [name, value] of Object.entries(before)) {
      if (!touched.has(name)) expect([name, Reflect.get(after, name)]).toEqual([name, value]);
    }
    expect(await caller.job(200, "GET", `/v1/jobs/${before.id}`)).toEqual(after);
  });

  test.each([
    [{}, { "": "required" }],
    [{ deadline: "2027-01-01T00:30:00Z" }, { deadline: "conflict" }],
    [{ dueAt: tomorrow }, { dueAt: "conflict" }],
    [{ delay: "5h" }, { delay: "conflict" }],
    [{ dueAt: tomorrow, deadline: "2027-01-01T12:00:00Z" }, { deadline: "too_small" }],
    [{ dueAt: tomorrow, delay: "1s" }, { delay: "conflict" }],
    [{ dueAt: null }, { dueAt: "invalid_type" }],
    [{ labels: null }, { labels: "invalid_type" }],
    [{ body: null }, { body: "invalid_type" }],
    [{ key: "k" }, { key: "unknown_field" }],
    [{ state: "cancelled" }, { state: "unknown_field" }],
    [{ target: { url: "https://example.com/", method: "GET" } }, { "target.method": "conflict" }],
    [{ target: { url: "https://example.com/", method: "GET" }, body: 1 }, { body: "conflict" }],
    [{ target: { ...target, headers: { authorization: "***" } } }, { "target.headers.authorization": "invalid_value" }],
  ])("%j is refused as %j, and changes nothing", async (change, expected) => {
    const caller = openCaller();
    const before = await caller.create({ delay: "1h", expireAfter: "3h", body: 1 });
    expect(wrongFields(await caller.problem(400, "PATCH", `/v1/jobs/${before.id}`, { body: change }))).toEqual(expected);
    expect(await caller.job(200, "GET", `/v1/jobs/${before.id}`)).toEqual(before);
  });

  test("a body for a job that GETs is refused, though the request alone would do", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ target: { ...target, method: "GET" }, delay: "1h" });
    expect(wrongFields(await caller.problem(400, "PATCH", `/v1/jobs/${id}`, { body: { bodyText: "a" } }))).toEqual({
      bodyText: "conflict",
    });
  });

  test("a denied address is refused as at create", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    await caller.problem(422, "PATCH", `/v1/jobs/${id}`, { body: { target: { url: "http://10.0.0.1/" } } });
  });

  test("of two changes with one version in If-Match, one is made and one is told the version now", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    const change = (priority: string) => caller.send("PATCH", `/v1/jobs/${id}`, { body: { priority }, headers: { "if-match": '"1"' } });
    const answers = await Promise.all([change("low"), change("high")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const refused = JSON.parse(answers.find(({ status }) => status === 412)?.text ?? "");
    expect([refused.code, refused.detail]).toEqual(["version_conflict", expect.stringContaining("version 2")]);
  });

  test.each([
    ["*", 200],
    ['"1"', 200],
    [' "1" ', 200],
    ['"2"', 412],
    ['W/"1"', 412],
    ['"abc"', 412],
    ['"01"', 412],
    ["1", 400],
    ['"1", "2"', 400],
    ["", 400],
  ])("If-Match %s is answered %i", async (tag, status) => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    const answered = await caller.send("PATCH", `/v1/jobs/${id}`, { body: { priority: "low" }, headers: { "if-match": tag } });
    expect(answered.status).toBe(status);
  });

  test("a job in flight is not changed, and the attempt is named", async () => {
    const { caller, id } = await inFlight();
    const document = await caller.problem(409, "PATCH", `/v1/jobs/${id}`, { body: { priority: "low" } });
    expect([document.code, document.detail]).toEqual(["in_flight", expect.stringContaining("Attempt 1")]);
  });

  test("an ended job is not changed, and its state is named", async () => {
    const { caller, id } = await ended(200);
    const document = await caller.problem(409, "PATCH", `/v1/jobs/${id}`, { body: { priority: "low" } });
    expect([document.code, document.detail]).toEqual(["state_conflict", expect.stringContaining("succeeded")]);
  });
});

describe("cancelling", () => {
  test("a waiting job is cancelled, and cancelled again is the same", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    const cancelled = await caller.job(200, "POST", `/v1/jobs/${id}/cancel`);
    expect(cancelled).toMatchObject({ state: "cancelled", because: "cancelled", nextAttemptAt: null, cancelRequestedAt: null });
    expect(await caller.job(200, "POST", `/v1/jobs/${id}/cancel`)).toEqual(cancelled);
  });

  test("a running job answers running with the mark, and ends cancelled with it", async () => {
    const { caller, home, id } = await inFlight();
    const marked = await caller.job(200, "POST", `/v1/jobs/${id}/cancel`);
    expect(marked.state).toBe("running");
    expect(marked.cancelRequestedAt).not.toBeNull();
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(await caller.job(200, "GET", `/v1/jobs/${id}`)).toMatchObject({
      state: "cancelled",
      cancelRequestedAt: marked.cancelRequestedAt,
    });
  });

  test.each([
    [200, "succeeded"],
    [400, "failed"],
  ])("a job that was answered %i is not cancelled: it is %s", async (status, state) => {
    const { caller, id } = await ended(status);
    const document = await caller.problem(409, "POST", `/v1/jobs/${id}/cancel`);
    expect([document.code, document.detail]).toEqual(["state_conflict", expect.stringContaining(state)]);
  });

  test.each([
    [{ raw: "" }, 200],
    [{ raw: "", headers: { "content-type": "text/plain" } }, 415],
    [{ raw: "{}" }, 200],
    [{ raw: '{"reason":"x"}' }, 400],
    [{ raw: "[]" }, 400],
    [{ raw: "{" }, 400],
  ])("a cancel with %j is answered %i", async (sent, status) => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    expect((await caller.send("POST", `/v1/jobs/${id}/cancel`, sent)).status).toBe(status);
  });
});

describe("replaying", () => {
  test("an ended job's call is made again by a new job that points to the old one", async () => {
    const { caller, home, id } = await ended(503, { body: { a: 1 }, labels: { team: "x" }, priority: "high" });
    const old = await caller.job(200, "GET", `/v1/jobs/${id}`);
    const answered = await caller.send("POST", `/v1/jobs/${id}/replay`);
    const replayed = JSON.parse(answered.text);
    expect([answered.status, answered.headers.get("location")]).toEqual([201, `/v1/jobs/${replayed.id}`]);
    expect(replayed).toMatchObject({
      state: "waiting",
      replayOf: id,
      target: old.target,
      body: old.body,
      labels: old.labels,
      priority: "high",
      attemptCount: 0,
    });
    await home.runUntil(later(startAt, 6 * secondMs));
    expect(home.calls.map(({ request }) => Buffer.from(request.body ?? []).toString())).toEqual(['{"a":1}', '{"a":1}']);
  });

  test("a cancelled job can be replayed", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ delay: "1h" });
    await caller.job(200, "POST", `/v1/jobs/${id}/cancel`);
    expect(await caller.job(201, "POST", `/v1/jobs/${id}/replay`)).toMatchObject({ state: "waiting", replayOf: id });
    expect(await caller.job(200, "GET", `/v1/jobs/${id}`)).toMatchObject({ state: "cancelled" });
  });

  test("a job that has not ended is not replayed", async () => {
    const { caller, id } = await inFlight();
    expect((await caller.problem(409, "POST", `/v1/jobs/${id}/replay`)).detail).toContain("running");
  });

  test("a key is refused, for a repeated replay would be a second job", async () => {
    const { caller, id } = await ended(200);
    await caller.problem(400, "POST", `/v1/jobs/${id}/replay`, { headers: { "idempotency-key": "k" } });
  });

  test("a body that is no longer kept is a conflict that says so", async () => {
    const { caller, home, id } = await ended(200, { bodyText: "x".repeat(10_000) });
    const gone = openCaller({
      home: { ...home, engine: { ...home.engine, store: { ...home.engine.store, readPayloads: async () => [undefined] } } },
    });
    const document = await gone.problem(409, "POST", `/v1/jobs/${id}/replay`);
    expect([document.code, document.detail]).toEqual(["state_conflict", expect.stringContaining("no longer kept")]);
    await caller.job(201, "POST", `/v1/jobs/${id}/replay`);
  });
});
