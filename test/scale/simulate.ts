/** One run: a stack, a load, a seed, and what came of it. The same seed gives the same run. */

import type { Hint } from "../../src/core/hint.ts";
import { hourMs, minuteMs } from "../../src/core/time.ts";
import { createDice } from "../simulation/chance.ts";
import { createAgenda } from "./agenda.ts";
import { startCreates } from "./creator.ts";
import { startTicks } from "./dispatcher.ts";
import { createDynamo } from "./dynamo.ts";
import { execute } from "./executor.ts";
import { createFleet } from "./fleet.ts";
import { createJobs } from "./jobs.ts";
import { quotas } from "./quotas.ts";
import { type Load, longBefore, paramsOf, type Setup } from "./setup.ts";
import { type Cause, type Counts, countsOf, createTally } from "./tally.ts";
import { delaySeconds, type World } from "./world.ts";

export type Lateness = {
  /** Parts of all jobs that started within so much after their instants. */
  readonly within100ms: number;
  readonly within1s: number;
  readonly within10s: number;
  readonly within1min: number;
  readonly minMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

export type Run = {
  readonly jobCount: number;
  readonly startedCount: number;
  readonly lateness: Lateness;
  readonly causes: { readonly first: Cause | null; readonly most: Cause | null };
  readonly tally: Counts;
  readonly fleet: { readonly invocations: number; readonly coldStarts: number; readonly runningMax: number };
  readonly peaks: ReturnType<ReturnType<typeof createDynamo>["peaks"]>;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** From the first instant to the last end. */
  readonly drainedMs: number;
  /** For each tenth of the jobs, by their instants: the median of when they started, after the first instant. Rising: oldest first. */
  readonly medianStartPerPart: readonly number[];
};

/** A round instant, far enough from zero for every look back; no farther, for budgets count their slots from zero. */
const epoch = hourMs;
/** Nothing that is simulated takes longer. */
const longestMs = 24 * hourMs;

export async function simulate(setup: Setup, load: Load, seed: number): Promise<Run> {
  const agenda = createAgenda(epoch);
  const isCreatedBefore = load.delayMs >= longBefore;
  // The look-ahead, and two ticks: so long the turns have seen the jobs before the first is owed.
  const firstDue = epoch + (isCreatedBefore ? 7 * minuteMs : load.delayMs);
  const jobs = createJobs(load.jobCount, setup.shards, (job) => firstDue + Math.floor((job * load.spreadMs) / load.jobCount));
  if (isCreatedBefore) jobs.created.fill(0);
  const tally = createTally(firstDue + load.settleInMs);
  const dynamo = createDynamo(setup);
  const invoke = (hint: Hint, at: number) => execute(world, hint, at);
  const fleet = createFleet<Hint>(agenda, setup, invoke, (why, hint, waitMs) => {
    // A hint comes early, and may wait so long without holding anyone up.
    const lateMs = hint.kind === "names" ? Math.min(waitMs, agenda.now() - hint.startAt) : waitMs;
    tally.waited(why, agenda.now(), lateMs, hint.kind === "names" ? hint.names.length : 1);
  });
  const params = paramsOf(setup);
  const send = (hint: Hint, at: number) => fleet.send(hint, at + 1_000 * delaySeconds(hint.startAt, at, params.leadMs));
  const world: World = {
    ...{ setup, load, params, agenda, jobs, dynamo, tally, send },
    dice: createDice(`scale ${seed}`),
    release: fleet.release,
  };
  const lastDue = firstDue + load.spreadMs;
  let over = 0;
  const isOver = () => {
    while (over < jobs.count && jobs.isOver(over, agenda.now())) over += 1;
    return over === jobs.count && agenda.now() > lastDue;
  };
  startTicks(world, isOver);
  if (!isCreatedBefore) startCreates(world, epoch);
  const review = () => {
    dynamo.review();
    if (!isOver()) agenda.at(agenda.now() + quotas.doublingMs, review);
  };
  agenda.at(epoch + quotas.doublingMs, review);
  await agenda.run(epoch + longestMs);
  return resultOf(world, fleet.counts(), firstDue);
}

function resultOf(world: World, fleet: Run["fleet"], firstDue: number): Run {
  const { jobs, load, tally, dynamo } = world;
  const { writes, reads } = dynamo;
  const counted = jobs.due.findIndex((due) => due >= firstDue + load.settleInMs);
  return {
    ...{
      jobCount: jobs.count,
      startedCount: jobs.startedCount(),
      causes: tally.causes(),
      tally: countsOf(tally),
      fleet,
      peaks: dynamo.peaks(),
    },
    lateness: latenessOf(jobs.started.subarray(counted), jobs.due.subarray(counted)),
    writeUnits: writes.base.taken() + writes.wheel.taken() + writes.list.taken(),
    readUnits: reads.base.taken() + reads.wheel.taken(),
    drainedMs: jobs.finished.reduce((last, at) => Math.max(last, at), 0) - firstDue,
    medianStartPerPart: medianStarts(world, firstDue),
  };
}

function latenessOf(started: Int32Array, due: Int32Array): Lateness {
  const late = started.map((at, job) => at - (due[job] ?? 0)).toSorted();
  const within = (ms: number) => {
    const beyond = late.findIndex((one) => one > ms);
    return beyond < 0 ? 1 : beyond / late.length;
  };
  const quantile = (part: number) => late[Math.min(late.length - 1, Math.floor(part * late.length))] ?? 0;
  return {
    ...{ within100ms: within(100), within1s: within(1_000), within10s: within(10_000), within1min: within(minuteMs) },
    ...{ minMs: late[0] ?? 0, meanMs: late.reduce((sum, ms) => sum + ms, 0) / late.length },
    ...{ p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs: late.at(-1) ?? 0 },
  };
}

const parts = 10;

function medianStarts({ jobs }: World, firstDue: number): number[] {
  const perPart = Math.ceil(jobs.count / parts);
  return Array.from({ length: Math.ceil(jobs.count / perPart) }, (_, part) => {
    const starts = jobs.started.slice(part * perPart, (part + 1) * perPart).sort();
    return (starts[starts.length >> 1] ?? 0) - firstDue;
  });
}
