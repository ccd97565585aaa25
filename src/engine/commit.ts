/** Writing a change, and waking whoever must act on it: commit first, hint second, so that no effect precedes its record. */

import { isLive, type Live } from "../core/job.ts";
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
  return "committed";
}

/**
 * Sends an item a hint of its own. One that has lost a lease may be what killed its executor: it is spread over seconds, away
 * from others. A send that fails costs time only: the wheel holds the item, and the next turn over its past hints it again.
 */
export async function hintNamed(engine: Engine, job: Live, notBefore: EpochMs = job.wakeAt): Promise<void> {
  const spreadMs = job.leaseLossCount > 0 ? engine.chance() * engine.params.lonelySpreadMs : 0;
  const earliest = laterOf(job.wakeAt, notBefore);
  const startAt = spreadMs > 0 ? later(laterOf(earliest, engine.clock.now()), spreadMs) : earliest;
  const name = { tenant: job.tenant, id: job.id, wakeAt: job.wakeAt };
  await sendHints(engine, [{ kind: "names", priority: job.priority, startAt, names: [name] }]);
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
