/** The calls that write, show and delete single schedules. */

import { scheduleIdOf } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Standing } from "../core/schedule.ts";
import { deleteSchedule as deleteStanding } from "../engine/schedules/delete.ts";
import { type PutAnswer, type PutRequest, putSchedule as put, type Refusal } from "../engine/schedules/put.ts";
import { findSchedule, takenOf } from "../engine/schedules/read.ts";
import { readIfMatch } from "./change.ts";
import { type Desk, type Handled, type NameHandler, readWritten } from "./desk.ts";
import { readPrecondition } from "./precondition.ts";
import { fieldProblem, type Problem } from "./problem.ts";
import { DeleteQuery, readQuery } from "./query.ts";
import { jsonReply } from "./reply.ts";
import type { ScheduleDeletedAnswer } from "./scheduleAnswers.ts";
import { nameTaken, scheduleNotFound, scheduleReply, versionConflict } from "./scheduleReply.ts";
import { problemOf, readPart, readWhole, type ScheduleRead, scheduleReading } from "./scheduleRequest.ts";
import { occurrenceView } from "./scheduleView.ts";
import { brokenJson } from "./submission.ts";

const scheduleBytes = { bytesMax: limits.requestBytesMax, depthMax: limits.jsonDepthMax + 1 };

export const putSchedule: NameHandler = async (desk, { request }, name) => {
  const { engine, tenant } = desk;
  const wanted = readPrecondition(request.headers);
  if (!wanted.ok) return wanted.problem;
  const written = await readWritten(request, scheduleBytes);
  if (!written.ok) return written.problem;
  const broken = brokenJson(written.value.findings);
  if (broken !== undefined) return broken;
  const standing = await findSchedule(engine, { tenant, name });
  const reading = await scheduleReading(desk, [written.value.value], standing === undefined ? [] : [standing]);
  const first = readWhole(written.value, { ...reading, standing });
  if (!first.ok) return problemOf(first);
  const { version, exists } = wanted.value;
  const answer = await put(
    engine,
    { tenant, name },
    // What is kept of one that stands is its set; nothing else depends on it.
    (now) => (now === undefined && exists ? "not_found" : withSet(first.value, now)),
    { version },
  );
  return writtenReply(desk, answer, () => versionConflict("schedule", 0));
};

function withSet({ wanted, pause }: PutRequest, standing: Standing | undefined): PutRequest {
  return { wanted: { ...wanted, set: standing?.spec.set ?? null }, pause };
}

export const patchSchedule: NameHandler = async (desk, { request }, name) => {
  const { engine, tenant } = desk;
  const ifMatch = readIfMatch(request.headers.get("if-match"));
  if (!ifMatch.ok) return ifMatch.problem;
  const written = await readWritten(request, scheduleBytes);
  if (!written.ok) return written.problem;
  const broken = brokenJson(written.value.findings);
  if (broken !== undefined) return broken;
  const standing = await findSchedule(engine, { tenant, name });
  if (standing === undefined) return scheduleNotFound();
  const reading = await scheduleReading(desk, [written.value.value], [standing]);
  const first = readPart(written.value, { ...reading, standing });
  if (!first.ok) return problemOf(first);
  const answer = await put(
    engine,
    { tenant, name },
    (now) => (now === undefined ? "not_found" : asked(readPart(written.value, { ...reading, standing: now }))),
    { version: ifMatch.value },
  );
  return writtenReply(desk, answer, scheduleNotFound);
};

/** Of a change that became wrong while it was made, the first reason. */
function asked(read: ScheduleRead): PutRequest | Refusal {
  if (read.ok) return read.value;
  const [first] = read.errors;
  return { kind: "invalid", field: first?.field ?? "", message: first?.message ?? "the schedule has changed; read it again" };
}

function writtenReply(desk: Desk, answer: PutAnswer, missing: () => Problem): Handled {
  const { engine } = desk;
  switch (answer.kind) {
    case "created": {
      const { schedule } = answer;
      const headers = { location: `/v1/schedules/${schedule.name}` };
      return scheduleReply(engine, schedule, { status: 201, more: { pending: "none" }, headers });
    }
    case "replaced":
      return scheduleReply(engine, answer.schedule, { more: { pending: answer.pending } });
    case "not_found":
      return Promise.resolve(missing());
    case "exists":
      return Promise.resolve(nameTaken("schedule"));
    case "version_conflict":
      return Promise.resolve(versionConflict("schedule", answer.version));
    case "invalid":
      return Promise.resolve(refusalProblem(answer));
  }
}

export function refusalProblem({ field, message }: Refusal): Problem {
  return fieldProblem("invalid_request", [{ field, code: "invalid_value", message }]);
}

export const getSchedule: NameHandler = async ({ engine, tenant }, _call, name) => {
  const schedule = await findSchedule(engine, { tenant, name });
  return schedule === undefined ? scheduleNotFound() : scheduleReply(engine, schedule);
};

export const deleteSchedule: NameHandler = async ({ engine, tenant }, { request }, name) => {
  const query = readQuery(DeleteQuery, request.url);
  if (!query.ok) return query.problem;
  const ifMatch = readIfMatch(request.headers.get("if-match"));
  if (!ifMatch.ok) return ifMatch.problem;
  const { jobs = "keep" } = query.value;
  const answer = await deleteStanding(engine, { tenant, id: scheduleIdOf(tenant, name) }, { jobs, version: ifMatch.value });
  switch (answer.kind) {
    case "deleted": {
      const { schedule, cancelled } = answer;
      const taken = takenOf(schedule, engine.clock.now()).map(occurrenceView);
      return jsonReply(200, { name: schedule.name, deleted: true, taken, cancelled } satisfies ScheduleDeletedAnswer);
    }
    case "not_found":
      return scheduleNotFound();
    case "version_conflict":
      return versionConflict("schedule", answer.version);
  }
};
