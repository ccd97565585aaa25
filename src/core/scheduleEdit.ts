/** Writing a schedule anew: what the old rule owed is decided, what is pending stays where the new rule has it too, and the rest goes by the new one. */

import { type Agenda, followingOf, owedFor } from "./agenda.ts";
import { entryOf, isSpent } from "./decide.ts";
import { type Happened, isOfRule } from "./occurrence.ts";
import { countsJobs, type ScheduleSpec, type Standing } from "./schedule.ts";
import { change, type ScheduleChange, touched } from "./scheduleChange.ts";
import { onWheel, type PauseWish, pausedOf, type ScheduleFacts } from "./standing.ts";
import { type EpochMs, laterOf } from "./time.ts";

/** What an edit did to an occurrence that was pending: its nominal instant had come, and its place in the window not yet. */
export type PendingAnswer = "none" | "kept" | "moved" | "dropped";

/** `excluded`: what the old rule's exceptions left out up to now. */
type Edit = {
  readonly spec: ScheduleSpec;
  readonly agenda: Agenda;
  readonly isRuleChanged: boolean;
  excluded?: readonly Happened[];
  /** What is wanted paused is not fired by the new rule first. */
  readonly pause?: PauseWish | null;
};

/** The caller writes the schedule anew. Everything up to now is decided before it; what was pending stays where the new rule has it too. */
export function editSchedule(
  schedule: Standing,
  { spec, agenda, isRuleChanged, excluded = [], pause = null }: Edit,
  facts: ScheduleFacts,
): ScheduleChange<Standing> & { readonly pending: PendingAnswer } {
  const { next, decidedUntil } = schedule;
  // What an edit by a clock ahead of this one has kept is pending here too.
  const pending = next !== null && next.nominalAt <= laterOf(decidedUntil, facts.now) && !isOver(schedule) ? next : null;
  const kept = pending === null ? undefined : isRuleChanged ? owedFor(agenda, pending.nominalAt) : pending;
  const dropped = pending !== null && kept === undefined ? [entryOf([pending], "dropped", "edited")] : [];
  const until = isRuleChanged || isOver(schedule) ? laterOf(decidedUntil, facts.now) : decidedUntil;
  const following = kept !== undefined ? { next: kept, soughtUntil: null } : followingOf(agenda, until);
  const fields = {
    ...schedule,
    ...touched(schedule, facts),
    unended: rememberedJobs(schedule, spec),
    spec,
    decidedUntil: until,
    ...following,
  };
  const edited = change(
    schedule,
    "edited",
    facts,
    [...excluded, ...dropped],
    pause === null || schedule.state === "paused"
      ? onWheel(fields, facts)
      : pausedOf(fields, { ...pause, because: "paused", at: facts.now }, facts),
  );
  return {
    ...edited,
    pending: pending === null ? "none" : kept === undefined ? "dropped" : kept.dueAt === pending.dueAt ? "kept" : "moved",
  };
}

/** Whoever did not ask when jobs end, and now does, remembers the last ones as what fired. */
function rememberedJobs({ spec: old, unended, recent }: Standing, spec: ScheduleSpec): readonly EpochMs[] {
  if (countsJobs(old) || !countsJobs(spec)) return unended;
  return recent.filter(isOfRule).map(({ firstAt }) => firstAt);
}

/** What has passed since then was not owed, also where an edit lets it fire again. */
function isOver(schedule: Standing): boolean {
  return schedule.state === "finished" || isSpent(schedule);
}
