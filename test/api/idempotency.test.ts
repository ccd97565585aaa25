import { describe, expect, test } from "vitest";
import { later, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { openCaller, target } from "./caller.ts";

describe("idempotency", () => {
  test("of 50 concurrent creates with one key, one makes the job and 49 are answered with it", async () => {
    const caller = openCaller();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => caller.send("POST", "/v1/jobs", { body: { target, delay: "1h", key: "order-17" } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 201]);
    expect(new Set(answers.map(({ text }) => JSON.parse(text).id)).size).toBe(1);
    for (const { status, headers } of answers) expect(headers.get("idempotency-replayed")).toBe(status === 200 ? "true" : null);
    expect(JSON.parse((await caller.send("GET", "/v1/jobs")).text).data).toHaveLength(1);
  });

  test("the same key with another request is a conflict, whatever is different", async () => {
    const caller = openCaller();
    await caller.create({ key: "k", body: { a: 1, b: [1, 2] } });
    for (const body of [{ a: 1, b: [2, 1] }, { a: 1 }, { a: 1, b: [1, 2], c: null }, undefined]) {
      const document = await caller.problem(409, "POST", "/v1/jobs", { body: { target, key: "k", body } });
      expect(document.code).toBe("idempotency_conflict");
    }
  });

  test("order, spacing and the place of the key do not make another request", async () => {
    const caller = openCaller();
    const { id } = await caller.create({ key: "k", delay: "1h", body: { a: 1, b: 2 } });
    const raw = ` { "body": {"b": 2.0, "a":1e0}, "delay" :"1h", "target": {"url":"https://example.com/hook"} }`;
    expect(await caller.job(200, "POST", "/v1/jobs", { raw, headers: { "idempotency-key": "k" } })).toMatchObject({ id });
  });

  test("a relative delay repeated later is the same request", async () => {
    const caller = openCaller();
    const first = await caller.create({ key: "k", delay: "1h" });
    await caller.home.runUntil(later(startAt, 5 * secondMs));
    expect(await caller.job(200, "POST", "/v1/jobs", { body: { target, key: "k", delay: "1h" } })).toMatchObject({
      id: first.id,
      dueAt: first.dueAt,
    });
  });

  test("a request whose deadline has passed since is answered with its job, and a new one like it is refused", async () => {
    const caller = openCaller();
    const fields = { target, deadline: "2027-01-01T00:00:02Z" };
    const first = await caller.job(201, "POST", "/v1/jobs", { body: { ...fields, key: "k" } });
    await caller.home.runUntil(later(startAt, 5 * secondMs));
    expect((await caller.job(200, "POST", "/v1/jobs", { body: { ...fields, key: "k" } })).id).toBe(first.id);
    await caller.problem(400, "POST", "/v1/jobs", { body: { ...fields, key: "k2" } });
  });

  test("a request that parsing altered is not taken for the one it resembles", async () => {
    const caller = openCaller();
    await caller.create({ key: "k", body: 12345678901234567000 });
    await caller.problem(400, "POST", "/v1/jobs", {
      raw: '{"target":{"url":"https://example.com/hook"},"key":"k","body":12345678901234567890}',
    });
  });

  test.each([
    ["a", "a", 201],
    ["a", undefined, 201],
    ["a", "b", 400],
    ["é", undefined, 400],
    ["k".repeat(256), undefined, 400],
  ])("the header %s with the field %s is answered %i", async (header, field, status) => {
    const caller = openCaller();
    const answered = await caller.send("POST", "/v1/jobs", { body: { target, key: field }, headers: { "idempotency-key": header } });
    expect(answered.status).toBe(status);
  });
});
