/** Bringing a schedule's record up to now before its rule is changed: what the old rule owed is decided by the old rule, and nothing is passed over unseen. */

import { type Agenda, excludedEntry, owedFrom } from "../../core/agenda.ts";
import { entryOf, isSpent } from "../../core/decide.ts";
import type { ScheduleRef } from "../../core/hint.ts";
import type { Happened } from "../../core/occurrence.ts";
import type { Paused, Standing } from "../../core/schedule.ts";
import { pass } from "../../core/scheduleChange.ts";
import { later, laterOf } from "../../core/time.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { OutageError } from "../ports.ts";
import { commitSchedule } from "./commit.ts";
import { meet } from "./meet.ts";
import { agendaOf } from "./rule.ts";
import { hintJobs, settled } from "./taken.ts";

/** Some hundred thousand occurrences; more are decided while the caller asks again. */
const roundsMax = 100;

/** The schedule with nothing taken, and nothing due that is not decided; undefined where there is none. */
export async function upToDate(engine: Engine, ref: ScheduleRef): Promise<Standing | undefined> {
  for (let round = 0; round < roundsMax; round++) {
    const schedule = await settled(engine, ref);
    if (schedule === undefined || schedule.next === null || schedule.next.dueAt > engine.clock.now()) return schedule;
    // What comes is not owed: all that is left to fire waits for a job to end.
    if (isSpent(schedule)) return schedule;
    switch (schedule.state) {
      case "finished":
        return schedule;
      case "paused":
        if ((await passPaused(engine, schedule)) === "unreadable") return schedule;
        break;
      case "active": {
        const { jobs, hintNext } = await meet(engine, ref, null);
        await hintJobs(engine, jobs);
        await hintNext();
      }
    }
  }
  throw new OutageError("the schedule has very many occurrences behind it, which are being recorded");
}

async function passPaused(engine: Engine, schedule: Paused): Promise<"passed" | "unreadable"> {
  const { next, decidedUntil } = schedule;
  const agenda = await agendaOf(engine, schedule);
  if (next === null || typeof agenda === "string") return "unreadable";
  const facts = scheduleFactsNow(engine);
  const { owed } = owedFrom(agenda, next, laterOf(next.nominalAt, decidedUntil), facts.now);
  const until = owed.at(-1)?.nominalAt ?? next.nominalAt;
  const excluded = excludedEntry(agenda, { after: decidedUntil, before: until });
  if (excluded !== undefined && !excluded.complete) {
    await commitSchedule(engine, pass(schedule, { entries: [excluded.entry], until: excluded.entry.lastAt, agenda }, facts));
    return "passed";
  }
  const entries = [...(excluded === undefined ? [] : [excluded.entry]), entryOf(owed, "skipped", "paused")];
  await commitSchedule(engine, pass(schedule, { entries, until, agenda }, facts));
  return "passed";
}

/** What exceptions left out since the last occurrence that was decided, which no later one of this rule will count. "again": some of it, by a commit. */
export async function excludedUpToNow(engine: Engine, schedule: Standing, agenda: Agenda): Promise<readonly Happened[] | "again"> {
  if (schedule.state === "finished" || isSpent(schedule)) return [];
  const facts = scheduleFactsNow(engine);
  const excluded = excludedEntry(agenda, { after: schedule.decidedUntil, before: later(facts.now, 1) });
  if (excluded === undefined) return [];
  const { entry, complete } = excluded;
  if (complete || (schedule.next !== null && schedule.next.nominalAt <= entry.lastAt)) return [entry];
  await commitSchedule(engine, pass(schedule, { entries: [entry], until: entry.lastAt, agenda }, facts));
  return "again";
}
