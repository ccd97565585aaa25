/** What can be done with a schedule that stands: pause, resume, a call now, and instants of the past. */

import { scheduleIdOf } from "../core/ids.ts";
import { scheduleBounds } from "../core/schedule.ts";
import { formatInstant } from "../core/time.ts";
import { backfill } from "../engine/schedules/backfill.ts";
import { type PauseAnswer, pauseSchedule as pause, resumeSchedule as resume } from "../engine/schedules/pause.ts";
import { triggerSchedule } from "../engine/schedules/trigger.ts";
import type { Desk, Handled, NameHandler } from "./desk.ts";
import { keyNotTaken } from "./jobs.ts";
import { type FieldError, fieldProblem, type Problem, problem } from "./problem.ts";
import { jobReply, jsonReply } from "./reply.ts";
import type { BackfillAnswer } from "./scheduleAnswers.ts";
import { scheduleNotFound, scheduleReply, unreadable } from "./scheduleReply.ts";
import { backfillShape, callNowShape, pauseShape, resumeShape } from "./scheduleShape.ts";
import { backfillView } from "./scheduleView.ts";
import { readFields } from "./shaped.ts";
import { viewOf } from "./view.ts";

export const pauseSchedule: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const now = engine.clock.now();
  const read = await readFields(request, {
    shape: pauseShape,
    need: "any",
    relations: ({ until }) => {
      if (until === undefined || until > now) return [];
      const message = `expected an instant in the future, got "${formatInstant(until)}"; leave it out to pause until a resume`;
      return [{ field: "until", code: "too_small", message }];
    },
  });
  if (!read.ok) return read.problem;
  const { until = null, reason = null } = read.value;
  return pauseReply(engine, await pause(engine, { tenant, id: scheduleIdOf(tenant, name) }, { until, reason }), "be paused");
};

export const resumeSchedule: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const read = await readFields(request, { shape: resumeShape, need: "any" });
  if (!read.ok) return read.problem;
  return pauseReply(engine, await resume(engine, { tenant, id: scheduleIdOf(tenant, name) }, read.value.recover), "be resumed");
};

function pauseReply(engine: Desk["engine"], answer: PauseAnswer, what: string): Handled {
  switch (answer.kind) {
    case "changed":
      return scheduleReply(engine, answer.schedule);
    case "not_found":
      return Promise.resolve(scheduleNotFound());
    case "state_conflict":
      return Promise.resolve(
        problem(
          "state_conflict",
          `The schedule is ${answer.schedule.state}: nothing of it follows, so it cannot ${what}. A new rule brings it back.`,
        ),
      );
    case "unreadable":
      return Promise.resolve(unreadable(answer.message));
  }
}

export const callNow: NameHandler = async ({ engine, tenant }, { request }, name) => {
  if (request.headers.has("idempotency-key")) return keyNotTaken("A trigger makes a new job each time it is called");
  const read = await readFields(request, {
    shape: callNowShape,
    need: "any",
    relations: ({ overlap }) => (overlap === "buffer_one" || overlap === "buffer_all" ? [waits(overlap)] : []),
  });
  if (!read.ok) return read.problem;
  const { overlap } = read.value;
  if (overlap === "buffer_one" || overlap === "buffer_all") throw new Error(`expected ${overlap} to be refused`);
  const answer = await triggerSchedule(engine, { tenant, id: scheduleIdOf(tenant, name) }, overlap);
  switch (answer.kind) {
    case "triggered":
      return jobReply(201, answer.job, viewOf(answer.job), { location: `/v1/jobs/${answer.job.id}` });
    case "not_found":
      return scheduleNotFound();
    case "busy":
      return problem(
        "state_conflict",
        "A job of the rule has not ended, and overlap is skip: no other was made. Wait, or send overlap allow or replace.",
      );
  }
};

function waits(overlap: string): FieldError {
  const message = `expected "allow", "skip" or "replace", got "${overlap}": only an occurrence of the rule can wait for the one before it`;
  return { field: "overlap", code: "invalid_value", message };
}

export const backfillSchedule: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const now = engine.clock.now();
  const read = await readFields(request, {
    shape: backfillShape,
    need: "body",
    relations: ({ from, to }) => {
      const errors: FieldError[] = [];
      if (to > now)
        errors.push({
          field: "to",
          code: "too_large",
          message: `expected an instant not after now (${formatInstant(now)}), got "${formatInstant(to)}"; what is to come fires by the rule`,
        });
      if (from >= to)
        errors.push({
          field: "from",
          code: "too_large",
          message: `expected an instant before to ("${formatInstant(to)}"), got "${formatInstant(from)}"`,
        });
      return errors;
    },
  });
  if (!read.ok) return read.problem;
  const { from, to, dryRun } = read.value;
  const answer = await backfill(engine, { tenant, id: scheduleIdOf(tenant, name) }, { from, to }, dryRun ? "dry_run" : "fire");
  switch (answer.kind) {
    case "counted":
    case "begun": {
      const { total, existing, schedule } = answer;
      const range = { from: formatInstant(from), to: formatInstant(to) };
      const shown = { dryRun, ...range, total, existing, backfill: backfillView(schedule) } satisfies BackfillAnswer;
      return jsonReply(dryRun ? 200 : 202, shown);
    }
    case "not_found":
      return scheduleNotFound();
    case "too_many":
      return tooMany(answer);
    case "state_conflict":
      return stateConflict(answer.why);
    case "unreadable":
      return unreadable(answer.message);
  }
};

function tooMany({ total, isMore }: { readonly total: number; readonly isMore: boolean }): Problem {
  const { backfillMax } = scheduleBounds;
  const got = isMore ? `more than ${total}` : String(total);
  const message = `expected a range with at most ${backfillMax} occurrences, got ${got}; ask for it in parts`;
  return fieldProblem("invalid_request", [{ field: "to", code: "too_large", message }]);
}

function stateConflict(why: "paused" | "backfilling"): Problem {
  const detail =
    why === "paused"
      ? "The schedule is paused: nothing of its rule fires. Resume it first."
      : "The schedule is being backfilled, one range at a time. Wait until `backfill` is null in its answer.";
  return problem("state_conflict", detail);
}
