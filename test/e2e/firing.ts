/** That calls come when they are owed, as often as they are owed, and say which attempt they are. */

import { describe, expect, it } from "vitest";
import { clientOf, type Subject } from "./subject.ts";

export function firing(subject: Subject): void {
  const { create, ended, send } = clientOf(subject);

  // Before all others and alone: what runs beside it on this machine would be measured with it.
  describe("on the dot", () => {
    it("twenty jobs arrive once each, none early, and none later than the bound", async () => {
      const firstAt = Date.now() + 1_500;
      const dueAts = Array.from({ length: 20 }, (_, index) => new Date(firstAt + index * 37).toISOString());
      const jobs = await Promise.all(dueAts.map((dueAt) => create("/", { dueAt })));
      expect(jobs.map((job) => job.dueAt)).toEqual(dueAts);
      await Promise.all(jobs.map(({ id }) => ended(id)));
      const calls = jobs.map(({ id }) => subject.calls(id));
      expect(calls.map((each) => each.length)).toEqual(jobs.map(() => 1));
      const lateness = calls.map(([call]) => call?.latenessMs ?? Number.NaN);
      expect(lateness.filter((latenessMs) => !(latenessMs >= 0 && latenessMs <= subject.latenessMsMax))).toEqual([]);
    });

    it("a job without an instant, and one whose instant has passed, arrive at once", async () => {
      const passedAt = new Date(Date.now() - 3_600_000).toISOString();
      const submittedAt = Date.now();
      const [now, past] = await Promise.all([create("/"), create("/", { dueAt: passedAt })]);
      expect(past.dueAt).toBe(passedAt);
      await Promise.all([ended(now.id), ended(past.id)]);
      for (const { id } of [now, past]) {
        const receivedAt = subject.calls(id)[0]?.receivedAt ?? Number.NaN;
        expect(receivedAt - submittedAt).toBeLessThanOrEqual(subject.latenessMsMax + 250);
      }
    });
  });

  describe.concurrent("due", () => {
    it("by a delay counts from the request, and not from when it was written", async () => {
      const job = await create("/", { delay: "PT0.6S" });
      const waitMs = Date.parse(job.dueAt) - Date.parse(job.createdAt);
      expect(waitMs).toBeLessThanOrEqual(600);
      expect(waitMs).toBeGreaterThan(600 - subject.latenessMsMax);
      expect(await ended(job.id)).toMatchObject({ state: "succeeded", because: "succeeded", attemptCount: 1 });
      expect(subject.calls(job.id)[0]?.latenessMs).toBeGreaterThanOrEqual(0);
    });

    it("with an offset is the same instant in UTC", async () => {
      const job = await create("/", { dueAt: "2030-01-01T02:00:00+02:00" });
      expect(job.dueAt).toBe("2030-01-01T00:00:00.000Z");
      await send("POST", `/v1/jobs/${job.id}/cancel`);
    });

    it("at one instant with each of the four priorities, all are called and show theirs", async () => {
      const dueAt = new Date(Date.now() + 500).toISOString();
      const priorities = ["low", "normal", "high", "critical"];
      const jobs = await Promise.all(priorities.map((priority) => create("/", { dueAt, priority })));
      const all = await Promise.all(jobs.map(({ id }) => ended(id)));
      expect(all.map(({ state, priority }) => [state, priority])).toEqual(priorities.map((priority) => ["succeeded", priority]));
    });

    it("again only after its deadline ends as expired, with no call after it", async () => {
      const backoff = `${3 * subject.soonMs}ms`;
      const retry = { minBackoff: backoff, maxBackoff: backoff, jitter: false };
      const job = await create("/status/503", { expireAfter: `${subject.soonMs}ms`, retry });
      expect(await ended(job.id)).toMatchObject({ state: "failed", because: "expired", attemptCount: 1 });
      expect(subject.calls(job.id)).toHaveLength(1);
    });
  });

  describe.concurrent("tried again", () => {
    const soon = { maxAttempts: 3, minBackoff: "100ms", maxBackoff: "200ms" };

    it("never before the Retry-After of the answer, with its attempts numbered and one webhook-id", async () => {
      const job = await create("/status/503/header/retry-after/1/until/3", { retry: soon });
      expect(await ended(job.id)).toMatchObject({
        state: "succeeded",
        attemptCount: 3,
        attempts: [
          { number: 1, outcome: "again", because: "status_503", response: { status: 503 } },
          { number: 2, outcome: "again", because: "status_503", response: { status: 503 } },
          { number: 3, outcome: "done", because: "status_200", response: { status: 200 } },
        ],
      });
      const calls = subject.calls(job.id);
      expect(calls.map((call) => call.attempt)).toEqual([1, 2, 3]);
      expect(new Set(calls.map((call) => call.webhookId)).size).toBe(1);
      expect(calls[0]?.webhookId).toMatch(/\S/);
      const waits = calls.slice(1).map((call, index) => call.receivedAt - (calls[index]?.receivedAt ?? 0));
      expect(waits.filter((waitMs) => waitMs < 1_000 || waitMs > 2_000 + subject.latenessMsMax)).toEqual([]);
    });

    it("until the attempts are used up, and then no more", async () => {
      const job = await create("/status/500", { retry: soon });
      expect(await ended(job.id)).toMatchObject({ state: "failed", because: "exhausted", attemptCount: 3, nextAttemptAt: null });
      expect(subject.calls(job.id).map((call) => call.attempt)).toEqual([1, 2, 3]);
    });

    it.each([400, 404, 410, 302])("not at all after a %i", async (status) => {
      const job = await create(`/status/${status}/header/location/elsewhere`, { retry: soon });
      expect(await ended(job.id)).toMatchObject({
        state: "failed",
        because: "refused",
        attempts: [{ number: 1, outcome: "never", because: `status_${status}` }],
      });
      expect(subject.calls(job.id)).toHaveLength(1);
    });

    it("after a 404 where the job asks for it", async () => {
      const job = await create("/status/404/until/2", { retry: { ...soon, retryOn: [404] } });
      expect(await ended(job.id)).toMatchObject({ state: "succeeded", attemptCount: 2 });
    });

    it("tells in its history what happened, in order", async () => {
      const job = await create("/status/503/until/2", { retry: soon });
      const { history } = await ended(job.id);
      expect(history.map(({ to, because }) => `${to} ${because}`)).toEqual([
        "waiting created",
        "running claimed",
        "waiting retried",
        "running claimed",
        "succeeded succeeded",
      ]);
    });
  });
}
