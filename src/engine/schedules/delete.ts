/** Deleting a schedule, with or without the jobs of its that wait. */

import type { ScheduleRef } from "../../core/hint.ts";
import type { JobId } from "../../core/ids.ts";
import { jobIdOf, type Standing } from "../../core/schedule.ts";
import { deleteSchedule as deleteStanding, pause } from "../../core/scheduleChange.ts";
import { dayMs } from "../../core/time.ts";
import { cancel } from "../cancel.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { commitSchedule } from "./commit.ts";
import { logBefore } from "./log.ts";
import { settled } from "./taken.ts";

export type DeleteAnswer =
  /** `schedule`: as it stood last; what it took before shows in it. `cancelled`: jobs that were called off, or asked to end. */
  | { readonly kind: "deleted"; readonly schedule: Standing; readonly cancelled: number }
  | { readonly kind: "not_found" }
  | { readonly kind: "version_conflict"; readonly version: number };

export async function deleteSchedule(
  engine: Engine,
  ref: ScheduleRef,
  { jobs, version }: { readonly jobs: "keep" | "cancel"; readonly version: number | null },
): Promise<DeleteAnswer> {
  const cancelled = new Set<JobId>();
  let tried: Standing | undefined;
  let wanted = version;
  for (;;) {
    const schedule = await settled(engine, ref);
    // Gone after a try of ours: it was that one whose answer was lost, or somebody who wanted the same.
    if (schedule === undefined)
      return tried === undefined ? { kind: "not_found" } : { kind: "deleted", schedule: tried, cancelled: cancelled.size };
    if (wanted !== null && schedule.revision !== wanted) return { kind: "version_conflict", version: schedule.revision };
    // Paused first, so that a deletion that breaks off in the middle leaves nothing that fires, and can be asked for again.
    if (jobs === "cancel" && schedule.state === "active") {
      const reason = "being deleted";
      const change = pause(schedule, { until: null, reason, because: "paused" }, scheduleFactsNow(engine));
      if ((await commitSchedule(engine, change)) === "committed" && wanted !== null) wanted = change.to.revision;
      continue;
    }
    if (jobs === "cancel") await cancelJobs(engine, schedule, cancelled);
    tried = schedule;
    if ((await commitSchedule(engine, deleteStanding(schedule, scheduleFactsNow(engine)))) === "committed") {
      return { kind: "deleted", schedule, cancelled: cancelled.size };
    }
  }
}

/** Its jobs by its own record of them, each added to `cancelled`. Those so old that no retry of theirs could be left are passed over. */
async function cancelJobs(engine: Engine, schedule: Standing, cancelled: Set<JobId>): Promise<void> {
  const oldest = engine.clock.now() - schedule.spec.job.retry.maxAgeMs - dayMs;
  for (let before: number | null | undefined; before !== null; ) {
    const slice = await logBefore(engine, schedule, before ?? null);
    for (const { entry } of slice.entries) {
      if (entry.state !== "fired") continue;
      const origin = entry.because === "triggered" ? "trigger" : "rule";
      const id = jobIdOf(schedule, origin, entry.firstAt);
      const answer = await cancel(engine, { tenant: schedule.tenant, id }, "schedule_deleted");
      const isOurs = answer.kind === "cancelled" && answer.job.because === "schedule_deleted";
      if (isOurs || answer.kind === "requested") cancelled.add(id);
    }
    before = slice.entries.every(({ entry }) => entry.because !== "backfilled" && entry.lastAt < oldest) ? null : slice.before;
  }
}
