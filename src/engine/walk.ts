/**
 * Working through a stretch of the past, oldest first: ends expired leases, takes what was forgotten, leaves what is running. A
 * lost hint, a dead executor and an overload are the same case here.
 */

import type { StretchHint, WheelEntry, WheelKey } from "../core/hint.ts";
import type { Job, Running } from "../core/job.ts";
import type { Schedule } from "../core/schedule.ts";
import { later, secondMs } from "../core/time.ts";
import { loseLease } from "../core/transition.ts";
import type { Invocation } from "./attempt.ts";
import { commit, hintNamed, sendHints } from "./commit.ts";
import { type Engine, factsNow, isLeaseOver } from "./engine.ts";
import { attemptOrHandOn } from "./handOn.ts";
import { OutageError } from "./ports.ts";
import { meetOrHandOn } from "./schedules/attend.ts";
import { hintJobs } from "./schedules/taken.ts";
import type { Release } from "./slots.ts";

/** How far a walk has come, and whether the invocation still has time for more. */
type Progress = {
  place: WheelKey;
  outOfTime: boolean;
  readonly started: Set<Promise<void>>;
  /** What one item met that nobody expected. It is told when all others have settled, for their calls are on the wire. */
  bug: { readonly cause: unknown } | undefined;
};

/** `started` is called when all that the stretch holds is under way, which may be long before it has settled. */
export async function walk(engine: Engine, stretch: StretchHint, invocation: Invocation, started: () => void): Promise<void> {
  const progress: Progress = { place: stretch.after, outOfTime: false, started: new Set(), bug: undefined };
  try {
    await walkPages(engine, stretch, invocation, progress);
    started();
  } finally {
    // What was started settles on its own, also where a later page could not be read.
    await Promise.all(progress.started);
  }
  if (progress.bug !== undefined) throw progress.bug.cause;
  if (progress.outOfTime) await followUp(engine, stretch, progress.place);
}

async function walkPages(engine: Engine, stretch: StretchHint, invocation: Invocation, progress: Progress): Promise<void> {
  const { shard, priority, until } = stretch;
  const limit = engine.params.pageEntries;
  for (;;) {
    const page = await engine.store.wheel({ shard, priority, after: progress.place, until, limit });
    let rest = page.filter((entry) => !engine.register.holds(entry));
    while (rest.length > 0) {
      const slots = await takeSlots(invocation, stretch, rest.length);
      // A newer turn has cut the past anew: two walks side by side would claim the same jobs, and one in vain.
      if (engine.clock.now() > stretch.cutAt + engine.params.stretchAgeMsMax) {
        for (const slot of slots) slot();
        return;
      }
      const taken = rest.slice(0, slots.length);
      rest = rest.slice(slots.length);
      await startAll(engine, taken, slots, invocation, progress);
      if (progress.outOfTime) return;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    progress.place = keyOf(last);
  }
}

/** As many as are free now, at least one: what cannot start now is not loaded either. */
async function takeSlots(invocation: Invocation, stretch: StretchHint, wanted: number): Promise<Release[]> {
  const slots: Release[] = [];
  while (slots.length === 0) {
    await invocation.slots.whenFree(stretch.priority, "past");
    for (let slot: Release | undefined; slots.length < wanted; slots.push(slot)) {
      slot = invocation.slots.tryTake(stretch.priority, "past");
      if (slot === undefined) break;
    }
  }
  return slots;
}

async function startAll(
  engine: Engine,
  entries: readonly WheelEntry[],
  slots: Release[],
  invocation: Invocation,
  progress: Progress,
): Promise<void> {
  const items = await loadOrRelease(engine, entries, slots);
  for (const item of items) {
    const slot = slots.pop();
    if (slot === undefined) throw new Error(`expected a slot for each of ${items.length} items, got fewer`);
    const started: Promise<void> = attendAlone(engine, item, slot, invocation, progress).finally(() => progress.started.delete(started));
    progress.started.add(started);
  }
  for (const unused of slots) unused();
  const last = entries.at(-1);
  if (last !== undefined) progress.place = keyOf(last);
}

async function loadOrRelease(
  engine: Engine,
  entries: readonly WheelEntry[],
  slots: readonly Release[],
): Promise<readonly (Job | Schedule)[]> {
  try {
    return await engine.store.loadMany(entries);
  } catch (cause) {
    for (const slot of slots) slot();
    throw cause;
  }
}

/** Never rejects: one item's bug ends no other's call. */
async function attendAlone(engine: Engine, item: Job | Schedule, slot: Release, invocation: Invocation, progress: Progress): Promise<void> {
  try {
    if ((await attend(engine, item, slot, invocation)) === "no_time") progress.outOfTime = true;
  } catch (cause) {
    progress.bug ??= { cause };
  }
}

/** Does what one item of the past needs. */
async function attend(engine: Engine, item: Job | Schedule, slot: Release, invocation: Invocation): Promise<"attended" | "no_time"> {
  switch (item.state) {
    case "waiting": {
      // An entry of the index may be older than its record: whoever moved the job has hinted it.
      if (item.wakeAt > engine.clock.now()) break;
      if (item.leaseLossCount > 0) {
        slot();
        await hintNamed(engine, item);
        return "attended";
      }
      return (await attemptOrHandOn(engine, item, invocation, slot)) === "no_time" ? "no_time" : "attended";
    }
    case "running":
      if (isLeaseOver(engine, item)) await endLease(engine, item);
      break;
    case "active":
    case "paused":
    case "finished":
      if (item.wakeAt > engine.clock.now()) break;
      // Its jobs go into hints of their own: this slot is one of the past's.
      await hintJobs(engine, await meetOrHandOn(engine, item));
      break;
    case "succeeded":
    case "failed":
    case "cancelled":
    case "deleted":
      break;
  }
  slot();
  return "attended";
}

/** Where the store does not take it now, the lease is ended by the next walk: one item never makes a whole stretch come again. */
async function endLease(engine: Engine, job: Running): Promise<void> {
  try {
    await commit(engine, loseLease(job, factsNow(engine)));
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "store", cause });
  }
}

/** Goes on where this invocation stopped. It keeps its age, and where nothing was done it waits, so that no chain spins. */
async function followUp(engine: Engine, stretch: StretchHint, place: WheelKey): Promise<void> {
  const moved = place.wakeAt !== stretch.after.wakeAt || place.id !== stretch.after.id;
  // Two seconds and the lead: the queue takes the lead off again, and rounds down to whole seconds.
  const startAt = later(engine.clock.now(), moved ? 0 : engine.params.leadMs + 2 * secondMs);
  await sendHints(engine, [{ ...stretch, after: place, startAt }]);
}

function keyOf(entry: WheelEntry): WheelKey {
  return { wakeAt: entry.wakeAt, id: entry.id };
}
