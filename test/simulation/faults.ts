/** Whether a call of a port goes wrong, and how: drawn at every call, so that there is no step between which nothing can happen. */

import { later, secondMs } from "../../src/core/time.ts";
import type { Process } from "./process.ts";
import { drawFreezeMs } from "./weather.ts";
import type { World } from "./world.ts";

export type CallFault = "none" | "crash_before" | "crash_after" | "freeze_before" | "freeze_after" | "refused" | "answer_lost" | "repeated";

export function drawCallFault(world: World, process: Process): CallFault {
  if (!world.isRough()) return "none";
  const { perCall } = process.mishaps;
  let fraction = process.dice.fraction();
  if (fraction >= perCall.any) return "none";
  for (const [fault, probability] of [
    ["crash_before", perCall.crashBefore],
    ["crash_after", perCall.crashAfter],
    ["freeze_before", perCall.freezeBefore],
    ["freeze_after", perCall.freezeAfter],
    ["refused", perCall.refused],
    ["answer_lost", perCall.answerLost],
    ["repeated", perCall.repeated],
  ] as const) {
    if (fraction < probability) return fault;
    fraction -= probability;
  }
  return "none";
}

/** How a kind of call behaves where nothing goes wrong. */
export type Manner = {
  readonly kind: "read" | "write";
  readonly latencyMsMax: number;
  /** A request that has left is carried out although its sender has died meanwhile. Not so where the store lives in the sender. */
  readonly outlivesProcess: boolean;
  /** Whether whoever is called does not answer now. */
  readonly isOut: () => boolean;
  /** Never slower than its latency, also where its process's calls are. */
  readonly isPrompt?: boolean;
  /** Whether this call is refused for there being too many, after some tries. */
  readonly isThrottled?: () => boolean;
};

/** Passes one call of a process on to the world, with whatever goes wrong on its way there or back. */
export function callThrough<T>(world: World, process: Process, manner: Manner, effect: () => Promise<T>): Promise<T> {
  if (!world.mayCall()) {
    world.note({ kind: "threw", by: process.name, error: "it calls again and again, and no time passes" });
    return process.die("spins");
  }
  const fault = drawCallFault(world, process);
  // Most of what a turn reads is pages without an entry, and nothing happens on the way: no more than that is done for them.
  if (fault === "none" && isImmediate(process, manner) && !manner.isOut()) return effect();
  return callWith(fault, world, process, manner, effect);
}

function isImmediate(process: Process, { kind, latencyMsMax, isThrottled }: Manner): boolean {
  return kind === "read" && latencyMsMax === 0 && process.mishaps.slowMsMax === 0 && isThrottled === undefined && process.isAwake();
}

async function callWith<T>(fault: CallFault, world: World, process: Process, manner: Manner, effect: () => Promise<T>): Promise<T> {
  if (fault === "crash_before") return process.die("crashed before a call");
  if (fault === "freeze_before") {
    process.freeze(drawFreezeMs(process.dice));
    await process.awake();
  }
  const latencyMsMax = manner.latencyMsMax + (manner.isPrompt === true ? 0 : process.mishaps.slowMsMax);
  const toMs = latencyMsMax === 0 ? 0 : process.dice.whole(1, latencyMsMax);
  // A write takes effect in a step of its own; a read's answer may be old by the time it arrives.
  const effectFirst = manner.kind === "read" && (toMs === 0 || process.dice.happens(0.5));
  if (!effectFirst && toMs > 0) await world.clock.until(later(world.clock.now(), toMs));
  if (!manner.outlivesProcess) await process.awake();
  if (manner.isOut()) return outage(world, process, "nobody answered");
  if (fault === "refused") return outage(world, process, "a call was refused");
  if (manner.isThrottled?.() === true) {
    await world.clock.until(later(world.clock.now(), process.dice.whole(100, 1_500)));
    return outage(world, process, "a call was throttled");
  }
  let answer = await effect();
  if (fault === "repeated" && manner.kind === "write" && manner.outlivesProcess) {
    // Meanwhile others may write on top of what was written.
    await world.clock.until(
      later(world.clock.now(), process.dice.pick([process.dice.whole(20, 300), process.dice.whole(1, 5) * secondMs])),
    );
    answer = await effect();
  }
  if (fault === "crash_after") return process.die("crashed after a call");
  if (fault === "freeze_after") process.freeze(drawFreezeMs(process.dice));
  if (fault === "answer_lost" && manner.kind === "write") {
    await world.clock.until(later(world.clock.now(), process.dice.whole(1, secondMs)));
    return outage(world, process, "an answer was lost");
  }
  if (effectFirst && toMs > 0) await world.clock.until(later(world.clock.now(), toMs));
  await process.awake();
  return answer;
}

async function outage(world: World, process: Process, why: string): Promise<never> {
  world.note({ kind: "fault", by: process.name, what: why, lastsMs: 0 });
  await process.awake();
  throw new world.code.OutageError(why);
}
