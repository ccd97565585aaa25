/** Every change that a schedule can see, by the state it applies to: what tests of stores are generated from. */

import { entryOf } from "../../src/core/decide.ts";
import type { Active, Finished, Owed, Paused, Standing } from "../../src/core/schedule.ts";
import {
  beginBackfill,
  buffer,
  deleteSchedule,
  goOnBackfill,
  look,
  pass,
  pause,
  replan,
  resume,
  type ScheduleChange,
  settleTaken,
  startBuffered,
  take,
  trigger,
} from "../../src/core/scheduleChange.ts";
import { editSchedule } from "../../src/core/scheduleEdit.ts";
import type { ScheduleFacts } from "../../src/core/standing.ts";
import { hourMs, later } from "../../src/core/time.ts";
import { agendaOf, editLabels } from "../scheduleBuilders.ts";
import { pick } from "./verbs.ts";

export type ScheduleVerb<From extends Standing> = readonly [name: string, make: (schedule: From, facts: ScheduleFacts) => ScheduleChange];

const ended = { unended: [], failures: 2 };

/** The next occurrence; where none follows, one that never was: what a store writes is not judged by it. */
function owedOf({ next }: Standing, { now }: ScheduleFacts): Owed {
  return next ?? { nominalAt: now, dueAt: later(now, 5) };
}

function editPriority(schedule: Standing, facts: ScheduleFacts): ScheduleChange {
  const priority = schedule.spec.job.priority === "low" ? "critical" : "low";
  const spec = { ...schedule.spec, job: { ...schedule.spec.job, priority } } as const;
  return editSchedule(schedule, { spec, agenda: agendaOf(schedule), isRuleChanged: false }, facts);
}

function editRule(schedule: Standing, facts: ScheduleFacts): ScheduleChange {
  const spec = { ...schedule.spec, when: [{ cron: "*/5 * * * *", timezone: "America/New_York" }, { every: "90s" }] };
  return editSchedule(schedule, { spec, agenda: agendaOf({ ...schedule, spec }), isRuleChanged: true }, facts);
}

function missAll(schedule: Active | Paused, facts: ScheduleFacts): ScheduleChange {
  const owed = owedOf(schedule, facts);
  const through = { nominalAt: later(owed.nominalAt, hourMs), dueAt: later(owed.dueAt, hourMs) };
  const entries = [entryOf([owed, through], "missed", "misfire")];
  return pass(schedule, { entries, until: through.nominalAt, agenda: agendaOf(schedule) }, facts);
}

export const standingVerbs: readonly ScheduleVerb<Standing>[] = [
  ["look", (schedule, facts) => look(schedule, agendaOf(schedule), facts)],
  ["replan", (schedule, facts) => replan(schedule, { entries: [], agenda: agendaOf(schedule) }, facts)],
  ["edit of labels", (schedule, facts) => editLabels(schedule, { a: "b" }, facts)],
  ["edit of the priority", editPriority],
  ["edit of the rule", editRule],
  ["trigger", (schedule, facts) => trigger(schedule, { nominalAt: facts.now, dueAt: facts.now }, facts)],
  ["settlement", (schedule, facts) => settleTaken(schedule, facts)],
  ["deletion", (schedule, facts) => deleteSchedule(schedule, facts)],
];

const wish = { until: null, reason: 'it said: "no"\n', because: "paused" } as const;

export const activeVerbs: readonly ScheduleVerb<Active>[] = [
  ...standingVerbs,
  [
    "take",
    (schedule, facts) => {
      const owed = owedOf(schedule, facts);
      return take(schedule, { owed: [owed], entries: [entryOf([owed], "fired", "late")], agenda: agendaOf(schedule), ended }, facts);
    },
  ],
  ["pass", missAll],
  [
    "buffering",
    (schedule, facts) => buffer(schedule, { owed: owedOf(schedule, facts), entries: [], agenda: agendaOf(schedule), ended }, facts),
  ],
  [
    "start of what waited",
    (schedule, facts) => {
      const owed = schedule.buffered[0] ?? owedOf(schedule, facts);
      return startBuffered(schedule, { owed, entries: [entryOf([owed], "fired", "buffered")], ended }, facts);
    },
  ],
  ["pause", (schedule, facts) => pause(schedule, wish, facts)],
  ["pause by failures", (schedule, facts) => pause(schedule, { ...wish, until: later(facts.now, hourMs), because: "failures" }, facts)],
  [
    "beginning of a backfill",
    (schedule, facts) => {
      const [from, to] = [later(facts.now, -5 * hourMs), later(facts.now, -hourMs)];
      return beginBackfill(schedule, { from, to, goOnAt: from, total: 4, done: 0 }, facts);
    },
  ],
  [
    "step of a backfill",
    (schedule, facts) => {
      const [nominalAt, to] = [later(facts.now, -5 * hourMs), later(facts.now, -hourMs)];
      const backfill = { from: nominalAt, to, goOnAt: later(nominalAt, 1), total: 4, done: 1 };
      return goOnBackfill(schedule, { owed: [{ nominalAt, dueAt: facts.now }], backfill }, facts);
    },
  ],
  ["end of a backfill", (schedule, facts) => goOnBackfill(schedule, { owed: [], backfill: null }, facts)],
];

export const pausedVerbs: readonly ScheduleVerb<Paused>[] = [
  ...standingVerbs,
  ["pass", missAll],
  ["pause anew", (schedule, facts) => pause(schedule, { ...wish, until: later(facts.now, hourMs) }, facts)],
  [
    "resume",
    (schedule, facts) =>
      resume(schedule, { recover: "all", before: later(facts.now, hourMs), agenda: agendaOf(schedule), by: "caller" }, facts),
  ],
];

export const finishedVerbs: readonly ScheduleVerb<Finished>[] = standingVerbs;

/** One of the changes that apply to the schedule: `choice` picks it, whatever number it is. */
export function anyScheduleChange(schedule: Standing, choice: number, facts: ScheduleFacts): ScheduleChange {
  switch (schedule.state) {
    case "active":
      return pick(activeVerbs, choice)[1](schedule, facts);
    case "paused":
      return pick(pausedVerbs, choice)[1](schedule, facts);
    case "finished":
      return pick(finishedVerbs, choice)[1](schedule, facts);
  }
}
