/**
 * `npm run bench:schedules`: schedules of one minute each, spread over the minute by their window, on the embedded home; then many
 * occurrences due in one second, beside as many plain jobs in the same run. `--smoke`: small sizes. `--schedules 60000`, `--minutes 5`.
 */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { databaseFile } from "../local/host.ts";
import { readAgenda } from "../src/core/agenda.ts";
import { type ChangeId, scheduleIdOf, soleTenant } from "../src/core/ids.ts";
import { retryDefault } from "../src/core/retry.ts";
import type { ScheduleSpec } from "../src/core/schedule.ts";
import { createSchedule } from "../src/core/scheduleChange.ts";
import { formatInstant, hourMs, later, minuteMs, secondMs, toEpochMs } from "../src/core/time.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { createIds } from "../src/system/chance.ts";
import { ask, measureDrain, quantiles, waitFor } from "./measure.ts";
import { type Child, start, startHome } from "./process.ts";

const { values } = parseArgs({
  options: { smoke: { type: "boolean", default: false }, schedules: { type: "string" }, minutes: { type: "string" } },
});
const count = Number(values.schedules ?? (values.smoke ? 600 : 60_000));
const minutes = Number(values.minutes ?? (values.smoke ? 0.3 : 5));
const drainCount = values.smoke ? 500 : 10_000;

function specFor(target: Child, given: Pick<ScheduleSpec, "when" | "window">): ScheduleSpec {
  const text = JSON.stringify({ order: 17, note: "x".repeat(120) });
  return {
    ...given,
    ...{ except: [], startAt: null, endAt: null, overlap: "skip", maxRuns: null, pauseAfterFailures: null, labels: {}, set: null },
    misfire: { policy: "latest", withinMs: hourMs, max: 100 },
    job: {
      target: { url: `${target.url}/`, method: "POST", headers: {} },
      body: { contentType: "application/json", byteCount: text.length, kept: "inline", text },
      ...{ timeoutMs: 30 * secondMs, expireAfterMs: null, retry: retryDefault, priority: "normal", labels: {} },
    },
  };
}

/** Puts schedules into a folder through the store itself, as if they had been made when the next minute begins. */
async function fillSchedules(folder: string, names: readonly string[], spec: ScheduleSpec): Promise<void> {
  await chmod(folder, 0o700);
  const now = toEpochMs(Date.now());
  const onUnreadable = (_id: string, cause: unknown): never => {
    throw cause;
  };
  const store = await openSqliteStore({ path: join(folder, databaseFile), now: () => now, shards: 1, onUnreadable });
  const ids = createIds();
  const insert = async (name: string) => {
    const id = scheduleIdOf(soleTenant, name);
    const read = readAgenda({ id, createdAt: now, spec }, new Map());
    if (!read.ok) throw new Error(`expected a rule, got ${JSON.stringify(read.mistakes)}`);
    const change: ChangeId = ids.change();
    const facts = { now, change, hintBefore: now, takeLeadMs: 2 * secondMs };
    await store.insert(createSchedule({ tenant: soleTenant, id, name, spec, agenda: read.agenda, pause: null }, facts));
  };
  for (let done = 0; done < names.length; done += 2_000) await Promise.all(names.slice(done, done + 2_000).map(insert));
  await store.close();
}

const namesOf = (prefix: string, howMany: number) => Array.from({ length: howMany }, (_, index) => `${prefix}${index}`);

/** What became of all occurrences, by the host's own metrics. */
async function fates(host: Child): Promise<Record<string, number>> {
  const text = await (await fetch(`${host.url}/v1/metrics`)).text();
  const sums: Record<string, number> = {};
  for (const [, state, value] of text.matchAll(/^onthedot_occurrences_total\{.*state="(\w+)".*\} (\d+)$/gm)) {
    sums[state ?? ""] = (sums[state ?? ""] ?? 0) + Number(value);
  }
  return sums;
}

async function measureMinutes(target: Child): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "onthedot-bench-"));
  try {
    const startAt = toEpochMs(Math.ceil((Date.now() + 20 * secondMs) / minuteMs) * minuteMs);
    const every = { every: "1m", from: formatInstant(startAt) };
    await fillSchedules(data, namesOf("s", count), specFor(target, { when: every, window: { kind: "share", percent: 100 } }));
    const host = await startHome(data);
    try {
      await sleepUntil(startAt);
      await ask(target, "take");
      const cpuBefore = host.cpuMs() ?? Number.NaN;
      await sleepUntil(startAt + minutes * minuteMs);
      const { latenessesMs } = await ask(target, "take");
      const cpuMs = (host.cpuMs() ?? Number.NaN) - cpuBefore;
      const { p50, p99, max } = quantiles(latenessesMs);
      const found = await fates(host);
      console.log(`| schedules of one minute each | ${count} |`);
      console.log(`| minutes | ${minutes} |`);
      console.log(`| calls | ${latenessesMs.length} |`);
      console.log(`| missed, skipped, dropped | ${(found["missed"] ?? 0) + (found["skipped"] ?? 0) + (found["dropped"] ?? 0)} |`);
      console.log(`| lateness p50, p99, max, ms | ${p50}, ${p99}, ${max} |`);
      console.log(`| CPU per occurrence, ms | ${(cpuMs / latenessesMs.length).toFixed(3)} |`);
    } finally {
      await host.stop();
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** Many occurrences due at one instant, and as many plain jobs: per second, from that instant to the last arrival. */
async function measureBurst(target: Child): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "onthedot-bench-"));
  try {
    const dueAt = toEpochMs(Date.now() + (values.smoke ? 5 : 15) * secondMs);
    await fillSchedules(data, namesOf("b", drainCount), specFor(target, { when: { at: [formatInstant(dueAt)] }, window: null }));
    const host = await startHome(data);
    try {
      await ask(target, "take");
      const { lastAt } = await waitFor(target, drainCount, later(dueAt, 120 * secondMs));
      const ofSchedules = (drainCount * secondMs) / (lastAt - dueAt);
      const plain = await measureDrain(host, target, drainCount);
      console.log(`| ${drainCount} occurrences due in one second, per second | ${ofSchedules.toFixed(0)} |`);
      console.log(`| ${drainCount} plain jobs, per second | ${plain.perSecond.toFixed(0)} |`);
      console.log(`| ratio | ${(ofSchedules / plain.perSecond).toFixed(2)} |`);
    } finally {
      await host.stop();
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

const sleepUntil = (at: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));

const target = await start("./target.ts");
try {
  console.log("| | |\n|---|---:|");
  await measureBurst(target);
  await measureMinutes(target);
} finally {
  await target.stop();
}
