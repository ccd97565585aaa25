/** A meeting with a schedule that a hint or a walk has found, and where it could not be held, a hint of its own: one schedule never makes a whole hint come again. */

import type { ScheduleRef } from "../../core/hint.ts";
import type { Priority, Waiting } from "../../core/job.ts";
import type { Standing } from "../../core/schedule.ts";
import { type EpochMs, later, secondMs } from "../../core/time.ts";
import type { Invocation } from "../attempt.ts";
import { sendHints } from "../commit.ts";
import type { Engine } from "../engine.ts";
import { attemptOrHandOn, outageWait } from "../handOn.ts";
import { OutageError } from "../ports.ts";
import { meet } from "./meet.ts";

export type NamedSchedule = ScheduleRef & { readonly wakeAt: EpochMs; readonly priority: Priority };

/** What a meeting takes at most, with a store that is slow: an invocation with less time left hands it on. */
const meetingMsMax = 5 * secondMs;

/** Meets it at its instant and not before, then makes the calls of the jobs that came of it. */
export async function attendSchedule(engine: Engine, named: NamedSchedule, invocation: Invocation): Promise<void> {
  const startsAt = Math.max(named.wakeAt, engine.clock.now());
  if (invocation.endsAt !== null && startsAt + meetingMsMax > invocation.endsAt) return hintSchedule(engine, named, named.wakeAt);
  if (engine.clock.now() < named.wakeAt) await engine.clock.until(named.wakeAt);
  const jobs = await meetOrHandOn(engine, named);
  const ended = await Promise.allSettled(jobs.map((job) => attemptOrHandOn(engine, job, invocation, "at_claim")));
  const bug = ended.find((one) => one.status === "rejected");
  if (bug !== undefined) throw bug.reason;
}

/** Answers the jobs that were made, yet to be woken: none where this process holds it already, or the store is out. */
export async function meetOrHandOn(engine: Engine, schedule: NamedSchedule | Standing): Promise<readonly Waiting[]> {
  const { tenant, id, wakeAt } = schedule;
  const held = engine.register.hold({ tenant, id });
  if (held === undefined) return [];
  const named: NamedSchedule = { tenant, id, wakeAt, priority: "priority" in schedule ? schedule.priority : schedule.spec.job.priority };
  let met: Awaited<ReturnType<typeof meet>> | undefined;
  try {
    met = await meet(engine, { tenant, id }, wakeAt);
    return met.jobs;
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "store", cause });
    const waitMs = outageWait(engine, named.wakeAt);
    if (waitMs !== undefined) await hintSchedule(engine, named, later(engine.clock.now(), waitMs));
    return [];
  } finally {
    engine.register.letGo({ tenant, id });
    await met?.hintNext();
    // Somebody wanted it met while it was being met: what they knew may not have been seen.
    if (held.missedAt !== null) await hintSchedule(engine, { ...named, wakeAt: held.missedAt }, engine.clock.now());
  }
}

async function hintSchedule(engine: Engine, { tenant, id, priority, wakeAt }: NamedSchedule, startAt: EpochMs): Promise<void> {
  await sendHints(engine, [{ kind: "names", priority, startAt, names: [{ tenant, id, wakeAt }] }]);
}
