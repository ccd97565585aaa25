/** SIGKILL at random instants, under load: what was answered 2xx is neither lost nor done twice without a kill to blame. */

import { expect, it } from "vitest";
import { freshFolder } from "./folder.ts";
import { type HostProcess, post, startHostReady, startTarget } from "./hostProcess.ts";

const kills = 10;
/** Submits until told to stop; remembers every id that was answered 2xx. */
async function submitUntil(stopped: () => boolean, url: () => string | undefined, target: string, accepted: Map<string, number>) {
  for (let index = 0; !stopped(); index++) {
    const base = url();
    if (base === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    const retry = { maxAttempts: 20, minBackoff: "100ms", maxBackoff: "500ms" };
    const job = { target: { url: target }, body: { index }, delay: `${(index * 37) % 900}ms`, retry, timeout: "5s" };
    try {
      const { status, json } = await post(`${base}/v1/jobs`, job);
      if (status === 201) accepted.set(String(json["id"]), Date.now());
    } catch {
      // The host was killed under this request: its fate is unknown, and nothing was promised.
    }
  }
}

async function endedJobs(base: string, ids: Iterable<string>): Promise<Map<string, Record<string, unknown>>> {
  const jobs = new Map<string, Record<string, unknown>>();
  let open = [...ids];
  for (const deadline = Date.now() + 60_000; open.length > 0 && Date.now() < deadline; ) {
    const still: string[] = [];
    for (const id of open) {
      const job = (await (await fetch(`${base}/v1/jobs/${id}`)).json()) as Record<string, unknown>;
      if (job["state"] === "waiting" || job["state"] === "running") still.push(id);
      else jobs.set(id, job);
    }
    open = still;
    if (open.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return jobs;
}

it("loses no accepted job to ten kills, and calls none twice but those in flight at a kill", async () => {
  const data = await freshFolder();
  // Some calls hang for a while, so that each kill finds calls in flight; some fail first, so that it finds jobs that wait for a retry.
  const target = await startTarget((call) => {
    const { index } = JSON.parse(call.body) as { index: number };
    return { status: index % 5 === 0 && call.attempt === 1 ? 503 : 200, afterMs: (index * 13) % 120 };
  });
  const accepted = new Map<string, number>();
  let host: HostProcess | undefined;
  let stopped = false;
  const clients = Array.from({ length: 8 }, () =>
    submitUntil(
      () => stopped,
      () => host?.url,
      target.url,
      accepted,
    ),
  );
  const killedAt: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const running = await startHostReady(data);
    host = running;
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 900));
    host = undefined;
    killedAt.push(Date.now());
    await running.end("SIGKILL");
  }
  stopped = true;
  await Promise.all(clients);
  const last = await startHostReady(data);
  const jobs = await endedJobs(last.url, accepted.keys());
  await last.end("SIGTERM");
  await target.close();

  expect(accepted.size).toBeGreaterThan(kills * 20);
  expect([...accepted.keys()].filter((id) => jobs.get(id)?.["state"] !== "succeeded")).toEqual([]);
  const byJob = Map.groupBy(target.calls, (call) => call.job);
  const unexplained: string[] = [];
  for (const id of accepted.keys()) {
    const calls = byJob.get(id) ?? [];
    // A number may be missing (the kill came between the record and the first byte), but none comes twice.
    if (new Set(calls.map((call) => call.attempt)).size !== calls.length) unexplained.push(`${id}: an attempt was sent twice`);
    const failures = calls.filter((call) => (JSON.parse(call.body) as { index: number }).index % 5 === 0 && call.attempt === 1).length;
    const extra = calls.length - 1 - failures;
    const inFlightAtKill = calls.filter((call) => killedAt.some((at) => call.at <= at + 50 && call.at >= at - 1_000)).length;
    if (extra > inFlightAtKill) unexplained.push(`${id}: ${calls.length} calls, ${inFlightAtKill} in flight at a kill`);
  }
  expect(unexplained).toEqual([]);
});
