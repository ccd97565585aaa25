import { describe, expect, it } from "vitest";
import { soleTenant } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import { hourMs, later } from "../../src/core/time.ts";
import type { ListKey } from "../../src/engine/ports.ts";
import { inspect, type JobFilter, listJobs } from "../../src/engine/read.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { nextJobId, otherTenant, startAt, waitingJob } from "../builders.ts";
import { faultyStore } from "./faultyStore.ts";
import { openHome } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

const everything: JobFilter = { states: null, labels: [], schedule: null, dueFrom: null, dueBefore: null };

/** A home that counts the jobs that its lists look at. */
function open() {
  const clock = createVirtualClock(startAt);
  const looks = { jobs: 0, pages: 0 };
  const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method, argument) => {
    if (method !== "list") return undefined;
    looks.pages += 1;
    looks.jobs += (argument as { limit: number }).limit;
    return undefined;
  });
  const { engine } = openHome({ clock, store });
  const insert = async (count: number, given: (index: number) => Parameters<typeof waitingJob>[0] = () => ({})) => {
    const jobs = Array.from({ length: count }, (_, index) =>
      waitingJob({ createdAt: later(startAt, Math.floor(index / 3)), ...given(index) }),
    );
    for (const job of jobs) await store.insert(job);
    return jobs;
  };
  const all = async (filter: JobFilter, limit: number) => {
    const ids: string[] = [];
    let after: ListKey | null = null;
    do {
      const page: Awaited<ReturnType<typeof listJobs>> = await listJobs(engine, { tenant: soleTenant, filter, after, limit });
      expect(page.jobs.length).toBeLessThanOrEqual(limit);
      ids.push(...page.jobs.map((job) => job.id));
      after = page.next;
    } while (after !== null);
    return ids;
  };
  return { engine, looks, insert, all };
}

describe("a list", () => {
  it.each([1, 2, 7, 50, 200])("in pages of %d has every job exactly once, newest first", async (limit) => {
    const { insert, all } = open();
    const jobs = await insert(50);
    const newestFirst = jobs.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).map((job) => job.id);
    expect(await all(everything, limit)).toEqual(newestFirst);
  });

  it.each([1, 2, 7, 50])("that is filtered, in pages of %d, has every match exactly once", async (limit) => {
    const { insert, all } = open();
    const jobs = await insert(60, (index) => ({ labels: index % 5 === 0 ? { team: "billing", n: String(index % 2) } : {} }));
    const expected = jobs.filter((job) => job.labels["team"] === "billing" && job.labels["n"] === "1").map((job) => job.id);
    const filter: JobFilter = {
      ...everything,
      labels: [
        ["team", "billing"],
        ["n", "1"],
      ],
    };
    expect((await all(filter, limit)).toSorted()).toEqual(expected.toSorted());
  });

  it("by due instant has its start and not its end", async () => {
    const { insert, all } = open();
    const jobs = await insert(4, (index) => ({ dueAt: later(startAt, index * hourMs) }));
    const filter = { ...everything, dueFrom: later(startAt, hourMs), dueBefore: later(startAt, 3 * hourMs) };
    expect((await all(filter, 50)).toSorted()).toEqual([jobs[1]?.id, jobs[2]?.id].toSorted());
  });

  it("by state has those in one of them", async () => {
    const { insert, all } = open();
    await insert(3);
    expect(await all({ ...everything, states: ["failed", "running"] }, 50)).toEqual([]);
    expect(await all({ ...everything, states: ["failed", "waiting"] }, 50)).toHaveLength(3);
  });

  it("has no other tenant's jobs", async () => {
    const { insert, all } = open();
    await insert(2, () => ({ tenant: otherTenant }));
    expect(await all(everything, 50)).toEqual([]);
  });

  it.each([1, 50, 200])(
    "that matches nothing looks at a bounded number of jobs for a page of %d, and goes on from there",
    async (limit) => {
      const { engine, looks, insert } = open();
      await insert(limits.listScanMax + 500);
      const filter: JobFilter = { ...everything, labels: [["team", "billing"]] };
      const page = await listJobs(engine, { tenant: soleTenant, filter, after: null, limit });
      expect(page.jobs).toEqual([]);
      expect(page.next).not.toBeNull();
      expect(looks.jobs).toBe(limits.listScanMax);
      expect(looks.pages).toBeLessThanOrEqual(limits.listScanMax / 50);
      expect(await listJobs(engine, { tenant: soleTenant, filter, after: page.next, limit })).toEqual({ jobs: [], next: null });
    },
  );
});

describe("a look at one job", () => {
  it("that is not there has no answer", async () => {
    expect(await inspect(open().engine, { tenant: soleTenant, id: nextJobId() })).toBeUndefined();
  });

  it("whose excerpt is gone still shows the job", async () => {
    const home = openHome();
    const job = await home.submit();
    await home.runUntil(later(startAt, 1_000));
    const store = { ...home.engine.store, readPayloads: async () => [undefined] };
    const inspected = await inspect({ ...home.engine, store }, job);
    expect(inspected?.job.state).toBe("succeeded");
    expect(inspected?.excerpts.size).toBe(0);
  });
});
