/** All that one run holds. */

import type { Hint } from "../../src/core/hint.ts";
import type { Params } from "../../src/engine/engine.ts";
import type { Dice } from "../simulation/chance.ts";
import type { Agenda } from "./agenda.ts";
import type { Dynamo } from "./dynamo.ts";
import type { Jobs } from "./jobs.ts";
import { quotas } from "./quotas.ts";
import type { Load, Setup } from "./setup.ts";
import type { Tally } from "./tally.ts";

export type World = {
  readonly setup: Setup;
  readonly load: Load;
  readonly params: Params;
  readonly agenda: Agenda;
  readonly jobs: Jobs;
  readonly dynamo: Dynamo;
  readonly dice: Dice;
  readonly tally: Tally;
  /** Puts a message into the queue: it may be received after its whole-second delay. */
  send(hint: Hint, at: number): void;
  /** An invocation is over. */
  release(): void;
};

/** The delay that the queue is told, as `hints/sqs` computes it: whole seconds, rounded down, so that a hint comes a lead and up to a second early. */
export function delaySeconds(startAt: number, now: number, leadMs: number): number {
  return Math.max(0, Math.min(quotas.delaySecondsMax, Math.floor((startAt - now - leadMs) / 1_000)));
}

/** A function's share of a CPU. What the engine does runs on one thread, so more than one whole is of no use to it. */
export function cpuShare(memoryMb: number): number {
  return Math.min(1, memoryMb / quotas.memoryMbPerCpu);
}
