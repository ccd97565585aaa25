/** That nothing which the AWS home rests on, lost for a while, loses a job: executors, hints, ticks. Each case waits for the wheel. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import type { BatchAnswer } from "../../src/api/answers.ts";
import { spansFor } from "../../src/core/invocation.ts";
import { limits } from "../../src/core/limits.ts";
import { secondMs } from "../../src/core/time.ts";
import { beyondHintsMs, deployed, functionName, keysOfShard, loseHints, setBaseTick, setExecutors, stack, turnMsMax } from "./stack.ts";
import { clientOf, pause } from "./subject.ts";

const { create, ended, called, calledOnce, job, send } = clientOf(stack);

/** What is so far in the past was hinted in vain; the turn takes it up. */
const graceMs = limits.timeoutMsDefault + 5 * secondMs;
/** As deployed by `test/aws/main.ts`. */
const { executorTimeoutMs } = spansFor(30 * secondMs);

/** Kills the executors of this machine as the platform would: at once, with whatever they are doing. */
async function killExecutors(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,args="]);
  const ours = stdout.split("\n").filter((line) => line.includes(`${folder}/ministack-lambda-${functionName("executor")}-`));
  for (const line of ours) process.kill(Number.parseInt(line, 10), "SIGKILL");
  return ours.length;
}

/** Before all else: its lease ends with the time that its executor would have had, and meanwhile there is more to see. */
export function killed(): { readonly rescued: () => void } {
  const { emulator, place } = deployed;
  if (emulator === null || !place.runsFunctionsHere) return { rescued: () => {} };
  let id = "";

  it("a job whose executor is killed in mid-call stays running, for nobody knows how the call went", async () => {
    ({ id } = await create("/delay/3s"));
    await called(id);
    expect(await killExecutors(emulator.folder)).toBeGreaterThan(0);
    await pause(4 * secondMs);
    expect(await job(id)).toMatchObject({ state: "running", attemptCount: 1 });
  });

  return {
    rescued: () =>
      it("a job whose executor was killed in mid-call is called again, and the lost attempt is recorded as unknown", async () => {
        const found = await ended(id, executorTimeoutMs + turnMsMax + 30 * secondMs);
        expect(found).toMatchObject({
          state: "succeeded",
          attemptCount: 2,
          attempts: [
            { number: 1, outcome: "unknown", because: "lease_lost" },
            { number: 2, outcome: "done", because: "status_200" },
          ],
        });
        expect(stack.calls(id).map(({ attempt }) => attempt)).toEqual([1, 2]);
      }),
  };
}

export function beyondQueues(): void {
  describe.concurrent("beyond what a queue can delay", () => {
    it("a job waits on the wheel alone, and is called once, on the dot", async () => {
      const { id } = await create("/", { delay: `${beyondHintsMs}ms` });
      const found = await ended(id, beyondHintsMs + turnMsMax);
      expect(found).toMatchObject({ state: "succeeded", attemptCount: 1 });
      const calls = stack.calls(id);
      expect(calls).toHaveLength(1);
      expect(calls[0]?.latenessMs).toBeGreaterThanOrEqual(0);
      expect(calls[0]?.latenessMs).toBeLessThanOrEqual(stack.latenessMsMax);
    });

    it("a job that is cancelled there is never called", async () => {
      const { id } = await create("/", { delay: `${beyondHintsMs}ms` });
      await send("POST", `/v1/jobs/${id}/cancel`);
      await pause(beyondHintsMs + 2 * secondMs);
      expect(stack.calls(id)).toEqual([]);
    });
  });
}

export function rescue(): void {
  describe.concurrent("hints that are lost", () => {
    afterAll(() => setExecutors("low", true));

    it("cost time and no job: all three hundred of one shard are called once each, the oldest before the youngest", async () => {
      const keys = keysOfShard(0, 300);
      const firstAt = Date.now() + 5 * secondMs;
      const lost = `${process.pid}-${firstAt}`;
      const jobs = keys.map((key, index) => ({
        ...{ key, priority: "low", labels: { lost }, target: { url: `${stack.targetUrl()}/delay/2s` } },
        dueAt: new Date(firstAt + 5 * index).toISOString(),
      }));
      await setExecutors("low", false);
      const { json } = await send<BatchAnswer>("POST", "/v1/jobs/batch", { jobs });
      const ids = json.results.flatMap((result) => (result.status === 201 && "job" in result ? [result.job.id] : []));
      expect(ids).toHaveLength(jobs.length);
      // All of it is past the grace before anyone may look.
      await pause(firstAt + 5 * jobs.length + graceMs + secondMs - Date.now());
      await loseHints("low");
      await setExecutors("low", true);
      await calledOnce(ids, `lost:${lost}`);
      const calledAt = ids.map((id) => stack.calls(id)[0]?.receivedAt ?? Number.NaN);
      // Four stretches of 75, of which an executor starts 64 at once.
      expect(Math.max(...calledAt.slice(0, 10))).toBeLessThan(Math.min(...calledAt.slice(-10)));
    });
  });

  describe("ticks that do not come", () => {
    afterAll(() => setBaseTick(true));

    it("cost what lies beyond the hints its punctuality, and nothing else", async () => {
      await setBaseTick(false);
      // One that has been taken for due may still be on its way.
      await pause(2 * secondMs);
      const [soon, far] = [await create("/", { delay: "2s" }), await create("/", { delay: `${beyondHintsMs}ms` })];
      expect(await ended(soon.id)).toMatchObject({ state: "succeeded" });
      await pause(Date.parse(far.dueAt) + 2 * secondMs - Date.now());
      expect(stack.calls(far.id)).toEqual([]);
      await setBaseTick(true);
      expect(await ended(far.id, turnMsMax)).toMatchObject({ state: "succeeded", attemptCount: 1 });
      expect(stack.calls(far.id)).toHaveLength(1);
    });
  });
}
