/** That what is taken is taken once, and that one bad job spoils no other. */

import { describe, expect, it } from "vitest";
import type { BatchAnswer, JobAnswer } from "../../src/api/answers.ts";
import { clientOf, type Subject } from "./subject.ts";

/** Twice in one run of the suite against one installation, a key must not meet its own past. */
const keyOf = (name: string) => `${name}-${process.pid}-${Date.now()}`;

/** Of a private network: denied from its literal, whatever the home lets through for the tests. */
const deniedUrl = "http://10.0.0.1/";

export function submitting(subject: Subject): void {
  const { send, ended, calledOnce, problem } = clientOf(subject);
  const target = () => ({ url: `${subject.targetUrl()}/` });
  const submit = (fields: Record<string, unknown>, headers: Record<string, string> = {}) =>
    send<JobAnswer>("POST", "/v1/jobs", { target: target(), ...fields }, headers);

  describe.concurrent("an idempotency key", () => {
    it("makes one job and one call of fifty requests at once", async () => {
      const key = keyOf("fifty");
      const answers = await Promise.all(Array.from({ length: 50 }, () => submit({ delay: "300ms" }, { "idempotency-key": key })));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(49);
      const replayed = answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true");
      expect(replayed.map(({ status }) => status)).toEqual(Array.from({ length: 49 }, () => 200));
      const ids = new Set(answers.map(({ json }) => json.id));
      expect(ids.size).toBe(1);
      const [id = ""] = ids;
      await ended(id);
      expect(subject.calls(id)).toHaveLength(1);
    });

    it("with another request is a conflict, also once the job has ended", async () => {
      const key = keyOf("other");
      const { json } = await submit({ body: { a: 1 }, key });
      await ended(json.id);
      await problem(409, "idempotency_conflict", "POST", "/v1/jobs", { target: target(), body: { a: 2 }, key });
      expect(await submit({ body: { a: 1 } }, { "idempotency-key": key })).toMatchObject({ status: 200, json: { id: json.id } });
    });

    it("is one for header and field, and two that differ are refused", async () => {
      await problem(400, "invalid_request", "POST", "/v1/jobs", { target: target(), key: "a" }, { "idempotency-key": "b" });
    });
  });

  describe.concurrent("a batch", () => {
    it("answers each job in order, and calls the good ones", async () => {
      const key = keyOf("batch");
      const jobs = [
        { target: target() },
        { target: target(), delay: "soon" },
        { target: { url: deniedUrl } },
        { target: target(), bodyText: "x".repeat(256 * 1_024 + 1) },
        { target: target(), key },
        { target: target(), key },
        { target: target(), key, body: { other: true } },
        "no job",
        { target: target() },
      ];
      const { status, json } = await send<BatchAnswer>("POST", "/v1/jobs/batch", { jobs });
      expect(status).toBe(200);
      const told = json.results.map((result) => ("problem" in result ? [result.status, result.problem.code] : result.status));
      const refused = [
        [400, "invalid_request"],
        [422, "target_denied"],
        [413, "payload_too_large"],
      ];
      expect(told).toEqual([201, ...refused, 201, 200, [409, "idempotency_conflict"], [400, "invalid_request"], 201]);
      const ids = [...new Set(json.results.flatMap((result) => ("job" in result ? [result.job.id] : [])))];
      expect(ids).toHaveLength(3);
      for (const id of ids) expect(await ended(id)).toMatchObject({ state: "succeeded" });
      expect(ids.map((id) => subject.calls(id).length)).toEqual([1, 1, 1]);
    });

    it("of a thousand jobs calls each of them once", async () => {
      const dueAt = new Date(Date.now() + 3_000).toISOString();
      const label = { thousand: keyOf("batch") };
      const { json } = await send<BatchAnswer>("POST", "/v1/jobs/batch", {
        jobs: Array.from({ length: 1_000 }, (_, index) => ({ target: target(), dueAt, labels: label, body: { index } })),
      });
      const ids = json.results.flatMap((result) => ("job" in result ? [result.job.id] : []));
      expect(new Set(ids).size).toBe(1_000);
      await calledOnce(ids, `thousand:${label.thousand}`);
    });

    it.each([
      ["none", []],
      ["a thousand and one", Array.from({ length: 1_001 }, () => ({}))],
    ])("of %s jobs is refused whole", async (_, jobs) => {
      expect((await problem(400, "invalid_request", "POST", "/v1/jobs/batch", { jobs })).errors?.[0]?.field).toBe("jobs");
    });
  });

  describe.concurrent("a wrong job", () => {
    it("is told everything that is wrong at once, by field", async () => {
      const wrong = { target: { url: "ftp://example.com" }, dueIn: "1s", delay: "soon", retry: { maxAttempts: 0 }, priority: "urgent" };
      const { errors } = await problem(400, "invalid_request", "POST", "/v1/jobs", wrong);
      expect(errors?.map(({ field }) => field).toSorted()).toEqual(["delay", "dueIn", "priority", "retry.maxAttempts", "target.url"]);
      for (const error of errors ?? [])
        expect(error).toEqual({ field: expect.any(String), code: expect.any(String), message: expect.any(String) });
    });

    it.each<[string, Record<string, unknown>, string]>([
      ["an impossible date", { dueAt: "2027-02-30T00:00:00Z" }, "dueAt"],
      ["an instant without an offset", { dueAt: "2027-01-01T00:00:00" }, "dueAt"],
      ["an instant and a delay", { dueAt: "2027-01-01T00:00:00Z", delay: "1s" }, "delay"],
      ["a timeout below a second", { timeout: "500ms" }, "timeout"],
      ["a body that is null", { body: null }, "body"],
      ["two bodies", { body: 1, bodyText: "a" }, "bodyText"],
      [
        "a header that is not its to set",
        { target: { url: "https://example.com/", headers: { "webhook-id": "a" } } },
        "target.headers.webhook-id",
      ],
    ])("with %s is refused by that field", async (_, fields, field) => {
      const { errors } = await problem(400, "invalid_request", "POST", "/v1/jobs", { target: target(), ...fields });
      expect(errors?.map((error) => error.field)).toEqual([field]);
    });

    it("whose target is of a private network is denied at once", async () => {
      await problem(422, "target_denied", "POST", "/v1/jobs", { target: { url: deniedUrl } });
    });
  });
}
