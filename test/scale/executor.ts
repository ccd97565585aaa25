/**
 * What an invocation does with its message: as `wake.ts` and `walk.ts` have it, in their order and by their rules of age, as events and
 * arithmetic. A flow model: no code of them runs here, but the parameters are theirs and the slots are counted by `slots.ts`.
 */

import type { Hint, NamesHint, StretchHint } from "../../src/core/hint.ts";
import { limits } from "../../src/core/limits.ts";
import { toEpochMs } from "../../src/core/time.ts";
import { createSlots } from "../../src/engine/slots.ts";
import { attempt, hintAfterOutage, type Thread } from "./attempt.ts";
import { pageUnits } from "./dynamo.ts";
import { jobOf } from "./jobs.ts";
import { durations, executorTimeoutMs, jobTimeoutMs, slotCount, units } from "./setup.ts";
import { cpuShare, type World } from "./world.ts";

/** An invocation that finds its message too old does nothing else. */
const glanceMs = 3;

export function execute(world: World, hint: Hint, at: number): void {
  world.tally.handled += 1;
  const { stretchAgeMsMax, namesAgeMsMax } = world.params;
  if (hint.kind === "stretch") {
    if (at <= hint.cutAt + stretchAgeMsMax) startWalk(world, hint, at);
    else {
      world.tally.stretchesDropped += 1;
      end(world, at, at + glanceMs);
    }
  } else if (at <= hint.startAt + namesAgeMsMax) runNames(world, hint, at);
  else {
    world.tally.namesDropped += 1;
    end(world, at, at + glanceMs);
  }
}

function end({ agenda, tally, release }: World, beganAt: number, endsAt: number): void {
  agenda.at(endsAt, () => {
    tally.invocationMs += agenda.now() - beganAt;
    release();
  });
}

/** What could not be read at all comes again: the same message, so nothing is sent. */
function comeAgain(world: World, hint: Hint, beganAt: number): void {
  const failedAt = beganAt + durations.patienceMs;
  world.tally.outages += 1;
  world.send(hint, failedAt + durations.seenAgainMs);
  end(world, beganAt, failedAt);
}

function runNames(world: World, hint: NamesHint, at: number): void {
  const { dynamo, setup, jobs, tally } = world;
  const names = hint.names.map(({ id }) => jobOf(id));
  const givenAt = dynamo.reads.base.take(0, at, names.length * units.read, durations.patienceMs);
  if (givenAt === undefined) {
    comeAgain(world, hint, at);
    return;
  }
  tally.waited("reads", at, givenAt - at, names.length);
  const loadedAt = givenAt + durations.readMs + durations.cpuPerHintMs / cpuShare(setup.memoryMb);
  const thread: Thread = { freeAt: loadedAt };
  let endsAt = loadedAt;
  for (const job of names) {
    if (jobs.isClaimed(job, loadedAt)) {
      tally.extraLoads += 1;
      continue;
    }
    const { kind, endedAt } = attempt(world, job, loadedAt, thread);
    if (kind === "not_ours") tally.extraLoads += 1;
    if (kind === "outage") hintAfterOutage(world, job, endedAt);
    endsAt = Math.max(endsAt, endedAt);
  }
  end(world, at, endsAt);
}

/** A walk over a stretch of the past: what it has read and not begun, and when each of its slots is free again. */
type Walk = {
  readonly hint: StretchHint;
  readonly beganAt: number;
  readonly thread: Thread;
  readonly slotsFreeAt: Float64Array;
  place: StretchHint["after"];
  rest: number[];
  isLastPage: boolean;
};

function startWalk(world: World, hint: StretchHint, at: number): void {
  const slots = createSlots(slotCount).free("normal", "past");
  const share = cpuShare(world.setup.memoryMb);
  readOn(world, {
    hint,
    beganAt: at,
    thread: { freeAt: at + durations.cpuPerHintMs / share },
    slotsFreeAt: new Float64Array(slots).fill(at),
    place: hint.after,
    rest: [],
    isLastPage: false,
  });
}

function readOn(world: World, walk: Walk): void {
  const { agenda, jobs, params, dynamo, setup, tally } = world;
  const { shard, until } = walk.hint;
  const now = agenda.now();
  const limit = params.pageEntries;
  const found = jobs.page(shard, { after: walk.place, until, limit, now: now - durations.indexLagMs });
  tally.queries += 1;
  tally.pageUnits += pageUnits(found.length);
  const givenAt = dynamo.reads.wheel.take(shard, now, pageUnits(found.length), durations.patienceMs);
  if (givenAt === undefined) {
    comeAgain(world, { ...walk.hint, after: walk.place }, walk.beganAt);
    return;
  }
  tally.waited("reads", now, givenAt - now);
  walk.thread.freeAt = Math.max(walk.thread.freeAt, givenAt) + (found.length * durations.cpuPerEntryMs) / cpuShare(setup.memoryMb);
  walk.rest = found;
  walk.isLastPage = found.length < limit;
  agenda.at(Math.max(givenAt + durations.queryMs, walk.thread.freeAt), () => goOn(world, walk));
}

function goOn(world: World, walk: Walk): void {
  const { agenda } = world;
  const now = agenda.now();
  const isOutOfTime = now + jobTimeoutMs + limits.clockSkewMsMax > walk.beganAt + executorTimeoutMs;
  const free = walk.slotsFreeAt.reduce((count, freeAt) => count + (freeAt <= now ? 1 : 0), 0);
  if (walk.rest.length === 0 && walk.isLastPage) finish(world, walk);
  else if (walk.rest.length === 0) readOn(world, walk);
  else if (isOutOfTime) runOut(world, walk);
  // A newer turn has cut the past anew, and its hints take the rest.
  else if (now > walk.hint.cutAt + world.params.stretchAgeMsMax) finish(world, walk);
  else if (free === 0) agenda.at(Math.min(...walk.slotsFreeAt), () => goOn(world, walk));
  else startSome(world, walk, free);
}

/** As many as slots are free: what cannot start now is not loaded either. */
function startSome(world: World, walk: Walk, free: number): void {
  const { agenda, jobs, tally } = world;
  const now = agenda.now();
  const taken = walk.rest.slice(0, free);
  const givenAt = world.dynamo.reads.base.take(0, now, taken.length * units.read, durations.patienceMs);
  if (givenAt === undefined) {
    comeAgain(world, { ...walk.hint, after: walk.place }, walk.beganAt);
    return;
  }
  tally.waited("reads", now, givenAt - now, taken.length);
  const loadedAt = givenAt + durations.readMs;
  for (const job of taken) attend(world, walk, job, loadedAt, now);
  walk.rest = walk.rest.slice(free);
  const last = taken.at(-1);
  if (last !== undefined) walk.place = jobs.key(last);
  agenda.at(loadedAt, () => goOn(world, walk));
}

function attend(world: World, walk: Walk, job: number, loadedAt: number, now: number): void {
  const { jobs, tally } = world;
  if (jobs.isClaimed(job, loadedAt)) {
    tally.extraLoads += 1;
    return;
  }
  const slot = walk.slotsFreeAt.findIndex((freeAt) => freeAt <= now);
  const { kind, endedAt } = attempt(world, job, loadedAt, walk.thread);
  if (kind === "not_ours") tally.extraLoads += 1;
  if (kind === "outage") hintAfterOutage(world, job, endedAt);
  walk.slotsFreeAt[slot] = endedAt;
}

/** The invocation's time is up: a follow-up goes on from here, as old as the stretch, so that a newer turn's hints end the chain. */
function runOut(world: World, walk: Walk): void {
  const now = world.agenda.now();
  world.tally.stretchHints += 1;
  world.tally.sendRequests += 1;
  world.send({ ...walk.hint, after: walk.place, startAt: toEpochMs(now) }, now);
  finish(world, walk);
}

function finish(world: World, { beganAt, slotsFreeAt }: Walk): void {
  end(world, beganAt, Math.max(world.agenda.now(), ...slotsFreeAt));
}
