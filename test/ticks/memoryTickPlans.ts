/** The plan of the ticks in a variable. The tests of the store hold it against DynamoDB. */

import type { TickPlan, TickPlans } from "../../src/core/tickPlan.ts";
import type { EpochMs } from "../../src/core/time.ts";

export function memoryTickPlans(shards = 64): TickPlans {
  let plan: TickPlan = { wantedRanges: 1, paused: false, ranges: 1, rangesAt: null, shards: 0, deployed: null, changes: 0, tickedAt: {} };
  let held: { readonly holder: string; readonly until: EpochMs } | undefined;
  const read = (): TickPlan => ({ ...plan, shards: Math.max(plan.shards, shards) });
  return {
    async read() {
      return read();
    },
    async write(change, seen) {
      if (seen.changes !== plan.changes) return "stale";
      plan = { ...plan, ...change, changes: plan.changes + 1 };
      return "written";
    },
    async signIn(range, now) {
      plan = { ...plan, tickedAt: { ...plan.tickedAt, [range]: now } };
      return read();
    },
    async hold(holder, { now, until }) {
      if (held !== undefined && held.holder !== holder && held.until > now) return "held";
      held = { holder, until };
      return read();
    },
    async setRanges(ranges, holder, now) {
      if (held?.holder !== holder) return "lost";
      plan = { ...plan, ranges, rangesAt: now };
      return "set";
    },
    async release(holder, seen) {
      if (held?.holder !== holder) return "released";
      if (seen.changes !== plan.changes) return "changed";
      held = undefined;
      return "released";
    },
  };
}
