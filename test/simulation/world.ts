/** One simulated world: true time, true store, the weather, and the record of all that happens. */

import type { EpochMs } from "../../src/core/time.ts";
import type { Params } from "../../src/engine/engine.ts";
import { createVirtualClock, type VirtualClock } from "../engine/virtualClock.ts";
import type { Dice } from "./chance.ts";
import type { Code } from "./code.ts";
import { createDeadlines, type Deadlines } from "./deadlines.ts";
import type { Happening, News } from "./history.ts";
import { createTargets, type Targets } from "./targets.ts";
import { createTruth, type Truth } from "./truth.ts";
import type { Weather } from "./weather.ts";

export type World = {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly code: Code;
  readonly params: Params;
  readonly weather: Weather;
  readonly profile: "cloud" | "home";
  readonly truth: Truth;
  readonly targets: Targets;
  readonly history: readonly Happening[];
  readonly deadlines: Deadlines;
  note(news: News): void;
  /** Counts a call of a port. False: so many were made at one instant that they will never end. */
  mayCall(): boolean;
  /** Whether that has happened: nothing that comes after it means anything. */
  isStuck(): boolean;
  /** Whether faults may still happen. */
  isRough(): boolean;
};

/** Ten times what the largest seed needs. */
const callsPerInstantMax = 5_000;

export function createWorld(given: {
  dice: Dice;
  code: Code;
  params: Params;
  weather: Weather;
  profile: World["profile"];
  startAt: EpochMs;
}): World {
  const { startAt, ...fields } = given;
  const clock = createVirtualClock(startAt);
  const history: Happening[] = [];
  let calledAt = startAt;
  let calls = 0;
  let stuck = false;
  const world: World = {
    ...fields,
    clock,
    history,
    note: (news) => void history.push({ at: clock.now(), ...news }),
    mayCall() {
      calls = calledAt === clock.now() ? calls + 1 : 1;
      calledAt = clock.now();
      stuck ||= calls > callsPerInstantMax;
      return !stuck;
    },
    isStuck: () => stuck,
    isRough: () => !given.weather.calm && clock.now() < given.weather.faultsUntil,
    deadlines: createDeadlines(clock),
    get truth() {
      return truth;
    },
    get targets() {
      return targets;
    },
  };
  const truth = createTruth(world);
  const targets = createTargets(world);
  return world;
}
