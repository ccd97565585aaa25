/** Claims about a tenant's list of jobs. */

import { expect, test } from "vitest";
import type { TenantId } from "../../../src/core/ids.ts";
import type { Job, Waiting } from "../../../src/core/job.ts";
import { later } from "../../../src/core/time.ts";
import { cancel, claim } from "../../../src/core/transition.ts";
import type { ListKey, ListPage, Store } from "../../../src/engine/ports.ts";
import { factsAt, leaseAt, nextTenant, startAt, waitingJob } from "../../builders.ts";
import type { OnBench } from "../conformance.ts";

/** Walks a list to its end. `between` runs after each page. */
async function walk(
  store: Store,
  tenant: TenantId,
  limit: number,
  between: () => Promise<void> = async () => {},
  among: ListPage["among"] = "all",
): Promise<readonly Job[]> {
  const found: Job[] = [];
  let after: ListKey | null = null;
  do {
    const page: Awaited<ReturnType<Store["list"]>> = await store.list({ tenant, among, after, limit });
    expect(page.jobs.length).toBeLessThanOrEqual(limit);
    found.push(...page.jobs);
    // A store that answers the same page for ever must fail and not hang.
    expect(found.length).toBeLessThan(10_000);
    after = page.next;
    await between();
  } while (after !== null);
  return found;
}

/** Jobs created `stepMs` apart. */
function row(count: number, stepMs: number, tenant: TenantId): readonly Waiting[] {
  return Array.from({ length: count }, (_, index) => waitingJob({ tenant, createdAt: later(startAt, index * stepMs) }));
}

async function insertAll(store: Store, jobs: readonly Waiting[]): Promise<void> {
  await Promise.all(jobs.map((job) => store.insert(job)));
}

const newestFirst = (jobs: readonly Job[]) =>
  jobs.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).map((job) => job.id);

export function listClaims(onBench: OnBench): void {
  test(
    "a tenant without jobs has an empty list",
    onBench(async ({ store }) => {
      expect(await store.list({ tenant: nextTenant(), among: "all", after: null, limit: 10 })).toEqual({ jobs: [], next: null });
    }),
  );

  test.each([
    ["at different instants", 1_000],
    ["at one instant", 0],
  ])("jobs created %s are listed newest first, then by id, whatever the page's size", (_, stepMs) =>
    onBench(async ({ store }) => {
      const tenant = nextTenant();
      const jobs = row(13, stepMs, tenant);
      await insertAll(store, jobs);
      for (const limit of [1, 5, 13, 200]) {
        expect((await walk(store, tenant, limit)).map((job) => job.id)).toEqual(newestFirst(jobs));
      }
    })(),
  );

  test(
    "a list shows jobs as their last commit left them, ended ones too",
    onBench(async ({ store }) => {
      const tenant = nextTenant();
      const jobs = row(3, 1_000, tenant);
      await insertAll(store, jobs);
      const [first, second, third] = jobs as [Waiting, Waiting, Waiting];
      const claimed = claim(first, leaseAt(startAt), factsAt(startAt));
      const cancelled = cancel(second, factsAt(startAt));
      await Promise.all([store.commit(claimed), store.commit(cancelled)]);
      expect(await walk(store, tenant, 2)).toEqual([third, cancelled.to, claimed.to]);
    }),
  );

  test(
    "a walk under writes brings each job that stood throughout exactly once",
    onBench(async ({ store, clock }) => {
      const tenant = nextTenant();
      const jobs = row(40, 0, tenant);
      await insertAll(store, jobs);
      const untouched = [...jobs];
      const found = await walk(store, tenant, 6, async () => {
        const created = Array.from({ length: 5 }, () => waitingJob({ tenant, createdAt: clock.turn(1) }));
        const ended = untouched.pop();
        await Promise.all([
          ...created.map((job) => store.insert(job)),
          ended === undefined ? [] : store.commit(cancel(ended, factsAt(clock.now()))),
        ]);
      });
      const ids = found.map((job) => job.id);
      expect(ids).toEqual(newestFirst(jobs));
    }),
  );

  test(
    "a place whose job has expired since still leads on to the next page",
    onBench(async ({ store, clock }) => {
      const tenant = nextTenant();
      const jobs = row(6, 1_000, tenant);
      await insertAll(store, jobs);
      const [oldest, , , middle] = jobs as [Waiting, Waiting, Waiting, Waiting];
      const page = await store.list({ tenant, among: "all", after: null, limit: 3 });
      expect(page.next).toEqual({ createdAt: middle.createdAt, id: middle.id });
      await store.commit(cancel(middle, factsAt(clock.now(), { retentionMs: 10 })));
      await store.commit(cancel(oldest, factsAt(clock.now(), { retentionMs: 10 })));
      clock.turn(10);
      const rest = await store.list({ tenant, among: "all", after: page.next, limit: 3 });
      expect(rest.jobs.map((job) => job.id)).toEqual([jobs[2]?.id, jobs[1]?.id]);
    }),
  );

  test(
    "the failed ones alone are listed in the same order, page by page",
    onBench(async ({ store }) => {
      const tenant = nextTenant();
      const deadline = later(startAt, 30_000);
      const jobs = Array.from({ length: 12 }, (_, index) => waitingJob({ tenant, createdAt: later(startAt, index * 1_000), deadline }));
      await insertAll(store, jobs);
      const failed = jobs.filter((_, index) => index % 2 === 0);
      const over = factsAt(later(deadline, 1));
      const isFailed = (job: Waiting) => failed.includes(job);
      // A claim after the deadline is none: the job ends as expired.
      await Promise.all(jobs.map((job) => store.commit(isFailed(job) ? claim(job, leaseAt(over.now), over) : cancel(job, over))));
      for (const limit of [1, 4, 6, 200]) {
        expect((await walk(store, tenant, limit, undefined, "failed")).map((job) => job.id)).toEqual(newestFirst(failed));
      }
    }),
  );

  test(
    "a tenant's list holds nothing of another's",
    onBench(async ({ store }) => {
      const [tenant, other] = [nextTenant(), nextTenant()];
      const [ours, theirs] = [row(5, 10, tenant), row(5, 10, other)];
      await insertAll(store, [...ours, ...theirs]);
      expect((await walk(store, tenant, 2)).map((job) => job.id)).toEqual(newestFirst(ours));
      expect((await walk(store, other, 2)).map((job) => job.id)).toEqual(newestFirst(theirs));
    }),
  );
}
