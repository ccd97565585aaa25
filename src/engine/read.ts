/** Looking at jobs: one with its answers' excerpts, or a list of which each page costs a bounded amount of work. */

import type { JobRef } from "../core/hint.ts";
import type { PayloadId, TenantId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import type { EpochMs } from "../core/time.ts";
import type { Engine } from "./engine.ts";
import { type Excerpt, parseExcerpt } from "./excerpt.ts";
import type { ListKey } from "./ports.ts";

export type Inspected = { readonly job: Job; readonly excerpts: ReadonlyMap<PayloadId, Excerpt> };

export async function inspect(engine: Engine, ref: JobRef): Promise<Inspected | undefined> {
  const job = await engine.store.load(ref);
  return job === undefined ? undefined : withExcerpts(engine, job);
}

export async function withExcerpts(engine: Engine, job: Job): Promise<Inspected> {
  const ids = job.attempts.flatMap((attempt) => attempt.response?.excerptId ?? []);
  const excerpts = new Map<PayloadId, Excerpt>();
  if (ids.length === 0) return { job, excerpts };
  const payloads = await engine.store.readPayloads(job, ids);
  for (const [index, id] of ids.entries()) {
    const bytes = payloads[index];
    if (bytes !== undefined) excerpts.set(id, parseExcerpt(bytes));
  }
  return { job, excerpts };
}

export type JobFilter = {
  readonly states: readonly Job["state"][] | null;
  /** All of them. */
  readonly labels: readonly (readonly [key: string, value: string])[];
  /** The name of the schedule that made them. */
  readonly schedule: string | null;
  readonly dueFrom: EpochMs | null;
  readonly dueBefore: EpochMs | null;
};

/** One page. It may be short, or empty, and still have a `next`: the items looked at are bounded, not only those found. */
export async function listJobs(
  engine: Engine,
  request: { tenant: TenantId; filter: JobFilter; after: ListKey | null; limit: number },
): Promise<{ readonly jobs: readonly Job[]; readonly next: ListKey | null }> {
  const jobs: Job[] = [];
  const { states } = request.filter;
  const among = states?.every((state) => state === "failed") ? "failed" : "all";
  let { after } = request;
  for (let looked = 0; looked < limits.listScanMax; ) {
    // A filter that left a first page short is sparse: the rest is looked at in large steps, also for a caller who wants one job.
    const limit = Math.min(looked === 0 ? request.limit : limits.listLimitMax, limits.listScanMax - looked);
    const page = await engine.store.list({ tenant: request.tenant, among, after, limit });
    looked += limit;
    for (const [index, job] of page.jobs.entries()) {
      if (!matches(job, request.filter)) continue;
      jobs.push(job);
      const last = index === page.jobs.length - 1;
      if (jobs.length === request.limit) return { jobs, next: last ? page.next : { createdAt: job.createdAt, id: job.id } };
    }
    if (page.next === null) return { jobs, next: null };
    after = page.next;
  }
  return { jobs, next: after };
}

function matches(job: Job, filter: JobFilter): boolean {
  if (filter.states !== null && !filter.states.includes(job.state)) return false;
  if (filter.schedule !== null && job.schedule?.name !== filter.schedule) return false;
  if (filter.dueFrom !== null && job.dueAt < filter.dueFrom) return false;
  if (filter.dueBefore !== null && job.dueAt >= filter.dueBefore) return false;
  return filter.labels.every(([key, value]) => job.labels[key] === value);
}
