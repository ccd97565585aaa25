/**
 * A model of EventBridge Scheduler: a base tick each minute that nobody changes, further ticks for further ranges of shards, made and
 * removed by the real `reconcile` while they come, and every way in which a tick can come wrong: lost, doubled, late by seconds or hours.
 */

import { reconcileTimeoutMs } from "../../src/core/invocation.ts";
import { shardsOf, type TickRange } from "../../src/core/tickPlan.ts";
import { type EpochMs, later, minuteMs, secondMs, toEpochMs } from "../../src/core/time.ts";
import { houseKeys } from "../../src/store/keys.ts";
import type { Schedule, Scheduler } from "../../src/ticks/scheduler.ts";
import { callThrough, type Manner } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Dynamo } from "./table.ts";
import { isWithin } from "./weather.ts";
import type { World } from "./world.ts";

/** What a tick says. The base tick says nothing of how many ranges there are. */
export type Tick = Pick<TickRange, "range"> & Partial<TickRange>;

export type Platform = {
  readonly world: World;
  readonly dynamo: Dynamo;
  start(kind: string, timeoutMs: number): Process;
  /** Starts a dispatcher. `isGood`: nothing may befall it of its own. */
  dispatch(tick: Tick, isGood: boolean): Promise<void>;
};

const baseTick: Tick = { range: 0 };
const planKey = { pk: houseKeys.ticks, sk: "plan" };
const target = { arn: "dispatcher", roleArn: "role", deadLetterArn: null };

export function openTicks(platform: Platform): void {
  const { world, dynamo, start, dispatch } = platform;
  const { weather } = world;
  const { ticks } = weather;
  const dice = world.dice.fork("ticks");
  const schedules = new Map<string, Schedule>();
  const horizonMs = world.params.lookaheadMs + 2 * minuteMs;
  const baseOf = () => Number(dynamo.standing(planKey)?.["ranges"]);
  const lostInRow = new Map<number, number>();
  const restAfterBad = new Map<number, number>();
  const plansOf = (process: Process) => world.code.dynamoTickPlans(dynamo.tableFor(process), world.params.shards);

  let further: readonly Tick[] = [];

  function noteTicks(): void {
    further = [...schedules.values()].flatMap(({ isEnabled, target: { input } }) => (isEnabled ? [JSON.parse(input ?? "") as Tick] : []));
    world.note({ kind: "ticks", baseOf: baseOf(), further });
  }

  async function tickForEver(): Promise<void> {
    for (;;) {
      await nextTick();
      for (const tick of [baseTick, ...further]) if (mayFind(tick)) deliver(tick);
    }
  }

  /** Turns over ranges where nothing is near would only cost real time. Some are made all the same. */
  function mayFind({ range, of = baseOf() }: Tick): boolean {
    const next = world.truth.nextWakeAt(shardsOf({ range, of }, world.params.shards));
    return (next !== undefined && next <= later(world.clock.now(), horizonMs)) || dice.happens(0.05);
  }

  function deliver(tick: Tick): void {
    const isRough = world.isRough();
    const lostBefore = lostInRow.get(tick.range) ?? 0;
    const isLost = isRough && (isWithin(ticks.out, world.clock.now()) || (lostBefore < ticks.lostMax && dice.happens(ticks.lost)));
    lostInRow.set(tick.range, isLost ? lostBefore + 1 : 0);
    // After a bad turn a good one, where all is to be on time.
    const rest = restAfterBad.get(tick.range) ?? 0;
    const isBad = isRough && !isLost && rest === 0 && dice.happens(weather.turns.bad);
    restAfterBad.set(tick.range, isBad && weather.punctual ? 1 : Math.max(0, rest - 1));
    if (isRough && dice.happens(ticks.hoursLate)) void dispatchLate(tick, dice.whole(1, 300) * minuteMs, true);
    if (isLost) return;
    void dispatchLate(tick, isRough ? dice.whole(0, ticks.lateMsMax) : 0, !isBad);
    if (isRough && dice.happens(ticks.doubled)) void dispatchLate(tick, dice.whole(0, 90) * secondMs, !isBad);
  }

  async function dispatchLate(tick: Tick, lateMs: number, isGood: boolean): Promise<void> {
    if (lateMs > 0) await world.clock.until(later(world.clock.now(), lateMs));
    await dispatch(tick, isGood);
  }

  /** The next whole minute at which a turn could find anything: a turn over an empty look-ahead would only cost real time. */
  async function nextTick(): Promise<void> {
    const shards = Array.from({ length: world.params.shards }, (_, shard) => shard);
    do {
      await world.clock.until(nextMinute(world.clock.now()));
      const next = world.truth.nextWakeAt(shards);
      if (next === undefined) await world.truth.changed();
      else if (next > world.clock.now() + horizonMs)
        await Promise.race([world.clock.until(later(next, -horizonMs)), world.truth.changed()]);
      else return;
    } while (!dice.happens(0.05));
  }

  function schedulerFor(process: Process): Scheduler {
    const manner = (kind: Manner["kind"]): Manner => ({ kind, latencyMsMax: 200, outlivesProcess: true, isOut: () => false });
    const read = <T>(effect: () => T) => callThrough(world, process, manner("read"), async () => effect());
    const write = (effect: () => void) =>
      callThrough(world, process, manner("write"), async () => {
        effect();
        noteTicks();
      });
    return {
      list: (_, prefix) => read(() => [...schedules.keys()].filter((name) => name.startsWith(prefix))),
      get: (_, name) => read(() => schedules.get(name)),
      put: (_, schedule) => write(() => void schedules.set(schedule.name, schedule)),
      delete: (_, name) => write(() => void schedules.delete(name)),
    };
  }

  /** Whether the plan was carried out. */
  async function reconcileOnce(): Promise<boolean> {
    const process = start("reconcile", reconcileTimeoutMs);
    const ticking = {
      ...{ plans: plansOf(process), scheduler: schedulerFor(process), group: "ticks", target, clock: process.clock },
      ...{ holder: () => process.name, runMsMax: reconcileTimeoutMs, store: dynamo.storeFor(process) },
    };
    const bounds = { patienceMs: 10 * secondMs, endsAt: later(process.clock.now(), reconcileTimeoutMs - 10 * secondMs) };
    return attend(process, async () => (await world.code.reconcile(ticking, bounds)).kind === "reconciled");
  }

  /** Writes what is wanted, as the API does, and has it carried out: at once, and where that fails, when `reconcile` comes next. */
  async function change({ at, ...wanted }: World["weather"]["ticks"]["changes"][number]): Promise<void> {
    await world.clock.until(at);
    const isLast = !world.isRough();
    while (!(await want(wanted))) {
      await world.clock.until(later(world.clock.now(), dice.whole(1, 60) * secondMs));
      // Whoever could not say what he wanted until now must not overrule the last word.
      if (!isLast && !world.isRough()) return;
    }
    while (!(await reconcileOnce())) await world.clock.until(later(world.clock.now(), dice.whole(1, 60) * minuteMs));
  }

  async function want(wanted: { wantedRanges?: number; paused?: boolean }): Promise<boolean> {
    const process = start("api", minuteMs);
    const plans = plansOf(process);
    return attend(process, async () => (await plans.write(wanted, await plans.read())) === "written");
  }

  /** False where the process failed or died of it. */
  function attend(process: Process, act: () => Promise<boolean>): Promise<boolean> {
    return new Promise((resolve) => {
      process.onEnd(() => resolve(false));
      act().then(
        (done) => {
          resolve(done);
          void process.die("done");
        },
        (error: unknown) => {
          if (!(error instanceof world.code.OutageError)) world.note({ kind: "threw", by: process.name, error: String(error) });
          void process.die("done");
        },
      );
    });
  }

  async function open(): Promise<void> {
    // As a deploy leaves them: nothing has run yet, and nothing goes wrong.
    for (let range = 1; range < ticks.rangesAtFirst; range++)
      schedules.set(`range-${range}`, furtherSchedule({ range, of: ticks.rangesAtFirst }));
    dynamo.setUp({ ...planKey, wantedRanges: ticks.rangesAtFirst, ranges: ticks.rangesAtFirst });
    noteTicks();
    dynamo.onUpdate("ranges", noteTicks);
    for (const wanted of ticks.changes) void change(wanted);
    void change({ at: toEpochMs(weather.faultsUntil), paused: false });
    await tickForEver();
  }

  void open();
}

function furtherSchedule(tick: TickRange): Schedule {
  return {
    ...{ name: `range-${tick.range}`, expression: "cron(* * * * ? *)", timezone: "UTC", isEnabled: true },
    target: { ...target, input: JSON.stringify({ range: tick.range, of: tick.of }), retry: { ageSecondsMax: 60, attemptsMax: 2 } },
  };
}

function nextMinute(now: EpochMs): EpochMs {
  return later(now, minuteMs - (now % minuteMs));
}
