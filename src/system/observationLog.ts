/**
 * What the engine saw, as lines of the log: one for each call at info, with the job, the attempt and the trace; the comings and goings
 * of jobs at debug; at warn what someone may want to look at. A level that is off costs one comparison, and nothing is put together for it.
 */

import type { Job, Running } from "../core/job.ts";
import type { Answer } from "../core/outcome.ts";
import type { Trace } from "../core/request.ts";
import type { ScheduleChange } from "../core/scheduleChange.ts";
import { formatInstant } from "../core/time.ts";
import type { Transition } from "../core/transition.ts";
import type { Observe } from "../engine/ports.ts";
import type { Fields, Level, Log } from "./log.ts";
import { createOutageLog, type TellOutage } from "./outages.ts";

export function observationLog(log: Log, tellOutage: TellOutage = createOutageLog(log)): Observe {
  return (observation) => {
    switch (observation.kind) {
      case "created":
        if (log.isOn("debug")) writeState(log, "debug", observation.job);
        break;
      case "changed":
        writeChange(log, observation.transition);
        break;
      case "schedule_created":
        log("debug", `the schedule ${observation.schedule.name} is made`, { schedule: observation.schedule.name });
        break;
      case "schedule_changed":
        writeOccurrences(log, observation.change);
        break;
      case "rule_unreadable":
        log(
          "error",
          `the schedule ${observation.schedule.name} pauses itself, for its rule cannot be read any more: ${observation.message}`,
          {
            schedule: observation.schedule.name,
          },
        );
        break;
      case "called":
        if (log.isOn("info")) writeCall(log, observation.job, observation.answer, observation.trace);
        break;
      case "lease_lost": {
        const { id, attemptCount } = observation.job;
        log(
          "warn",
          `the answer for ${id}, attempt ${attemptCount}, came after its lease had ended: another record stands`,
          about(observation.job),
        );
        break;
      }
      case "turned": {
        const { kind: _, oldestWakeAt: __, ...counts } = observation;
        // A turn runs each second; one that found nothing is no news at any level.
        if (counts.named + counts.stretches > 0) log("debug", `a turn named ${counts.named} and cut ${counts.stretches} stretches`, counts);
        break;
      }
      case "hint_dropped":
        // Hints are cheap, and doubled by design: their number is a matter of the metrics.
        break;
      case "outage":
        tellOutage(`${observation.where} did not answer, and will be tried again`, { where: observation.where, cause: observation.cause });
        break;
      default:
        observation satisfies never;
    }
  };
}

function about(job: Job): Fields {
  return { job: job.id, attempt: job.attemptCount };
}

/** What fires is told by its calls; what does not is told here, for nobody else may notice. */
function writeOccurrences(log: Log, { from: { name }, because: why, entries }: ScheduleChange): void {
  if (why === "failures") log("warn", `the schedule ${name} pauses itself: too many of its jobs failed in a row`, { schedule: name });
  for (const { state, because, count, firstAt, lastAt } of entries) {
    const level = state === "missed" || state === "dropped" ? "warn" : "debug";
    if (!log.isOn(level)) continue;
    const span = count === 1 ? formatInstant(firstAt) : `${count} from ${formatInstant(firstAt)} to ${formatInstant(lastAt)}`;
    log(level, `${name} ${state} (${because}) ${span}`, { schedule: name, state, because, count });
  }
}

/** A job that ends failed has given up what a caller asked for: nobody else may notice. */
function writeChange(log: Log, { from, to }: Transition): void {
  const level = levelOf(to);
  if (!log.isOn(level)) return;
  if (from.state === "running" && to.state === "running") log(level, `${to.id} is asked to cancel`, about(to));
  else writeState(log, level, to);
}

/** What a person who watches asks next: a failed call is followed by when it is tried again, a lost one by that it was lost. */
function levelOf(job: Job): Level {
  if (job.state === "failed" || job.because === "lease_lost") return "warn";
  return job.because === "retried" ? "info" : "debug";
}

function writeState(log: Log, level: Level, job: Job): void {
  log(level, `${job.id} is ${job.state} (${job.because})${stateDetail(job)}`, { ...about(job), state: job.state, because: job.because });
}

function stateDetail(job: Job): string {
  switch (job.state) {
    case "waiting":
      return ` until ${formatInstant(job.nextAttemptAt)}${job.attemptCount === 0 ? "" : `, after ${job.attemptCount} of ${job.retry.maxAttempts} attempts`}`;
    case "running":
      return `, attempt ${job.attemptCount}`;
    case "succeeded":
    case "failed":
    case "cancelled":
      return ` after ${job.attemptCount} ${job.attemptCount === 1 ? "attempt" : "attempts"}`;
  }
}

/** `called job_… 200 in 12 ms, 3 ms late`. Of the answer only its status, or the sentence and the code of its failure. */
function writeCall(log: Log, job: Running, answer: Answer, trace: Trace): void {
  const { sentAt, endedAt } = answer;
  const said = answer.kind === "response" ? `${answer.status}` : answer.reason;
  const why = answer.kind === "response" ? "" : `: ${answer.message}`;
  const attempt = job.attemptCount > 1 ? `, attempt ${job.attemptCount}` : "";
  const result = answer.kind === "response" ? { status: answer.status } : { because: answer.reason, code: answer.code };
  const fields = { ...about(job), trace: trace.traceId, ...result };
  if (sentAt === null) {
    log("info", `could not call ${job.id}, ${said}${attempt}${why}`, { ...fields, latenessMs: null });
    return;
  }
  const callMs = endedAt - sentAt;
  const latenessMs = sentAt - job.nextAttemptAt;
  log("info", `called ${job.id} ${said} in ${callMs} ms, ${latenessMs} ms late${attempt}${why}`, { ...fields, callMs, latenessMs });
}
