/**
 * Makes the further ticks what the plan wants: looks at what stands in the Scheduler, and takes the steps. One holder at a time, for a
 * deletion on its way must not meet another's look. Whatever breaks off is taken up by the next run, and a run with nothing to do does nothing.
 */

import { limits } from "../core/limits.ts";
import { type FurtherTick, hasSettled, type StandingTick, type Step, stepsTo, type TickPlan, type TickPlans } from "../core/tickPlan.ts";
import { type EpochMs, later } from "../core/time.ts";
import { type Clock, OutageError, type Store } from "../engine/ports.ts";
import { loadsOf } from "./loads.ts";
import type { Schedule, Scheduler } from "./scheduler.ts";

export type Ticking = {
  readonly plans: TickPlans;
  readonly scheduler: Scheduler;
  /** The group that holds the ticks, and what each calls. */
  readonly group: string;
  readonly target: Pick<Schedule["target"], "arn" | "roleArn" | "deadLetterArn">;
  readonly clock: Clock;
  /** A new name for each run. */
  readonly holder: () => string;
  /** The longest that a run can last: whoever runs it ends it then. */
  readonly runMsMax: number;
  /** What stands on shards that a deploy gave up. */
  readonly store: Pick<Store, "wheel">;
};

export type Reconciled = {
  /** "busy": another run has the plan for longer than was waited; it, or the next run, carries out what is wanted. */
  readonly kind: "reconciled" | "busy";
  readonly plan: TickPlan;
  /** What was done, in order. */
  readonly steps: readonly Step[];
};

/** How often a run looks whether the other is over. */
const pollMs = 500;

/** Changes of what is wanted while a run carries out the one before. More is a caller that never rests. */
const roundsMax = 20;

export type Bounds = {
  /** How long to wait for another run. */
  readonly patienceMs: number;
  /** No step begins after it: whoever runs this is stopped soon after, and would take the rest of its steps when it is let go on. */
  readonly endsAt: EpochMs;
};

export async function reconcile(ticking: Ticking, { patienceMs, endsAt }: Bounds): Promise<Reconciled> {
  const { plans, clock } = ticking;
  const holder = ticking.holder();
  let plan = await hold(ticking, holder, patienceMs);
  if (plan === "held") return { kind: "busy", plan: await plans.read(), steps: [] };
  const steps: Step[] = [];
  // Not released when a step fails: a request without an answer may still take effect, and nobody may look until it has.
  for (let round = 0; round < roundsMax; round++) {
    for (const step of stepsTo(plan, await standingTicks(ticking))) {
      if (clock.now() >= endsAt)
        throw new OutageError("the ticks did not become as wanted in time; what was done stays, and the next run goes on");
      await take(ticking, step, holder);
      steps.push(step);
    }
    if (hasSettled(plan, clock.now())) await giveUpShards(ticking, plan);
    if ((await plans.release(holder, plan)) === "released") return { kind: "reconciled", plan: await plans.read(), steps };
    plan = await plans.read();
  }
  throw new OutageError(`expected the plan to stand still, and it changed ${roundsMax} times meanwhile`);
}

async function hold({ plans, clock, runMsMax }: Ticking, holder: string, patienceMs: number): Promise<TickPlan | "held"> {
  const until = later(clock.now(), patienceMs);
  for (;;) {
    const now = clock.now();
    const held = await plans.hold(holder, { now, until: later(now, runMsMax + limits.clockSkewMsMax) });
    if (held !== "held" || now >= until) return held;
    await clock.until(later(now, pollMs));
  }
}

async function take({ plans, scheduler, group, target, clock }: Ticking, step: Step, holder: string): Promise<void> {
  switch (step.kind) {
    case "ranges":
      if ((await plans.setRanges(step.ranges, holder, clock.now())) === "lost")
        throw new OutageError("another run took the plan over; this one took too long");
      return;
    case "create":
    case "update":
      return scheduler.put(group, scheduleOf(step.tick, target));
    case "delete":
      return scheduler.delete(group, nameOf(step.range));
    default:
      return step satisfies never;
  }
}

/** If something was wanted meanwhile, the next run gives them up. */
async function giveUpShards({ plans, store }: Ticking, plan: TickPlan): Promise<void> {
  const shards = plan.deployed?.shards ?? plan.shards;
  if ((await loadsOf(store, shards, plan.shards)).length === 0) await plans.write({ shards }, plan);
}

const namePrefix = "range-";
const nameOf = (range: number) => `${namePrefix}${range}`;

function rangeOf(name: string): number | undefined {
  const [, digits] = /^range-([1-9]\d{0,5})$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Each minute, as the base tick; one that could not be delivered within the minute is useless, for the next one has come. */
function scheduleOf({ range, of, enabled }: FurtherTick, target: Ticking["target"]): Schedule {
  return {
    name: nameOf(range),
    expression: "cron(* * * * ? *)",
    timezone: "UTC",
    isEnabled: enabled,
    target: { ...target, input: JSON.stringify({ range, of }), retry: { ageSecondsMax: 60, attemptsMax: 1 } },
  };
}

/** Looked at so many at a time: far below what the Scheduler takes in a second. */
const looksAtOnce = 10;

/** The further ticks of the group. What has another name is somebody else's, or the base tick. */
async function standingTicks({ scheduler, group, target }: Ticking): Promise<readonly StandingTick[]> {
  const ranges = (await scheduler.list(group, namePrefix)).flatMap((name) => rangeOf(name) ?? []);
  const standing: StandingTick[] = [];
  for (let from = 0; from < ranges.length; from += looksAtOnce) {
    const looks = ranges.slice(from, from + looksAtOnce).map(async (range) => {
      const schedule = await scheduler.get(group, nameOf(range));
      return schedule === undefined ? [] : [standingTick(range, schedule, target)];
    });
    standing.push(...(await Promise.all(looks)).flat());
  }
  return standing;
}

function standingTick(range: number, schedule: Schedule, target: Ticking["target"]): StandingTick {
  const { isEnabled: enabled } = schedule;
  const of = readOf(range, schedule.target.input);
  const meant = scheduleOf({ range, of: of ?? 0, enabled }, target);
  return { range, of: of ?? null, enabled, intact: of !== undefined && isSame(schedule, meant) };
}

/** By its parts, for the order of an object's fields is not its meaning. The input was read already. */
function isSame(a: Schedule, b: Schedule): boolean {
  const parts = ({ expression, timezone, target: { arn, roleArn, deadLetterArn, retry } }: Schedule) =>
    JSON.stringify([expression, timezone, arn, roleArn, deadLetterArn, retry.ageSecondsMax, retry.attemptsMax]);
  return parts(a) === parts(b);
}

/** Only what reads exactly as we write it is ours. */
function readOf(range: number, input: string | null): number | undefined {
  const [, digits] = /^\{"range":\d+,"of":([1-9]\d{0,5})\}$/.exec(input ?? "") ?? [];
  const of = Number(digits);
  return digits !== undefined && input === JSON.stringify({ range, of }) ? of : undefined;
}
