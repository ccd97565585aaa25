/** A schedule as callers see it: what they wrote with every default filled in, what comes next, and what became of its occurrences. */

import type { WrittenMember } from "../core/recurrence/member.ts";
import type { Window } from "../core/recurrence/window.ts";
import { type Standing, scheduleBounds } from "../core/schedule.ts";
import { type EpochMs, formatDuration, formatInstant } from "../core/time.ts";
import type { Engine } from "../engine/engine.ts";
import { type Logged, pendingNextOf, recentOf, takenOf, upcoming } from "../engine/schedules/read.ts";
import type { OccurrenceAnswer, ScheduleAnswer } from "./scheduleAnswers.ts";
import { callView, instantOrNull } from "./view.ts";

const nextShown = 5;

export async function scheduleView(engine: Engine, schedule: Standing): Promise<ScheduleAnswer> {
  const next = await upcoming(engine, schedule, nextShown);
  return {
    ...viewOf(schedule, engine.clock.now()),
    next: next.map(({ nominalAt, dueAt, local, note }) => ({
      nominalAt: formatInstant(nominalAt),
      dueAt: formatInstant(dueAt),
      local,
      note,
    })),
  };
}

/** By its record alone: a list reads no rules, of which each may take some time. */
export function listedView(schedule: Standing, now: EpochMs): ScheduleAnswer {
  const { state } = schedule;
  const next = pendingNextOf(schedule);
  const comes = next === null || state === "finished" || next.dueAt < now ? [] : [next];
  return {
    ...viewOf(schedule, now),
    next: comes.map(({ nominalAt, dueAt }) => ({
      nominalAt: formatInstant(nominalAt),
      dueAt: formatInstant(dueAt),
      local: null,
      note: null,
    })),
  };
}

function viewOf(schedule: Standing, now: EpochMs): Omit<ScheduleAnswer, "next"> {
  const { name, id, state, revision, spec, counts, buffered } = schedule;
  const { overlap, misfire, maxRuns, pauseAfterFailures, labels, set } = spec;
  const { policy, withinMs, max } = misfire;
  return {
    ...{
      name,
      id,
      state,
      version: revision,
      createdAt: formatInstant(schedule.createdAt),
      updatedAt: formatInstant(schedule.updatedAt),
      set,
    },
    ...{ when: whenOf(schedule), except: spec.except as ScheduleAnswer["except"] },
    job: { ...callView(spec.job), expireAfter: spec.job.expireAfterMs === null ? null : formatDuration(spec.job.expireAfterMs) },
    ...{ overlap, misfire: { policy, within: formatDuration(withinMs), max }, window: windowText(spec.window) },
    ...{ startAt: instantOrNull(spec.startAt), endAt: instantOrNull(spec.endAt), maxRuns },
    ...{ paused: state === "paused", pauseAfterFailures, labels, pause: pauseOf(schedule), counts },
    recent: recentOf(schedule, scheduleBounds.recentShown).map(occurrenceView),
    taken: takenOf(schedule, now).map(occurrenceView),
    buffered: buffered.length,
    backfill: backfillView(schedule),
  };
}

/** An `every` that names no anchor begins with the schedule. */
function whenOf({ spec, createdAt }: Standing): ScheduleAnswer["when"] {
  const anchor = formatInstant(spec.startAt ?? createdAt);
  const filled = (member: WrittenMember) => {
    const { every, from = anchor, timezone } = member;
    return every === undefined ? member : { every, from, timezone };
  };
  const { when } = spec;
  const isList = Array.isArray as (one: typeof when) => one is readonly WrittenMember[];
  return (isList(when) ? when.map(filled) : filled(when)) as ScheduleAnswer["when"];
}

function windowText(window: Window | null): string | null {
  if (window === null) return null;
  return window.kind === "share" ? `${window.percent}%` : formatDuration(window.spanMs);
}

function pauseOf(schedule: Standing): ScheduleAnswer["pause"] {
  if (schedule.state !== "paused") return null;
  const { pausedAt, because, pausedUntil, reason } = schedule;
  return { at: formatInstant(pausedAt), because, until: instantOrNull(pausedUntil), reason };
}

export function backfillView({ backfill }: Standing): ScheduleAnswer["backfill"] {
  if (backfill === null) return null;
  const { from, to, done, total, goOnAt } = backfill;
  return { from: formatInstant(from), to: formatInstant(to), done, total, goOnAt: formatInstant(goOnAt) };
}

export function occurrenceView({ nominalAt, lastNominalAt, dueAt, count, state, because, job }: Logged): OccurrenceAnswer {
  const [first, last, due] = [nominalAt, lastNominalAt, dueAt].map(formatInstant) as [string, string, string];
  return { nominalAt: first, lastNominalAt: last, count, dueAt: due, state, because, job };
}
