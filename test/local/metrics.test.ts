import { expect, test } from "vitest";
import { createMetrics, type Gauges } from "../../local/metrics.ts";
import type { Answer } from "../../src/core/outcome.ts";
import { later, minuteMs } from "../../src/core/time.ts";
import { claim, requestCancel, settle } from "../../src/core/transition.ts";
import { doneEnd, expectState, factsAt, leaseAt, neverEnd, runningJob, startAt, waitingJob } from "../builders.ts";

const idle: Gauges = { waiting: 0, running: 0, queueDepth: 0, oldestDueAt: null, lastTickAt: null, now: startAt };
const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

/** Reads the exposition format by its grammar; throws at the first line that does not follow it. */
function parseExposition(text: string): Map<string, number> {
  expect(text.endsWith("\n")).toBe(true);
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split("\n").filter((candidate) => candidate !== "")) {
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) types.set(type[1] ?? "", type[2] ?? "");
    if (type !== null || /^# HELP [a-z_]+ \S/.test(line)) continue;
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/.exec(line);
    if (sample === null) throw new Error(`expected a sample, got ${line}`);
    const name = sample[1] ?? "";
    if (!types.has(name) && types.get(name.replace(/_(bucket|sum|count)$/, "")) !== "histogram") throw new Error(`no type before ${line}`);
    const series = `${name}${sample[2] ?? ""}`;
    if (samples.has(series)) throw new Error(`${series} stands twice`);
    samples.set(series, sample[3] === "+Inf" ? Number.POSITIVE_INFINITY : Number(sample[3]));
  }
  return samples;
}

function answered(status: number, sentAfterMs: number, tookMs: number): Answer {
  const sentAt = later(startAt, sentAfterMs);
  const rest = { headers: {}, excerpt: new Uint8Array(), byteCount: 0, body: "complete" } as const;
  return { kind: "response", sentAt, endedAt: later(sentAt, tookMs), status, ...rest };
}

test("every line follows the exposition format, no series stands twice, and each has its type before it", async () => {
  const metrics = createMetrics({ version: '1.0.0-"odd"\\x' });
  metrics.observe({ kind: "called", job: runningJob(), answer: answered(200, 3, 12), trace });
  metrics.observe({ kind: "created", job: waitingJob() });
  const samples = parseExposition(await metrics.text(idle));
  expect(samples.get('onthedot_build_info{version="1.0.0-\\"odd\\"\\\\x"}')).toBe(1);
  expect(metrics.contentType).toContain("text/plain; version=0.0.4");
});

test("transitions are counted by the state come into and the reason, a creation among them", async () => {
  const metrics = createMetrics({ version: "1" });
  const job = waitingJob();
  const taken = claim(job, leaseAt(startAt), factsAt(startAt));
  metrics.observe({ kind: "created", job });
  metrics.observe({ kind: "changed", transition: taken });
  const running = expectState(taken.to, "running");
  metrics.observe({ kind: "changed", transition: settle(running, neverEnd(), 0, factsAt(startAt)) });
  metrics.observe({ kind: "changed", transition: settle(running, doneEnd(), 0, factsAt(startAt)) });
  const samples = parseExposition(await metrics.text(idle));
  for (const labels of [
    'state="waiting",because="created"',
    'state="running",because="claimed"',
    'state="failed",because="refused"',
    'state="succeeded",because="succeeded"',
  ]) {
    expect(samples.get(`onthedot_transitions_total{${labels}}`)).toBe(1);
  }
});

test("a cancel asked of a running job is not counted as a second claim", async () => {
  const metrics = createMetrics({ version: "1" });
  metrics.observe({ kind: "changed", transition: requestCancel(runningJob(), factsAt(startAt)) });
  const samples = parseExposition(await metrics.text(idle));
  expect(samples.get("onthedot_cancel_requests_total")).toBe(1);
  expect([...samples.keys()].filter((series) => series.startsWith("onthedot_transitions_total"))).toEqual([]);
});

test("lateness and call time fall into the buckets of their seconds, and buckets never fall", async () => {
  const metrics = createMetrics({ version: "1" });
  metrics.observe({ kind: "called", job: runningJob(), answer: answered(200, 3, 12), trace });
  metrics.observe({ kind: "called", job: runningJob(), answer: answered(503, 300, 40_000), trace });
  const samples = parseExposition(await metrics.text(idle));
  const lateness = (le: string) => samples.get(`onthedot_lateness_seconds_bucket{le="${le}"}`);
  expect([lateness("0.002"), lateness("0.005"), lateness("0.25"), lateness("0.5"), lateness("+Inf")]).toEqual([0, 1, 1, 2, 2]);
  expect(samples.get("onthedot_lateness_seconds_sum")).toBeCloseTo(0.303);
  expect(samples.get("onthedot_call_seconds_sum")).toBeCloseTo(40.012);
  for (const name of ["onthedot_lateness_seconds", "onthedot_call_seconds"]) {
    const buckets = [...samples].filter(([series]) => series.startsWith(`${name}_bucket`)).map(([, count]) => count);
    expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
    expect(buckets.at(-1)).toBe(samples.get(`${name}_count`));
  }
});

test("a call of which no byte was sent is counted, and has neither lateness nor call time", async () => {
  const metrics = createMetrics({ version: "1" });
  const failed = { kind: "failure", reason: "dns", code: "ENOTFOUND", message: "no such name", status: null, retryAfter: null } as const;
  metrics.observe({ kind: "called", job: runningJob(), answer: { ...failed, sentAt: null, endedAt: startAt }, trace });
  const samples = parseExposition(await metrics.text(idle));
  expect(samples.get('onthedot_calls_total{answer="dns"}')).toBe(1);
  expect(samples.get("onthedot_lateness_seconds_count")).toBe(0);
});

test("every status of a class lands in one series", async () => {
  const metrics = createMetrics({ version: "1" });
  for (const status of [200, 202, 299]) metrics.observe({ kind: "called", job: runningJob(), answer: answered(status, 0, 1), trace });
  expect(parseExposition(await metrics.text(idle)).get('onthedot_calls_total{answer="2xx"}')).toBe(3);
});

test("a clock set back during a call makes no sum fall", async () => {
  const metrics = createMetrics({ version: "1" });
  metrics.observe({ kind: "called", job: runningJob(), answer: answered(200, -minuteMs, -minuteMs), trace });
  const samples = parseExposition(await metrics.text(idle));
  expect([samples.get("onthedot_lateness_seconds_sum"), samples.get("onthedot_call_seconds_sum")]).toEqual([0, 0]);
});

test("gauges say how things stand at the reading, and not at the one before", async () => {
  const metrics = createMetrics({ version: "1" });
  expect(parseExposition(await metrics.text(idle)).get("onthedot_last_tick_age_seconds")).toBe(Number.POSITIVE_INFINITY);
  const now = later(startAt, minuteMs);
  const samples = parseExposition(
    await metrics.text({ waiting: 3, running: 2, queueDepth: 1, oldestDueAt: startAt, lastTickAt: later(now, -500), now }),
  );
  const names = ["waiting", "running", "queue_depth", "oldest_due_seconds", "last_tick_age_seconds"];
  expect(names.map((name) => samples.get(`onthedot_${name}`))).toEqual([3, 2, 1, 60, 0.5]);
  expect(parseExposition(await metrics.text({ ...idle, now })).get("onthedot_oldest_due_seconds")).toBe(0);
});

test("turns, outages and answers that came too late are counted", async () => {
  const metrics = createMetrics({ version: "1" });
  metrics.observe({ kind: "turned", range: 0, named: 7, stretches: 2, oldestWakeAt: null });
  metrics.observe({ kind: "outage", where: "store", cause: new Error("disk I/O error") });
  metrics.observe({ kind: "lease_lost", job: runningJob() });
  const samples = parseExposition(await metrics.text(idle));
  const counts = ["named_total", "stretches_total", 'outages_total{where="store"}', "late_answers_total"];
  expect(counts.map((name) => samples.get(`onthedot_${name}`))).toEqual([7, 2, 1, 1]);
});
