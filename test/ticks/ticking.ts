/** What `reconcile` works on, in this process: a plan, a Scheduler that can fail, a clock turned by hand, and who looks after which shard. */

import type { TickPlan } from "../../src/core/tickPlan.ts";
import type { Store } from "../../src/engine/ports.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Ticking } from "../../src/ticks/reconcile.ts";
import { createScheduler } from "../../src/ticks/scheduler.ts";
import { startAt } from "../builders.ts";
import { createVirtualClock, type VirtualClock } from "../engine/virtualClock.ts";
import { createFakeScheduler, type FakeScheduler } from "./fakeScheduler.ts";
import { memoryTickPlans } from "./memoryTickPlans.ts";

export const group = "onthedot-test";
export const target = {
  arn: "arn:aws:lambda:eu-central-1:111122223333:function:onthedot-test-dispatcher",
  roleArn: "arn:aws:iam::111122223333:role/onthedot-test-tick",
  deadLetterArn: "arn:aws:sqs:eu-central-1:111122223333:onthedot-test-tick-dead",
};

export const runMsMax = 120_000;

export type Opened = {
  readonly ticking: Ticking & { readonly clock: VirtualClock; readonly store: Store };
  readonly fake: FakeScheduler;
  plan(): Promise<TickPlan>;
  /** Says what is wanted, as a deploy or a person does. */
  want(change: Parameters<Ticking["plans"]["write"]>[0]): Promise<void>;
  /** The shards that no enabled tick of the Scheduler, nor the base tick, looks after. */
  uncovered(): Promise<number[]>;
  /** What was changed in the Scheduler so far. */
  changes(): string[];
};

export function openTicking(shards = 12): Opened {
  const fake = createFakeScheduler({ group });
  const clock = createVirtualClock(startAt);
  const plans = memoryTickPlans(shards);
  let drawn = 0;
  const ticking = {
    ...{ plans, group, target, clock, runMsMax },
    scheduler: createScheduler(fake.client),
    holder: () => `run-${++drawn}`,
    store: memoryStore({ now: clock.now, shards }),
  };
  return {
    ticking,
    fake,
    plan: () => plans.read(),
    async want(change) {
      await plans.write(change, await plans.read());
    },
    async uncovered() {
      const plan = await plans.read();
      const ticks = [...fake.kept.values()].flatMap(({ State, Target }) => {
        const said = State === "ENABLED" && Target?.Arn === target.arn ? JSON.parse(Target.Input ?? "{}") : {};
        return typeof said.of === "number" ? [said as { range: number; of: number }] : [];
      });
      const all = Array.from({ length: plan.shards }, (_, shard) => shard);
      return all.filter((shard) => shard % plan.ranges !== 0 && !ticks.some(({ range, of }) => shard % of === range));
    },
    changes: () => fake.asked.filter(({ action }) => !/^(?:List|Get)/.test(action)).map(({ action, name }) => `${action} ${name}`),
  };
}
