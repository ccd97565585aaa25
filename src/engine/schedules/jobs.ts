/** What a schedule knows of the jobs that its rule made: which have ended, and how many of the last failed in a row. */

import { isLive, type Job } from "../../core/job.ts";
import { isOfRule } from "../../core/occurrence.ts";
import { countsJobs, jobIdOf, type Schedule } from "../../core/schedule.ts";
import type { Ended } from "../../core/scheduleChange.ts";
import type { EpochMs } from "../../core/time.ts";
import type { Engine } from "../engine.ts";

/**
 * Nominal instants of the rule's jobs that have not ended, among the last: also of a schedule whose rule does not ask, and which
 * remembers them only as what fired.
 */
export async function liveJobs(engine: Engine, schedule: Schedule): Promise<readonly EpochMs[]> {
  const { tenant, unended, recent } = schedule;
  const fired = recent.filter(isOfRule).map(({ firstAt }) => firstAt);
  const nominal = [...new Set([...unended, ...fired])];
  const found = await engine.store.loadMany(nominal.map((nominalAt) => ({ tenant, id: jobIdOf(schedule, "rule", nominalAt) })));
  const live = new Set(found.filter(isLive).map(({ id }) => id));
  return nominal.filter((nominalAt) => live.has(jobIdOf(schedule, "rule", nominalAt)));
}

export async function lookAtJobs(engine: Engine, schedule: Schedule): Promise<Ended> {
  const { tenant, unended, failures, spec } = schedule;
  if (!countsJobs(spec)) return { unended: [], failures: 0 };
  const ids = unended.map((nominalAt) => jobIdOf(schedule, "rule", nominalAt));
  const found = ids.length === 0 ? [] : await engine.store.loadMany(ids.map((id) => ({ tenant, id })));
  const jobs = new Map<string, Job>(found.map((job) => [job.id, job]));
  let failed = failures;
  for (const id of ids) {
    const job = jobs.get(id);
    // One that is gone ended long ago; nobody knows how.
    if (job === undefined || isLive(job)) continue;
    if (job.state === "failed") failed += 1;
    else if (job.state === "succeeded") failed = 0;
  }
  const live = unended.filter((_, index) => {
    const job = jobs.get(ids[index] ?? "");
    return job !== undefined && isLive(job);
  });
  return { unended: live, failures: failed };
}
