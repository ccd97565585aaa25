/**
 * The plan of the ticks in the table: one item, changed by single conditional writes. What is wanted, what the base tick goes by, who
 * carries it out now, and when each range's tick last came.
 */

import type { PlanChange, TickPlan, TickPlans } from "../../core/tickPlan.ts";
import { toEpochMs } from "../../core/time.ts";
import { houseKeys } from "../keys.ts";
import { planDone, planFree, planHeldBy, wantedSince } from "./conditions.ts";
import type { Item, Table } from "./table.ts";

const key = { pk: houseKeys.ticks, sk: "plan" };

/** `t0`, `t1`, …: an attribute for each range, so that a tick signs in without reading. */
const tickedAtName = /^t(\d+)$/;

/** `shards`: of this deploy. The plan has more where an earlier one did, and they are not given up yet. */
export function dynamoTickPlans(table: Pick<Table, "get" | "update">, shards: number): TickPlans {
  const read = async () => planOf((await table.get(key)) ?? {}, shards);
  return {
    read,
    async write(change, seen) {
      const written = await table.update(key, { set: wantedItem(change), add: { changes: 1 } }, wantedSince(seen.changes));
      return written === "refused" ? "stale" : "written";
    },
    async signIn(range, now) {
      const item = await table.update(key, { set: { [`t${range}`]: now } });
      if (item === "refused") throw new Error("expected a tick to sign in under no condition, and it was refused");
      return planOf(item, shards);
    },
    async hold(holder, { now, until }) {
      const item = await table.update(key, { set: { holder, heldUntil: until } }, planFree(holder, now));
      return item === "refused" ? "held" : planOf(item, shards);
    },
    async setRanges(ranges, holder, now) {
      return (await table.update(key, { set: { ranges, rangesAt: now } }, planHeldBy(holder))) === "refused" ? "lost" : "set";
    },
    async release(holder, seen) {
      const released = await table.update(key, { set: { heldUntil: 0 }, remove: ["holder"] }, planDone(holder, seen.changes));
      if (released !== "refused") return "released";
      // Ours no longer: its reply was lost, or another took it over.
      const item = await table.get(key);
      return item?.["holder"] === holder ? "changed" : "released";
    },
  };
}

function wantedItem({ wantedRanges, paused, shards, deployed }: PlanChange): Item {
  return {
    ...(wantedRanges !== undefined && { wantedRanges }),
    ...(paused !== undefined && { paused }),
    ...(shards !== undefined && { shards }),
    ...(deployed && {
      ...{ deployedRanges: deployed.ranges, deployedShards: deployed.shards, deployedAt: deployed.at },
      previousShards: deployed.previousShards,
    }),
    // Of a stack that is taken down: the next deploy is a first one.
    ...(deployed === null && { deployedRanges: 0 }),
  };
}

function planOf(item: Item, shards: number): TickPlan {
  const count = (name: string) => (typeof item[name] === "number" ? item[name] : undefined);
  const at = (name: string) => toEpochMs(count(name) ?? 0);
  const deployedRanges = count("deployedRanges") ?? 0;
  const deployedShards = count("deployedShards") ?? shards;
  const previousShards = count("previousShards") ?? deployedShards;
  return {
    wantedRanges: count("wantedRanges") ?? 1,
    paused: item["paused"] === true,
    ranges: count("ranges") ?? 1,
    rangesAt: count("rangesAt") === undefined ? null : at("rangesAt"),
    shards: Math.max(count("shards") ?? 0, shards),
    deployed: deployedRanges === 0 ? null : { ranges: deployedRanges, shards: deployedShards, previousShards, at: at("deployedAt") },
    changes: count("changes") ?? 0,
    tickedAt: Object.fromEntries(
      Object.entries(item).flatMap(([name, at]) => {
        const [, range] = tickedAtName.exec(name) ?? [];
        return range === undefined || typeof at !== "number" ? [] : [[range, toEpochMs(at)]];
      }),
    ),
  };
}
