/** Builders of schedules and calendars in any state, made by the changes themselves, as `builders.ts` makes jobs. */

import { type Agenda, readAgenda } from "../src/core/agenda.ts";
import { createCalendar, type Kept, removeCalendar } from "../src/core/calendar.ts";
import { entryOf } from "../src/core/decide.ts";
import { calendarIdOf, nameOf, scheduleIdOf, soleTenant, type TenantId } from "../src/core/ids.ts";
import { limits } from "../src/core/limits.ts";
import type { WrittenCalendar } from "../src/core/recurrence/calendar.ts";
import { retryDefault } from "../src/core/retry.ts";
import {
  type Active,
  type Deleted,
  type Finished,
  type JobTemplate,
  type Owed,
  type Paused,
  type Schedule,
  type ScheduleSpec,
  scheduleBounds,
} from "../src/core/schedule.ts";
import { buffer, createSchedule, deleteSchedule, pause, type ScheduleChange, settleTaken, take } from "../src/core/scheduleChange.ts";
import { editSchedule } from "../src/core/scheduleEdit.ts";
import type { PauseWish, ScheduleFacts } from "../src/core/standing.ts";
import { type EpochMs, later, minuteMs } from "../src/core/time.ts";
import { nextChange, startAt } from "./builders.ts";

const takeLeadMs = 2_000;

let drawn = 0;

/** A name that nobody else uses. */
export function nextName(): string {
  drawn += 1;
  return `name-${nameOf(Uint8Array.of(drawn >> 16, drawn >> 8, drawn))}`;
}

/** The facts of one change at `now`. By default a `wakeAt` within a minute is hinted. */
export function scheduleFactsAt(now: EpochMs, given: Partial<Omit<ScheduleFacts, "now">> = {}): ScheduleFacts {
  return { now, change: nextChange(), hintBefore: later(now, minuteMs), takeLeadMs, ...given };
}

export function jobTemplate(given: Partial<JobTemplate> = {}): JobTemplate {
  return {
    target: { url: "https://example.com/hook", method: "POST", headers: {} },
    ...{ body: null, timeoutMs: limits.timeoutMsDefault, expireAfterMs: null, retry: retryDefault, priority: "normal", labels: {} },
    ...given,
  };
}

/** What a caller wrote, with every default filled in: a call each hour. */
export function scheduleSpec(given: Partial<ScheduleSpec> = {}): ScheduleSpec {
  const { misfireWithinMsDefault: withinMs, misfireMaxDefault: max } = scheduleBounds;
  return {
    ...{ when: { cron: "0 * * * *" }, except: [], startAt: null, endAt: null, window: null, job: jobTemplate(), overlap: "skip" },
    ...{ misfire: { policy: "latest", withinMs, max }, maxRuns: null, pauseAfterFailures: null, labels: {}, set: null },
    ...given,
  };
}

/** The schedule's rule, read without any calendar. */
export function agendaOf(schedule: Parameters<typeof readAgenda>[0]): Agenda {
  const read = readAgenda(schedule, new Map());
  if (!read.ok) throw new Error(`expected a rule that can be read, got ${JSON.stringify(read.mistakes)}`);
  return read.agenda;
}

export type GivenSchedule = Partial<ScheduleSpec> & {
  readonly tenant?: TenantId;
  readonly name?: string;
  readonly createdAt?: EpochMs;
  readonly pause?: PauseWish;
};

function created(given: GivenSchedule, facts?: Partial<ScheduleFacts>) {
  const { tenant = soleTenant, name = nextName(), createdAt = startAt, pause: wish = null, ...wanted } = given;
  const [id, spec] = [scheduleIdOf(tenant, name), scheduleSpec(wanted)];
  const agenda = agendaOf({ id, createdAt, spec });
  return createSchedule({ tenant, id, name, spec, agenda, pause: wish }, { ...scheduleFactsAt(createdAt), ...facts });
}

/** A schedule just created, at `createdAt` (default: `startAt`), when its first occurrence is due. */
export function activeSchedule(given: GivenSchedule = {}, facts?: Partial<ScheduleFacts>): Active {
  return expectStanding(created(given, facts), "active");
}

/** A schedule that was created paused. */
export function pausedSchedule(given: GivenSchedule = {}): Paused {
  return expectStanding(created({ pause: { until: null, reason: "a reason" }, ...given }), "paused");
}

/** A schedule that a caller paused until an hour later. */
export function pausedAwhile(given: GivenSchedule = {}): Paused {
  const schedule = activeSchedule(given);
  const wish = { until: later(schedule.createdAt, 60 * minuteMs), reason: null, because: "paused" } as const;
  return pause(schedule, wish, scheduleFactsAt(schedule.createdAt)).to;
}

/** A schedule whose only occurrence has its job. */
export function finishedSchedule(given: GivenSchedule = {}): Finished {
  const taken = takenSchedule({ ...given, maxRuns: 1 });
  return expectStanding(settleTaken(taken, scheduleFactsAt(taken.wakeAt)).to, "finished");
}

/** A schedule whose next occurrence fires, and whose job is yet to be inserted. */
export function takenSchedule(given: GivenSchedule = {}): Active {
  return takeNext(activeSchedule(given)).to;
}

/** A schedule of which one occurrence waits for the job of the one before it. */
export function bufferedSchedule(given: GivenSchedule = {}): Active {
  const taken = takenSchedule({ overlap: "buffer_all", ...given });
  const settled = expectStanding(settleTaken(taken, scheduleFactsAt(taken.wakeAt)).to, "active");
  const owed = nextOf(settled);
  const ended = { unended: settled.unended, failures: 0 };
  return expectStanding(buffer(settled, { owed, entries: [], agenda: agendaOf(settled), ended }, scheduleFactsAt(owed.dueAt)).to, "active");
}

export function deletedSchedule(given: GivenSchedule = {}): Deleted {
  const schedule = activeSchedule(given);
  return deleteSchedule(schedule, scheduleFactsAt(schedule.createdAt)).to;
}

/** The commit that takes the next occurrence, when it is due. */
export function takeNext(schedule: Active, facts: ScheduleFacts = scheduleFactsAt(nextOf(schedule).dueAt)): ScheduleChange<Active> {
  const owed = nextOf(schedule);
  const ended = { unended: [], failures: 0 };
  return take(schedule, { owed: [owed], entries: [entryOf([owed], "fired", "due")], agenda: agendaOf(schedule), ended }, facts);
}

/** An edit of something that is no part of the rule. */
export function editLabels(schedule: Active | Paused | Finished, labels: ScheduleSpec["labels"], facts: ScheduleFacts) {
  const spec = { ...schedule.spec, labels };
  return editSchedule(schedule, { spec, agenda: agendaOf({ ...schedule, spec }), isRuleChanged: false }, facts);
}

export function nextOf({ name, next }: Schedule): Owed {
  if (next === null) throw new Error(`expected that an occurrence of ${name} follows, and none does`);
  return next;
}

/** The schedule as one in `state`. A builder that meets another state is wrong itself. */
export function expectStanding<State extends Schedule["state"]>(schedule: Schedule, state: State): Extract<Schedule, { state: State }> {
  if (schedule.state !== state) throw new Error(`expected a ${state} schedule, got a ${schedule.state} one`);
  return schedule as Extract<Schedule, { state: State }>;
}

type GivenCalendar = {
  readonly tenant?: TenantId;
  readonly name?: string;
  readonly createdAt?: EpochMs;
  readonly written?: WrittenCalendar;
};

export function keptCalendar({ tenant = soleTenant, name = nextName(), createdAt = startAt, written }: GivenCalendar = {}): Kept {
  const days = written ?? { timezone: "Europe/Berlin", dates: ["2027-01-01", { from: "2027-12-24", to: "2027-12-26" }], weekly: ["SUN"] };
  return createCalendar({ tenant, id: calendarIdOf(tenant, name), name, written: days }, { now: createdAt, change: nextChange() });
}

export function removalOf(calendar: Kept, now: EpochMs) {
  return removeCalendar(calendar, { now, change: nextChange() });
}
