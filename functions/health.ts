/** Whether the AWS home does its work: the table answers, the clocks agree, and ticks come. */

import type { HealthReport } from "../src/api/answers.ts";
import { lateRanges, type TickPlan, type TickPlans } from "../src/core/tickPlan.ts";
import { type EpochMs, formatDuration, secondMs } from "../src/core/time.ts";
import { OutageError } from "../src/engine/ports.ts";
import type { SkewWatch } from "../src/store/dynamo/skew.ts";

type Parts = {
  readonly plans: Pick<TickPlans, "read">;
  readonly skew: Pick<SkewWatch, "refusal">;
  readonly now: () => EpochMs;
  readonly tickMs: number;
};

/** How late the oldest call is, and how many wait, nobody knows without reading the whole wheel: the dispatcher's metrics tell. */
const wheel = { behindMs: null, waiting: null, running: null };

export function createHealth({ plans, skew, now, tickMs }: Parts): () => Promise<HealthReport> {
  return async () => {
    const plan = await readPlan(plans);
    const store = typeof plan === "string" ? plan : "ok";
    const clock = skew.refusal() ?? (typeof plan === "string" ? "ok" : tickCheck(plan, now(), tickMs));
    return { status: store === "ok" && clock === "ok" ? "ok" : "failing", checks: { store, clock, wheel } };
  };
}

async function readPlan(plans: Pick<TickPlans, "read">): Promise<TickPlan | string> {
  try {
    return await plans.read();
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    return cause.message;
  }
}

function tickCheck(plan: TickPlan, now: EpochMs, tickMs: number): string {
  if (plan.paused) return "ticks are paused, so that what is not hinted yet is not called; resume them with onthedot ticks resume";
  if (plan.tickedAt[0] === undefined) return "no tick has come yet; the first comes within a minute of the deploy";
  const [late] = lateRanges(plan, { now, tickMs });
  if (late === undefined) return "ok";
  const which = plan.ranges === 1 ? "" : ` of range ${late}`;
  const tickedAt = plan.tickedAt[late];
  if (tickedAt === undefined) return `no tick${which} has come yet`;
  return `the last tick${which} came ${formatDuration(Math.floor((now - tickedAt) / secondMs) * secondMs)} ago`;
}
