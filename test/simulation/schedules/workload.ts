/** What the clients of one seed do with schedules: a few of them, and whatever is done to them around the moments at which their occurrences are taken. */

import { recoveries } from "../../../src/core/schedule.ts";
import { type EpochMs, later, minuteMs, secondMs, toEpochMs } from "../../../src/core/time.ts";
import type { Dice } from "../chance.ts";
import type { Clients, Told } from "../clients.ts";
import type { World } from "../world.ts";
import type { ScheduleAsked } from "./desk.ts";
import { followingOf } from "./rule.ts";
import { drawRule, drawWish, type Wish } from "./wish.ts";

export type ScheduleWorkload = {
  /** Whether every schedule has been closed, so that what is left comes to rest. */
  isOver(): boolean;
};

/** The share of seeds that have schedules, which cost half as much again as the jobs of theirs. */
const share = 0.4;

/** Sets the clients to work, from now over the span. When faults have ended the schedules run on for some minutes, and then they are closed. */
export function startScheduleWorkload(world: World, clients: Clients, spanMs: number): ScheduleWorkload {
  const dice = world.dice.fork("schedules");
  const isWanted = !world.weather.overload && dice.happens(share);
  const names = isWanted ? ["s0", "s1", "s2"].slice(0, dice.pick([1, 1, 2, 3])) : [];
  let open = names.length;
  for (const name of names) {
    const own = world.dice.fork(`schedule/${name}`);
    const career = { name, dice: own, bornAt: later(world.clock.now(), own.whole(0, Math.floor(spanMs * 0.7))), spanMs };
    void live(world, clients, career);
    void close(world, clients, name, own.fork("close")).then(() => {
      open -= 1;
    });
  }
  return { isOver: () => open === 0 };
}

type Career = { readonly name: string; readonly dice: Dice; readonly bornAt: EpochMs; readonly spanMs: number };

/** A career under way. `wish`: what its clients last wrote. */
type Living = Career & { readonly clients: Clients; readonly world: World; wish: Wish; puts: number };

async function live(world: World, clients: Clients, career: Career): Promise<void> {
  const { name, dice, bornAt, spanMs } = career;
  await world.clock.until(bornAt);
  const living: Living = { ...career, world, clients, wish: drawWish(dice, `${name}/p0`, bornAt, spanMs), puts: 0 };
  await askAtLast(living, { what: "put", name, wish: living.wish });
  const deeds = dice.pick([0, 1, 2, 3, 4, 6]);
  for (let deed = 0; deed < deeds; deed++) void doSometime(living, dice.fork(`deed${deed}`));
}

/** Whoever hears nothing asks again: none of these does harm twice but a trigger, and that is another job beside the rule. */
async function askAtLast({ world, clients, dice }: Pick<Living, "world" | "clients" | "dice">, asked: ScheduleAsked): Promise<Told> {
  for (let tries = 1; ; tries++) {
    // Whoever is late must not open again what has been closed.
    if (world.clock.now() > later(world.weather.faultsUntil, minuteMs / 2)) return { kind: "unavailable" };
    const told = await clients.ask(asked);
    if (told.kind !== "unavailable" || tries === 6) return told;
    await world.clock.until(later(world.clock.now(), dice.whole(100, 20 * secondMs)));
  }
}

async function doSometime(living: Living, dice: Dice): Promise<void> {
  const { world, name } = living;
  await world.clock.until(drawMoment(living, dice));
  const ask = (asked: ScheduleAsked) => askAtLast({ ...living, dice }, asked);
  switch (dice.pick(["pause", "pause", "pause", "put", "put", "put", "trigger", "backfill", "delete", "delete"] as const)) {
    case "pause":
      return pauseAndResume(living, dice);
    case "put": {
      const isRace = dice.happens(0.3);
      if (isRace) void ask({ what: "put", name, wish: drawEdit(living, dice.fork("rival")) });
      await ask({ what: "put", name, wish: drawEdit(living, dice) });
      return;
    }
    case "trigger":
      await living.clients.ask({ what: "trigger", name, overlap: dice.pick(["allow", "skip", "replace"]) });
      return;
    case "backfill": {
      const to = later(world.clock.now(), -dice.whole(0, 30) * secondMs);
      await ask({ what: "backfill", name, from: later(to, -dice.whole(10, 300) * secondMs), to });
      return;
    }
    case "delete":
      return deleteAndMakeAnew(living, dice);
  }
}

async function pauseAndResume({ world, clients, name, wish }: Living, dice: Dice): Promise<void> {
  const lastsMs = dice.pick([dice.whole(500, 5_000), dice.whole(5, 120) * secondMs, dice.whole(1, 15) * minuteMs]);
  const until = dice.happens(0.4) ? later(world.clock.now(), lastsMs) : null;
  await askAtLast({ world, clients, dice }, { what: "pause", name, until });
  if (until !== null && dice.happens(0.7)) return;
  await world.clock.until(dice.happens(0.5) ? momentOf(world, dice, wish) : later(world.clock.now(), lastsMs));
  await askAtLast({ world, clients, dice }, { what: "resume", name, recover: dice.pick(recoveries) });
}

async function deleteAndMakeAnew(living: Living, dice: Dice): Promise<void> {
  const { world, name } = living;
  await askAtLast({ ...living, dice }, { what: "delete", name, jobs: dice.pick(["keep", "cancel"]) });
  if (dice.happens(0.25)) return;
  await world.clock.until(later(world.clock.now(), dice.pick([0, dice.whole(1, 2_000), dice.whole(1, 60) * secondMs])));
  // The very same again, or another.
  const wish = dice.happens(0.5)
    ? { ...living.wish, content: contentOf(living) }
    : drawWish(dice, contentOf(living), world.clock.now(), living.spanMs);
  living.wish = wish;
  await askAtLast({ ...living, dice }, { what: "put", name, wish });
}

function contentOf(living: Living): string {
  living.puts += 1;
  return `${living.name}/p${living.puts}`;
}

/** Another rule, another window, another policy, another target alone, or nothing at all. */
function drawEdit(living: Living, dice: Dice): Wish {
  const { wish, world, spanMs } = living;
  if (dice.happens(0.1)) return wish;
  const now = world.clock.now();
  const drawn = drawWish(dice, contentOf(living), now, spanMs);
  const { content, rule, ...others } = drawn;
  living.wish = dice.pick<() => Wish>([
    () => ({ ...wish, content }),
    () => ({ ...wish, content, rule: drawRule(dice, now, spanMs) }),
    () => ({ ...wish, content, rule: { ...wish.rule, window: rule.window } }),
    () => ({ ...others, content, rule: wish.rule }),
    () => drawn,
  ])();
  return living.wish;
}

/** Where races are: two seconds and one before an occurrence is due, while it is taken, when its job is made and runs; else any time. */
function drawMoment({ world, wish, spanMs }: Living, dice: Dice): EpochMs {
  if (dice.happens(0.2)) return later(world.clock.now(), dice.whole(0, Math.floor(spanMs / 2)));
  return momentOf(world, dice, wish);
}

function momentOf(world: World, dice: Dice, { rule }: Wish): EpochMs {
  const now = world.clock.now();
  let nominalAt: EpochMs | undefined = now;
  for (let skipped = dice.whole(1, 8); skipped > 0 && nominalAt !== undefined; skipped--) nominalAt = followingOf(rule, now, nominalAt);
  const around = [
    -2_000 + dice.whole(-30, 120),
    -2_000 + dice.whole(0, 60),
    -1_000 + dice.whole(-60, 60),
    dice.whole(-2_000, 0),
    dice.whole(-20, 400),
  ];
  return toEpochMs(Math.max(now, (nominalAt ?? now) + dice.pick(around)));
}

/** Nothing is left that goes on for ever. */
async function close(world: World, clients: Clients, name: string, dice: Dice): Promise<void> {
  await world.clock.until(later(world.weather.faultsUntil, dice.whole(90, 240) * secondMs));
  const asked: ScheduleAsked = dice.happens(0.7) ? { what: "pause", name, until: null } : { what: "delete", name, jobs: "keep" };
  while ((await clients.ask(asked)).kind === "unavailable") await world.clock.until(later(world.clock.now(), secondMs));
}
