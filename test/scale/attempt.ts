/**
 * One job's way through an executor, as arithmetic: when its CPU, its claim, its last look and its settling are served. A flow model of
 * `src/engine/attempt.ts`, in its order; no code of it runs here.
 */

import { toEpochMs } from "../../src/core/time.ts";
import { durations, units } from "./setup.ts";
import { cpuShare, type World } from "./world.ts";

/** The one thread of an executor: when it is free. */
export type Thread = { freeAt: number };

/** "not_ours": another had claimed it. "outage": the claim was throttled for longer than the SDK asks again. */
export type Attempted = { readonly kind: "ran" | "not_ours" | "outage"; readonly endedAt: number };

export function attempt(world: World, job: number, loadedAt: number, thread: Thread): Attempted {
  const { setup, params, dynamo, jobs, tally } = world;
  const share = cpuShare(setup.memoryMb);
  const due = jobs.due[job] ?? 0;
  const wantedAt = Math.max(loadedAt, due - params.connectLeadMs);
  const readyAt = Math.max(thread.freeAt, wantedAt) + durations.cpuBeforeMs / share;
  thread.freeAt = readyAt;
  const claimAt = Math.max(readyAt, due - params.claimLeadMs);
  tally.waited("executor CPU", claimAt, claimAt - Math.max(wantedAt, due - params.claimLeadMs));

  const claimedAt = dynamo.writes.base.take(0, claimAt, units.base, durations.patienceMs);
  if (claimedAt === undefined) return { kind: "outage", endedAt: claimAt + durations.patienceMs };
  tally.waited("table writes", claimAt, claimedAt - claimAt);
  if (jobs.isTaken(job)) {
    tally.refusedWrites += 1;
    return { kind: "not_ours", endedAt: claimedAt + durations.writeMs };
  }
  jobs.claimed[job] = claimedAt + durations.writeMs;

  const lookLeadMs = params.cancelWatch.kind === "asks" ? params.cancelWatch.leadMs : 0;
  const lookAt = Math.max(due - lookLeadMs, claimedAt + durations.writeMs);
  const seenAt = dynamo.reads.base.take(0, lookAt, units.read, Number.POSITIVE_INFINITY) ?? lookAt;
  tally.waited("reads", lookAt, seenAt - lookAt);
  const startedAt = Math.ceil(Math.max(due, seenAt + durations.readMs) + durations.cpuToSendMs / share);
  if (jobs.startedAt(job) !== undefined) throw new Error(`expected job ${job} to start once, got a second start`);
  jobs.started[job] = startedAt;
  tally.starts += 1;
  return { kind: "ran", endedAt: settle(world, job, startedAt, thread) };
}

/** Settling waits as long as it takes: the record's table and its entry on the wheel must both take the write. */
function settle({ setup, load, dynamo, jobs, tally }: World, job: number, startedAt: number, thread: Thread): number {
  const cpuMs = durations.cpuAfterMs / cpuShare(setup.memoryMb);
  thread.freeAt += cpuMs;
  const askedAt = Math.max(startedAt + load.callMs + cpuMs, thread.freeAt);
  const wheelAt = dynamo.writes.wheel.take(jobs.shardOf(job), askedAt, units.wheel, Number.POSITIVE_INFINITY) ?? askedAt;
  tally.waited("wheel writes", askedAt, wheelAt - askedAt);
  const baseAt = dynamo.writes.base.take(0, wheelAt, units.base, Number.POSITIVE_INFINITY) ?? wheelAt;
  tally.waited("table writes", wheelAt, baseAt - wheelAt);
  const endedAt = baseAt + durations.writeMs;
  jobs.finished[job] = Math.ceil(endedAt);
  return endedAt;
}

/** As `handOn.ts` decides: each wait is as long as the job is late, and past the grace the turn's stretches take over. */
export function hintAfterOutage({ params, jobs, tally, send }: World, job: number, now: number): void {
  tally.outages += 1;
  const lateMs = now - (jobs.due[job] ?? 0);
  if (lateMs > params.graceMs) return;
  tally.ownHints += 1;
  tally.sendRequests += 1;
  const { tenant, id, wakeAt } = jobs.entry(job);
  const startAt = toEpochMs(now + params.leadMs + Math.max(2_000, lateMs));
  send({ kind: "names", priority: "normal", startAt, names: [{ tenant, id, wakeAt }] }, now);
}
