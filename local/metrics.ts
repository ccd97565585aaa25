/**
 * The metrics of the home, as Prometheus reads them. What happened is counted as it happens; what is (gauges) is asked for when
 * someone reads. Labels come from closed or bounded sets only, so that no caller and no target can grow the number of series.
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Job } from "../src/core/job.ts";
import type { Answer } from "../src/core/outcome.ts";
import type { ScheduleChange } from "../src/core/scheduleChange.ts";
import { type EpochMs, secondMs } from "../src/core/time.ts";
import type { Transition } from "../src/core/transition.ts";
import type { Observe } from "../src/engine/ports.ts";

/** How things stand at the moment of reading. */
export type Gauges = {
  readonly waiting: number;
  readonly running: number;
  /** Hints that wait in memory for a free slot or their instant. */
  readonly queueDepth: number;
  /** The instant of the live job that has been owed longest; null when none is overdue. */
  readonly oldestDueAt: EpochMs | null;
  /** When the last turn ended; null before the first. */
  readonly lastTickAt: EpochMs | null;
  readonly now: EpochMs;
};

export type Metrics = {
  readonly observe: Observe;
  /** The text exposition format, version 0.0.4. */
  text(gauges: Gauges): Promise<string>;
  /** Of the text: goes into `content-type`. */
  readonly contentType: string;
};

/** Seconds. Fine where the promise is (tens of milliseconds), coarse where only the magnitude matters (a backlog after an outage). */
const latenessBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800];
/** Seconds, up to the longest timeout of a call. */
const callBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];

export function createMetrics({ version }: { readonly version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const observe = observer(registers);
  const setGauges = gaugeSetter(registers);
  new Gauge({ name: "onthedot_build_info", help: "Always 1; the label names the version that runs.", labelNames: ["version"], registers })
    .labels(version)
    .set(1);
  return {
    observe,
    async text(gauges) {
      setGauges(gauges);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

function observer(registers: Registry[]): Observe {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `onthedot_${name}_total`, help, labelNames, registers });
  const transitions = counter("transitions", "Jobs that came into a state, by the reason.", ["state", "because"]);
  const cancelRequests = counter("cancel_requests", "Cancels asked of a job that was running.", []);
  const calls = counter("calls", "Calls that ended, by the class of the status or the reason of the failure.", ["answer"]);
  const lateAnswers = counter("late_answers", "Answers that came after the lease had ended; another record stands.", []);
  const named = counter("named", "Items that turns named in hints.", []);
  const stretches = counter("stretches", "Stretches of the past that turns hinted.", []);
  const hintsDropped = counter("hints_dropped", "Hints that nothing was done for: too old, or what they name has moved on.", ["why"]);
  const outages = counter("outages", "Times a part of the home did not answer.", ["where"]);
  const countOccurrences = occurrenceCounter(registers);
  const { lateness, callTime } = histograms(registers);

  function change({ from, to }: Transition): void {
    // A cancel's mark leaves the state and its reason as they were: counted as a transition it would be a second claim.
    if (from.state === "running" && to.state === "running") cancelRequests.inc();
    else enter(to);
  }
  function enter({ state, because }: Job): void {
    transitions.inc({ state, because });
  }
  function call(owedAt: EpochMs, answer: Answer): void {
    calls.inc({ answer: answerClass(answer) });
    if (answer.sentAt === null) return;
    // A clock set back during a call would make a sum fall, which Prometheus takes for a restart.
    lateness.observe(Math.max(0, answer.sentAt - owedAt) / secondMs);
    callTime.observe(Math.max(0, answer.endedAt - answer.sentAt) / secondMs);
  }

  return (observation) => {
    switch (observation.kind) {
      case "created":
        return enter(observation.job);
      case "changed":
        return change(observation.transition);
      case "schedule_created":
      case "rule_unreadable":
        return;
      case "schedule_changed":
        return countOccurrences(observation.change);
      case "called":
        return call(observation.job.nextAttemptAt, observation.answer);
      case "lease_lost":
        return lateAnswers.inc();
      case "turned":
        named.inc(observation.named);
        return stretches.inc(observation.stretches);
      case "hint_dropped":
        return hintsDropped.inc({ why: observation.why });
      case "outage":
        return outages.inc({ where: observation.where });
      default:
        observation satisfies never;
    }
  };
}

/** Names are a caller's: beyond so many, schedules share one series. */
const namesMax = 1_000;

function occurrenceCounter(registers: Registry[]): (change: ScheduleChange) => void {
  const occurrences = new Counter({
    name: "onthedot_occurrences_total",
    help: "Occurrences by schedule and what became of them; schedules beyond the first thousand are counted as other.",
    labelNames: ["schedule", "state", "because"],
    registers,
  });
  const names = new Set<string>();
  return ({ from: { name }, entries }) => {
    if (names.size < namesMax) names.add(name);
    const schedule = names.has(name) ? name : "other";
    for (const { state, because, count } of entries) occurrences.inc({ schedule, state, because }, count);
  };
}

function histograms(registers: Registry[]) {
  return {
    lateness: new Histogram({
      name: "onthedot_lateness_seconds",
      help: "First byte sent minus the instant the attempt was owed at.",
      buckets: latenessBuckets,
      registers,
    }),
    callTime: new Histogram({
      name: "onthedot_call_seconds",
      help: "From the first byte sent to the end of the answer.",
      buckets: callBuckets,
      registers,
    }),
  };
}

/** `2xx` and not the status: a target may answer with any number there is. */
function answerClass(answer: Answer): string {
  return answer.kind === "response" ? `${Math.floor(answer.status / 100)}xx` : answer.reason;
}

function gaugeSetter(registers: Registry[]): (gauges: Gauges) => void {
  const gauge = (name: string, help: string) => new Gauge({ name: `onthedot_${name}`, help, registers });
  const waiting = gauge("waiting", "Jobs that are waiting for their instant.");
  const running = gauge("running", "Jobs that are running.");
  const queueDepth = gauge("queue_depth", "Hints that wait in memory.");
  const oldestDue = gauge("oldest_due_seconds", "How long the oldest overdue job has been owed; 0 when none is.");
  const lastTick = gauge("last_tick_age_seconds", "Since the last turn ended; infinite before the first.");
  return (gauges) => {
    const ageOf = (at: EpochMs) => Math.max(0, gauges.now - at) / secondMs;
    waiting.set(gauges.waiting);
    running.set(gauges.running);
    queueDepth.set(gauges.queueDepth);
    oldestDue.set(gauges.oldestDueAt === null ? 0 : ageOf(gauges.oldestDueAt));
    lastTick.set(gauges.lastTickAt === null ? Number.POSITIVE_INFINITY : ageOf(gauges.lastTickAt));
  };
}
