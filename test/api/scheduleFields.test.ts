/** What a schedule is refused for: each wrong field by its full path, all of them at once, and before anything is stored. */

import { describe, expect, test } from "vitest";
import { openCaller, target, wrongFields } from "./caller.ts";

const path = "/v1/schedules/nightly";
const when = { cron: "@daily" };
const job = { target };
const good = { when, job };

async function refused(body: unknown, status = 400): Promise<Record<string, string>> {
  const caller = openCaller();
  const found = wrongFields(await caller.problem(status, "PUT", path, { body }));
  await caller.problem(404, "GET", path);
  return found;
}

const messages = async (body: unknown) =>
  (await openCaller().problem(400, "PUT", path, { body })).errors.map(({ message }) => message).join("\n");

describe("a schedule", () => {
  test.each([
    [{}, { when: "required", job: "required" }],
    [[], { "": "invalid_type" }],
    [{ ...good, when: { cron: "" } }, { "when.cron": "invalid_format" }],
    [{ ...good, when: { cron: "1,".repeat(5_000) } }, { "when.cron": "too_large" }],
    [{ ...good, when: { cron: "61 * * * * *" } }, { "when.cron": "invalid_format" }],
    [{ ...good, when: { cron: "0 0 * * 8" } }, { "when.cron": "invalid_format" }],
    [{ ...good, when: { cron: "0 0 * FOO *" } }, { "when.cron": "invalid_format" }],
    [{ ...good, when: { cron: "@daily", timezone: "Europe/Berln" } }, { "when.timezone": "invalid_value" }],
    [{ ...good, when: { cron: "0 0 9 1 1 * 2020" } }, { when: "invalid_value" }],
    [{ ...good, when: { every: "1ms" } }, { "when.every": "too_small" }],
    [{ ...good, when: [when, { every: "999ms" }] }, { "when[1].every": "too_small" }],
    [{ ...good, when: Array.from({ length: 1_001 }, () => when) }, { when: "too_large" }],
    // As many rules as there may be, each with a list of minutes: together they are too long to ride in one item.
    [
      { ...good, when: Array.from({ length: 1_000 }, (_, index) => ({ cron: `${"1,".repeat(30)}${index % 60} ${index % 24} * * *` })) },
      { when: "too_large" },
    ],
    [{ ...good, when: { at: ["2020-01-01T00:00:00Z"] } }, { when: "invalid_value" }],
    [{ ...good, except: [{ cron: "* * * * *" }] }, { when: "invalid_value" }],
    [{ ...good, except: [{ calendar: "de-holidays" }] }, { "except[0].calendar": "invalid_value" }],
    [{ ...good, window: "25h" }, { window: "too_large" }],
    [{ ...good, when: { cron: "* * * * *" }, window: "61s" }, { window: "too_large" }],
    [{ ...good, when: [{ cron: "0 9 * * *" }, { cron: "30 9 * * *" }], window: "31m" }, { window: "too_large" }],
    [{ ...good, window: "101%" }, { window: "too_large" }],
    [{ ...good, window: null }, { window: "invalid_type" }],
    [{ ...good, startAt: "2028-01-01T00:00:00Z", endAt: "2027-06-01T00:00:00Z" }, { endAt: "too_small" }],
    [{ ...good, startAt: "2028-01-01T00:00:00Z", endAt: "2028-01-01T00:00:00Z" }, { endAt: "too_small" }],
    [{ ...good, endAt: "2026-01-01T00:00:00Z" }, { endAt: "too_small" }],
    [
      { ...good, startAt: "1960-01-01T00:00:00Z", endAt: "2300-01-01T00:00:00Z" },
      { startAt: "too_small", endAt: "too_large" },
    ],
    [
      { ...good, startAt: "soon", endAt: 5 },
      { startAt: "invalid_format", endAt: "invalid_type" },
    ],
    [{ ...good, overlap: "que", misfire: { policy: "al", within: "0s", max: 0, extra: 1 } }, "all of overlap and misfire"],
    [
      { ...good, misfire: { within: "31d", max: 1_001 } },
      { "misfire.within": "too_large", "misfire.max": "too_large" },
    ],
    [
      { ...good, misfire: null, paused: "yes", labels: null },
      { misfire: "invalid_type", paused: "invalid_type", labels: "invalid_type" },
    ],
    [
      { ...good, maxRuns: 0, pauseAfterFailures: 101 },
      { maxRuns: "too_small", pauseAfterFailures: "too_large" },
    ],
    [
      { ...good, set: "billing", id: "sch_1", next: [] },
      { set: "unknown_field", id: "unknown_field", next: "unknown_field" },
    ],
    [{ ...good, labels: { "a b": "c" } }, { 'labels["a b"]': "invalid_format" }],
    // The template is judged as a job is.
    [{ ...good, job: {} }, { "job.target": "required" }],
    [{ ...good, job: [] }, { job: "invalid_type" }],
    [{ ...good, job: { target: { url: "ftp://x/" } } }, { "job.target.url": "invalid_format" }],
    [{ ...good, job: { target: { ...target, headers: { host: "x" } } } }, { "job.target.headers.host": "invalid_value" }],
    [
      { ...good, job: { ...job, timeout: "1ms", retry: { maxAttempts: 0 } } },
      { "job.timeout": "too_small", "job.retry.maxAttempts": "too_small" },
    ],
    [{ ...good, job: { ...job, retry: { minBackoff: "2h", maxBackoff: "1h" } } }, { "job.retry.maxBackoff": "too_small" }],
    [{ ...good, job: { ...job, body: null } }, { "job.body": "invalid_type" }],
    [{ ...good, job: { ...job, body: 1, bodyText: "1" } }, { "job.bodyText": "conflict" }],
    [{ ...good, job: { target: { ...target, method: "GET" }, body: 1 } }, { "job.body": "conflict" }],
    [
      { ...good, job: { ...job, dueAt: "2027-01-01T00:00:00Z", delay: "1s", deadline: "2027-01-01T00:00:00Z", key: "k" } },
      { "job.dueAt": "forbidden", "job.delay": "forbidden", "job.deadline": "forbidden", "job.key": "forbidden" },
    ],
    [{ when: { cron: "61 * * * * *" }, job: { target: { url: "x" }, priority: "hi" }, windw: "1s" }, "some of each"],
  ] as [unknown, Record<string, string> | string][])("is refused for %.120j", async (body, known) => {
    const found = await refused(body);
    if (known === "all of overlap and misfire") {
      expect(found).toEqual({
        ...{ overlap: "invalid_value", "misfire.policy": "invalid_value", "misfire.within": "too_small" },
        ...{ "misfire.max": "too_small", "misfire.extra": "unknown_field" },
      });
    } else if (known === "some of each") {
      expect(found).toEqual({
        ...{ "when.cron": "invalid_format", "job.target.url": "invalid_format", "job.priority": "invalid_value", windw: "unknown_field" },
      });
    } else expect(found).toEqual(known);
  });

  test("says what was most likely meant, and what to do instead", async () => {
    expect(await messages({ ...good, wndow: "1m" })).toContain("did you mean `window`?");
    expect(await messages({ ...good, overlap: "skipp" })).toContain('did you mean "skip"?');
    expect(await messages({ ...good, job: { ...job, timout: "1s" } })).toContain("did you mean `timeout`?");
    expect(await messages({ ...good, target })).toContain("did you mean `job.target`?");
    expect(await messages({ ...good, job: { ...job, url: "x" } })).toContain("did you mean `job.target.url`?");
    expect(await messages({ ...good, when: { cron: "@daily", timezone: "Europe/Berln" } })).toContain('did you mean "Europe/Berlin"?');
    expect(await messages({ ...good, job: { ...job, deadline: "2027-01-01T00:00:00Z" } })).toContain("use expireAfter");
    expect(await messages({ ...good, except: [{ cron: "* * * * *" }] })).toContain("never fires");
  });

  test("whose window is longer than the time between two names both", async () => {
    const text = await messages({ ...good, when: { cron: "*/5 * * * *" }, window: "10m" });
    expect(text).toContain("(5m, from 2027-01-01T00:00:00.000Z on)");
    expect(text).toContain('got "10m"');
    await openCaller().schedule(201, "PUT", path, { body: { ...good, when: { cron: "*/5 * * * *" }, window: "5m" } });
  });

  test("takes Sunday as 7, wrapped ranges, and null where the contract shows it", async () => {
    const caller = openCaller();
    for (const cron of ["0 9 * * 7", "0 9 * * FRI-SUN", "0 22-2 * * *"]) {
      await caller.schedule(200 + Number(cron === "0 9 * * 7"), "PUT", path, { body: { ...good, when: { cron } } });
    }
    await caller.schedule(200, "PUT", path, { body: { ...good, startAt: null, endAt: null, maxRuns: null, pauseAfterFailures: null } });
  });

  test("with a target that the address policy denies is refused as the job would be", async () => {
    const denied = { target: { url: "http://127.0.0.1/" } };
    expect(await refused({ ...good, job: denied }, 422)).toEqual({ "job.target.url": "target_denied" });
    // Where a field is wrong as well, that comes first.
    expect(await refused({ ...good, job: denied, overlap: 1 })).toEqual({ overlap: "invalid_value" });
  });

  test("with a body that is too large is refused as the job would be", async () => {
    expect(await refused({ ...good, job: { ...job, bodyText: "x".repeat(262_145) } }, 413)).toEqual({ "job.body": "too_large" });
  });

  test("with a number that would be altered, a name twice, or no JSON is refused", async () => {
    const caller = openCaller();
    const raw = (text: string) => caller.problem(400, "PUT", path, { raw: text });
    const inside = `{"when":{"cron":"@daily"},"job":{"target":{"url":"https://example.com/"},"body":{"n":12345678901234567890}}}`;
    expect(wrongFields(await raw(inside))).toEqual({ "job.body.n": "inexact_number" });
    expect((await raw(`{"when":{"cron":"@daily"},"when":{}}`)).code).toBe("invalid_json");
    expect((await raw("{")).code).toBe("invalid_json");
    await caller.problem(415, "PUT", path, { raw: "{}", headers: { "content-type": "text/plain" } });
    await caller.problem(400, "PUT", `${path}?x=1`, { body: good });
  });

  test("asks for no longer a call than this installation can make", async () => {
    const caller = openCaller({ maxTimeoutMs: 120_000 });
    const refusal = await caller.problem(400, "PUT", path, { body: { ...good, job: { ...job, timeout: "3m" } } });
    expect(refusal.errors).toMatchObject([{ field: "job.timeout", code: "too_large", message: expect.stringContaining("maxTimeout") }]);
  });
});
