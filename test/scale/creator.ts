/** Callers who create jobs at the load's rate, each its delay before its instant. A create that is throttled is asked again until it is taken. */

import { secondMs } from "../../src/core/time.ts";
import { listBuckets } from "../../src/store/keys.ts";
import { durations, units } from "./setup.ts";
import type { World } from "./world.ts";

/** Creates are taken up this often, all that belong to the span at once. */
const stepMs = secondMs / 10;

export function startCreates(world: World, firstAt: number): void {
  const { agenda, jobs, load } = world;
  let next = 0;
  const step = () => {
    const now = agenda.now();
    for (; next < jobs.count && (jobs.due[next] ?? 0) - load.delayMs < now + stepMs; next++) create(world, next, now);
    if (next < jobs.count) agenda.at(now + stepMs, step);
  };
  agenda.at(firstAt, step);
}

function create(world: World, job: number, now: number): void {
  const { dynamo, jobs, load, params, tally, dice, send } = world;
  const due = jobs.due[job] ?? 0;
  // Callers do not ask at full seconds before the instant.
  const askedAt = Math.max(now, due - load.delayMs + dice.fraction() * secondMs);
  const patient = Number.POSITIVE_INFINITY;
  const wheelAt = dynamo.writes.wheel.take(jobs.shardOf(job), askedAt, units.wheel, patient) ?? askedAt;
  const listAt = dynamo.writes.list.take(job % listBuckets, askedAt, units.list, patient) ?? askedAt;
  const baseAt = dynamo.writes.base.take(0, Math.max(wheelAt, listAt), units.base, patient) ?? askedAt;
  // A create is held up when its caller asks, and counts with the jobs of its instant.
  tally.waited("wheel writes", due, wheelAt - askedAt);
  tally.waited("list writes", due, listAt - askedAt);
  tally.waited("table writes", due, baseAt - Math.max(wheelAt, listAt));
  const createdAt = Math.ceil(baseAt + durations.writeMs);
  jobs.created[job] = createdAt;
  // Whoever makes a job that is owed before the next turns have surely seen it hints it itself.
  if (due >= createdAt + params.lookaheadMs + params.tickMs) return;
  jobs.hinted[job] = 1;
  tally.ownHints += 1;
  tally.sendRequests += 1;
  const { tenant, id, wakeAt } = jobs.entry(job);
  send({ kind: "names", priority: "normal", startAt: wakeAt, names: [{ tenant, id, wakeAt }] }, createdAt);
}
