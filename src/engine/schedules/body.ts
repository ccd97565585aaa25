/** The body of a schedule's jobs, where it is too large for the item: kept beside it, and written anew long before its time is over. */

import { type ScheduleSpec, type Standing, scheduleBounds } from "../../core/schedule.ts";
import { later } from "../../core/time.ts";
import type { Engine } from "../engine.ts";
import { keepBody, readBody } from "../payload.ts";

export async function renewedSpec(engine: Engine, { tenant, id, spec }: Pick<Standing, "tenant" | "id" | "spec">): Promise<ScheduleSpec> {
  const { body } = spec.job;
  const { bodyKeptMs } = scheduleBounds;
  const now = engine.clock.now();
  if (body?.kept !== "beside" || body.keptUntil - now > bodyKeptMs / 2) return spec;
  const bytes = await readBody(engine, { tenant, id, body });
  if (bytes === null || bytes === "gone") return spec;
  const renewed = await keepBody(engine, { tenant, id }, { contentType: body.contentType, bytes }, later(now, bodyKeptMs));
  return { ...spec, job: { ...spec.job, body: renewed } };
}
