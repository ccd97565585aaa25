/** Disks that are full, logs that are torn. */

import { execFileSync } from "node:child_process";
import { appendFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freshFolder } from "./folder.ts";
import { post, startHostReady, startTarget } from "./hostProcess.ts";

const filler = "x".repeat(100_000);

async function until(claim: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; !(await claim()); ) {
    if (Date.now() > deadline) throw new Error("expected the claim to come true in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it("answers 503 while the disk is full, goes on serving, and loses nothing once there is room again", async () => {
  const target = await startTarget(() => ({ status: 200 }));
  const host = await startHostReady(await freshFolder(), {}, 6 * 1_024 * 1_024);
  const accepted: string[] = [];
  let refused: { status: number; json: Record<string, unknown> } | undefined;
  for (let index = 0; index < 400 && refused === undefined; index++) {
    // Due while the disk is full: a claim cannot be written then, so nothing may be called.
    const answer = await post(`${host.url}/v1/jobs`, { target: { url: target.url }, bodyText: filler, delay: "3s" });
    if (answer.status === 201) accepted.push(String(answer.json["id"]));
    else refused = answer;
  }
  expect(refused).toMatchObject({ status: 503, json: { code: "unavailable" } });
  expect(accepted.length).toBeGreaterThan(5);
  const seen = await fetch(`${host.url}/v1/jobs/${accepted[0]}`);
  expect(seen.status).toBe(200);
  await until(async () => (await fetch(`${host.url}/v1/health`)).status === 503);

  execFileSync("prlimit", ["--pid", String(host.child.pid), "--fsize=unlimited:unlimited"]);
  await until(async () => (await post(`${host.url}/v1/jobs`, { target: { url: target.url } })).status === 201);
  await until(async () => {
    const states = await Promise.all(accepted.map(async (id) => (await fetch(`${host.url}/v1/jobs/${id}`)).json()));
    return states.every((job) => (job as Record<string, unknown>)["state"] === "succeeded");
  });
  const calls = Map.groupBy(target.calls, (call) => call.job);
  expect(accepted.filter((id) => calls.get(id)?.length !== 1)).toEqual([]);
  expect((await fetch(`${host.url}/v1/health`)).status).toBe(200);
  expect(await host.end("SIGTERM")).toBe(0);
  await target.close();
});

it("opens a database whose log ends in half a frame, with everything that was answered", async () => {
  const data = await freshFolder();
  const first = await startHostReady(data);
  const ids: string[] = [];
  for (let index = 0; index < 50; index++) {
    const { json } = await post(`${first.url}/v1/jobs`, { target: { url: "http://127.0.0.1:9/" }, delay: "1h" });
    ids.push(String(json["id"]));
  }
  await first.end("SIGKILL");
  const log = join(data, "onthedot.db-wal");
  expect((await stat(log)).size).toBeGreaterThan(0);
  await appendFile(log, Buffer.alloc(2_000, 0x5a));
  const second = await startHostReady(data);
  const found = await Promise.all(ids.map(async (id) => (await fetch(`${second.url}/v1/jobs/${id}`)).status));
  expect(found.filter((status) => status !== 200)).toEqual([]);
  expect(await second.end("SIGTERM")).toBe(0);
});
