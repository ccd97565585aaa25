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

describe("any JSON value", () => {
  const caller = openCaller();

  test("as a job is taken or refused by a problem", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (body) => {
        const { status } = await caller.send("POST", "/v1/jobs", { raw: JSON.stringify(body) });
        expect([200, 201, 400, 409, 422]).toContain(status);
      }),
      { numRuns: 800 },
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
      { numRuns: 300 },
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
    { numRuns: 300 },
  );
});

test("any path and query is answered, and never by an error of ours", async () => {
  const caller = openCaller();
  const segment = fc.oneof(
    fc.constantFrom("v1", "jobs", "batch", "cancel", "job_00000000000000000000000000", "%", "%2e", ".."),
    fc.string({ maxLength: 8 }).map(encodeURI),
  );
  const query = fc.dictionary(
    fc.constantFrom("limit", "state", "label", "dueFrom", "cursor", "x"),
    fc.string({ unit: "binary", maxLength: 12 }).map((part) => encodeURIComponent(part.toWellFormed())),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment, { maxLength: 5 }),
      query,
      fc.constantFrom("GET", "POST", "PATCH", "DELETE"),
      async (segments, parameters, method) => {
        const search = Object.entries(parameters)
          .map(([name, part]) => `${name}=${part}`)
          .join("&");
        const path = `/${segments.join("/")}${search === "" ? "" : `?${search}`}`;
        const response = await caller.api.fetch(new Request(`http://127.0.0.1:4000${path}`, { method }));
        expect(response.status).toBeLessThan(500);
      },
    ),
    { numRuns: 300 },
  );
  expect(caller.logged).toEqual([]);
});
