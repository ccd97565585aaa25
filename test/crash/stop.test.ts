/** Ending while a target hangs: the patience is ten seconds and no more, and what it ended is recorded and tried again. */

import { expect, it } from "vitest";
import { freshFolder } from "./folder.ts";
import { post, startHostReady, startTarget } from "./hostProcess.ts";

it("aborts a call that outlasts its patience, records that, exits 0, and the next process calls again", async () => {
  const data = await freshFolder();
  const target = await startTarget((call) => ({ status: 200, afterMs: call.attempt === 1 ? 60_000 : 0 }));
  const host = await startHostReady(data);
  const retry = { minBackoff: "100ms", maxBackoff: "100ms" };
  const { json } = await post(`${host.url}/v1/jobs`, { target: { url: target.url }, timeout: "60s", retry });
  while (target.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const askedAt = performance.now();
  expect(await host.end("SIGTERM")).toBe(0);
  const tookMs = performance.now() - askedAt;
  const endedAt = Date.now();
  // The abort is what ends the call: nothing is left to wait for but its record.
  expect(tookMs).toBeGreaterThan(9_900);
  expect(tookMs).toBeLessThan(11_800);

  const again = await startHostReady(data);
  let job: Record<string, unknown> = {};
  for (const deadline = Date.now() + 10_000; job["state"] !== "succeeded" && Date.now() < deadline; ) {
    job = (await (await fetch(`${again.url}/v1/jobs/${json["id"]}`)).json()) as Record<string, unknown>;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(job).toMatchObject({
    state: "succeeded",
    attemptCount: 2,
    attempts: [{ number: 1, outcome: "unknown", because: "lease_lost" }, { outcome: "done" }],
  });
  // The process that cut the call off recorded that itself, and left nothing for the next one to guess.
  const history = job["history"] as readonly { readonly at: string; readonly from: string | null }[];
  expect(Date.parse(history.find((entry) => entry.from === "running")?.at ?? "")).toBeLessThanOrEqual(endedAt);
  expect(target.calls.map((call) => call.attempt)).toEqual([1, 2]);
  expect(await again.end("SIGTERM")).toBe(0);
  await target.close();
});
