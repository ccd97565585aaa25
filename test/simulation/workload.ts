/** What the clients of one seed do: some forty jobs, and whatever is done to them while they wait, run and end. */

import type { JobId } from "../../src/core/ids.ts";
import { type Priority, priorities } from "../../src/core/job.ts";
import type { RetryPolicy } from "../../src/core/retry.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { type EpochMs, hourMs, later, minuteMs, secondMs, toEpochMs } from "../../src/core/time.ts";
import type { Dice } from "./chance.ts";
import type { Asked, Clients, Told } from "./clients.ts";
import type { World } from "./world.ts";

type Create = Extract<Asked, { what: "create" }>;

/** Sets the clients to work, from now over the span. */
export function startWorkload(world: World, clients: Clients, spanMs: number): void {
  const dice = world.dice.fork("workload");
  const startAt = world.clock.now();
  const crowdAt = drawCrowdAt(dice, later(startAt, dice.whole(0, spanMs)));
  const { overload } = world.weather;
  const count = overload ? 60 : dice.whole(25, 45);
  // Ten times what the house can call at once. Named one by one by their makers, or many at a time by a turn.
  const floodAt = later(startAt, dice.pick([30 * secondMs, 10 * minuteMs]));
  for (let index = 0; index < count; index++) {
    const label = `j${index}`;
    const own = world.dice.fork(`workload/${label}`);
    const bornAt = later(startAt, overload ? own.whole(0, 20 * secondMs) : own.whole(0, spanMs));
    const dueAt = overload
      ? later(floodAt, own.whole(0, 3 * secondMs))
      : drawDueAt(world, own, bornAt, { crowdAt, endAt: later(startAt, spanMs) });
    void live(world, clients, own, { bornAt, create: drawCreate(world, own, label, dueAt) });
  }
}

/**
 * Any time, or such that a turn comes when the platform ends those who were woken for it, whose timeout is 45 seconds or 3 minutes: whether
 * a lease holds to the last moment is seen only where someone looks then.
 */
function drawCrowdAt(dice: Dice, at: EpochMs): EpochMs {
  const secondsMs = dice.pick([1, 16]) * secondMs + dice.whole(500, 2_500);
  return dice.happens(0.3) ? at : toEpochMs(at - (at % minuteMs) + secondsMs);
}

/** The life of one job, as its clients see it. */
async function live(world: World, clients: Clients, dice: Dice, plan: { bornAt: EpochMs; create: Create }): Promise<void> {
  await world.clock.until(plan.bornAt);
  const rivals = plan.create.key === null ? 0 : dice.pick([0, 0, 1, 2]);
  for (let rival = 0; rival < rivals; rival++) void compete(world, clients, dice.fork(`rival${rival}`), plan.create);
  const told = await createAtLast(world, clients, dice, plan.create);
  if (told.job === undefined || world.weather.overload) return;
  const job = told.job;
  const edits = dice.pick([0, 0, 0, 1, 2, 3]);
  // What comes while an executor sleeps is what it must find when it wakes.
  const cancels = world.weather.sleepBeforeByte > 0.1 ? dice.pick([0, 0, 1, 2]) : dice.pick([0, 0, 0, 0, 1, 2]);
  for (let edit = 1; edit <= edits; edit++) void editSometime(world, clients, dice.fork(`edit${edit}`), { ...plan, job, edit });
  for (let cancel = 1; cancel <= cancels; cancel++) void cancelSometime(world, clients, dice.fork(`cancel${cancel}`), { ...plan, job });
  if (dice.happens(0.15)) void replaySometime(world, clients, dice.fork("replay"), { ...plan, job });
}

/** Whoever hears nothing asks again under the same key; without one, a second try might make a second job. */
async function createAtLast(world: World, clients: Clients, dice: Dice, create: Create): Promise<Told> {
  for (let tries = 1; ; tries++) {
    const told = await clients.ask(create);
    if (told.kind !== "unavailable" || create.key === null || tries === 6) return told;
    await world.clock.until(later(world.clock.now(), dice.whole(100, 20 * secondMs)));
  }
}

/** The same key at about the same time: by the same request, or by another. */
async function compete(world: World, clients: Clients, dice: Dice, create: Create): Promise<void> {
  const content = dice.happens(0.5) ? create.content : `${create.label}/rival`;
  await world.clock.until(later(world.clock.now(), dice.pick([0, 0, dice.whole(1, 40), dice.whole(1, 600) * secondMs])));
  await createAtLast(world, clients, dice, { ...create, content });
}

type Living = { readonly bornAt: EpochMs; readonly create: Create; readonly job: JobId };

async function cancelSometime(world: World, clients: Clients, dice: Dice, { create, job }: Living): Promise<void> {
  await world.clock.until(drawMoment(world, dice, create.dueAt));
  await clients.ask({ what: "cancel", job });
}

async function editSometime(world: World, clients: Clients, dice: Dice, living: Living & { edit: number }): Promise<void> {
  const { create, job, edit } = living;
  await world.clock.until(drawMoment(world, dice, create.dueAt));
  const draw = dice.whole(1, 10);
  const now = world.clock.now();
  await clients.ask({
    what: "edit",
    job,
    ...(draw <= 6 ? { content: `${create.label}/edit${edit}`, beside: dice.happens(0.4) } : {}),
    ...(draw >= 5 && draw <= 8 ? { dueAt: later(now, dice.pick([-secondMs, 0, 300, 5 * secondMs, dice.whole(0, 20) * minuteMs])) } : {}),
    ...(draw >= 8 && draw <= 9 ? { priority: drawPriority(dice) } : {}),
    ...(draw === 10 ? { retry: drawRetry(world, dice), timeoutMs: drawTimeoutMs(dice) } : {}),
  });
}

async function replaySometime(world: World, clients: Clients, dice: Dice, { create, job }: Living): Promise<void> {
  await world.clock.until(later(create.dueAt, dice.whole(1, 20) * minuteMs));
  await clients.ask({ what: "replay", job });
}

/** Where races are: around the claim, around the first byte, while the call runs; else any time. */
function drawMoment(world: World, dice: Dice, dueAt: EpochMs): EpochMs {
  const around = [
    dice.whole(-80, 30),
    dice.whole(-80, 30),
    dice.whole(-1_500, 500),
    dice.whole(0, 10 * secondMs),
    dice.whole(-300, 300) * secondMs,
    ...(world.weather.sleepBeforeByte > 0.1 ? [dice.whole(0, 60 * secondMs)] : []),
  ];
  return toEpochMs(Math.max(world.clock.now(), dueAt + dice.pick(around)));
}

function drawDueAt(world: World, dice: Dice, bornAt: EpochMs, { crowdAt, endAt }: { crowdAt: EpochMs; endAt: EpochMs }): EpochMs {
  // Most at one instant, the others while the first are being called.
  if (dice.happens(world.weather.crowd)) return later(crowdAt, dice.pick([0, 0, dice.whole(0, 15 * secondMs)]));
  const draw = dice.whole(1, 10);
  if (draw === 1) return later(bornAt, -dice.whole(1, 3600) * secondMs);
  if (draw === 2) return bornAt;
  // Where it is decided whether its maker or a turn names it.
  if (draw === 3 || (draw <= 6 && world.weather.indexLagMsMax > 0))
    return later(bornAt, world.params.lookaheadMs + dice.whole(-5, 45) * secondMs);
  if (draw <= 5) return later(bornAt, dice.whole(0, 30 * secondMs));
  if (draw <= 8) return later(bornAt, dice.whole(0, 20 * minuteMs));
  return toEpochMs(dice.whole(bornAt, Math.max(bornAt, endAt)));
}

function drawCreate(world: World, dice: Dice, label: string, dueAt: EpochMs): Create {
  const { overload } = world.weather;
  return {
    what: "create",
    label,
    key: dice.happens(0.5) ? `key-${label}` : null,
    dueAt,
    content: `${label}/first`,
    beside: dice.happens(0.3),
    priority: overload ? dice.pick(["normal", "normal", "normal", "critical"]) : drawPriority(dice),
    timeoutMs: overload ? 10 * secondMs : drawTimeoutMs(dice),
    deadline: dice.happens(0.1) && !overload ? later(dueAt, dice.pick([0, secondMs, 5 * minuteMs])) : null,
    retry: overload ? { ...drawRetry(world, dice), maxAttempts: 6, maxAgeMs: 24 * hourMs } : drawRetry(world, dice),
  };
}

function drawPriority(dice: Dice): Priority {
  return dice.happens(0.7) ? "normal" : dice.pick(priorities);
}

function drawTimeoutMs(dice: Dice): number {
  return dice.pick([1, 5, 10, 20]) * secondMs;
}

function drawRetry(world: World, dice: Dice): RetryPolicy {
  return {
    // Among poisons, jobs live long enough to meet one twice.
    maxAttempts: dice.whole(world.weather.poison > 0.1 ? 3 : 1, 6),
    minBackoffMs: dice.pick([100, secondMs, 10 * secondMs]),
    maxBackoffMs: dice.pick([10, 60]) * secondMs,
    maxDoublings: dice.whole(0, 5),
    maxAgeMs: dice.pick([minuteMs, hourMs, 24 * hourMs, 24 * hourMs]),
    jitter: dice.happens(0.5),
    retryOn: retryDefault.retryOn,
  };
}
