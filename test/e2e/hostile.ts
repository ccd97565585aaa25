/** That a target which misbehaves costs one attempt and no more, and that the record says what it did. */

import { describe, expect, it } from "vitest";
import type { BatchAnswer } from "../../src/api/answers.ts";
import { clientOf, type Subject } from "./subject.ts";

const once = { maxAttempts: 1 };

export function hostile(subject: Subject): void {
  const { create, ended, called, send } = clientOf(subject);

  describe.concurrent("a target that", () => {
    it("cuts its answer short is tried again, and recorded as truncated", async () => {
      const job = await create("/short", { retry: { maxAttempts: 2, minBackoff: "100ms", maxBackoff: "100ms" } });
      const { attempts } = await ended(job.id);
      expect(attempts.map(({ outcome, because }) => [outcome, because])).toEqual([
        ["again", "truncated"],
        ["again", "truncated"],
      ]);
      expect(subject.calls(job.id)).toHaveLength(2);
    });

    it("cuts the connection is a network error with the system's code", async () => {
      const job = await create("/reset", { retry: once });
      expect(await ended(job.id)).toMatchObject({
        state: "failed",
        because: "exhausted",
        attempts: [{ outcome: "again", because: "network", response: null, error: { code: "ECONNRESET" } }],
      });
    });

    it.each(["/hang", "/drip/10s"])("answers %s holds its call no longer than the timeout", async (path) => {
      const job = await create(path, { timeout: "2s", retry: once });
      const { attempts, ...rest } = await ended(job.id);
      expect(rest).toMatchObject({ state: "failed", because: "exhausted" });
      expect(attempts).toMatchObject([{ outcome: "again", because: "timeout" }]);
      const tookMs = Date.parse(attempts[0]?.endedAt ?? "") - Date.parse(attempts[0]?.startedAt ?? "");
      // The deadline counts from the look-up of its name, which is ahead of the first byte.
      expect(tookMs).toBeGreaterThanOrEqual(2_000 - subject.latenessMsMax);
      expect(tookMs).toBeLessThan(3_000 + subject.latenessMsMax);
    });

    it("answers more than is read has answered all the same", async () => {
      const job = await create("/bytes/1000000");
      const { state, attempts } = await ended(job.id);
      expect([state, attempts[0]?.response?.truncated]).toEqual(["succeeded", true]);
      expect(attempts[0]?.response?.body?.length ?? 0).toBeLessThanOrEqual(4_096);
    });

    it("sets a cookie does not get it shown", async () => {
      const job = await create("/header/set-cookie/session=hunter2/header/x-plain/seen", { retry: once });
      const { attempts } = await ended(job.id);
      const shown = attempts[0]?.response?.headers;
      expect(shown).toMatchObject({ "set-cookie": "***", "x-plain": "seen" });
    });

    it("holds fifty calls holds up no other", async () => {
      const target = { url: `${subject.targetUrl()}/delay/3s` };
      const { json } = await send<BatchAnswer>("POST", "/v1/jobs/batch", {
        jobs: Array.from({ length: 50 }, () => ({ target, retry: once })),
      });
      const slow = json.results.flatMap((result) => ("job" in result ? [result.job] : []));
      expect(slow).toHaveLength(50);
      await Promise.all(slow.map(({ id }) => called(id)));
      const quick = await create("/", { delay: "200ms" });
      expect(await ended(quick.id)).toMatchObject({ state: "succeeded" });
      expect(subject.calls(quick.id)[0]?.latenessMs).toBeLessThanOrEqual(subject.latenessMsMax + 250);
      const all = await Promise.all(slow.map(({ id }) => ended(id)));
      expect(all.filter(({ state }) => state !== "succeeded")).toEqual([]);
    });
  });
}
