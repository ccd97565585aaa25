/** Pause, resume, a call now, backfill, and the preview of a schedule that stands. */

import { beforeEach, describe, expect, test } from "vitest";
import { hourMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import { answerWith, openHome, silence } from "../engine/home.ts";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

const path = "/v1/schedules/nightly";
const each = { when: { cron: "* * * * *" }, job: { target } };

let caller: Caller;
const stand = (fields: object = {}) => caller.schedule(201, "PUT", path, { body: { ...each, ...fields } });
const run = (ms: number) => caller.home.runUntil(later(caller.home.clock.now(), ms));

beforeEach(() => {
  caller = openCaller({ home: openHome({ answer: answerWith(200) }) });
});

describe.each(["pause", "resume", "trigger", "backfill", "occurrences", "preview"])("%s", (verb) => {
  test("of none that stands is 404", async () => {
    const method = verb === "occurrences" || verb === "preview" ? "GET" : "POST";
    const body = { from: "2026-12-01T00:00:00Z", to: "2026-12-02T00:00:00Z" };
    await caller.problem(404, method, `${path}/${verb}`, verb === "backfill" ? { body } : {});
  });
});

describe("a pause", () => {
  test("stops what is to come, says since when and why, and is changed by another", async () => {
    await stand();
    await run(90 * secondMs);
    const paused = await caller.schedule(200, "POST", `${path}/pause`, { body: { reason: "a release" } });
    const at = "2027-01-01T00:01:30.000Z";
    expect(paused).toMatchObject({ state: "paused", paused: true, pause: { at, because: "paused", until: null, reason: "a release" } });
    await run(5 * minuteMs);
    expect(caller.home.calls).toHaveLength(2);
    const until = "2027-01-01T01:00:00.000Z";
    expect((await caller.schedule(200, "POST", `${path}/pause`, { body: { until } })).pause).toEqual({
      ...{ at, because: "paused", until, reason: null },
    });
  });

  test("until an instant ends by itself", async () => {
    await stand();
    await caller.schedule(200, "POST", `${path}/pause`, { body: { until: "2027-01-01T00:10:00Z" } });
    await run(12 * minuteMs + 30 * secondMs);
    expect(await caller.schedule(200, "GET", path)).toMatchObject({ state: "active", pause: null });
  });

  test("shows as next what comes after now, however long it lasts", async () => {
    await stand();
    await caller.schedule(200, "POST", `${path}/pause`);
    await run(3 * hourMs);
    expect((await caller.schedule(200, "GET", path)).next[0]?.nominalAt).toBe("2027-01-01T03:00:00.000Z");
    const { data } = await caller.answer<{ data: { next: unknown[] }[] }>(200, "GET", "/v1/schedules");
    expect(data[0]?.next).toEqual([]);
  });

  test("names what was taken already", async () => {
    await stand();
    await run(minuteMs - 300);
    expect((await caller.schedule(200, "POST", `${path}/pause`)).taken).toMatchObject([{ nominalAt: "2027-01-01T00:01:00.000Z" }]);
  });

  test.each([
    [{ until: "2026-01-01T00:00:00Z" }, { until: "too_small" }],
    [{ until: "2027-01-01T00:00:00Z" }, { until: "too_small" }],
    [
      { until: null, reason: null },
      { until: "invalid_type", reason: "invalid_type" },
    ],
    [
      { until: "later", reason: "" },
      { until: "invalid_format", reason: "too_small" },
    ],
    [{ reason: "x".repeat(256) }, { reason: "too_large" }],
    [{ reason: "a\nb" }, { reason: "invalid_format" }],
    [{ untl: "2028-01-01T00:00:00Z" }, { untl: "unknown_field" }],
    [[], { "": "invalid_type" }],
  ])("with %j is refused", async (body, known) => {
    await stand();
    expect(wrongFields(await caller.problem(400, "POST", `${path}/pause`, { body }))).toEqual(known);
  });

  test("of one that is finished is a conflict that says so", async () => {
    await stand({ maxRuns: 1 });
    await run(2 * minuteMs);
    for (const verb of ["pause", "resume"]) {
      const refusal = await caller.problem(409, "POST", `${path}/${verb}`);
      expect([refusal.code, refusal.detail]).toEqual(["state_conflict", expect.stringContaining("is finished")]);
    }
  });
});

describe("a resume", () => {
  test.each([
    [undefined, 0, "skipped"],
    [{ recover: "none" }, 0, "skipped"],
    [{ recover: "latest" }, 1, "fired"],
    [{ recover: "all" }, 3, "fired"],
  ])("with %j fires %i of the three that passed", async (body, fired, newest) => {
    await stand({ overlap: "allow" });
    await caller.schedule(200, "POST", `${path}/pause`);
    await run(3 * minuteMs + 10 * secondMs);
    await caller.schedule(200, "POST", `${path}/resume`, body === undefined ? {} : { body });
    await run(20 * secondMs);
    const { data } = await caller.answer<{ data: { state: string; nominalAt: string }[] }>(200, "GET", `${path}/occurrences`);
    const inPause = data.filter(({ state, nominalAt }) => state !== "pending" && nominalAt > "2027-01-01T00:00:00.000Z");
    expect([inPause.filter(({ state }) => state === "fired").length, inPause[0]?.state]).toEqual([fired, newest]);
  });

  test("of one that is active changes nothing, and takes no other field", async () => {
    await stand();
    expect((await caller.schedule(200, "POST", `${path}/resume`)).version).toBe(1);
    expect(wrongFields(await caller.problem(400, "POST", `${path}/resume`, { body: { recover: "some", from: 1 } }))).toEqual({
      ...{ recover: "invalid_value", from: "unknown_field" },
    });
  });
});

describe("a call now", () => {
  test("answers the job, beside the rule, also while it is paused", async () => {
    await stand({ paused: true });
    const { status, headers, text } = await caller.send("POST", `${path}/trigger`);
    const job = JSON.parse(text);
    expect([status, headers.get("location")]).toEqual([201, `/v1/jobs/${job.id}`]);
    expect(job.schedule).toEqual({ name: "nightly", nominalAt: "2027-01-01T00:00:00.000Z" });
    await run(secondMs);
    expect(caller.home.calls).toHaveLength(1);
    const { recent, counts } = await caller.schedule(200, "GET", path);
    expect([counts.fired, recent[0]?.because, recent[0]?.job]).toEqual([1, "triggered", job.id]);
    expect((await caller.answer<{ data: unknown[] }>(200, "GET", "/v1/jobs?schedule=nightly")).data).toHaveLength(1);
    expect((await caller.answer<{ data: unknown[] }>(200, "GET", "/v1/jobs?schedule=other")).data).toEqual([]);
  });

  test("with overlap skip is refused, with replace calls off, while the last job has not ended", async () => {
    caller = openCaller({ home: openHome({ answer: silence }) });
    await stand();
    await run(5 * secondMs);
    const { recent } = await caller.schedule(200, "GET", path);
    expect((await caller.problem(409, "POST", `${path}/trigger`, { body: { overlap: "skip" } })).code).toBe("state_conflict");
    await caller.job(201, "POST", `${path}/trigger`, { body: { overlap: "replace" } });
    await run(secondMs);
    expect(await caller.job(200, "GET", `/v1/jobs/${recent[0]?.job}`)).toMatchObject({ state: "cancelled" });
    await caller.job(201, "POST", `${path}/trigger`, { body: { overlap: "allow" } });
  });

  test.each([
    [{ overlap: "buffer_one" }, { overlap: "invalid_value" }],
    [{ overlap: "buffer_all" }, { overlap: "invalid_value" }],
    [{ overlap: null }, { overlap: "invalid_value" }],
    [{ body: {} } as object, { body: "unknown_field" }],
  ] as [{ overlap?: string | null }, Record<string, string>][])("with %j is refused", async (body, known) => {
    await stand();
    const refusal = await caller.problem(400, "POST", `${path}/trigger`, { body });
    expect(wrongFields(refusal)).toEqual(known);
    if (body.overlap?.startsWith("buffer") === true) expect(refusal.detail).toContain("only an occurrence of the rule can wait");
  });
});

test("a call now takes no idempotency key, for it could not keep what that promises", async () => {
  await stand();
  const refusal = await caller.problem(400, "POST", `${path}/trigger`, { headers: { "idempotency-key": "k" } });
  expect(wrongFields(refusal)).toEqual({ "Idempotency-Key": "forbidden" });
});

describe("a backfill", () => {
  const range = { from: "2026-12-31T23:00:00Z", to: "2026-12-31T23:30:00Z" };

  test("counts in a dry run, then fires each instant once, and shows how far it is", async () => {
    await stand({ overlap: "allow", when: { every: "1m", from: "2026-01-01T00:00:00Z" } });
    const counted = { ...{ from: "2026-12-31T23:00:00.000Z", to: "2026-12-31T23:30:00.000Z" }, total: 30, existing: 0 };
    const dry = await caller.answer(200, "POST", `${path}/backfill`, { body: { ...range, dryRun: true } });
    expect(dry).toEqual({ ...counted, dryRun: true, backfill: null });
    const begun = await caller.answer(202, "POST", `${path}/backfill`, { body: range });
    const progress = { from: counted.from, to: counted.to, done: 0, total: 30, goOnAt: counted.from };
    expect(begun).toEqual({ ...counted, dryRun: false, backfill: progress });
    expect((await caller.schedule(200, "GET", path)).backfill).toMatchObject({ total: 30 });
    expect((await caller.problem(409, "POST", `${path}/backfill`, { body: range })).code).toBe("state_conflict");
    await run(30 * secondMs);
    expect((await caller.schedule(200, "GET", path)).backfill).toBeNull();
    const again = await caller.answer(200, "POST", `${path}/backfill`, { body: { ...range, dryRun: true } });
    expect(again).toEqual({ ...counted, existing: 30, dryRun: true, backfill: null });
  });

  test("of more than ten thousand is refused with the count", async () => {
    await stand({ when: { cron: "* * * * * *" }, overlap: "allow" });
    const refusal = async (from: string, to: string) =>
      caller.problem(400, "POST", `${path}/backfill`, { body: { from, to, dryRun: true } });
    const some = await refusal("2026-12-31T00:00:00Z", "2026-12-31T02:46:41Z");
    expect([wrongFields(some), some.detail]).toEqual([{ to: "too_large" }, expect.stringContaining("got 10001")]);
    const million = await refusal("2026-12-01T00:00:00Z", "2026-12-12T13:46:40Z");
    expect(million.detail).toContain("got more than 200000");
  });

  test.each([
    [{}, { from: "required", to: "required" }],
    [{ from: "2026-12-01T00:00:00Z", to: "2027-01-01T00:00:01Z" }, { to: "too_large" }],
    [{ from: "2026-12-01T00:00:00Z", to: "2026-12-01T00:00:00Z" }, { from: "too_large" }],
    [{ from: "2028-01-01T00:00:00Z", to: "2028-01-02T00:00:00Z" }, { to: "too_large" }],
    [
      { from: "1960-01-01T00:00:00Z", to: "x", dryRun: "yes" },
      { from: "too_small", to: "invalid_format", dryRun: "invalid_type" },
    ],
    [{ ...range, overlap: "allow" }, { overlap: "unknown_field" }],
  ])("of %j is refused", async (body, known) => {
    await stand();
    expect(wrongFields(await caller.problem(400, "POST", `${path}/backfill`, { body }))).toEqual(known);
  });

  test("of one that is paused is a conflict that says so", async () => {
    await stand({ paused: true });
    expect((await caller.problem(409, "POST", `${path}/backfill`, { body: range })).detail).toContain("is paused");
  });
});

describe("a preview of what stands", () => {
  test("goes by the stored rule, its window and its calendars, from any instant", async () => {
    await caller.answer(201, "PUT", "/v1/calendars/first", { body: { dates: ["2027-01-01"] } });
    await stand({ when: { cron: "@hourly" }, except: [{ calendar: "first" }], window: "30m", paused: true });
    const { occurrences } = await caller.answer<{ occurrences: { nominalAt: string; dueAt: string }[] }>(
      200,
      "GET",
      `${path}/preview?count=3`,
    );
    expect(occurrences.map(({ nominalAt }) => nominalAt)).toEqual(["00", "01", "02"].map((hour) => `2027-01-02T${hour}:00:00.000Z`));
    const [next] = (await caller.schedule(200, "GET", path)).next;
    expect(next?.dueAt).toBe(occurrences[0]?.dueAt);
    const past = await caller.answer<{ occurrences: unknown[] }>(200, "GET", `${path}/preview?from=2026-01-01T00:00:00Z&count=1000`);
    expect(past.occurrences).toHaveLength(1_000);
  });

  test.each([
    ["?count=0", { count: "invalid_value" }],
    ["?count=1001", { count: "invalid_value" }],
    ["?from=today", { from: "invalid_format" }],
    ["?form=2027-01-01T00:00:00Z", { form: "unknown_field" }],
  ])("with %s is refused", async (query, known) => {
    await stand();
    expect(wrongFields(await caller.problem(400, "GET", `${path}/preview${query}`))).toEqual(known);
  });
});
