/**
 * The door of the ticks: each starts a turn over one range of shards. A tick carries no truth: the turn goes by this function's clock
 * and by the plan, so that one that is late, doubled or hours old does no harm.
 */

import type { Context } from "aws-lambda";
import * as z from "zod";
import { lateRanges, shardsOf, type TickPlans } from "../src/core/tickPlan.ts";
import { later, secondMs } from "../src/core/time.ts";
import type { Engine } from "../src/engine/engine.ts";
import { OutageError } from "../src/engine/ports.ts";
import { turn } from "../src/engine/turn.ts";
import type { SkewWatch } from "../src/store/dynamo/skew.ts";
import { dynamoTickPlans } from "../src/store/dynamo/tickPlan.ts";
import { door, readEvent } from "./door.ts";
import type { FunctionMetrics } from "./metrics.ts";
import { compose, noDeliver, openBuilding } from "./runtime.ts";
import { everywhere, readSettings } from "./settings.ts";

/** The base tick names range 0 alone; a further one says over how many ranges the shards were spread when it was made. */
const Tick = z.looseObject({ range: z.int().min(0).max(10_000), of: z.int().min(1).max(10_000).optional() });

export type DispatcherAnswer = { readonly kind: "turned" | "leased" | "paused"; readonly range: number };

/** A turn stops taking on work so long before the platform ends it, and writes how far it came. */
const closingMs = 5 * secondMs;

type Parts = {
  readonly engine: Engine;
  readonly plans: Pick<TickPlans, "signIn">;
  readonly skew: Pick<SkewWatch, "refusal">;
  readonly metrics: Pick<FunctionMetrics, "count">;
};

export function createDispatcher({ engine, plans, skew, metrics }: Parts) {
  return async (event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<DispatcherAnswer> => {
    const { range, of } = readEvent(Tick, event, 'a tick such as {"range":0}');
    const now = engine.clock.now();
    const endsAt = later(now, context.getRemainingTimeInMillis() - closingMs);
    const plan = await plans.signIn(range, now);
    const refusal = skew.refusal();
    if (refusal !== undefined) throw new OutageError(refusal);
    if (plan.paused) {
      metrics.count("Ticks");
      metrics.count("Paused");
      return { kind: "paused", range };
    }
    const late = lateRanges(plan, { now, tickMs: engine.params.tickMs });
    if (late.length > 0) metrics.count("RangesLate", late.length);
    const shards = shardsOf({ range, of: of ?? (range === 0 ? plan.ranges : plan.wantedRanges) }, plan.shards);
    const { kind } = shards.length === 0 ? { kind: "turned" as const } : await turn(engine, { range, shards }, endsAt);
    // Only now: turns that fail each minute must sound the alarm as ticks that do not come.
    metrics.count("Ticks");
    return { kind, range };
  };
}

const settings = readSettings(process.env, [...everywhere, "queueUrls"]);
const building = openBuilding<"queueUrls">(settings);
const engine = compose(building, noDeliver);
const plans = dynamoTickPlans(building.table, settings.shards);

export const handler = door(building, createDispatcher({ ...building, engine, plans }));
