/**
 * The plan of the ticks: over how many ranges the wheel's shards are spread, and the way from what stands to what is wanted. Range 0
 * is ticked by the base tick, which is always there and goes by the plan; each further range by a tick of its own, which says itself
 * which shards are its. The way never leaves a shard without a tick, wherever it is broken off.
 */

import { type EpochMs, hourMs, later, minuteMs } from "./time.ts";

export type TickPlan = {
  /** How many ranges there are to be, 1 … shards. Changed by a deploy or by hand, carried out by `reconcile`. */
  readonly wantedRanges: number;
  /** Ticks come, and their turns return at once. */
  readonly paused: boolean;
  /** What the base tick goes by now: it looks after every `ranges`-th shard. More than 1 only while all further ticks stand. */
  readonly ranges: number;
  /** Since when; null: nobody changed it yet. */
  readonly rangesAt: EpochMs | null;
  /** Shards on which anything may stand: so many are looked after. */
  readonly shards: number;
  /** What the last deploy asked for; null before the first. */
  readonly deployed: Deployed | null;
  /** Raised by every change of what is wanted: whoever writes says which state it saw. */
  readonly changes: number;
  /** When each range's last tick signed in. */
  readonly tickedAt: Readonly<Record<number, EpochMs>>;
};

/** `previousShards`: of the deploy before, which a rollback asks for again; its own where there was none. */
export type Deployed = DeployAsk & { readonly previousShards: number; readonly at: EpochMs };

/** A change of what is wanted. */
export type PlanChange = Partial<Pick<TickPlan, "wantedRanges" | "paused" | "shards" | "deployed">>;

/** Where the plan is kept. Nothing here is on the way of a job. */
export type TickPlans = {
  /** Consistent. Before anything was written: one range, not paused. */
  read(): Promise<TickPlan>;
  /** Writes where nothing else was wanted since `seen`; "stale": something was, and nothing was written. */
  write(change: PlanChange, seen: TickPlan): Promise<"written" | "stale">;
  /** One write, which needs no right to read: the tick of a range has come. Answers the plan. */
  signIn(range: number, now: EpochMs): Promise<TickPlan>;
  /** Makes `holder` the only one that carries the plan out, until the instant. "held": another does. */
  hold(holder: string, at: { readonly now: EpochMs; readonly until: EpochMs }): Promise<TickPlan | "held">;
  /** What the base tick goes by from `now` on. "lost": the holder's time is over. */
  setRanges(ranges: number, holder: string, now: EpochMs): Promise<"set" | "lost">;
  /** "changed": something else was wanted since `seen`, and the holder still holds. */
  release(holder: string, seen: TickPlan): Promise<"released" | "changed">;
};

/** The tick of a range: its number, and over how many ranges the shards are spread. */
export type TickRange = { readonly range: number; readonly of: number };

/** The shards that a tick looks after; none where there are more ranges than shards. */
export function shardsOf({ range, of }: TickRange, shards: number): readonly number[] {
  const count = Math.max(0, Math.ceil((shards - range) / of));
  return Array.from({ length: count }, (_, index) => range + index * of);
}

/** A further tick as it is to stand. */
export type FurtherTick = TickRange & { readonly enabled: boolean };

/** A further tick as it stands. */
export type StandingTick = {
  readonly range: number;
  /** Null where what it would say cannot be read. */
  readonly of: number | null;
  readonly enabled: boolean;
  /** All else about it is as it must be: when it comes, to whom, by which right. */
  readonly intact: boolean;
};

export type Step =
  | { readonly kind: "ranges"; readonly ranges: number }
  | { readonly kind: "create" | "update"; readonly tick: FurtherTick }
  | { readonly kind: "delete"; readonly range: number };

/**
 * The steps from what stands to what is wanted, in their order; none where all is well. Before anything is taken from a further tick,
 * the base tick takes over all shards, and it gives them up only when all further ticks stand. While paused they stand disabled.
 */
export function stepsTo(plan: Pick<TickPlan, "wantedRanges" | "paused" | "ranges">, standing: readonly StandingTick[]): readonly Step[] {
  const ranges = plan.paused ? 1 : plan.wantedRanges;
  const wanted = furtherTicks(plan.wantedRanges, !plan.paused);
  const changes = wanted.flatMap((tick) => changeTo(tick, standing));
  const isOver = plan.ranges > 1 && (plan.ranges !== ranges || changes.length > 0);
  const from = isOver ? 1 : plan.ranges;
  return [
    ...(isOver ? [{ kind: "ranges" as const, ranges: 1 }] : []),
    ...changes,
    ...(from === ranges ? [] : [{ kind: "ranges" as const, ranges }]),
    ...standing.filter(({ range }) => range >= plan.wantedRanges).map(({ range }) => ({ kind: "delete" as const, range })),
  ];
}

function furtherTicks(of: number, enabled: boolean): readonly FurtherTick[] {
  return Array.from({ length: of - 1 }, (_, index) => ({ range: index + 1, of, enabled }));
}

function changeTo(tick: FurtherTick, standing: readonly StandingTick[]): readonly Step[] {
  const found = standing.find(({ range }) => range === tick.range);
  if (found === undefined) return [{ kind: "create", tick }];
  return found.intact && found.of === tick.of && found.enabled === tick.enabled ? [] : [{ kind: "update", tick }];
}

/** What is wrong with a number of ranges, or undefined: a range without a shard would be a tick for nothing. */
export function wrongRanges(ranges: number, shards: number): string | undefined {
  if (Number.isSafeInteger(ranges) && ranges >= 1 && ranges <= shards) return undefined;
  return `expected ranges from 1 to ${shards}, the number of shards, got ${ranges}`;
}

/** What stands on one shard. */
export type ShardLoad = {
  readonly shard: number;
  readonly count: number;
  /** There is more than was counted. */
  readonly hasMore: boolean;
};

export type DeployAsk = { readonly ranges: number; readonly shards: number };

/**
 * What a deploy makes of the plan. Its ranges count only where they are others than those of the deploy before: a plain deploy leaves
 * what was resized by hand. Shards are given up only when nothing stands on them (`loads`: those that would go and are not empty), and
 * looked after for a while longer, for a function of the deploy before may still be running. A rollback is not refused, or the stack
 * would be stuck between two deploys: what stands on the shards of the one that failed is looked after until it has gone.
 */
export function planDeploy(
  plan: TickPlan,
  ask: DeployAsk,
  { now, loads }: { readonly now: EpochMs; readonly loads: readonly ShardLoad[] },
): { readonly kind: "planned"; readonly change: PlanChange } | { readonly kind: "refused"; readonly reason: string } {
  const wrong = wrongRanges(ask.ranges, ask.shards);
  if (wrong !== undefined) return { kind: "refused", reason: `${wrong}; deploy with other ranges, or with more shards` };
  if (ask.shards < plan.shards && loads.length > 0 && !isGivenUp(plan.deployed, ask, now))
    return { kind: "refused", reason: tooFewShards(plan.shards, ask.shards, loads) };
  const isAsked = ask.ranges !== plan.deployed?.ranges;
  return {
    kind: "planned",
    change: {
      wantedRanges: Math.min(isAsked ? ask.ranges : plan.wantedRanges, ask.shards),
      shards: Math.max(plan.shards, ask.shards),
      deployed: { ...ask, previousShards: previousOf(plan.deployed, ask, now), at: now },
    },
  };
}

/** A deploy that fails does so within it, and so does its rollback. */
const rollbackMsMax = hourMs;

/** Whether the shards that would go are given up already, or by a rollback. */
function isGivenUp(deployed: Deployed | null, ask: DeployAsk, now: EpochMs): boolean {
  return deployed !== null && (ask.shards >= deployed.shards || ask.shards === previousOf(deployed, deployed, now));
}

/** A request of CloudFormation may come twice, so the same shards again are no deploy after, unless it is one of another day. */
function previousOf(deployed: Deployed | null, ask: DeployAsk, now: EpochMs): number {
  if (deployed === null) return ask.shards;
  const isSame = ask.shards === deployed.shards && now < later(deployed.at, rollbackMsMax);
  return isSame ? deployed.previousShards : deployed.shards;
}

/** More shards in one sentence help nobody. */
const loadsShown = 5;

function tooFewShards(inUse: number, asked: number, loads: readonly ShardLoad[]): string {
  const shown = loads
    .slice(0, loadsShown)
    .map(({ shard, count, hasMore }) => `shard ${shard} holds ${hasMore ? "more than " : ""}${count}`);
  const others = loads.length - shown.length;
  const rest = others > 0 ? ` and ${others} more ${others === 1 ? "shard is" : "shards are"} not empty` : "";
  return (
    `expected at least the ${inUse} shards in use, got ${asked}: jobs that are not ended stand on those that would go ` +
    `(${shown.join(", ")}${rest}); deploy with ${inUse} shards, or wait until those jobs have ended, or cancel them`
  );
}

/** The longest that a function of the deploy before can still run and write, and a minute for the index to show it. */
const settlingMs = 16 * minuteMs;

/** Whether shards that a deploy gave up need looking after no longer, if still nothing stands on them. */
export function hasSettled({ shards, deployed }: TickPlan, now: EpochMs): boolean {
  return deployed !== null && deployed.shards < shards && now >= later(deployed.at, settlingMs);
}

/** So many ticks of a range may be missed before that is told. */
const ticksMissedMax = 3;

/** The ranges in effect whose ticks stay away. None while paused, nor before a tick had time to come since the ranges were changed. */
export function lateRanges(
  { paused, ranges, rangesAt, tickedAt }: TickPlan,
  { now, tickMs }: { readonly now: EpochMs; readonly tickMs: number },
): readonly number[] {
  const isLate = (range: number) => {
    const waitedFrom = Math.max(tickedAt[range] ?? 0, rangesAt ?? 0);
    // Neither is known where the stack is new, and its first tick is on its way.
    return waitedFrom > 0 && now - waitedFrom > ticksMissedMax * tickMs;
  };
  return paused ? [] : Array.from({ length: ranges }, (_, range) => range).filter(isLate);
}

export type TickStatus = {
  readonly range: number;
  /** How many shards it looks after. */
  readonly shards: number;
  readonly lastTickAt: EpochMs | null;
  /** Its tick comes as planned. */
  readonly scheduled: boolean;
};

/**
 * Each range that is wanted or in effect. A further tick is known to stand while the base tick goes by it; until then, and while
 * paused, the base tick looks after all shards.
 */
export function statusOf({ ranges, wantedRanges, shards, tickedAt }: TickPlan): readonly TickStatus[] {
  return Array.from({ length: Math.max(ranges, wantedRanges) }, (_, range) => ({
    range,
    shards: range < ranges ? shardsOf({ range, of: ranges }, shards).length : 0,
    lastTickAt: tickedAt[range] ?? null,
    scheduled: range < ranges,
  }));
}
