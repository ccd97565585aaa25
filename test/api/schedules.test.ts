/** Writing, looking at and deleting single schedules. */

import { describe, expect, test } from "vitest";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { answerWith, openHome, silence } from "../engine/home.ts";
import { openCaller, target, wrongFields } from "./caller.ts";

const path = "/v1/schedules/nightly";
const body = { when: { cron: "0 9 * * *", timezone: "Europe/Berlin" }, job: { target } };
const each = { when: { cron: "* * * * *" }, job: { target } };

describe("PUT of a schedule", () => {
  test("makes it, durable, with every default filled in and its next five occurrences", async () => {
    const caller = openCaller();
    const { status, headers, text } = await caller.send("PUT", path, { body });
    const made = JSON.parse(text);
    expect([status, headers.get("location"), headers.get("etag")]).toEqual([201, path, '"1"']);
    expect(made).toMatchObject({
      ...{ name: "nightly", state: "active", version: 1, set: null, pending: "none", paused: false, pause: null },
      when: { cron: "0 9 * * *", timezone: "Europe/Berlin", gap: "shift", fold: "first" },
      ...{ except: [], overlap: "skip", misfire: { policy: "latest", within: "1h", max: 100 } },
      ...{ window: null, startAt: null, endAt: null, maxRuns: null, pauseAfterFailures: null, labels: {} },
      job: { target: { ...target, method: "POST", headers: {} }, timeout: "30s", priority: "normal", expireAfter: null, body: null },
      ...{ counts: { fired: 0, skipped: 0, missed: 0, dropped: 0, excluded: 0 }, recent: [], taken: [], buffered: 0, backfill: null },
    });
    expect(made.next).toHaveLength(5);
    expect(made.next[0]).toEqual({
      ...{ nominalAt: "2027-01-01T08:00:00.000Z", dueAt: "2027-01-01T08:00:00.000Z" },
      ...{ local: "2027-01-01T09:00:00+01:00[Europe/Berlin]", note: null },
    });
    const { pending: _pending, ...shown } = made;
    expect(await caller.answer(200, "GET", path)).toEqual(shown);
  });

  test("again is answered 200 and changes nothing; what is left out is as by default", async () => {
    const caller = openCaller();
    await caller.schedule(201, "PUT", path, { body: { ...body, overlap: "replace", labels: { a: "1", b: "2" } } });
    const same = await caller.schedule(200, "PUT", path, { body: { ...body, labels: { b: "2", a: "1" }, overlap: "replace" } });
    expect([same.version, same.overlap]).toEqual([1, "replace"]);
    const other = await caller.schedule(200, "PUT", path, { body });
    expect([other.version, other.overlap, other.labels]).toEqual([2, "skip", {}]);
  });

  test("spells durations, instants and anchors in one way", async () => {
    const caller = openCaller();
    const when = [{ every: "PT15M" }, { every: "60m", from: "2027-01-01T02:00:00+01:00" }, { at: ["2027-02-01T00:00:00+01:00"] }];
    const made = await caller.schedule(201, "PUT", path, {
      body: { ...body, when, startAt: "2027-01-01T01:00:00+01:00", window: "600s", misfire: { within: "PT90S" } },
    });
    expect(made).toMatchObject({
      when: [
        { every: "15m", from: "2027-01-01T00:00:00.000Z", timezone: "UTC" },
        { every: "1h", from: "2027-01-01T01:00:00.000Z", timezone: "UTC" },
        { at: ["2027-01-31T23:00:00.000Z"], timezone: "UTC" },
      ],
      ...{ startAt: "2027-01-01T00:00:00.000Z", window: "10m", misfire: { policy: "latest", within: "1m30s", max: 100 } },
    });
  });

  test("masks what is secret in the template, and shows the body in summary", async () => {
    const caller = openCaller();
    const job = { target: { ...target, headers: { Authorization: "Bearer x", "x-a": "b" } }, body: { a: 1 }, expireAfter: "1h" };
    const made = await caller.schedule(201, "PUT", path, { body: { ...body, job } });
    expect(made.job).toMatchObject({
      target: { headers: { authorization: "***", "x-a": "b" } },
      ...{ body: { contentType: "application/json", bytes: 7 }, expireAfter: "1h" },
    });
  });

  test("paused makes one that does not fire, true pauses, false resumes, and left out it stays", async () => {
    const caller = openCaller();
    const made = await caller.schedule(201, "PUT", path, { body: { ...body, paused: true } });
    expect(made).toMatchObject({ state: "paused", paused: true, pause: { because: "paused", until: null, reason: null } });
    expect((await caller.schedule(200, "PUT", path, { body: { ...body, overlap: "allow" } })).state).toBe("paused");
    expect((await caller.schedule(200, "PUT", path, { body: { ...body, paused: false } })).state).toBe("active");
    expect((await caller.schedule(200, "PUT", path, { body: { ...body, paused: true } })).state).toBe("paused");
  });

  test("of two replaces of one version one is made, and the other is told of it", async () => {
    const caller = openCaller();
    await caller.schedule(201, "PUT", path, { body });
    const headers = { "if-match": '"1"' };
    const put = (overlap: string) => caller.send("PUT", path, { body: { ...body, overlap }, headers });
    const statuses = (await Promise.all([put("allow"), put("replace")])).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 412]);
    const refusal = await caller.problem(412, "PUT", path, { body, headers });
    expect([refusal.code, refusal.detail]).toEqual(["version_conflict", expect.stringContaining('If-Match: "2"')]);
  });

  test("with If-None-Match: * makes one and replaces none; with If-Match it makes none", async () => {
    const caller = openCaller();
    const only = { headers: { "if-none-match": "*" }, body };
    for (const match of ["*", '"1"']) {
      expect((await caller.problem(412, "PUT", path, { body, headers: { "if-match": match } })).code).toBe("version_conflict");
    }
    await caller.schedule(201, "PUT", path, only);
    expect((await caller.problem(409, "PUT", path, only)).code).toBe("exists");
    await caller.problem(400, "PUT", path, { body, headers: { "if-none-match": '"1"' } });
    await caller.problem(400, "PUT", path, { body, headers: { "if-none-match": "*", "if-match": '"1"' } });
    await caller.schedule(200, "PUT", path, { body: { ...body, overlap: "allow" }, headers: { "if-match": "*" } });
  });

  test.each(["a%2Fb", "a%00b", "a%0Ab", "%20", "%C3%A4", "x".repeat(129)])("takes no name like %s", async (name) => {
    const caller = openCaller();
    expect(wrongFields(await caller.problem(400, "PUT", `/v1/schedules/${name}`, { body }))).toEqual({ name: "invalid_format" });
    for (const method of ["GET", "PATCH", "DELETE"]) await caller.problem(404, method, `/v1/schedules/${name}`);
    await caller.problem(404, "POST", `/v1/schedules/${name}/pause`);
  });

  test("takes 128 characters of those that names have, and says why preview is none", async () => {
    const caller = openCaller();
    const longest = "Aa0._-__proto__".padEnd(128, "x");
    expect((await caller.schedule(201, "PUT", `/v1/schedules/${longest}`, { body })).name).toBe(longest);
    await caller.schedule(201, "PUT", "/v1/schedules/__proto__", { body });
    const refusal = await caller.problem(400, "PUT", "/v1/schedules/preview", { body });
    expect(wrongFields(refusal)).toEqual({ name: "forbidden" });
    expect(refusal.detail).toContain("POST /v1/schedules/preview");
    expect((await caller.send("GET", "/v1/schedules/preview")).headers.get("allow")).toBe("POST");
  });

  test("of a rule whose instants have passed since is taken as long as it is the same", async () => {
    const caller = openCaller();
    const once = { at: ["2027-01-01T00:00:30Z"] };
    await caller.schedule(201, "PUT", path, { body: { ...body, when: once } });
    await caller.home.runUntil(later(startAt, minuteMs));
    const again = await caller.schedule(200, "PUT", path, { body: { ...body, when: once } });
    expect([again.state, again.next, again.counts.fired]).toEqual(["finished", [], 1]);
    const passed = { at: ["2027-01-01T00:00:20Z"] };
    expect(wrongFields(await caller.problem(400, "PUT", path, { body: { ...body, when: passed } }))).toEqual({ when: "invalid_value" });
  });
});

describe("PATCH of a schedule", () => {
  test("changes what it names, and keeps the rest", async () => {
    const caller = openCaller();
    const job = { target, body: "x".repeat(2_000), timeout: "5s" };
    await caller.schedule(201, "PUT", path, { body: { ...body, job, window: "10m", maxRuns: 5, labels: { a: "1" } } });
    const changed = await caller.schedule(200, "PATCH", path, { body: { overlap: "allow", maxRuns: null } });
    expect(changed).toMatchObject({ version: 2, overlap: "allow", maxRuns: null, window: "10m", labels: { a: "1" }, pending: "none" });
    expect(changed.job).toMatchObject({ timeout: "5s", body: { bytes: 2_002 } });
    const bare = await caller.schedule(200, "PATCH", path, { body: { window: null, when: { every: "1h" }, job: { target } } });
    expect(bare).toMatchObject({ window: null, when: { every: "1h" }, job: { timeout: "30s", body: null }, labels: { a: "1" } });
  });

  test("judges what it names together with what stands", async () => {
    const caller = openCaller();
    await caller.schedule(201, "PUT", path, { body: { ...body, startAt: "2027-06-01T00:00:00Z" } });
    const refused = async (fields: object) => wrongFields(await caller.problem(400, "PATCH", path, { body: fields }));
    expect(await refused({ endAt: "2027-05-01T00:00:00Z" })).toEqual({ endAt: "too_small" });
    expect(await refused({ when: { cron: "* * * * *" }, window: "2m" })).toEqual({ window: "too_large" });
    expect(await refused({})).toEqual({ "": "required" });
    expect(await refused({ paused: null, name: "x", job: null })).toEqual({
      ...{ paused: "invalid_type", name: "unknown_field", job: "invalid_type" },
    });
    expect(await caller.answer(200, "GET", path)).toMatchObject({ version: 1 });
  });

  test("honours If-Match, and answers 404 where none stands", async () => {
    const caller = openCaller();
    await caller.problem(404, "PATCH", path, { body: { overlap: "allow" } });
    await caller.schedule(201, "PUT", path, { body });
    await caller.problem(412, "PATCH", path, { body: { overlap: "allow" }, headers: { "if-match": '"2"' } });
    await caller.schedule(200, "PATCH", path, { body: { overlap: "allow" }, headers: { "if-match": '"1"' } });
  });

  test("says what became of an occurrence that was pending in its window", async () => {
    const pendingAfter = async (fields: object) => {
      const caller = openCaller();
      await caller.schedule(201, "PUT", path, { body: { ...body, when: { cron: "0 * * * *" }, window: "59m" } });
      const { next } = await caller.schedule(200, "PUT", path, { body: { ...body, when: { cron: "0 * * * *" }, window: "59m" } });
      const due = Date.parse(next[0]?.dueAt ?? "");
      await caller.home.runUntil(later(startAt, 5 * secondMs));
      expect(due).toBeGreaterThan(caller.home.clock.now());
      return (await caller.schedule(200, "PATCH", path, { body: fields })).pending;
    };
    expect(await pendingAfter({ overlap: "allow" })).toBe("kept");
    expect(await pendingAfter({ window: "58m" })).toBe("moved");
    expect(await pendingAfter({ when: { cron: "30 * * * *" } })).toBe("dropped");
  });
});

describe("DELETE of a schedule", () => {
  test("frees its name at once, and keeps its jobs", async () => {
    const caller = openCaller({ home: openHome({ answer: answerWith(200) }) });
    await caller.schedule(201, "PUT", path, { body: each });
    await caller.home.runUntil(later(startAt, 2 * minuteMs));
    const deleted = await caller.answer(200, "DELETE", path);
    expect(deleted).toEqual({ name: "nightly", deleted: true, taken: [], cancelled: 0 });
    await caller.problem(404, "GET", path);
    await caller.problem(404, "DELETE", path);
    const made = await caller.schedule(201, "PUT", path, { body: each });
    expect([made.version, made.counts.fired]).toEqual([1, 0]);
  });

  test("with jobs=cancel calls off what its rule made and has not ended", async () => {
    const caller = openCaller({ home: openHome({ answer: silence }) });
    await caller.schedule(201, "PUT", path, { body: each });
    await caller.home.runUntil(later(startAt, 5 * secondMs));
    expect(await caller.answer(200, "DELETE", `${path}?jobs=cancel`)).toMatchObject({ deleted: true, cancelled: 1 });
  });

  test("names what was taken already and is due after it", async () => {
    const caller = openCaller();
    await caller.schedule(201, "PUT", path, { body: each });
    await caller.home.runUntil(later(startAt, minuteMs - 300));
    const { taken } = await caller.answer<{ taken: { nominalAt: string; state: string; job: string }[] }>(200, "DELETE", path);
    expect(taken).toMatchObject([{ nominalAt: "2027-01-01T00:01:00.000Z", state: "fired" }]);
    expect(await caller.job(200, "GET", `/v1/jobs/${taken[0]?.job}`)).toMatchObject({
      schedule: { name: "nightly", nominalAt: "2027-01-01T00:01:00.000Z" },
    });
  });

  test("honours If-Match, and takes no other query", async () => {
    const caller = openCaller();
    await caller.schedule(201, "PUT", path, { body });
    await caller.problem(412, "DELETE", path, { headers: { "if-match": '"7"' } });
    expect(wrongFields(await caller.problem(400, "DELETE", `${path}?jobs=burn`))).toEqual({ jobs: "invalid_value" });
    expect(wrongFields(await caller.problem(400, "DELETE", `${path}?job=keep`))).toEqual({ job: "unknown_field" });
    await caller.answer(200, "DELETE", path, { headers: { "if-match": '"1"' } });
  });
});
