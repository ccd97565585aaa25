/**
 * What an executor does when a hint wakes it. A hint by names: load the items, forget what moved, run the rest at its instant.
 * A hint by stretch: work through the past, oldest first, loading only what can start now.
 */

import type { Hint, NamesHint } from "../core/hint.ts";
import { isScheduleId } from "../core/ids.ts";
import type { Waiting } from "../core/job.ts";
import type { Invocation } from "./attempt.ts";
import type { Engine } from "./engine.ts";
import { attemptOrHandOn } from "./handOn.ts";
import { attendSchedule } from "./schedules/attend.ts";
import { walk } from "./walk.ts";

/** Rejects with `OutageError` when the store could not be read at all: the hint should come again. Nothing else makes a hint fail. */
export async function wake(engine: Engine, hint: Hint, invocation: Invocation, started: () => void = () => {}): Promise<void> {
  const now = engine.clock.now();
  switch (hint.kind) {
    case "names":
      // The past's own hints have taken over what this one names.
      if (now > hint.startAt + engine.params.namesAgeMsMax) return drop(engine, "old");
      return wakeNames(engine, hint, invocation);
    case "stretch":
      // A newer turn has cut the past anew: the chain ends here, so that chains never multiply.
      if (now > hint.cutAt + engine.params.stretchAgeMsMax) return drop(engine, "old");
      return walk(engine, hint, invocation, started);
  }
}

async function wakeNames(engine: Engine, hint: NamesHint, invocation: Invocation): Promise<void> {
  // A job that was moved while the index lagged may stand in one hint twice, at two instants.
  const owed = new Set(hint.names.map(({ tenant, id, wakeAt }) => `${tenant} ${id} ${wakeAt}`));
  const named = new Map(hint.names.map((name) => [`${name.tenant} ${name.id}`, name]));
  const free = [...named.values()].filter((name) => engine.register.noteMissed(name) === "free");
  const schedules = free.flatMap(({ tenant, id, wakeAt }) => (isScheduleId(id) ? [{ tenant, id, wakeAt }] : []));
  const jobs = await engine.store.loadMany(free.flatMap(({ tenant, id }) => (isScheduleId(id) ? [] : [{ tenant, id }])));
  const due = jobs.filter((job): job is Waiting => job.state === "waiting" && owed.has(`${job.tenant} ${job.id} ${job.wakeAt}`));
  if (due.length + schedules.length === 0) return drop(engine, "moved");
  const among = due.filter((job) => job.leaseLossCount === 0);
  const lonely = due.filter((job) => job.leaseLossCount > 0);
  // All settle, whatever one of them meets: an invocation that ended now would take the others' calls along.
  const ended = await Promise.allSettled([
    ...among.map((job) => attemptOrHandOn(engine, job, invocation, "at_claim")),
    ...schedules.map((schedule) => attendSchedule(engine, { ...schedule, priority: hint.priority }, invocation)),
  ]);
  const bug = ended.find((one) => one.status === "rejected");
  if (bug !== undefined) throw bug.reason;
  // Whatever killed its executor before must find no other call in flight here to take along.
  for (const job of lonely) await attemptOrHandOn(engine, job, invocation, "waits");
}

function drop(engine: Engine, why: "old" | "moved"): void {
  engine.observe({ kind: "hint_dropped", why });
}
