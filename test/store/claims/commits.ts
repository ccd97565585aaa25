/**
 * Claims about changes: each is written once, whole, and only where the item is still what it was made from. They share one store, so
 * each looks at jobs of its own only.
 */

import { describe, expect, test } from "vitest";
import { isLive, type Job, type Live, type Running, type Waiting } from "../../../src/core/job.ts";
import { later } from "../../../src/core/time.ts";
import { claim, edit, loseLease, requestCancel, settle, type Transition } from "../../../src/core/transition.ts";
import type { Store } from "../../../src/engine/ports.ts";
import { againEnd, doneEnd, expectState, factsAt, leaseAt, startAt, waitingJob } from "../../builders.ts";
import type { OnBench } from "../conformance.ts";
import { runningVerbs, type Verb, waitingVerbs } from "../verbs.ts";

const facts = () => factsAt(later(startAt, 50));
const claimNow = (job: Waiting) => claim(job, leaseAt(startAt), facts());

/** Brings a new job into a state of the store, and answers what stands. */
async function stored<State extends Live>(store: Store, steps: readonly ((job: never) => Transition)[]): Promise<State> {
  let job: Job = waitingJob();
  await store.insert(expectState(job, "waiting"));
  for (const step of steps) {
    const transition: Transition = step(job as never);
    expect(await store.commit(transition)).toBe("committed");
    job = transition.to;
  }
  return job as State;
}

const toWaiting: readonly ((job: never) => Transition)[] = [];
const toRunning = [claimNow];
const toMarked = [claimNow, (job: Running) => requestCancel(job, facts())];
const toRetried = [claimNow, (job: Running) => settle(job, againEnd(), 0.5, facts())];

/** Every live state with every verb that applies to it. */
type Case = {
  readonly state: string;
  readonly verb: string;
  readonly steps: readonly ((job: never) => Transition)[];
  make(job: Live): Transition;
};
const cases: readonly Case[] = [
  ...casesOf("waiting", toWaiting, waitingVerbs),
  ...casesOf("running", toRunning, runningVerbs),
  ...casesOf("marked", toMarked, runningVerbs),
  ...casesOf("retried", toRetried, waitingVerbs),
];

function casesOf<From extends Live>(state: string, steps: Case["steps"], verbs: readonly Verb<From>[]): readonly Case[] {
  return verbs.map(([verb, make]) => ({ state, verb, steps, make: (job) => make(job as From, facts()) }));
}

/** Another change of the same job, as a rival would write it. */
function rivalOf(job: Live): Transition {
  return job.state === "waiting" ? edit(job, { labels: { rival: "won" } }, facts()) : requestCancel(job, facts());
}

export function commitClaims(onBench: OnBench): void {
  describe.each(cases)("$verb of a $state job", ({ steps, make }) => {
    test(
      "is written whole",
      onBench(async ({ store }) => {
        const transition = make(await stored(store, steps));
        expect(await store.commit(transition)).toBe("committed");
        expect(await store.load(transition.to)).toEqual(transition.to);
      }),
    );

    test(
      "is stale and changes nothing after a rival's change",
      onBench(async ({ store }) => {
        const job = await stored<Live>(store, steps);
        const [transition, rival] = [make(job), rivalOf(job)];
        await store.commit(rival);
        expect(await store.commit(transition)).toBe("stale");
        expect(await store.load(job)).toEqual(rival.to);
      }),
    );

    test(
      "is committed when asked again, and applied once, also with another commit on top",
      onBench(async ({ store }) => {
        const transition = make(await stored(store, steps));
        await store.commit(transition);
        expect(await store.commit(transition)).toBe("committed");
        expect(await store.load(transition.to)).toEqual(transition.to);
        if (!isLive(transition.to)) return;
        const next = rivalOf(transition.to);
        await store.commit(next);
        expect(await store.commit(transition)).toBe("committed");
        expect(await store.load(transition.to)).toEqual(next.to);
      }),
    );

    test(
      "is stale where the job is absent",
      onBench(async ({ store }) => {
        let job: Job = waitingJob();
        for (const step of steps) job = step(job as never).to;
        expect(await store.commit(make(job as Live))).toBe("stale");
        expect(await store.load(job)).toBeUndefined();
      }),
    );
  });

  test.each(runningVerbs)("after the end, a %s by the old holder changes nothing", (_, make) =>
    onBench(async ({ store }) => {
      const job = await stored<Running>(store, toRunning);
      const done = settle(job, doneEnd(), 0, facts());
      await store.commit(done);
      expect(await store.commit(make(job, facts()))).toBe("stale");
      expect(await store.load(job)).toEqual(done.to);
    })(),
  );

  test.each(runningVerbs)("after its lease was lost and taken anew, a %s by the old holder changes nothing", (_, make) =>
    onBench(async ({ store }) => {
      const old = await stored<Running>(store, toRunning);
      const lost = loseLease(old, facts());
      await store.commit(lost);
      const renewed = claimNow(expectState(lost.to, "waiting"));
      await store.commit(renewed);
      expect(await store.commit(make(old, facts()))).toBe("stale");
      expect(await store.load(old)).toEqual(renewed.to);
    })(),
  );

  test(
    "of twenty executors that claim one job at once, one holds it",
    onBench(async ({ store }) => {
      const job = await stored<Waiting>(store, toWaiting);
      const claims = Array.from({ length: 20 }, () => claimNow(job));
      const answers = await Promise.all(claims.map((one) => store.commit(one)));
      expect(answers.filter((answer) => answer === "committed")).toHaveLength(1);
      expect(await store.load(job)).toEqual(claims[answers.indexOf("committed")]?.to);
    }),
  );

  test(
    "of different changes at once, one is written, and each job is decided apart",
    onBench(async ({ store }) => {
      const jobs = await Promise.all(Array.from({ length: 10 }, () => stored<Waiting>(store, toWaiting)));
      const rivals = jobs.map((job) => waitingVerbs.map(([, make]) => make(job, facts())));
      const answers = await Promise.all(rivals.map((group) => Promise.all(group.map((one) => store.commit(one)))));
      for (const [index, group] of rivals.entries()) {
        const own = answers[index] ?? [];
        expect(own.filter((answer) => answer === "committed")).toHaveLength(1);
        expect(await store.load(group[0]?.to as Job)).toEqual(group[own.indexOf("committed")]?.to);
      }
    }),
  );
}
