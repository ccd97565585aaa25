import { describe, expect, test } from "vitest";
import { openCaller, target, wrongFields } from "./caller.ts";

const caller = openCaller();

async function wrongOf(fields: unknown): Promise<Record<string, string>> {
  return wrongFields(await caller.problem(400, "POST", "/v1/jobs", { body: fields }));
}

describe("retry", () => {
  test.each([
    [{ minBackoff: "2h" }, { minBackoff: "2h", maxBackoff: "2h" }],
    [{ maxBackoff: "5s" }, { minBackoff: "5s", maxBackoff: "5s" }],
    [
      { maxAttempts: 1, jitter: false, maxDoublings: 0, maxAge: "30d" },
      { maxAttempts: 1, jitter: false, maxDoublings: 0, maxAge: "30d" },
    ],
    [{ retryOn: [] }, { retryOn: [] }],
    [{ retryOn: ["4xx", 501, "timeout"] }, { retryOn: ["4xx", 501, "timeout"] }],
  ])("%j is taken as %j", async (retry, expected) => {
    expect((await caller.create({ retry })).retry).toMatchObject(expected);
  });

  test.each([
    [{ maxAttempts: 0 }, { "retry.maxAttempts": "too_small" }],
    [{ maxAttempts: 101 }, { "retry.maxAttempts": "too_large" }],
    [{ maxAttempts: 1.5 }, { "retry.maxAttempts": "invalid_type" }],
    [{ maxAttempts: "4" }, { "retry.maxAttempts": "invalid_type" }],
    [{ minBackoff: "99ms" }, { "retry.minBackoff": "too_small" }],
    [{ minBackoff: "25h" }, { "retry.minBackoff": "too_large" }],
    [{ minBackoff: "1h", maxBackoff: "1m" }, { "retry.maxBackoff": "too_small" }],
    [{ maxBackoff: "8d" }, { "retry.maxBackoff": "too_large" }],
    [{ maxDoublings: 17 }, { "retry.maxDoublings": "too_large" }],
    [{ maxDoublings: -1 }, { "retry.maxDoublings": "too_small" }],
    [{ maxAge: "0s" }, { "retry.maxAge": "too_small" }],
    [{ maxAge: "31d" }, { "retry.maxAge": "too_large" }],
    [{ jitter: "yes" }, { "retry.jitter": "invalid_type" }],
    [{ retryOn: "5xx" }, { "retry.retryOn": "invalid_type" }],
    [{ retryOn: ["3xx"] }, { "retry.retryOn[0]": "invalid_value" }],
    [{ retryOn: [399] }, { "retry.retryOn[0]": "too_small" }],
    [{ retryOn: [500, 600] }, { "retry.retryOn[1]": "too_large" }],
    [{ retryOn: [null] }, { "retry.retryOn[0]": "invalid_value" }],
    [{ retryOn: Array(33).fill(500) }, { "retry.retryOn": "too_large" }],
    [{ maxAttempt: 3 }, { "retry.maxAttempt": "unknown_field" }],
    [null, { retry: "invalid_type" }],
  ])("%j is refused as %j", async (retry, expected) => {
    expect(await wrongOf({ target, retry })).toEqual(expected);
  });
});

describe("labels, priority and key", () => {
  test.each([[{ labels: { "a.b/c_d-9": "", team: "x".repeat(255) } }], [{ priority: "critical" }], [{ key: " ~".padStart(255, "k") }]])(
    "%j is taken",
    async (fields) => {
      await caller.create(fields);
    },
  );

  test.each([
    [{ labels: { "a b": "c" } }, { 'labels["a b"]': "invalid_format" }],
    [{ labels: { "": "c" } }, { 'labels[""]': "invalid_format" }],
    [{ labels: { a: "x".repeat(256) } }, { "labels.a": "too_large" }],
    [{ labels: { a: "b\u0000" } }, { "labels.a": "invalid_format" }],
    [{ labels: { a: "b\r\n" } }, { "labels.a": "invalid_format" }],
    [{ labels: { a: "\udc00" } }, { "labels.a": "invalid_format" }],
    [{ labels: { a: 1 } }, { "labels.a": "invalid_type" }],
    [{ labels: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`l${index}`, ""])) }, { labels: "too_large" }],
    [{ labels: ["a"] }, { labels: "invalid_type" }],
    [{ priority: "urgent" }, { priority: "invalid_value" }],
    [{ priority: null }, { priority: "invalid_value" }],
    [{ key: "" }, { key: "invalid_format" }],
    [{ key: "k".repeat(256) }, { key: "invalid_format" }],
    [{ key: "a\u0000" }, { key: "invalid_format" }],
    [{ key: "é" }, { key: "invalid_format" }],
    [{ key: 17 }, { key: "invalid_type" }],
  ])("%j is refused as %j", async (fields, expected) => {
    expect(await wrongOf({ target, ...fields })).toEqual(expected);
  });
});
