/** The metrics as CloudWatch reads them from the log: names, units and dimensions, for the alarms look for exactly these. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { door } from "../../functions/door.ts";
import { createFunctionLog } from "../../functions/log.ts";
import { type CountName, createFunctionMetrics, type FunctionMetrics } from "../../functions/metrics.ts";
import type { Answer } from "../../src/core/outcome.ts";
import { later } from "../../src/core/time.ts";
import { cancel, claim, requestCancel, settle } from "../../src/core/transition.ts";
import type { Observation } from "../../src/engine/ports.ts";
import { againEnd, claimed, doneEnd, factsAt, leaseAt, neverEnd, runningJob, startAt, waitingJob } from "../builders.ts";
import { activeSchedule, takeNext } from "../scheduleBuilders.ts";
import { contextOf, type DoorName } from "./environment.ts";
import { stubEnvironment, writtenBy } from "./instance.ts";

beforeEach(() => stubEnvironment("executor"));
afterEach(() => {
  vi.unstubAllEnvs();
});

type Metric = { readonly Name: string; readonly Unit: string };
type Directive = { readonly Namespace: string; readonly Dimensions: string[][]; readonly Metrics: Metric[] };

/** One number as CloudWatch stores it: its name with its unit, its dimensions, its values. */
type Stored = { readonly metric: string; readonly dimensions: Record<string, unknown>; readonly values: unknown };

async function stored(work: (metrics: FunctionMetrics) => void, door: DoorName = "executor"): Promise<Stored[]> {
  stubEnvironment(door);
  const documents = await writtenBy(() => {
    const metrics = createFunctionMetrics({ stage: "test", now: () => later(startAt, 60_000) });
    work(metrics);
    metrics.flush();
  });
  return documents.flatMap(storedOf);
}

function storedOf(document: Record<string, unknown>): Stored[] {
  const { CloudWatchMetrics } = document["_aws"] as { readonly CloudWatchMetrics: Directive[] };
  return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) => {
    expect(Namespace).toBe("onthedot");
    return Dimensions.flatMap((names) =>
      Metrics.map(({ Name, Unit }) => ({
        metric: `${Name} ${Unit}`,
        dimensions: Object.fromEntries(names.map((name) => [name, document[name]])),
        values: document[Name],
      })),
    );
  });
}

const observed = (...observations: Observation[]) => stored(({ observe }) => observations.forEach(observe));
const own = { service: "executor", stage: "test" };

const response = (status: number, spans: { sentAt?: number; endedAt?: number } = {}): Answer => ({
  ...{ kind: "response", status, headers: {}, excerpt: Buffer.alloc(0), byteCount: 0, body: "complete" },
  ...{ sentAt: later(startAt, spans.sentAt ?? 3), endedAt: later(startAt, spans.endedAt ?? 15) },
});
const failure = (reason: Extract<Answer, { kind: "failure" }>["reason"], sentAt: number | null): Answer => ({
  ...{ kind: "failure", reason, code: null, message: "as told", status: null, retryAfter: null },
  ...{ sentAt: sentAt === null ? null : later(startAt, sentAt), endedAt: later(startAt, 40) },
});
const trace = { traceId: "1".padStart(32, "0"), spanId: "1".padStart(16, "0") };
const called = (answer: Answer): Observation => ({ kind: "called", job: runningJob(), answer, trace });

describe("a count", () => {
  it("is one document of the function's own dimensions", async () => {
    expect(await stored((metrics) => metrics.count("Ticks"), "dispatcher")).toEqual([
      { metric: "Ticks Count", dimensions: { service: "dispatcher", stage: "test" }, values: 1 },
    ]);
  });

  it("with a dimension of its own stands in both: in all together, and apart", async () => {
    const written = await stored((metrics) => {
      metrics.count("DeadLetters", 1, { name: "reason", value: "not_a_hint" });
      metrics.count("DeadLetters", 1, { name: "reason", value: "not_a_hint" });
      metrics.count("DeadLetters", 1, { name: "reason", value: "tick_undelivered" });
    });
    expect(written).toHaveLength(3);
    expect(written).toContainEqual({ metric: "DeadLetters Count", dimensions: { ...own, reason: "not_a_hint" }, values: 2 });
    expect(written).toContainEqual({ metric: "DeadLetters Count", dimensions: { ...own, reason: "tick_undelivered" }, values: 1 });
    expect(written).toContainEqual({ metric: "DeadLetters Count", dimensions: own, values: [1, 1, 1] });
  });

  it("of zero is written, for an alarm would else miss the number", async () => {
    expect(await stored((metrics) => metrics.count("Named", 0))).toEqual([{ metric: "Named Count", dimensions: own, values: 0 }]);
  });

  it("loses none of a thousand, in however many documents", async () => {
    const written = await stored((metrics) => {
      for (let index = 0; index < 1_000; index++) metrics.count("Calls", 1, { name: "because", value: index % 2 === 0 ? "2xx" : "5xx" });
    });
    const sum = (of: object) =>
      written
        .filter(({ dimensions }) => JSON.stringify(dimensions) === JSON.stringify(of))
        .flatMap(({ values }) => values as number | number[])
        .reduce((total, value) => total + value, 0);
    expect([sum(own), sum({ ...own, because: "2xx" }), sum({ ...own, because: "5xx" })]).toEqual([1_000, 500, 500]);
  });

  it("is written by each of the names that the alarms know", async () => {
    const names: Record<CountName, true> = {
      ...{ Created: true, Jobs: true, Calls: true, LeaseLost: true, Outages: true, HintsDropped: true, Ticks: true, Paused: true },
      Occurrences: true,
      ...{ RangesLate: true, Named: true, Stretches: true, DeadLetters: true, Reconciled: true, ReconcileFailed: true },
    };
    const written = await stored((metrics) => {
      for (const name of Object.keys(names) as CountName[]) metrics.count(name);
    });
    expect(written.map(({ metric }) => metric)).toEqual(Object.keys(names).map((name) => `${name} Count`));
  });
});

it("what became of occurrences is counted by the reason, with the schedule's name beside it and not as a dimension", async () => {
  const schedule = activeSchedule();
  const change = takeNext(schedule);
  const documents = await writtenBy(() => {
    const metrics = createFunctionMetrics({ stage: "test", now: () => startAt });
    metrics.observe({ kind: "schedule_changed", change });
    metrics.flush();
  });
  const apart = documents.filter((document) => document["because"] === "fired_due");
  expect(apart.flatMap(storedOf)).toEqual([{ metric: "Occurrences Count", dimensions: { ...own, because: "fired_due" }, values: 1 }]);
  expect(apart.map((document) => document["schedule"])).toEqual([schedule.name]);
});

describe("the end of an invocation", () => {
  it("in which nothing happened writes nothing at all", async () => {
    expect(await writtenBy(() => createFunctionMetrics({ stage: "test", now: () => startAt }).flush())).toEqual([]);
  });

  it("that fails writes what was gathered all the same", async () => {
    const documents = await writtenBy(async () => {
      const metrics = createFunctionMetrics({ stage: "test", now: () => startAt });
      const handler = door({ logger: createFunctionLog({ level: "error", stage: "test" }).logger, metrics }, async () => {
        metrics.count("ReconcileFailed");
        throw new Error("the table is gone");
      });
      await expect(handler({}, contextOf("reconcile"))).rejects.toThrow("the table is gone");
    });
    expect(documents.flatMap((document) => ("_aws" in document ? storedOf(document) : []))).toMatchObject([
      { metric: "ReconcileFailed Count" },
    ]);
  });

  it("writes what was gathered once", async () => {
    const documents = await writtenBy(() => {
      const metrics = createFunctionMetrics({ stage: "test", now: () => startAt });
      metrics.count("Jobs", 1, { name: "because", value: "succeeded" });
      metrics.flush();
      metrics.flush();
    });
    expect(documents).toHaveLength(2);
  });

  it("stamps each document with the instant", async () => {
    const before = Date.now();
    const documents = await writtenBy(() => {
      const metrics = createFunctionMetrics({ stage: "test", now: () => startAt });
      metrics.count("Ticks");
      metrics.flush();
    });
    const stamps = documents.map((document) => (document["_aws"] as { readonly Timestamp: number }).Timestamp);
    expect(stamps).toEqual([expect.any(Number)]);
    for (const stamp of stamps) expect(stamp >= before && stamp <= Date.now()).toBe(true);
  });
});

describe("what the engine saw", () => {
  it("of a job that was made counts it", async () => {
    expect(await observed({ kind: "created", job: waitingJob() })).toEqual([{ metric: "Created Count", dimensions: own, values: 1 }]);
  });

  it("of a call counts it by the kind of its answer, with its lateness and its length", async () => {
    expect(await observed(called(response(204)))).toEqual([
      { metric: "Calls Count", dimensions: { ...own, because: "2xx" }, values: 1 },
      { metric: "Calls Count", dimensions: own, values: 1 },
      { metric: "LatenessMs Milliseconds", dimensions: own, values: 3 },
      { metric: "CallMs Milliseconds", dimensions: own, values: 12 },
    ]);
  });

  it("of several calls keeps each lateness, for percentiles", async () => {
    const written = await observed(called(response(200)), called(response(503, { sentAt: 7 })), called(response(200, { sentAt: -2 })));
    expect(written).toContainEqual({ metric: "LatenessMs Milliseconds", dimensions: own, values: [3, 7, 0] });
    expect(written).toContainEqual({ metric: "Calls Count", dimensions: { ...own, because: "2xx" }, values: 2 });
    expect(written).toContainEqual({ metric: "Calls Count", dimensions: { ...own, because: "5xx" }, values: 1 });
  });

  it("of a call without an answer counts it by the reason, and has no lateness where no byte was sent", async () => {
    expect((await observed(called(failure("timeout", 3)))).map(({ metric, values }) => [metric, values])).toEqual([
      ["Calls Count", 1],
      ["Calls Count", 1],
      ["LatenessMs Milliseconds", 3],
      ["CallMs Milliseconds", 37],
    ]);
    const unsent = await observed(called(failure("network", null)));
    expect(unsent.map(({ metric, dimensions }) => [metric, dimensions["because"]])).toEqual([
      ["Calls Count", "network"],
      ["Calls Count", undefined],
    ]);
  });

  it("of a job's end counts it by why it ended, and of any other change nothing", async () => {
    const running = runningJob();
    const end = (attempt: typeof doneEnd) => settle(runningJob(), attempt(startAt), 0, factsAt(later(startAt, 80)));
    const ends: Observation[] = [
      { kind: "changed", transition: end(doneEnd) },
      { kind: "changed", transition: end(neverEnd) },
      { kind: "changed", transition: cancel(waitingJob(), factsAt(startAt)) },
    ];
    const others: Observation[] = [
      { kind: "changed", transition: claim(waitingJob(), leaseAt(startAt), factsAt(startAt)) },
      { kind: "changed", transition: end(againEnd) },
      { kind: "changed", transition: requestCancel(running, factsAt(startAt)) },
    ];
    expect(await observed(...others)).toEqual([]);
    const written = await observed(...others, ...ends);
    expect(written.map(({ dimensions, values }) => [dimensions["because"], values])).toEqual([
      ["succeeded", 1],
      ["refused", 1],
      ["cancelled", 1],
      [undefined, [1, 1, 1]],
    ]);
  });

  it("of a turn counts what it hinted, and how old the oldest entry of the past is", async () => {
    const turned = { kind: "turned", range: 0, named: 40, stretches: 2, oldestWakeAt: later(startAt, 18_000) } as const;
    expect(await observed(turned)).toEqual([
      { metric: "Named Count", dimensions: own, values: 40 },
      { metric: "Stretches Count", dimensions: own, values: 2 },
      { metric: "OldestDueMs Milliseconds", dimensions: own, values: 42_000 },
    ]);
    expect(await observed({ ...turned, oldestWakeAt: null })).toContainEqual({
      metric: "OldestDueMs Milliseconds",
      dimensions: own,
      values: 0,
    });
  });

  it.each([
    ["LeaseLost", { kind: "lease_lost", job: claimed(waitingJob()) }],
    ["HintsDropped", { kind: "hint_dropped", why: "moved" }],
    ["HintsDropped", { kind: "hint_dropped", why: "old" }],
    ["Outages", { kind: "outage", where: "store", cause: new Error("out") }],
  ] satisfies [string, Observation][])("is counted as %s", async (name, observation) => {
    expect(await observed(observation)).toEqual([{ metric: `${name} Count`, dimensions: own, values: 1 }]);
  });
});
