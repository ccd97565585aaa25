/** Whatever is sent is answered by a 2xx or a well-formed problem; `caller.ts` holds each answer against its schema. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openCaller, target } from "./caller.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom("1h", "90s", "2027-06-01T00:00:00Z", "https://example.com/", "GET", "5xx", "high", "__proto__", "\ud800", "***"),
);
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), text, fc.constantFrom(null, 0, -1, 1e21, true));
const names = (known: readonly string[]) => fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, text);
const fieldsOf = (known: readonly string[], inner: fc.Arbitrary<unknown>) => fc.dictionary(names(known), inner, { maxKeys: 8 });

const retry = fieldsOf(
  ["maxAttempts", "minBackoff", "maxBackoff", "maxDoublings", "maxAge", "jitter", "retryOn"],
  fc.oneof(value, fc.array(value)),
);
const aim = fieldsOf(["url", "method", "headers"], fc.oneof(value, fc.dictionary(text, text)));
const field = fc.oneof(value, retry, aim, fc.dictionary(text, text), fc.constant(target));
const job = fieldsOf(
  [
    "target",
    "body",
    "bodyText",
    "bodyBase64",
    "dueAt",
    "delay",
    "timeout",
    "deadline",
    "expireAfter",
    "retry",
    "priority",
    "labels",
    "key",
  ],
  field,
);
const nearJob = job.map((fields) => ({ target, ...fields }));
const request = fc.oneof(value, job, nearJob, nearJob);

const rule = fieldsOf(
  ["cron", "every", "at", "expression", "timezone", "gap", "fold", "from"],
  fc.oneof(
    value,
    fc.array(text, { maxLength: 3 }),
    fc.constantFrom("@hourly", "0 9 * * MON", "15m", "rate(1 day)", "Europe/Berlin", "skip", ["2027-06-01T00:00:00Z"]),
  ),
);
const exception = fieldsOf(
  ["cron", "dates", "calendar", "timezone"],
  fc.oneof(value, fc.constantFrom("free", "* * 24 12 *", ["2027-01-01"])),
);
const scheduleNames = [
  ...["when", "except", "job", "overlap", "misfire", "window", "startAt", "endAt", "maxRuns", "paused", "pauseAfterFailures", "labels"],
];
const scheduleField = fc.oneof(
  ...[value, rule, fc.array(rule, { maxLength: 3 }), fc.array(exception, { maxLength: 2 }), job, nearJob],
  fieldsOf(["policy", "within", "max"], fc.oneof(value, fc.constantFrom("all", "10m", 5))),
  fc.constantFrom("allow", "buffer_all", "50%", "10m", true, 3, null),
);
const schedule = fieldsOf(scheduleNames, scheduleField);
const nearSchedule = schedule.map((fields) => ({ when: { cron: "@hourly" }, job: { target }, ...fields }));
const near = fc
  .record(
    {
      when: fc.oneof(rule, fc.constant({ cron: "@daily" })),
      job: fc.oneof(nearJob, fc.constant({ target })),
      except: fc.array(exception, { maxLength: 2 }),
      ...Object.fromEntries(["overlap", "window", "startAt", "maxRuns", "paused"].map((name) => [name, scheduleField])),
    },
    { requiredKeys: ["when", "job"] },
  )
  .map((fields) => fields as Record<string, unknown>);
const scheduleRequest = fc.oneof(value, schedule, nearSchedule, near);

describe("any JSON value, as", () => {
  const caller = openCaller();
  const send = (method: string, path: string, body: unknown) => caller.send(method, path, { raw: JSON.stringify(body) });

  test("a schedule, or a change of one, is taken or refused by a problem", async () => {
    await fc.assert(
      fc.asyncProperty(scheduleRequest, async (body) => {
        expect([200, 201, 400, 422]).toContain((await send("PUT", "/v1/schedules/any", body)).status);
        expect([200, 400, 404, 422]).toContain((await send("PATCH", "/v1/schedules/any", body)).status);
      }),
      { numRuns: 200 },
    );
  });

  test("a set is taken or refused by a problem", async () => {
    const set = fc.record(
      {
        set: fc.oneof(value, fc.constant("s")),
        schedules: fc.dictionary(names(["a", "b"]), scheduleRequest, { maxKeys: 3 }),
        dryRun: fc.constantFrom(true, false, 1),
      },
      { requiredKeys: ["set", "schedules"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, set, set), async (body) => {
        expect([200, 400, 422]).toContain((await send("PUT", "/v1/schedules", body)).status);
      }),
      { numRuns: 150 },
    );
  });

  test("a calendar is taken or refused by a problem", async () => {
    const days = fc.oneof(value, fc.array(fc.oneof(text, fc.constantFrom("2027-01-01", "SAT", "sun")), { maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, fieldsOf(["timezone", "dates", "weekly"], days)), async (body) => {
        expect([200, 201, 400]).toContain((await send("PUT", "/v1/calendars/free", body)).status);
      }),
      { numRuns: 150 },
    );
  });

  test("the fields of what is done with a schedule is taken or refused by a problem", async () => {
    const body = { when: { cron: "@hourly" }, job: { target } };
    await caller.send("PUT", "/v1/schedules/own", { body });
    const fields = fieldsOf(
      ["until", "reason", "recover", "overlap", "from", "to", "dryRun"],
      fc.oneof(value, fc.constantFrom("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z", "all", "latest", "skip", "replace", true)),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, fields), fc.constantFrom("pause", "resume", "trigger", "backfill"), async (asked, verb) => {
        expect([200, 201, 202, 400, 409]).toContain((await send("POST", `/v1/schedules/own/${verb}`, asked)).status);
      }),
      { numRuns: 200 },
    );
  });

  test("any of these was no bug, whatever it was", () => {
    expect(caller.logged).toEqual([]);
  });
});

describe("any JSON value", () => {
  const caller = openCaller();

  test("as a job is taken or refused by a problem", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (body) => {
        const { status } = await caller.send("POST", "/v1/jobs", { raw: JSON.stringify(body) });
        expect([200, 201, 400, 409, 422]).toContain(status);
      }),
      { numRuns: 300 },
    );
  });

  test("as a batch, or as an item of one, is taken or refused by problems", async () => {
    const batch = fc.oneof(value, fc.record({ jobs: fc.array(request, { maxLength: 5 }) }));
    await fc.assert(
      fc.asyncProperty(batch, async (body) => {
        expect([200, 400]).toContain((await caller.send("POST", "/v1/jobs/batch", { raw: JSON.stringify(body) })).status);
      }),
      { numRuns: 200 },
    );
  });

  test("as a change is made or refused by a problem", async () => {
    const { id } = await caller.create({ delay: "1h" });
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, job), async (body) => {
        expect([200, 400, 422]).toContain((await caller.send("PATCH", `/v1/jobs/${id}`, { raw: JSON.stringify(body) })).status);
      }),
      { numRuns: 150 },
    );
  });

  test("was no bug, whatever it was", () => {
    expect(caller.logged).toEqual([]);
  });
});

test("any bytes are taken or refused by a problem", async () => {
  const caller = openCaller();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
      expect((await caller.send("POST", "/v1/jobs", { raw: Buffer.concat([Buffer.from("{"), bytes]) })).status).toBe(400);
    }),
    { numRuns: 150 },
  );
});

test("any path and query is answered, and never by an error of ours", async () => {
  const caller = openCaller();
  const segment = fc.oneof(
    fc.constantFrom(
      "v1",
      "jobs",
      "batch",
      "cancel",
      "schedules",
      "calendars",
      "preview",
      "occurrences",
      "any",
      "job_00000000000000000000000000",
      "%",
      "%2e",
      "..",
    ),
    fc.string({ maxLength: 8 }).map(encodeURI),
  );
  const query = fc.dictionary(
    fc.constantFrom("limit", "state", "label", "dueFrom", "cursor", "set", "schedule", "from", "count", "jobs", "x"),
    fc.string({ unit: "binary", maxLength: 12 }).map((part) => encodeURIComponent(part.toWellFormed())),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment, { maxLength: 5 }),
      query,
      fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE"),
      async (segments, parameters, method) => {
        const search = Object.entries(parameters)
          .map(([name, part]) => `${name}=${part}`)
          .join("&");
        const path = `/${segments.join("/")}${search === "" ? "" : `?${search}`}`;
        const response = await caller.api.fetch(new Request(`http://127.0.0.1:4000${path}`, { method }));
        expect(response.status).toBeLessThan(500);
      },
    ),
    { numRuns: 150 },
  );
  expect(caller.logged).toEqual([]);
});
