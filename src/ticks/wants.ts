/** What may be wanted of the ticks, and by whom: a person (more or fewer ranges, a pause), a deploy, and the end of a stack. */

import { type DeployAsk, type PlanChange, planDeploy, type TickPlan, type TickPlans, wrongRanges } from "../core/tickPlan.ts";
import { type Clock, OutageError, type Store } from "../engine/ports.ts";
import { loadsOf } from "./loads.ts";

/** Somebody else wanted something at the same time. More often is no coincidence. */
const triesMax = 10;

type Decided<Refusal> = { readonly kind: "planned"; readonly change: PlanChange } | ({ readonly kind: "refused" } & Refusal);
type Wanted<Refusal> = { readonly kind: "wanted" } | ({ readonly kind: "refused" } & Refusal);

/** Decides on the plan as it stands, and anew when it has changed meanwhile. */
async function want<Refusal>(plans: TickPlans, decide: (plan: TickPlan) => Promise<Decided<Refusal>>): Promise<Wanted<Refusal>> {
  for (let tries = 0; tries < triesMax; tries++) {
    const plan = await plans.read();
    const decided = await decide(plan);
    if (decided.kind === "refused") return decided;
    if ((await plans.write(decided.change, plan)) === "written") return { kind: "wanted" };
  }
  throw new OutageError(`expected the plan of the ticks to stand still, and it changed ${triesMax} times meanwhile`);
}

/** `message`: what is wrong with the ranges. What is left out stays. */
export function wantByHand(
  plans: TickPlans,
  asked: { readonly ranges?: number; readonly paused?: boolean },
): Promise<Wanted<{ readonly message: string }>> {
  const { ranges, paused } = asked;
  return want<{ readonly message: string }>(plans, async ({ shards }) => {
    const message = ranges === undefined ? undefined : wrongRanges(ranges, shards);
    if (message !== undefined) return { kind: "refused", message };
    return { kind: "planned", change: { ...(ranges !== undefined && { wantedRanges: ranges }), ...(paused !== undefined && { paused }) } };
  });
}

/** `reason`: for the one who deploys. */
export function wantByDeploy(
  { plans, store, clock }: { readonly plans: TickPlans; readonly store: Pick<Store, "wheel">; readonly clock: Clock },
  ask: DeployAsk,
): Promise<Wanted<{ readonly reason: string }>> {
  return want<{ readonly reason: string }>(plans, async (plan) => {
    const loads = await loadsOf(store, ask.shards, plan.shards);
    return planDeploy(plan, ask, { now: clock.now(), loads });
  });
}

/** The stack is taken down: no further tick may stand, or its group could not go. A stack made on the same table is a first one. */
export async function wantNothing(plans: TickPlans): Promise<void> {
  await want<unknown>(plans, async () => ({ kind: "planned", change: { wantedRanges: 1, deployed: null } }));
}
