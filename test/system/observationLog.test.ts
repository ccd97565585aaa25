import { expect, test } from "vitest";
import type { Answer } from "../../src/core/outcome.ts";
import { later } from "../../src/core/time.ts";
import { claim, loseLease, requestCancel, settle } from "../../src/core/transition.ts";
import type { Observation } from "../../src/engine/ports.ts";
import type { Fields, Level, Log } from "../../src/system/log.ts";
import { observationLog } from "../../src/system/observationLog.ts";
import {
  againEnd,
  claimed,
  doneEnd,
  expectState,
  factsAt,
  inlineBody,
  leaseAt,
  neverEnd,
  retriedJob,
  runningJob,
  startAt,
  waitingJob,
} from "../builders.ts";

const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

type Line = { level: Level; message: string; fields: Fields | undefined };

/** The lines that observations make, at levels that are on. */
function linesOf(observations: readonly Observation[], on: readonly Level[] = ["debug", "info", "warn", "error"]): Line[] {
  const lines: Line[] = [];
  const write = (level: Level, message: string, fields?: Fields) => {
    if (on.includes(level)) lines.push({ level, message, fields });
  };
  const log: Log = Object.assign(write, { isOn: (level: Level) => on.includes(level) });
  observations.forEach(observationLog(log));
  return lines;
}

const response: Answer = {
  kind: "response",
  sentAt: later(startAt, 3),
  endedAt: later(startAt, 15),
  status: 200,
  headers: { "set-cookie": "answer-secret" },
  excerpt: Buffer.from("answer-secret"),
  byteCount: 13,
  body: "complete",
};
const failure = {
  kind: "failure",
  reason: "network",
  code: "ECONNREFUSED",
  message: "connect ECONNREFUSED 203.0.113.7:443",
  status: null,
  retryAfter: null,
} as const;

test("a call is one line at info that a person can read, with job, attempt and trace for machines", () => {
  const job = runningJob();
  expect(linesOf([{ kind: "called", job, answer: response, trace }])).toEqual([
    {
      level: "info",
      message: `called ${job.id} 200 in 12 ms, 3 ms late`,
      fields: { job: job.id, attempt: 1, trace: trace.traceId, status: 200, callMs: 12, latenessMs: 3 },
    },
  ]);
});

test("a retry's line names the attempt, and its lateness counts from the retry's own instant", () => {
  const job = claimed(retriedJob());
  const sentAt = later(job.nextAttemptAt, 4);
  const [line] = linesOf([{ kind: "called", job, answer: { ...failure, sentAt, endedAt: later(sentAt, 9) }, trace }]);
  expect(line?.message).toBe(`called ${job.id} network in 9 ms, 4 ms late, attempt 2: ${failure.message}`);
  expect(line?.fields).toMatchObject({ attempt: 2, because: "network", code: "ECONNREFUSED", latenessMs: 4 });
});

test("a call of which nothing was sent has no lateness and says why", () => {
  const job = runningJob();
  const [line] = linesOf([{ kind: "called", job, answer: { ...failure, reason: "dns", sentAt: null, endedAt: startAt }, trace }]);
  expect(line?.message).toBe(`could not call ${job.id}, dns: ${failure.message}`);
  expect(line?.fields?.latenessMs).toBeNull();
});

test("a retry says when and how many attempts are left, and an attempt that was cut off is a warning", () => {
  const running = runningJob();
  const lines = linesOf([
    { kind: "changed", transition: settle(running, againEnd(), 0, factsAt(startAt)) },
    { kind: "changed", transition: loseLease(running, factsAt(startAt)) },
  ]);
  expect(lines.map(({ level, message }) => `${level} ${message.replace(running.id, "job")}`)).toEqual([
    "info job is waiting (retried) until 2027-01-01T00:00:10.000Z, after 1 of 4 attempts",
    "warn job is waiting (lease_lost) until 2027-01-01T00:00:00.000Z, after 1 of 4 attempts",
  ]);
});

test("comings and goings are at debug, and a job that failed for good is a warning with its reason", () => {
  const job = waitingJob();
  const taken = claim(job, leaseAt(startAt), factsAt(startAt));
  const running = expectState(taken.to, "running");
  const lines = linesOf([
    { kind: "created", job },
    { kind: "changed", transition: taken },
    { kind: "changed", transition: requestCancel(running, factsAt(startAt)) },
    { kind: "changed", transition: settle(running, doneEnd(), 0, factsAt(startAt)) },
    { kind: "changed", transition: settle(running, neverEnd(), 0, factsAt(startAt)) },
  ]);
  expect(lines.map(({ level, message }) => `${level} ${message.replace(job.id, "job")}`)).toEqual([
    "debug job is waiting (created) until 2027-01-01T00:00:00.000Z",
    "debug job is running (claimed), attempt 1",
    "debug job is asked to cancel",
    "debug job is succeeded (succeeded) after 1 attempt",
    "warn job is failed (refused) after 1 attempt",
  ]);
});

test("a lost lease and an outage are warnings; a turn that found nothing is no line", () => {
  const cause = new Error("disk I/O error");
  const lines = linesOf([
    { kind: "lease_lost", job: runningJob() },
    { kind: "outage", where: "store", cause },
    { kind: "turned", range: 0, named: 0, stretches: 0, oldestWakeAt: null },
    { kind: "turned", range: 0, named: 2, stretches: 1, oldestWakeAt: null },
  ]);
  expect(lines.map((line) => line.level)).toEqual(["warn", "warn", "debug"]);
  expect(lines[1]?.fields?.cause).toBe(cause);
});

test("neither URL, headers, body or labels of a job nor headers or body of an answer reach a line", () => {
  const job = waitingJob({
    target: { url: "https://example.com/hook?token=url-secret", method: "POST", headers: { "x-key": "header-secret" } },
    body: inlineBody("body-secret"),
    labels: { team: "label-secret" },
  });
  const running = claimed(job);
  const lines = linesOf([
    { kind: "created", job },
    { kind: "changed", transition: claim(job, leaseAt(startAt), factsAt(startAt)) },
    { kind: "called", job: running, answer: response, trace },
    { kind: "changed", transition: settle(running, neverEnd(), 0, factsAt(startAt)) },
    { kind: "lease_lost", job: running },
  ]);
  expect(lines).toHaveLength(5);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

test("the lease's token is in no line", () => {
  const job = runningJob();
  expect(
    JSON.stringify(
      linesOf([
        { kind: "called", job, answer: response, trace },
        { kind: "lease_lost", job },
      ]),
    ),
  ).not.toContain(job.leaseToken);
});

test("where a level is off, nothing of the job is looked at", () => {
  const untouchable = new Proxy(runningJob(), {
    get: (_job, name) => {
      throw new Error(`looked at ${String(name)}`);
    },
  });
  expect(linesOf([{ kind: "called", job: untouchable, answer: response, trace }], ["warn", "error"])).toEqual([]);
});
