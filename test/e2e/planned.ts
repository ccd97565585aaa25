/** That an operator's word on the ticks is carried out, by the schedules that the platform then has, and costs no job. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ListSchedulesCommand } from "@aws-sdk/client-scheduler";
import { afterAll, describe, expect, it } from "vitest";
import type { TicksAnswer } from "../../src/api/answers.ts";
import { secondMs } from "../../src/core/time.ts";
import { beyondHintsMs, clients, deployed, stack, tickMs, turnMsMax } from "./stack.ts";
import { clientOf, pause, until } from "./subject.ts";

const { create, ended, send } = clientOf(stack);
const program = fileURLToPath(new URL("../../bin/onthedot.js", import.meta.url));

/** `onthedot ticks …`, as an operator calls it. */
function ticks(...args: readonly string[]): Promise<{ readonly code: number; readonly printed: string; readonly errors: string }> {
  const key = stack.headers()["authorization"]?.replace("Bearer ", "");
  const env = { PATH: process.env["PATH"], ONTHEDOT_URL: stack.baseUrl(), ONTHEDOT_API_KEY: key };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, "ticks", ...args], { env }, (error, printed, errors) => {
      resolve({ code: error === null ? 0 : Number(error.code), printed, errors });
    });
  });
}

async function furtherSchedules(): Promise<readonly string[]> {
  const { Schedules } = await clients.scheduler.send(new ListSchedulesCommand({ GroupName: deployed.outputs["TickGroup"] }));
  return (Schedules ?? []).flatMap(({ Name }) => (Name?.startsWith("range-") === true ? [Name] : [])).toSorted();
}

/** When each range's last tick signed in. */
async function lastTicks(): Promise<readonly (number | null)[]> {
  const { json } = await send<TicksAnswer>("GET", "/v1/ticks");
  return json.ticks.map(({ lastTickAt }) => (lastTickAt === null ? null : Date.parse(lastTickAt)));
}

export function planned(): void {
  describe("the ticks", () => {
    afterAll(() => ticks("resume"));

    it("while paused come and do nothing, and resumed catch up on each shard", async () => {
      expect(await ticks("pause")).toMatchObject({ code: 0, printed: expect.stringContaining("paused") });
      // A turn that had begun may still go on.
      await pause(2 * secondMs);
      const [soon, far] = [
        await create("/", { delay: "2s" }),
        await Promise.all(Array.from({ length: 4 * deployed.shards }, () => create("/", { delay: `${beyondHintsMs}ms` }))),
      ];
      expect(await ended(soon.id)).toMatchObject({ state: "succeeded" });
      await pause(Math.max(...far.map(({ dueAt }) => Date.parse(dueAt))) + 2 * secondMs - Date.now());
      expect(far.filter(({ id }) => stack.calls(id).length > 0)).toEqual([]);
      expect(Date.now() - ((await lastTicks())[0] ?? 0)).toBeLessThan(2 * tickMs + 5 * secondMs);

      expect(await ticks("resume")).toMatchObject({ code: 0, printed: expect.stringContaining("running") });
      for (const { id } of far) expect(await ended(id, turnMsMax)).toMatchObject({ state: "succeeded", attemptCount: 1 });
    });
  });
}

export function resized(): void {
  describe("the ranges of the ticks", () => {
    it("are as deployed: one for all shards, and its tick comes", async () => {
      const { code, printed } = await ticks("status");
      expect([code, printed.split("\n")[0]]).toEqual([0, `running, 1 range over ${deployed.shards} shards`]);
      expect(printed).toMatch(/^0 .* ago +comes/m);
      expect(await furtherSchedules()).toEqual([]);
    });

    it("resized to three, each has a schedule of its own that ticks; to one again, none is left", async () => {
      expect(await ticks("resize", "--ranges", "3")).toMatchObject({ code: 0, printed: expect.stringContaining("running, 3 ranges") });
      expect(await furtherSchedules()).toEqual(["range-1", "range-2"]);
      const resizedAt = Date.now();
      const look = async () => ((await lastTicks()).every((at) => at !== null && at > resizedAt) ? true : undefined);
      await until("a tick of each range", look, { ...stack, patienceMs: turnMsMax });
      expect(await ticks("resize", "--ranges", "1")).toMatchObject({ code: 0, printed: expect.stringContaining("running, 1 range over") });
      expect(await furtherSchedules()).toEqual([]);
    });

    it("are never more than the shards, and a wrong number is refused with the reason", async () => {
      const tooMany = await ticks("resize", "--ranges", String(deployed.shards + 1));
      expect(tooMany).toMatchObject({ code: 1, errors: expect.stringContaining(`from 1 to ${deployed.shards}`) });
      expect(await ticks("resize")).toMatchObject({ code: 2, errors: expect.stringContaining("--ranges") });
      expect((await send<TicksAnswer>("GET", "/v1/ticks")).json).toMatchObject({ ranges: 1, paused: false });
    });
  });
}
