/** What is measured, the same for the floor and for onthedot: both take jobs at the same URL in the same shape. */

import { once } from "node:events";
import { Pool } from "undici";
import type { Child } from "./process.ts";
import type { Received } from "./target.ts";

export type Sizes = { readonly creates: number; readonly drain: number; readonly steadySeconds: number };

const clients = 32;
const steadyPerSecond = 200;
const body = { order: 17, lines: ["a", "b"], note: "x".repeat(120) };

const jobAt = (target: Child, dueAt: number) => ({ target: { url: `${target.url}/` }, body, dueAt: new Date(dueAt).toISOString() });

/** Creates per second with 32 clients, of jobs due in a month; and the host's CPU per create. */
export async function measureCreates(host: Child, target: Child, count: number): Promise<{ perSecond: number; cpuMs: number | null }> {
  const pool = new Pool(host.url, { connections: clients });
  const dueAt = Date.now() + 30 * 24 * 3_600_000;
  const bodies = Array.from({ length: 64 }, (_, index) => JSON.stringify(jobAt(target, dueAt + index)));
  const create = async (index: number) => {
    const text = bodies[index % bodies.length] ?? "";
    const answer = await pool.request({ path: "/v1/jobs", method: "POST", headers: { "content-type": "application/json" }, body: text });
    await answer.body.dump();
    if (answer.statusCode !== 201) throw new Error(`expected 201 to a create, got ${answer.statusCode}`);
  };
  // The first thousand warm the compiler; they are not measured.
  const run = async (from: number, to: number) => {
    let index = from;
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (index < to) await create(index++);
      }),
    );
  };
  await run(0, Math.min(1_000, count));
  const cpuBefore = host.cpuMs();
  const startedAt = performance.now();
  await run(0, count);
  const elapsedMs = performance.now() - startedAt;
  const cpuAfter = host.cpuMs();
  await pool.close();
  return { perSecond: (count * 1_000) / elapsedMs, cpuMs: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / count };
}

/** Jobs per second from the instant at which `count` jobs are due at once to the last one's arrival. */
export async function measureDrain(host: Child, target: Child, count: number): Promise<{ perSecond: number; cpuMs: number | null }> {
  await ask(target, "take");
  // Long enough to submit them all before the first is due.
  const dueAt = Date.now() + 3_000 + count / 2;
  await submitAll(
    host,
    Array.from({ length: count }, () => jobAt(target, dueAt)),
  );
  const cpuBefore = host.cpuMs();
  if (Date.now() > dueAt - 500)
    throw new Error("expected the jobs to be submitted before they are due; the machine is too slow for this size");
  const received = await waitFor(target, count, dueAt + 60_000);
  const cpuAfter = host.cpuMs();
  return {
    perSecond: (count * 1_000) / (received.lastAt - dueAt),
    cpuMs: cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / count,
  };
}

export type Lateness = { readonly p50: number; readonly p99: number; readonly max: number };

/** How late calls arrive, by the receiver's clock, at 200 jobs a second with a distinct instant each. */
export async function measureSteady(host: Child, target: Child, seconds: number): Promise<Lateness> {
  await ask(target, "take");
  const count = steadyPerSecond * seconds;
  const startAt = Date.now() + 4_000;
  await submitAll(
    host,
    Array.from({ length: count }, (_, index) => jobAt(target, startAt + (index * 1_000) / steadyPerSecond)),
  );
  return quantiles((await waitFor(target, count, startAt + seconds * 1_000 + 30_000)).latenessesMs);
}

export function quantiles(latenessesMs: readonly number[]): Lateness {
  const sorted = latenessesMs.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function submitAll(host: Child, jobs: readonly unknown[]): Promise<void> {
  const pool = new Pool(host.url, { connections: 2 });
  for (let start = 0; start < jobs.length; start += 500) {
    const text = JSON.stringify({ jobs: jobs.slice(start, start + 500) });
    const answer = await pool.request({
      path: "/v1/jobs/batch",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    const replied = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`expected a 2xx to a batch, got ${answer.statusCode}: ${replied.slice(0, 500)}`);
  }
  await pool.close();
}

export async function waitFor(target: Child, count: number, until: number): Promise<Received> {
  for (;;) {
    const { count: arrived } = await ask(target, "count");
    if (arrived >= count) return ask(target, "take");
    if (Date.now() > until) throw new Error(`expected ${count} calls, got ${arrived} in time`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function ask(target: Child, question: "count" | "take"): Promise<Received> {
  const answered = once(target.child, "message");
  target.child.send(question);
  const [received] = await answered;
  return received as Received;
}
