/** What a desk does with a question about a schedule, and what the client hears of it. */

import { type ScheduleId, scheduleIdOf, soleTenant } from "../../../src/core/ids.ts";
import type { Recovery, Standing } from "../../../src/core/schedule.ts";
import type { EpochMs } from "../../../src/core/time.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { TriggerOverlap } from "../../../src/engine/schedules/trigger.ts";
import type { Told } from "../clients.ts";
import type { Code } from "../code.ts";
import { type Wish, wantedOf } from "./wish.ts";

export type ScheduleAsked =
  | { readonly what: "put"; readonly name: string; readonly wish: Wish }
  | { readonly what: "pause"; readonly name: string; readonly until: EpochMs | null }
  | { readonly what: "resume"; readonly name: string; readonly recover: Recovery }
  | { readonly what: "trigger"; readonly name: string; readonly overlap: TriggerOverlap }
  | { readonly what: "backfill"; readonly name: string; readonly from: EpochMs; readonly to: EpochMs }
  | { readonly what: "delete"; readonly name: string; readonly jobs: "keep" | "cancel" };

/** What an answer shows of a schedule. `taken`: the nominal instants that it says nothing can stop any more. */
export type Shown = {
  readonly id: ScheduleId;
  readonly incarnation: string;
  readonly version: number;
  readonly taken: readonly EpochMs[];
};

export async function answerAbout(code: Code, engine: Engine, asked: ScheduleAsked): Promise<Told> {
  const ref = { tenant: soleTenant, id: scheduleIdOf(soleTenant, asked.name) };
  const about = (kind: Told["kind"], schedule: Standing): Told => ({ kind, shown: shownOf(code, engine, schedule) });
  switch (asked.what) {
    case "put": {
      const named = { tenant: soleTenant, name: asked.name };
      const put = await code.putSchedule(engine, named, () => ({ wanted: wantedOf(asked.name, asked.wish), pause: undefined }));
      if (put.kind === "created") return about("created", put.schedule);
      return put.kind === "replaced" ? about("replaced", put.schedule) : { kind: "other" };
    }
    case "pause": {
      const paused = await code.pauseSchedule(engine, ref, { until: asked.until, reason: null });
      return "schedule" in paused ? about(paused.kind, paused.schedule) : { kind: paused.kind === "not_found" ? "not_found" : "other" };
    }
    case "resume": {
      const resumed = await code.resumeSchedule(engine, ref, asked.recover);
      return "schedule" in resumed ? about(resumed.kind, resumed.schedule) : { kind: resumed.kind === "not_found" ? "not_found" : "other" };
    }
    case "trigger": {
      const triggered = await code.triggerSchedule(engine, ref, asked.overlap);
      return { kind: triggered.kind };
    }
    case "backfill": {
      const begun = await code.backfill(engine, ref, { from: asked.from, to: asked.to }, "fire");
      return "schedule" in begun ? about(begun.kind === "begun" ? "begun" : "state_conflict", begun.schedule) : { kind: "other" };
    }
    case "delete": {
      const deleted = await code.deleteSchedule(engine, ref, { jobs: asked.jobs, version: null });
      return deleted.kind === "deleted"
        ? about("deleted", deleted.schedule)
        : { kind: deleted.kind === "not_found" ? "not_found" : "other" };
    }
  }
}

function shownOf(code: Code, engine: Engine, schedule: Standing): Shown {
  const { id, incarnation, version } = schedule;
  return { id, incarnation, version, taken: code.takenOf(schedule, engine.clock.now()).map(({ nominalAt }) => nominalAt) };
}
