/** Writing a change, and waking whoever must act on it: commit first, hint second, so that no effect precedes its record. */

import { isJob, type OnWheel, priorityOf } from "../core/item.ts";
import { type Final, isLive } from "../core/job.ts";
import { type EpochMs, later, laterOf } from "../core/time.ts";
import type { Transition } from "../core/transition.ts";
import type { Engine } from "./engine.ts";
import { OutageError } from "./ports.ts";

export async function commit(engine: Engine, transition: Transition): Promise<"committed" | "stale"> {
  const answer = await engine.store.commit(transition);
  if (answer === "stale") return "stale";
  engine.observe({ kind: "changed", transition });
  const { from, to } = transition;
  const moved = isLive(to) && (to.wakeAt !== from.wakeAt || to.priority !== from.priority || to.hinted !== from.hinted);
  if (moved && to.hinted) await hintNamed(engine, to);
  if (!isLive(to) && to.schedule?.tells === true) await tellSchedule(engine, to);
  return "committed";
}

/** What waits for the job's end goes on now. Where this is lost, the schedule's own look finds it. */
async function tellSchedule(engine: Engine, { tenant, schedule, priority }: Final): Promise<void> {
  if (schedule === null) return;
  const now = engine.clock.now();
  await sendHints(engine, [{ kind: "names", priority, startAt: now, names: [{ tenant, id: schedule.id, wakeAt: now }] }]);
}

/**
 * Sends an item a hint of its own. One that has lost a lease may be what killed its executor: it is spread over seconds, away
 * from others. A send that fails costs time only: the wheel holds the item, and the next turn over its past hints it again.
 */
export async function hintNamed(engine: Engine, item: OnWheel, notBefore: EpochMs = item.wakeAt): Promise<void> {
  const isLonely = isJob(item) && item.leaseLossCount > 0;
  const spreadMs = isLonely ? engine.chance() * engine.params.lonelySpreadMs : 0;
  const earliest = laterOf(item.wakeAt, notBefore);
  const startAt = spreadMs > 0 ? later(laterOf(earliest, engine.clock.now()), spreadMs) : earliest;
  const name = { tenant: item.tenant, id: item.id, wakeAt: item.wakeAt };
  await sendHints(engine, [{ kind: "names", priority: priorityOf(item), startAt, names: [name] }]);
}

/** "failed": the queue did not take them; nothing is lost, for the wheel holds the items. */
export async function sendHints(engine: Engine, hints: Parameters<Engine["hints"]["send"]>[0]): Promise<"sent" | "full" | "failed"> {
  try {
    return await engine.hints.send(hints);
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "hints", cause });
    return "failed";
  }
}
