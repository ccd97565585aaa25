/**
 * What an executor does when a schedule's time to be looked at has come. Each pass decides one thing by one commit; what was half done by
 * somebody who died is finished first. A pass too many finds nothing to do, so a hint may come as often as it likes.
 */

import type { Agenda } from "../../core/agenda.ts";
import { type Decision, decide } from "../../core/decide.ts";
import type { ScheduleRef } from "../../core/hint.ts";
import type { Waiting } from "../../core/job.ts";
import { type Active, hearsOfEnds, type Paused, type Standing, scheduleBounds } from "../../core/schedule.ts";
import {
  buffer,
  type Ended,
  look,
  pass,
  pause,
  replan,
  resume,
  type ScheduleChange,
  settleTaken,
  startBuffered,
  take,
} from "../../core/scheduleChange.ts";
import type { EpochMs } from "../../core/time.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { stepBackfill } from "./backfill.ts";
import { renewedSpec } from "./body.ts";
import { hintMoved, write } from "./commit.ts";
import { lookAtJobs } from "./jobs.ts";
import { agendaOf } from "./rule.ts";
import { hintJobs, insertTaken } from "./taken.ts";

export type Met = {
  /** Jobs that this meeting made, yet to be woken. */
  readonly jobs: readonly Waiting[];
  /** Wakes an executor for the schedule where it was left on the wheel for soon. To be called when nobody holds it any more. */
  hintNext(): Promise<void>;
};

/**
 * `seenAt`: where whoever sent the hint saw it stand; a hint for a schedule that somebody has moved since is of no use, or chains of hints
 * would multiply. Null: met in any case. Rejects with `OutageError` where the store does not answer: what was decided stands, and the
 * wheel still holds the rest.
 */
export async function meet(engine: Engine, ref: ScheduleRef, seenAt: EpochMs | null): Promise<Met> {
  const jobs: Waiting[] = [];
  const first = await load(engine, ref);
  if (first === undefined || isMoved(first, seenAt)) return { jobs, hintNext: async () => {} };
  let last: Standing | undefined;
  const progress: Progress = { hasMoved: false, hasBackfilled: false };
  const hintNext = async () => {
    if (last !== undefined) await hintMoved(engine, first, last);
  };
  try {
    for (let step = 0, schedule: Standing | undefined = first; step < scheduleBounds.stepsPerMeeting && schedule !== undefined; step++) {
      if (schedule.taken !== null) jobs.push(...(await insertTaken(engine, schedule, schedule.taken)));
      const change: Step = await nextChange(engine, schedule, progress);
      if (change === "rest") break;
      if ("waitsUntil" in change) {
        // A job of its own that is called meanwhile may be the very one that is waited for.
        await hintJobs(engine, jobs.splice(0));
        await engine.clock.until(change.waitsUntil);
      } else if ((await write(engine, change)) === "committed") {
        last = change.to.state === "deleted" ? undefined : change.to;
        progress.hasMoved = true;
        schedule = last !== undefined && hasMore(engine, last, progress) ? last : undefined;
        continue;
      }
      const { wakeAt }: Standing = schedule;
      schedule = await load(engine, ref);
      // Whoever moved it has hinted it, and goes on.
      if (schedule?.wakeAt !== wakeAt) last = schedule = undefined;
      else last ??= schedule;
    }
  } catch (cause) {
    // What was done by then is marked as hinted, and nobody else hints it.
    await hintJobs(engine, jobs);
    await hintNext();
    throw cause;
  }
  return { jobs, hintNext };
}

/** What has happened in one meeting. */
type Progress = { hasMoved: boolean; hasBackfilled: boolean };

/** By where it stands it has nothing to do before then, but to go on with a backfill: once a meeting, or one of a busy rule would never get on. */
function hasMore(engine: Engine, { taken, wakeAt, backfill }: Standing, { hasBackfilled }: Progress): boolean {
  return taken !== null || wakeAt <= engine.clock.now() || (backfill !== null && !hasBackfilled);
}

/** One that waits for its jobs' ends is told of them wherever it stands. */
function isMoved({ wakeAt, taken, spec }: Standing, seenAt: EpochMs | null): boolean {
  return seenAt !== null && seenAt !== wakeAt && taken === null && !hearsOfEnds(spec);
}

async function load(engine: Engine, ref: ScheduleRef): Promise<Standing | undefined> {
  const schedule = await engine.store.load(ref);
  if (schedule === undefined || schedule.state === "deleted") return undefined;
  // Whatever is decided next carries it along: one that fires each day is never only looked at.
  return { ...schedule, spec: await renewedSpec(engine, schedule) };
}

/** "rest": there is nothing to do now. `waitsUntil`: then it is known what to do; what was read before is old. */
type Step = ScheduleChange | "rest" | { readonly waitsUntil: EpochMs };

async function nextChange(engine: Engine, schedule: Standing, progress: Progress): Promise<Step> {
  if (schedule.taken !== null) return settleTaken(schedule, scheduleFactsNow(engine));
  const now = engine.clock.now();
  if (schedule.state !== "active" && schedule.wakeAt > now) return "rest";
  const agenda = await agendaOf(engine, schedule);
  if (typeof agenda === "string") return pauseUnreadable(engine, schedule, agenda);
  switch (schedule.state) {
    case "active":
      return nextOfActive(engine, schedule, { agenda, progress });
    case "paused":
      return nextOfPaused(engine, schedule, agenda);
    case "finished":
      return lookAgain(engine, schedule, agenda);
  }
}

type Known = { readonly agenda: Agenda; readonly progress: Progress };

async function nextOfActive(engine: Engine, schedule: Active, { agenda, progress }: Known): Promise<Step> {
  const ended = await lookAtJobs(engine, schedule);
  const { pauseAfterFailures } = schedule.spec;
  if (pauseAfterFailures !== null && ended.failures >= pauseAfterFailures) {
    const reason = `${ended.failures} jobs failed in a row`;
    return pause({ ...schedule, ...ended }, { until: null, reason, because: "failures" }, scheduleFactsNow(engine));
  }
  const facts = scheduleFactsNow(engine);
  const decision = decide(schedule, agenda, { now: facts.now, takeLeadMs: facts.takeLeadMs, isBusy: ended.unended.length > 0 });
  const isFree = decision.kind === "look" || (decision.kind === "rest" && progress.hasMoved);
  if (isFree && schedule.backfill !== null && !progress.hasBackfilled) {
    progress.hasBackfilled = true;
    return stepBackfill(engine, schedule, agenda);
  }
  return changeFor(engine, schedule, { decision, agenda, ended });
}

type Decided = { readonly decision: Decision; readonly agenda: Agenda; readonly ended: Ended };

function changeFor(engine: Engine, schedule: Active, { decision, agenda, ended }: Decided): Step {
  const facts = scheduleFactsNow(engine);
  switch (decision.kind) {
    case "rest":
      return "rest";
    case "wait":
      return { waitsUntil: decision.until };
    case "look":
      return lookAgain(engine, schedule, agenda);
    case "replan":
      return replan(schedule, { ...decision, agenda }, facts);
    case "pass":
      return pass(schedule, { ...decision, agenda }, facts);
    case "take":
      return take(schedule, { ...decision, agenda, ended }, facts);
    case "buffer":
      return buffer(schedule, { ...decision, agenda, ended }, facts);
    case "start":
      return startBuffered(schedule, { ...decision, ended }, facts);
  }
}

/** A pause that ends by itself brings nothing back of what passed. */
function nextOfPaused(engine: Engine, schedule: Paused, agenda: Agenda): ScheduleChange {
  const { pausedUntil } = schedule;
  if (pausedUntil === null || pausedUntil > engine.clock.now()) return lookAgain(engine, schedule, agenda);
  return resume(schedule, { recover: "none", before: pausedUntil, agenda, by: "itself" }, scheduleFactsNow(engine));
}

function lookAgain(engine: Engine, schedule: Standing, agenda: Agenda): ScheduleChange {
  return look(schedule, agenda, scheduleFactsNow(engine));
}

/** It must not stand in the past for ever, read again each turn. A person who reads the reason edits the rule, or waits for a better runtime. */
function pauseUnreadable(engine: Engine, schedule: Standing, message: string): ScheduleChange {
  engine.observe({ kind: "rule_unreadable", schedule, message });
  const reason = `the rule cannot be read: ${message}`.slice(0, scheduleBounds.reasonCharsMax);
  return pause(schedule, { until: null, reason, because: "unreadable" }, scheduleFactsNow(engine));
}
