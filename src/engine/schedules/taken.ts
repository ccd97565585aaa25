/** Inserting the jobs of what was taken. However often it is done, and by whom, each occurrence has one job. */

import type { ScheduleRef } from "../../core/hint.ts";
import type { Waiting } from "../../core/job.ts";
import { hearsOfEnds, jobIdOf, type Origin, type Owed, type Standing, type Taken } from "../../core/schedule.ts";
import { settleTaken } from "../../core/scheduleChange.ts";
import { later } from "../../core/time.ts";
import { create, type NewJob } from "../../core/transition.ts";
import { cancel } from "../cancel.ts";
import { sendHints } from "../commit.ts";
import { type Engine, factsNow, scheduleFactsNow } from "../engine.ts";
import { groupNames } from "../group.ts";
import { type BodyBytes, keepBody, keptUntil, readBody } from "../payload.ts";
import { commitSchedule } from "./commit.ts";

/**
 * Answers the jobs that wait, to be woken: also those that somebody inserted who may have died before. Where some could not be inserted it
 * rejects, and has hinted the others: one occurrence's misfortune makes no other late.
 */
export async function insertTaken(engine: Engine, schedule: Standing, taken: Taken): Promise<readonly Waiting[]> {
  if (schedule.spec.overlap === "replace" && isOfRule(schedule, taken)) await cancelEarlier(engine, schedule, taken);
  const body = await bodyOf(engine, schedule);
  const ended = await Promise.allSettled(
    taken.owed.map((owed) => insertJob(engine, schedule, owed, { origin: taken.origin, bytes: body })),
  );
  const jobs = ended.flatMap((one) => (one.status === "fulfilled" && one.value !== undefined ? [one.value] : []));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed === undefined) return jobs;
  await hintJobs(engine, jobs);
  throw failed.reason;
}

/** Only the rule's own are among those whose end it waits for: what is backfilled goes beside it, and takes nobody's place. */
function isOfRule({ unended }: Standing, { origin, owed }: Taken): boolean {
  return origin === "rule" && owed.every(({ nominalAt }) => unended.includes(nominalAt));
}

/** The job of an earlier occurrence makes room: one that waits is called off, one that runs is asked to end. */
async function cancelEarlier(engine: Engine, { tenant, id, incarnation, unended }: Standing, { owed }: Taken): Promise<void> {
  const own = new Set(owed.map(({ nominalAt }) => nominalAt));
  const earlier = unended.filter((nominalAt) => !own.has(nominalAt));
  await Promise.all(earlier.map((nominalAt) => cancel(engine, { tenant, id: jobIdOf({ id, incarnation }, "rule", nominalAt) }, "overlap")));
}

/** Undefined: it rides inside the item, or there is none. One that is gone leaves jobs that say so when they are called. */
async function bodyOf(engine: Engine, { tenant, id, spec }: Standing): Promise<BodyBytes | undefined> {
  const { body } = spec.job;
  if (body?.kept !== "beside") return undefined;
  const bytes = await readBody(engine, { tenant, id, body });
  return bytes === null || bytes === "gone" ? undefined : { contentType: body.contentType, bytes };
}

async function insertJob(
  engine: Engine,
  schedule: Standing,
  { nominalAt, dueAt }: Owed,
  { origin, bytes }: { readonly origin: Origin; readonly bytes: BodyBytes | undefined },
): Promise<Waiting | undefined> {
  const { tenant, id: scheduleId, name, spec } = schedule;
  const { target, body, timeoutMs, expireAfterMs, retry, priority, labels } = spec.job;
  const wanted: NewJob = {
    ...{ tenant, id: jobIdOf(schedule, origin, nominalAt), dueAt, target, body, timeoutMs, retry, priority, labels },
    deadline: expireAfterMs === null ? null : later(dueAt, expireAfterMs),
    ...{ fingerprint: null, replayOf: null },
    schedule: { id: scheduleId, name, nominalAt, tells: origin === "rule" && hearsOfEnds(spec) },
  };
  const own = bytes === undefined ? body : await keepBody(engine, wanted, bytes, keptUntil(engine, wanted));
  const job = create({ ...wanted, body: own }, factsNow(engine));
  if ((await engine.store.insert(job)) === "inserted") {
    engine.observe({ kind: "created", job });
    return job;
  }
  const standing = await engine.store.load(wanted);
  return standing?.state === "waiting" ? standing : undefined;
}

/** The schedule with nothing taken, so that it may be changed; undefined where there is none. Whatever was taken has its jobs, and they are hinted. */
export async function settled(engine: Engine, ref: ScheduleRef): Promise<Standing | undefined> {
  for (;;) {
    const schedule = await engine.store.load(ref);
    if (schedule === undefined || schedule.state === "deleted") return undefined;
    if (schedule.taken === null) return schedule;
    await hintJobs(engine, await insertTaken(engine, schedule, schedule.taken));
    const change = settleTaken(schedule, scheduleFactsNow(engine));
    if ((await commitSchedule(engine, change)) === "committed") return change.to;
  }
}

export async function hintJobs(engine: Engine, jobs: readonly Waiting[]): Promise<void> {
  const named = jobs.map(({ tenant, id, wakeAt, priority }) => ({ tenant, id, wakeAt, priority }));
  if (named.length > 0) await sendHints(engine, groupNames(named, engine.params.namesPerHint));
}
