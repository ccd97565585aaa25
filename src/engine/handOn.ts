/** An attempt, and where it could not be made, a hint of its own for the item: one item never makes a whole hint come again. */

import { shardOf, startOf } from "../core/hint.ts";
import type { Waiting } from "../core/job.ts";
import { type EpochMs, later, secondMs } from "../core/time.ts";
import { type AttemptAnswer, attempt, type Invocation, type SlotFrom } from "./attempt.ts";
import { hintNamed, sendHints } from "./commit.ts";
import type { Engine } from "./engine.ts";
import { OutageError } from "./ports.ts";

/** A store that is out is not asked again at once, or every item would spin on it. */
const outagePauseMs = 2 * secondMs;

export async function attemptOrHandOn(
  engine: Engine,
  job: Waiting,
  invocation: Invocation,
  from: SlotFrom,
): Promise<AttemptAnswer | "outage"> {
  const answer = await attemptOrOutage(engine, job, invocation, from);
  switch (answer) {
    case "recorded":
    case "not_ours":
      break;
    case "no_slot":
      await hintPlace(engine, job);
      break;
    case "no_time":
      await hintNamed(engine, job);
      break;
    case "outage":
      await hintAfterOutage(engine, job);
      break;
  }
  return answer;
}

async function attemptOrOutage(engine: Engine, job: Waiting, invocation: Invocation, from: SlotFrom): Promise<AttemptAnswer | "outage"> {
  try {
    return await attempt(engine, job, invocation, from);
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "store", cause });
    return "outage";
  }
}

async function hintAfterOutage(engine: Engine, job: Waiting): Promise<void> {
  const waitMs = outageWait(engine, job.wakeAt);
  if (waitMs !== undefined) await hintNamed(engine, job, later(engine.clock.now(), waitMs));
}

/**
 * Each wait is as long as the item is late already, and past the grace the turn's stretches take over (undefined): an outage costs
 * an item a handful of hints, however long it lasts. The lead is added because the queue takes it off
 * again, and a pause has two seconds because the queue's whole-second delays are rounded down.
 */
export function outageWait(engine: Engine, wakeAt: EpochMs): number | undefined {
  const lateMs = engine.clock.now() - wakeAt;
  return lateMs > engine.params.graceMs ? undefined : engine.params.leadMs + Math.max(outagePauseMs, lateMs);
}

/** Its instant came and no slot was free: whoever is free next reads the wheel from its place on, oldest first. */
async function hintPlace(engine: Engine, job: Waiting): Promise<void> {
  const now = engine.clock.now();
  await sendHints(engine, [
    {
      kind: "stretch",
      shard: shardOf(job.id, engine.params.shards),
      priority: job.priority,
      after: startOf(job.wakeAt),
      until: { wakeAt: job.wakeAt, id: job.id },
      cutAt: now,
      startAt: now,
    },
  ]);
}
