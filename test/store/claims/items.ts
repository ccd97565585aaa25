/** Claims about whole items: creating, reading and forgetting them. */

import { expect, test } from "vitest";
import type { TenantId } from "../../../src/core/ids.ts";
import type { Body, Job, Waiting } from "../../../src/core/job.ts";
import { dayMs, type EpochMs, later, toEpochMs } from "../../../src/core/time.ts";
import { cancel, claim, edit, type NewJob } from "../../../src/core/transition.ts";
import type { Store } from "../../../src/engine/ports.ts";
import { factsAt, inlineBody, leaseAt, nextJobId, nextPayloadId, nextTenant, otherTenant, startAt, waitingJob } from "../../builders.ts";
import type { OnBench } from "../conformance.ts";
import { largestJob } from "../largest.ts";

const beside: Body = {
  contentType: "image/png",
  byteCount: 70_000,
  kept: "beside",
  payloadId: nextPayloadId(),
  keptUntil: later(startAt, dayMs),
};
const bodies: readonly (readonly [string, Partial<NewJob>])[] = [
  ["no body", { body: null }],
  ["an empty body", { body: inlineBody("") }],
  ["text of every plane", { body: inlineBody('{"a":"\\"\u0000\u2028é字😀"}') }],
  ["bytes", { body: { contentType: "application/octet-stream", byteCount: 3, kept: "inline_base64", base64: "AP//" } }],
  ["a body beside it", { body: beside }],
  ["labels, headers and a key", { labels: { "a.b/c-d_e": "", x: "'\"\\\n" }, fingerprint: "f".repeat(64), replayOf: nextJobId() }],
  ["headers in the caller's order", { target: { url: "http://h/", method: "PUT", headers: { "x-b": "1", "x-a": "2", __proto__x: "3" } } }],
  ["a due instant long past and a deadline", { dueAt: toEpochMs(0), deadline: later(startAt, 1) }],
  ["retries of its own", { retry: { ...waitingJob().retry, jitter: false, retryOn: [] } }],
];

export function itemClaims(onBench: OnBench): void {
  test.each(bodies)("a job with %s is read back exactly", (_, given) =>
    onBench(async ({ store }) => {
      const job = waitingJob(given);
      expect(await store.insert(job)).toBe("inserted");
      const found = await store.load(job);
      expect(found).toEqual(job);
      expect(Object.entries(found?.target.headers ?? {})).toEqual(Object.entries(job.target.headers));
    })(),
  );

  test(
    "the largest legal job is read back exactly, and can be committed",
    onBench(async ({ store }) => {
      const largest = largestJob();
      const first = waitingJob({ id: largest.id });
      await store.insert(first);
      // The state in between does not matter here: what is stored is what a commit brings.
      const change = factsAt(startAt).change;
      expect(await store.commit({ from: first, to: { ...largest, version: 2 }, change })).toBe("committed");
      expect(await store.load(first)).toEqual({ ...largest, version: 2 });
    }),
  );

  test(
    "a second insert under an id answers exists and touches nothing",
    onBench(async ({ store }) => {
      const job = waitingJob();
      await store.insert(job);
      expect(await store.insert(waitingJob({ id: job.id, timeoutMs: 1_234 }))).toBe("exists");
      expect(await store.load(job)).toEqual(job);
    }),
  );

  test(
    "an insert whose answer was lost is inserted when asked again, also under later commits",
    onBench(async ({ store }) => {
      const job = waitingJob();
      await store.insert(job);
      expect(await store.insert(job)).toBe("inserted");
      const claimed = claim(job, leaseAt(startAt), factsAt(startAt));
      await store.commit(claimed);
      expect(await store.insert(job)).toBe("inserted");
      expect(await store.load(job)).toEqual(claimed.to);
    }),
  );

  test(
    "of twelve inserts of one id at once, one is inserted, and that one stands",
    onBench(async ({ store }) => {
      const id = nextJobId();
      const jobs = Array.from({ length: 12 }, (_, index) => waitingJob({ id, timeoutMs: 1_000 + index }));
      const answers = await Promise.all(jobs.map((job) => store.insert(job)));
      expect(answers.filter((answer) => answer === "inserted")).toHaveLength(1);
      expect(await store.load({ tenant: jobs[0]?.tenant as TenantId, id })).toEqual(jobs[answers.indexOf("inserted")]);
    }),
  );

  test(
    "one id under two tenants is two items",
    onBench(async ({ store }) => {
      const ours = waitingJob();
      const theirs = waitingJob({ tenant: otherTenant, id: ours.id, timeoutMs: 1_234, dueAt: later(startAt, 9) });
      expect(await store.insert(ours)).toBe("inserted");
      expect(await store.load(theirs)).toBeUndefined();
      expect(await store.commit(cancel(theirs, factsAt(startAt)))).toBe("stale");
      expect(await store.insert(theirs)).toBe("inserted");
      await store.commit(cancel(theirs, factsAt(startAt)));
      expect(await store.load(ours)).toEqual(ours);
    }),
  );

  test(
    "many are loaded in the order asked, absent ones left out",
    onBench(async ({ store }) => {
      const jobs = Array.from({ length: 30 }, () => waitingJob());
      await Promise.all(jobs.map((job) => store.insert(job)));
      const asked = jobs.toReversed().flatMap((job) => [job, { tenant: otherTenant, id: job.id }, { tenant: job.tenant, id: nextJobId() }]);
      expect(await store.loadMany(asked)).toEqual(jobs.toReversed());
      expect(await store.loadMany([])).toEqual([]);
    }),
  );

  test(
    "a load sees every insert and commit that was answered before it",
    onBench(async ({ store }) => {
      let job: Waiting = waitingJob();
      await store.insert(job);
      for (let step = 0; step < 25; step++) {
        const edited = edit(job, { labels: { step: String(step) } }, factsAt(startAt));
        await store.commit(edited);
        expect((await store.load(job))?.version).toBe(edited.to.version);
        job = edited.to;
      }
      expect(await store.loadMany([job, job])).toEqual([job, job]);
    }),
  );

  forgetting(onBench);
}

function forgetting(onBench: OnBench): void {
  /** A new job, and the change that ends it now and keeps it for a second. */
  function shortLived(now: EpochMs) {
    const job = waitingJob({ tenant: nextTenant(), createdAt: now });
    return { job, ended: cancel(job, factsAt(now, { retentionMs: 1_000 })) };
  }
  /** Every read that could show the job. */
  const found = async (store: Store, job: Job) => [
    await store.load(job),
    ...(await store.loadMany([job])),
    ...(await store.list({ tenant: job.tenant, among: "all", after: null, limit: 5 })).jobs,
  ];

  test(
    "an ended job stands until right before its expiry and is absent from then on",
    onBench(async ({ store, clock }) => {
      const { job, ended } = shortLived(clock.now());
      await store.insert(job);
      await store.commit(ended);
      clock.turn(999);
      expect(await found(store, job)).toEqual([ended.to, ended.to, ended.to]);
      expect(await store.insert(waitingJob({ tenant: job.tenant, id: job.id }))).toBe("exists");
      clock.turn(1);
      expect(await found(store, job)).toEqual([undefined]);
    }),
  );

  test(
    "an expired job frees its id, and nothing of it is left in the new one",
    onBench(async ({ store, clock }) => {
      const { job, ended } = shortLived(clock.now());
      await store.insert(job);
      await store.commit(ended);
      const given = { tenant: job.tenant, id: job.id, createdAt: clock.turn(1_000) };
      const second = waitingJob(given);
      expect(await store.insert(second)).toBe("inserted");
      expect(await found(store, second)).toEqual([second, second, second]);
      expect(await store.insert(waitingJob(given))).toBe("exists");
    }),
  );

  test(
    "a change held since before the id was taken anew is stale, though the versions agree",
    onBench(async ({ store, clock }) => {
      const { job, ended } = shortLived(clock.now());
      await store.insert(job);
      const held = claim(job, leaseAt(clock.now()), factsAt(clock.now()));
      await store.commit(ended);
      const second = waitingJob({ tenant: job.tenant, id: job.id, createdAt: clock.turn(1_000) });
      await store.insert(second);
      expect(second.version).toBe(held.from.version);
      expect(await store.commit(held)).toBe("stale");
      expect(await store.load(second)).toEqual(second);
    }),
  );

  test(
    "a change of an expired job is stale, its own last one too",
    onBench(async ({ store, clock }) => {
      const { job, ended } = shortLived(clock.now());
      await store.insert(job);
      await store.commit(ended);
      clock.turn(1_000);
      expect(await store.commit(ended)).toBe("stale");
      expect(await store.commit(claim(job, leaseAt(clock.now()), factsAt(clock.now())))).toBe("stale");
      expect(await store.load(job)).toBeUndefined();
    }),
  );
}
