/** That a job can be called off, changed and done again, and that an answer to that is exact. */

import { describe, expect, it } from "vitest";
import type { JobAnswer } from "../../src/api/answers.ts";
import { clientOf, pause, type Subject } from "./subject.ts";

export function changing(subject: Subject): void {
  const { create, ended, becomes, called, job, send, problem } = clientOf(subject);
  const { soonMs } = subject;
  const cancel = (id: string) => send<JobAnswer>("POST", `/v1/jobs/${id}/cancel`);

  describe.concurrent("cancel", () => {
    it("of a waiting job answers cancelled, and the call never comes", async () => {
      const { id } = await create("/", { delay: `${soonMs}ms` });
      const cancelled = await cancel(id);
      expect([cancelled.status, cancelled.json.state, cancelled.json.nextAttemptAt]).toEqual([200, "cancelled", null]);
      expect(await cancel(id)).toMatchObject({ status: 200, json: { state: "cancelled", version: cancelled.json.version } });
      await pause(soonMs + 500);
      expect(subject.calls(id)).toEqual([]);
    });

    it("of a call in flight aborts it, and the job ends cancelled without another", async () => {
      const { id } = await create("/hang", { timeout: "30s" });
      await called(id);
      const asked = await cancel(id);
      expect(asked).toMatchObject({ status: 200, json: { state: "running", cancelRequestedAt: expect.any(String) } });
      expect(await ended(id)).toMatchObject({ state: "cancelled", because: "cancelled", attemptCount: 1 });
      expect(subject.calls(id)).toHaveLength(1);
    });

    it("of a job that waits for its retry starts no other attempt", async () => {
      const { id } = await create("/status/503", { retry: { minBackoff: `${soonMs}ms`, maxBackoff: `${soonMs}ms`, jitter: false } });
      await becomes(id, "to wait for its retry", ({ because }) => because === "retried");
      expect(await cancel(id)).toMatchObject({ status: 200, json: { state: "cancelled", attemptCount: 1 } });
      await pause(soonMs + 500);
      expect(subject.calls(id)).toHaveLength(1);
    });

    it("of a job that succeeded is a conflict that says so", async () => {
      const { id } = await create("/");
      await ended(id);
      expect((await problem(409, "state_conflict", "POST", `/v1/jobs/${id}/cancel`)).detail).toContain("succeeded");
    });
  });

  describe.concurrent("edit", () => {
    it("of a waiting job moves its call, keeps its id, and raises its version", async () => {
      const made = await create("/", { delay: "1h", labels: { a: "1" } });
      const url = `${subject.recorderUrl()}/edited`;
      const edited = await send<JobAnswer>("PATCH", `/v1/jobs/${made.id}`, {
        ...{ delay: "300ms", target: { url }, body: { edited: true }, labels: { b: "2" }, priority: "high" },
      });
      expect(edited).toMatchObject({ status: 200, json: { id: made.id, state: "waiting", labels: { b: "2" }, priority: "high" } });
      expect(edited.json.labels).not.toHaveProperty("a");
      expect(edited.json.version).toBeGreaterThan(made.version);
      expect(edited.headers.get("etag")).toBe(`"${edited.json.version}"`);
      await ended(made.id);
      expect(subject.recorded(made.id)?.body.toString()).toBe('{"edited":true}');
      expect(subject.calls(made.id)).toEqual([]);
    });

    it("with the version of before changes nothing", async () => {
      const { id, version } = await create("/", { delay: "1h" });
      const first = await send("PATCH", `/v1/jobs/${id}`, { priority: "high" }, { "if-match": `"${version}"` });
      expect(first.status).toBe(200);
      await problem(412, "version_conflict", "PATCH", `/v1/jobs/${id}`, { priority: "low" }, { "if-match": `"${version}"` });
      expect((await job(id)).priority).toBe("high");
      await cancel(id);
    });

    it("of a call in flight is refused and names the attempt", async () => {
      const { id } = await create(`/delay/${soonMs}ms`);
      await called(id);
      expect((await problem(409, "in_flight", "PATCH", `/v1/jobs/${id}`, { priority: "high" })).detail).toContain("1");
      expect(await ended(id)).toMatchObject({ state: "succeeded", priority: "normal" });
    });

    it("of a job that has ended is a conflict that says how it ended", async () => {
      const { id } = await create("/status/404");
      await ended(id);
      expect((await problem(409, "state_conflict", "PATCH", `/v1/jobs/${id}`, { delay: "1s" })).detail).toContain("failed");
    });
  });

  describe.concurrent("replay", () => {
    it("of a job that has ended makes the same call as a new job", async () => {
      const url = `${subject.recorderUrl()}/replayed`;
      const body = { order: 17 };
      const { id } = await create("", { target: { url, headers: { "x-a": "b" } }, body, labels: { team: "billing" }, delay: "100ms" });
      await ended(id);
      const again = await send<JobAnswer>("POST", `/v1/jobs/${id}/replay`);
      expect(again).toMatchObject({ status: 201, json: { replayOf: id, target: { url }, labels: { team: "billing" } } });
      expect(again.json.id).not.toBe(id);
      expect(await ended(again.json.id)).toMatchObject({ state: "succeeded", attemptCount: 1 });
      const [first, second] = [subject.recorded(id), subject.recorded(again.json.id)];
      expect(second?.body).toEqual(first?.body);
      expect(second?.headers).toMatchObject({ "x-a": "b", "content-type": "application/json" });
      expect(second?.headers["webhook-id"]).not.toBe(first?.headers["webhook-id"]);
    });

    it("of a job that still waits is a conflict, and makes none", async () => {
      const replayed = `not-${process.pid}-${Date.now()}`;
      const { id } = await create("/", { delay: "1h", labels: { replayed } });
      await problem(409, "state_conflict", "POST", `/v1/jobs/${id}/replay`);
      expect((await clientOf(subject).list(`label=replayed:${replayed}`)).json.data).toHaveLength(1);
      await cancel(id);
    });
  });
}
