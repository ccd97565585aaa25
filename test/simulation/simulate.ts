/** Runs one seed in one profile: a world, its weather and its clients; then calm, until nothing is left to do; then every check. */

import { isLive } from "../../src/core/job.ts";
import { earlierOf, hourMs, later, minuteMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { createDice } from "./chance.ts";
import { check } from "./check.ts";
import type { Violation } from "./checks/chronicle.ts";
import { createClients } from "./clients.ts";
import { openCloud } from "./cloud.ts";
import { type Code, realCode } from "./code.ts";
import type { Happening } from "./history.ts";
import { openHome } from "./home.ts";
import { cloudParams, drawCapacity, homeParams } from "./house.ts";
import { startScheduleWorkload } from "./schedules/workload.ts";
import { drawWeather } from "./weather.ts";
import { startWorkload } from "./workload.ts";
import { createWorld, type World } from "./world.ts";

export const profiles = ["cloud", "home"] as const;
export type Profile = (typeof profiles)[number];

export type Outcome = {
  readonly seed: number;
  readonly profile: Profile;
  readonly history: readonly Happening[];
  readonly violations: readonly Violation[];
};

/** What a planted bug puts in the place of the real thing. */
export type Plant = { readonly code?: Code; readonly params?: Partial<World["params"]> };

/** Shows a seed with all that happened in it. */
export function commandFor(seed: number, profile: Profile): string {
  return `npm run sim -- --seed ${seed} --profile ${profile} --log`;
}

/** After faults end, everything must have come to rest within this time. */
const drainMsMax = 6 * hourMs;

export async function simulate(seed: number, profile: Profile, plant: Plant = {}): Promise<Outcome> {
  // A stack for each simulated outage would take more time than all the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const dice = createDice(`${seed}/${profile}`);
  const spanMs = dice.pick([15, 20, 60, 180]) * minuteMs;
  const weather = drawWeather(dice.fork("weather"), startAt, spanMs);
  const drawn = profile === "cloud" ? cloudParams(dice.fork("params")) : homeParams(dice.fork("params"));
  const world = createWorld({ dice, code: plant.code ?? realCode, params: { ...drawn, ...plant.params }, weather, profile, startAt });
  const capacity = drawCapacity(dice.fork("capacity"), weather);
  const house = profile === "cloud" ? openCloud(world, capacity) : openHome(world, capacity);
  const clients = createClients(world, house.openDesk);
  startWorkload(world, clients, spanMs);
  const schedules = startScheduleWorkload(world, clients, spanMs);

  const forgetRejections = noteRejections(world);
  while (world.clock.now() < weather.faultsUntil && !world.isStuck()) {
    await world.clock.runUntil(earlierOf(weather.faultsUntil, later(world.clock.now(), 10 * minuteMs)));
  }
  world.note({ kind: "calm" });
  const giveUpAt = later(weather.faultsUntil, drainMsMax);
  while (world.clock.now() < giveUpAt && !world.isStuck() && !(isDone(world) && schedules.isOver() && house.isQuiet())) {
    await world.clock.runUntil(later(world.clock.now(), minuteMs));
  }
  forgetRejections();
  Error.stackTraceLimit = stackTraceLimit;
  return { seed, profile, history: world.history, violations: check(world, capacity, house) };
}

/** A promise of the engine that fails unheard would end a real process. */
function noteRejections(world: World): () => void {
  const note = (error: unknown) => world.note({ kind: "threw", by: "nobody heard it, and something", error: String(error) });
  process.on("unhandledRejection", note);
  return () => void process.off("unhandledRejection", note);
}

function isDone(world: World): boolean {
  for (const job of world.truth.records.values()) if (isLive(job)) return false;
  for (const schedule of world.truth.schedules.values()) if (schedule.taken !== null) return false;
  return true;
}
