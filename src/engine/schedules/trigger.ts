/** A job now, beside the rule: also while the schedule is paused or finished. */

import type { ScheduleRef } from "../../core/hint.ts";
import type { Job } from "../../core/job.ts";
import { jobIdOf, type Standing } from "../../core/schedule.ts";
import { settleTaken, trigger } from "../../core/scheduleChange.ts";
import { type EpochMs, later, laterOf } from "../../core/time.ts";
import { cancel } from "../cancel.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { commitSchedule } from "./commit.ts";
import { liveJobs } from "./jobs.ts";
import { hintJobs, insertTaken, settled } from "./taken.ts";

/** What to do while the last job of the rule has not ended. */
export type TriggerOverlap = "allow" | "skip" | "replace";

export type TriggerAnswer =
  | { readonly kind: "triggered"; readonly job: Job }
  | { readonly kind: "not_found" }
  /** A job of the rule has not ended, and the caller wants no other beside it. */
  | { readonly kind: "busy" };

export async function triggerSchedule(engine: Engine, ref: ScheduleRef, overlap: TriggerOverlap): Promise<TriggerAnswer> {
  for (;;) {
    const schedule = await settled(engine, ref);
    if (schedule === undefined) return { kind: "not_found" };
    const unended = overlap === "allow" ? [] : await liveJobs(engine, schedule);
    if (overlap === "skip" && unended.length > 0) return { kind: "busy" };
    const at = freeInstant(schedule, engine.clock.now());
    const change = trigger(schedule, { nominalAt: at, dueAt: at }, scheduleFactsNow(engine));
    if ((await commitSchedule(engine, change)) === "stale") continue;
    if (overlap === "replace") await cancelAll(engine, schedule, unended);
    const { to } = change;
    if (to.taken !== null) await hintJobs(engine, await insertTaken(engine, to, to.taken));
    // Where another was first, it has done the same.
    await commitSchedule(engine, settleTaken(to, scheduleFactsNow(engine)));
    const job = await engine.store.load({ tenant: to.tenant, id: jobIdOf(to, "trigger", at) });
    if (job === undefined) throw new Error(`expected the job that was just made of ${to.id}, got none`);
    return { kind: "triggered", job };
  }
}

/** Two calls within one millisecond are two jobs. */
function freeInstant({ recent }: Standing, now: EpochMs): EpochMs {
  const last = recent.findLast(({ because }) => because === "triggered");
  return last === undefined ? now : laterOf(now, later(last.lastAt, 1));
}

async function cancelAll(engine: Engine, schedule: Standing, unended: readonly EpochMs[]): Promise<void> {
  const { tenant } = schedule;
  await Promise.all(unended.map((nominalAt) => cancel(engine, { tenant, id: jobIdOf(schedule, "rule", nominalAt) }, "overlap")));
}
