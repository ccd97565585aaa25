/** Every change that a live job can see, by the state it applies to: what tests of stores are generated from. */

import type { Live, Running, Waiting } from "../../src/core/job.ts";
import { later } from "../../src/core/time.ts";
import { cancel, claim, edit, expire, type Facts, loseLease, requestCancel, settle, type Transition } from "../../src/core/transition.ts";
import { againEnd, doneEnd, leaseAt, neverEnd } from "../builders.ts";

export type Verb<From extends Live> = readonly [name: string, make: (job: From, facts: Facts) => Transition];

export const waitingVerbs: readonly Verb<Waiting>[] = [
  ["claim", (job, facts) => claim(job, leaseAt(facts.now), facts)],
  ["cancel", (job, facts) => cancel(job, facts)],
  ["edit of labels", (job, facts) => edit(job, { labels: { a: "b" } }, facts)],
  ["edit of the instant", (job, facts) => edit(job, { dueAt: later(facts.now, 3_600_000) }, facts)],
  ["edit of the priority", (job, facts) => edit(job, { priority: job.priority === "low" ? "critical" : "low" }, facts)],
];

export const runningVerbs: readonly Verb<Running>[] = [
  ["success", (job, facts) => settle(job, doneEnd(facts.now), 0, facts)],
  ["retry", (job, facts) => settle(job, againEnd(facts.now), 0.5, facts)],
  ["refusal", (job, facts) => settle(job, neverEnd(null), 0, facts)],
  ["cancel's mark", (job, facts) => requestCancel(job, facts)],
  ["lost lease", (job, facts) => loseLease(job, facts)],
  ["passed deadline", (job, facts) => expire(job, facts)],
];

/** One of the changes that apply to the job: `choice` picks it, whatever number it is. */
export function anyChange(job: Live, choice: number, facts: Facts): Transition {
  if (job.state === "waiting") return pick(waitingVerbs, choice)[1](job, facts);
  return pick(runningVerbs, choice)[1](job, facts);
}

export function pick<Item>(items: readonly Item[], choice: number): Item {
  const item = items[choice % items.length];
  if (item === undefined) throw new Error("expected something to pick from, got an empty list");
  return item;
}
