/** Writing a change of a schedule: older records first go to their page, so that none is lost whoever dies in between. */

import { isOnWheel } from "../../core/item.ts";
import type { Standing } from "../../core/schedule.ts";
import type { ScheduleChange } from "../../core/scheduleChange.ts";
import { hintNamed } from "../commit.ts";
import type { Engine } from "../engine.ts";
import { writePage } from "./log.ts";

/** Sends no hint: a meeting changes a schedule several times, and only where it leaves it is worth one. */
export async function write(engine: Engine, change: ScheduleChange): Promise<"committed" | "stale"> {
  if (change.page !== null) await writePage(engine, change.from, change.page);
  if ((await engine.store.commit(change)) === "stale") return "stale";
  engine.observe({ kind: "schedule_changed", change });
  return "committed";
}

export async function commitSchedule(engine: Engine, change: ScheduleChange): Promise<"committed" | "stale"> {
  if ((await write(engine, change)) === "stale") return "stale";
  if (isOnWheel(change.to)) await hintMoved(engine, change.from, change.to);
  return "committed";
}

/** Whoever left it on the wheel for soon wakes an executor for it: now, also where it is far behind, for a hint that is as old is not read. */
export async function hintMoved(engine: Engine, from: Standing, to: Standing): Promise<void> {
  const moved = to.wakeAt !== from.wakeAt || to.hinted !== from.hinted || to.spec.job.priority !== from.spec.job.priority;
  if (moved && to.hinted) await hintNamed(engine, to, engine.clock.now());
}
