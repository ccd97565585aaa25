/** Pausing and resuming. After a pause is answered no occurrence is taken; the answer's schedule shows what was taken before. */

import type { ScheduleRef } from "../../core/hint.ts";
import type { Recovery, Standing } from "../../core/schedule.ts";
import { pause, resume } from "../../core/scheduleChange.ts";
import type { PauseWish } from "../../core/standing.ts";
import { type Engine, scheduleFactsNow } from "../engine.ts";
import { commitSchedule } from "./commit.ts";
import { agendaOf } from "./rule.ts";
import { settled } from "./taken.ts";

export type PauseAnswer =
  | { readonly kind: "changed"; readonly schedule: Standing }
  | { readonly kind: "not_found" }
  /** Finished: there is nothing to pause or resume. */
  | { readonly kind: "state_conflict"; readonly schedule: Standing }
  | { readonly kind: "unreadable"; readonly message: string };

/** Of a paused one it changes until when, and why. */
export async function pauseSchedule(engine: Engine, { tenant, id }: ScheduleRef, wish: PauseWish): Promise<PauseAnswer> {
  for (;;) {
    const schedule = await settled(engine, { tenant, id });
    if (schedule === undefined) return { kind: "not_found" };
    if (schedule.state === "finished") return { kind: "state_conflict", schedule };
    const change = pause(schedule, { ...wish, because: "paused" }, scheduleFactsNow(engine));
    if ((await commitSchedule(engine, change)) === "committed") return { kind: "changed", schedule: change.to };
  }
}

/** Of an active one it changes nothing. */
export async function resumeSchedule(engine: Engine, { tenant, id }: ScheduleRef, recover: Recovery): Promise<PauseAnswer> {
  for (;;) {
    const schedule = await settled(engine, { tenant, id });
    if (schedule === undefined) return { kind: "not_found" };
    if (schedule.state === "active") return { kind: "changed", schedule };
    if (schedule.state === "finished") return { kind: "state_conflict", schedule };
    const agenda = await agendaOf(engine, schedule);
    if (typeof agenda === "string") return { kind: "unreadable", message: agenda };
    const facts = scheduleFactsNow(engine);
    const change = resume(schedule, { recover, before: facts.now, agenda, by: "caller" }, facts);
    if ((await commitSchedule(engine, change)) === "committed") return { kind: "changed", schedule: change.to };
  }
}
