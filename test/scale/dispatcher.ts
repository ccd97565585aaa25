/**
 * The dispatcher: the engine's own `turn`, unchanged, on ports that take as long as AWS's do. What it reads, groups, cuts and leaves for
 * the next turn is decided by `src/engine/turn.ts`, `nearFuture.ts` and `group.ts`.
 */

import type { Hint } from "../../src/core/hint.ts";
import { type EpochMs, minuteMs, toEpochMs } from "../../src/core/time.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Cursor, Cursors, WheelPage } from "../../src/engine/ports.ts";
import { type ShardRange, turn } from "../../src/engine/turn.ts";
import { pageUnits } from "./dynamo.ts";
import { quotas } from "./quotas.ts";
import { durations, turnMs } from "./setup.ts";
import { cpuShare, type World } from "./world.ts";

/** Ticks for each range, each minute at some second of it, until `isOver`. */
export function startTicks(world: World, isOver: () => boolean): void {
  const { setup, agenda, dice } = world;
  const cursors = createCursors(world);
  const ranges = Array.from({ length: setup.ranges }, (_, range) => ({
    range,
    shards: Array.from({ length: setup.shards }, (__, shard) => shard).filter((shard) => shard % setup.ranges === range),
  }));
  const minute = (at: number) => {
    if (isOver()) return;
    for (const range of ranges) agenda.at(at + dice.whole(0, quotas.tickJitterMs), () => void runTurn(world, cursors, range));
    agenda.at(at + minuteMs, () => minute(at + minuteMs));
  };
  minute(agenda.now());
}

async function runTurn(world: World, cursors: Cursors, range: ShardRange): Promise<void> {
  const { agenda, tally } = world;
  const startedAt = agenda.now();
  const endsAt = startedAt + turnMs;
  tally.turns += 1;
  const answer = await turn(engineFor(world, cursors), range, toEpochMs(endsAt));
  tally.turnMs += agenda.now() - startedAt;
  if (answer.kind === "leased") return;
  if (agenda.now() >= endsAt) tally.turnsCutShort += 1;
}

/** What a turn needs of an engine; anything else it might ask for is missed at once. */
function engineFor(world: World, cursors: Cursors): Engine {
  const { agenda, params } = world;
  const engine = {
    params,
    cursors,
    clock: { now: () => toEpochMs(agenda.now()), until: (at: EpochMs) => agenda.until(at) },
    store: { wheel: (page: WheelPage) => readPage(world, page) },
    hints: { send: (hints: readonly Hint[]) => sendAll(world, hints) },
    observe: () => {},
  };
  return engine as unknown as Engine;
}

async function readPage({ agenda, jobs, dynamo, setup, tally }: World, { shard, priority, after, until, limit }: WheelPage) {
  const now = agenda.now();
  // All jobs of the simulation are of one priority: the other three partitions of a shard are asked, and empty.
  const found = priority === "normal" ? jobs.page(shard, { after, until, limit, now: now - durations.indexLagMs }) : [];
  const units = pageUnits(found.length);
  tally.queries += 1;
  tally.pageUnits += units;
  const givenAt = dynamo.reads.wheel.take(shard, now, units, Number.POSITIVE_INFINITY) ?? now;
  const cpuMs = (durations.cpuPerRequestMs + found.length * durations.cpuPerEntryMs) / cpuShare(setup.dispatcherMemoryMb);
  await agenda.until(givenAt + durations.queryMs + cpuMs);
  return found.map(jobs.entry);
}

/** Requests of ten messages, some at once, whose CPU comes one after the other. */
async function sendAll(world: World, hints: readonly Hint[]): Promise<"sent"> {
  const { agenda, setup, tally } = world;
  const cpuMs = durations.cpuPerRequestMs / cpuShare(setup.dispatcherMemoryMb);
  const perRound = durations.sendsAtOnce * quotas.messagesPerBatch;
  for (let start = 0; start < hints.length; start += perRound) {
    const round = hints.slice(start, start + perRound);
    const requests = Math.ceil(round.length / quotas.messagesPerBatch);
    await agenda.until(agenda.now() + durations.sendMs + requests * cpuMs);
    tally.sendRequests += requests;
    for (const hint of round) sendOne(world, hint);
  }
  return "sent";
}

function sendOne({ agenda, tally, send }: World, hint: Hint): void {
  const now = agenda.now();
  if (hint.kind === "names") {
    tally.namesHints += 1;
    tally.waited("dispatcher", now, now - hint.startAt, hint.names.length);
  } else tally.stretchHints += 1;
  send(hint, now);
}

/** The cursors' item: one conditional write each. */
function createCursors({ agenda }: World): Cursors {
  const kept = new Map<number, Cursor>();
  return {
    async lease(range, { now, until, beyond }) {
      await agenda.until(agenda.now() + durations.writeMs);
      const cursor = kept.get(range) ?? { range, version: 0, places: {}, leaseUntil: null };
      if (cursor.leaseUntil !== null && cursor.leaseUntil > now && cursor.leaseUntil <= beyond) return "leased";
      const leased = { ...cursor, version: cursor.version + 1, leaseUntil: until };
      kept.set(range, leased);
      return leased;
    },
    async save(cursor) {
      await agenda.until(agenda.now() + durations.writeMs);
      const before = kept.get(cursor.range);
      if (before !== undefined && before.version !== cursor.version - 1) return "stale";
      kept.set(cursor.range, cursor);
      return "saved";
    },
  };
}
