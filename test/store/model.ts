/**
 * A store against the model: whatever is asked, in whatever order and with whatever stale copies, both answer alike. What only some
 * stores have (removing what has expired, opening the file anew) must not show.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { PayloadId, TenantId } from "../../src/core/ids.ts";
import { type AnyRef, type Change, isJob } from "../../src/core/item.ts";
import { isLive, type Live, type Priority, priorities } from "../../src/core/job.ts";
import type { Standing } from "../../src/core/schedule.ts";
import { type EpochMs, later } from "../../src/core/time.ts";
import { create } from "../../src/core/transition.ts";
import type { ListKey, ListPage, Store } from "../../src/engine/ports.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { SqliteStore } from "../../src/store/sqlite.ts";
import { factsAt, handClock, newJob, nextJobId, nextPayloadId, nextTenant, startAt } from "../builders.ts";
import { activeSchedule, jobTemplate, scheduleFactsAt } from "../scheduleBuilders.ts";
import { anyScheduleChange } from "./scheduleVerbs.ts";
import { anyChange, pick } from "./verbs.ts";

/** What is compared with the model. */
export type Real = {
  readonly store: Store;
  close(): Promise<void>;
  /** Where ended jobs are removed by us. */
  removeExpired?(limit: number): Promise<unknown>;
  /** Where the store can be closed and opened on what it has written. */
  reopen?(): Promise<Real>;
  readonly counts?: SqliteStore["counts"];
};

export type ModelSubject = {
  readonly name: string;
  open(clock: { now(): EpochMs }, shards: number): Promise<Real>;
  /** Whether writes made at once are taken in the order in which they were made. Over several connections any may be first. */
  readonly keepsOrder: boolean;
  readonly runs: number;
  /** Of one run, at most; fewer where each takes long. */
  readonly commandsMax?: number;
};

const shards = 3;
/** Of so many copies is the next change made. */
const recent = 10;

type Write =
  /** `again`: under the id of a job known already. */
  | {
      readonly kind: "insert";
      readonly priority: Priority;
      readonly dueInMs: number;
      readonly foreign: boolean;
      readonly again: number | null;
    }
  /** Of a schedule, under one of few names. */
  | { readonly kind: "insert_schedule"; readonly priority: Priority; readonly name: number; readonly foreign: boolean }
  /** `copy` picks one of the copies seen last, many of them stale; a change made before is sometimes written once more. */
  | { readonly kind: "commit"; readonly copy: number; readonly choice: number; readonly repeat: boolean };
type Command =
  | { readonly kind: "writes"; readonly writes: readonly Write[] }
  | { readonly kind: "load"; readonly copies: readonly number[] }
  | {
      readonly kind: "wheel";
      readonly shard: number;
      readonly priority: number;
      readonly fromMs: number;
      readonly spanMs: number;
      readonly limit: number;
    }
  | {
      readonly kind: "list";
      readonly among: ListPage["among"];
      readonly foreign: boolean;
      readonly follow: boolean;
      readonly limit: number;
    }
  | { readonly kind: "named"; readonly foreign: boolean; readonly after: number | null; readonly limit: number }
  | { readonly kind: "payload"; readonly copy: number; readonly bytes: Uint8Array; readonly keptMs: number }
  | { readonly kind: "turn"; readonly ms: number }
  | { readonly kind: "remove"; readonly limit: number }
  | { readonly kind: "reopen" };

const smallMs = fc.integer({ min: 0, max: 3_000 });
const index = fc.nat(1_000);
const write: fc.Arbitrary<Write> = fc.oneof(
  {
    weight: 1,
    arbitrary: drawn("insert", {
      priority: fc.constantFrom(...priorities),
      dueInMs: smallMs,
      foreign: fc.boolean(),
      again: fc.option(index),
    }),
  },
  {
    weight: 1,
    arbitrary: drawn("insert_schedule", { priority: fc.constantFrom(...priorities), name: fc.nat(7), foreign: fc.boolean() }),
  },
  { weight: 4, arbitrary: drawn("commit", { copy: index, choice: index, repeat: fc.boolean() }) },
);
const limit = fc.integer({ min: 1, max: 5 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 120, arbitrary: drawn("writes", { writes: fc.array(write, { minLength: 1, maxLength: 6 }) }) },
  { weight: 20, arbitrary: drawn("load", { copies: fc.array(index, { maxLength: 5 }) }) },
  { weight: 40, arbitrary: drawn("wheel", { shard: fc.nat(shards - 1), priority: fc.nat(3), fromMs: smallMs, spanMs: smallMs, limit }) },
  {
    weight: 20,
    arbitrary: drawn("list", {
      among: fc.constantFrom("all" as const, "failed" as const),
      foreign: fc.boolean(),
      follow: fc.boolean(),
      limit,
    }),
  },
  { weight: 20, arbitrary: drawn("named", { foreign: fc.boolean(), after: fc.option(fc.nat(7)), limit }) },
  { weight: 20, arbitrary: drawn("payload", { copy: index, bytes: fc.uint8Array(), keptMs: smallMs }) },
  { weight: 30, arbitrary: drawn("turn", { ms: smallMs }) },
  { weight: 12, arbitrary: drawn("remove", { limit }) },
  { weight: 1, arbitrary: drawn("reopen", {}) },
);

function drawn<Kind extends string, Fields>(kind: Kind, fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }) {
  return fc.record(fields, { noNullPrototype: true }).map((values) => ({ kind, ...values }));
}

/** Both stores, and what a caller may remember of them. */
type World = {
  /** Ours and another, of this run alone: a store may hold those of earlier runs. */
  readonly tenants: readonly [ours: TenantId, other: TenantId];
  readonly clock: ReturnType<typeof handClock>;
  readonly model: Store;
  real: Real;
  readonly keepsOrder: boolean;
  readonly copies: (Live | Standing)[];
  readonly changes: Change[];
  readonly payloads: { readonly owner: Live | Standing; readonly id: PayloadId; readonly keptUntil: EpochMs }[];
  place: ListKey | null;
};

async function bothAnswer<Answer>(world: World, ask: (store: Store) => Promise<Answer>): Promise<Answer> {
  const [expected, found] = await Promise.all([ask(world.model), ask(world.real.store)]);
  expect(found).toEqual(expected);
  return expected;
}

/** A write, and what its writer knows once it was answered. */
type Prepared = { write(store: Store): Promise<string>; answered(answer: string): unknown };

/** Undefined where nothing is known yet that could be changed. */
function prepared(world: World, write: Write): Prepared | undefined {
  const { clock, copies, changes } = world;
  const hintBefore = later(clock.now(), 1_000);
  const facts = factsAt(clock.now(), { hintBefore, retentionMs: 2_000 });
  if (write.kind === "insert") {
    const jobs = copies.filter((copy) => isJob(copy));
    const known = write.again === null || jobs.length === 0 ? undefined : pick(jobs, write.again);
    const tenant = known?.tenant ?? world.tenants[write.foreign ? 1 : 0];
    const id = known?.id ?? nextJobId();
    const job = create(newJob({ tenant, id, priority: write.priority, dueAt: later(facts.now, write.dueInMs) }), facts);
    return { write: (store) => store.insert(job), answered: (answer) => answer === "inserted" && copies.push(job) };
  }
  if (write.kind === "insert_schedule") {
    const [tenant, name] = [world.tenants[write.foreign ? 1 : 0], nameOf(write.name)];
    const job = jobTemplate({ priority: write.priority });
    const schedule = activeSchedule({ tenant, name, createdAt: facts.now, job, overlap: "allow" }, { hintBefore });
    return { write: (store) => store.insert(schedule), answered: (answer) => answer === "inserted" && copies.push(schedule) };
  }
  if (copies.length === 0) return undefined;
  const repeats = write.repeat && changes.length > 0;
  const copy = pick(copies.slice(-recent), write.copy);
  const changeOf = (): Change =>
    isJob(copy)
      ? anyChange(copy, write.choice, facts)
      : anyScheduleChange(copy, write.choice, scheduleFactsAt(clock.now(), { hintBefore }));
  const change = repeats ? pick(changes, write.choice) : changeOf();
  changes.push(change);
  return {
    write: (store) => store.commit(change),
    answered: (answer) => answer === "committed" && isStanding(change.to) && copies.push(change.to),
  };
}

const nameOf = (choice: number) => `n${choice}`;

function isStanding(item: Change["to"]): item is Live | Standing {
  return isJob(item) ? isLive(item) : "spec" in item && item.state !== "deleted";
}

function atOnce(writes: readonly Prepared[], store: Store): Promise<string[]> {
  return Promise.all(writes.map(({ write }) => write(store)));
}

async function inTurn(writes: readonly Prepared[], store: Store): Promise<string[]> {
  const answers: string[] = [];
  for (const { write } of writes) answers.push(await write(store));
  return answers;
}

async function run(world: World, command: Command): Promise<void> {
  const { clock, copies } = world;
  switch (command.kind) {
    case "writes": {
      const writes = command.writes.map((one) => prepared(world, one)).filter((one) => one !== undefined);
      const answers = await bothAnswer(world, (store) => (world.keepsOrder ? atOnce(writes, store) : inTurn(writes, store)));
      for (const [index, { answered }] of writes.entries()) answered(answers[index] ?? "none");
      return;
    }
    case "load": {
      const refs: AnyRef[] = copies.length === 0 ? [] : command.copies.map((copy) => pick(copies, copy));
      await bothAnswer(world, (store) => store.loadMany(refs));
      await bothAnswer(world, (store) => Promise.all(refs.map((ref) => store.load(ref))));
      return;
    }
    case "wheel": {
      const wakeAt = later(startAt, command.fromMs);
      // Half of the pages begin at an entry and not between two.
      const after = command.fromMs % 2 === 0 && copies.length > 0 ? pick(copies, command.fromMs) : { wakeAt, id: "" };
      const until = { wakeAt: later(after.wakeAt, command.spanMs), id: command.spanMs % 2 === 0 ? after.id : "~" };
      const page = { shard: command.shard, priority: pick(priorities, command.priority), after, until, limit: command.limit };
      await bothAnswer(world, (store) => store.wheel(page));
      return;
    }
    case "list": {
      const tenant = world.tenants[command.foreign ? 1 : 0];
      const after = command.follow ? world.place : null;
      const page = await bothAnswer(world, (store) => store.list({ tenant, among: command.among, after, limit: command.limit }));
      world.place = page.next;
      return;
    }
    case "named": {
      const tenant = world.tenants[command.foreign ? 1 : 0];
      const after = command.after === null ? null : nameOf(command.after);
      await bothAnswer(world, (store) => store.listNamed({ tenant, kind: "schedule", after, limit: command.limit }));
      return;
    }
    case "payload": {
      if (copies.length === 0) return;
      const payload = { owner: pick(copies, command.copy), id: nextPayloadId(), keptUntil: later(clock.now(), command.keptMs) };
      world.payloads.push(payload);
      await bothAnswer(world, (store) => store.writePayload(payload.owner, { ...payload, bytes: command.bytes }));
      await readKept(world);
      return;
    }
    case "turn":
      clock.turn(command.ms);
      await readKept(world);
      return;
    case "remove":
      await world.real.removeExpired?.(command.limit);
      return;
    case "reopen":
      world.real = (await world.real.reopen?.()) ?? world.real;
  }
}

/** Only until `keptUntil` must a store have the bytes; after it the model never has, and the database may. */
async function readKept(world: World): Promise<void> {
  for (const { owner, id, keptUntil } of world.payloads) {
    if (keptUntil > world.clock.now()) await bothAnswer(world, (store) => store.readPayloads(owner, [id]));
  }
}

/** The counts that the database keeps, against the jobs that stand. */
async function countsAgree({ model, real, tenants }: World): Promise<void> {
  if (real.counts === undefined) return;
  const lists = await Promise.all(tenants.map((tenant) => model.list({ tenant, among: "all", after: null, limit: 10_000 })));
  const jobs = lists.flatMap((list) => list.jobs);
  const waiting = jobs.filter((job) => job.state === "waiting");
  const named = await Promise.all(tenants.map((tenant) => model.listNamed({ tenant, kind: "schedule", after: null, limit: 100 })));
  const wakes = [...waiting, ...named.flatMap(({ items }) => items)].map((item) => item.wakeAt);
  expect(await real.counts()).toEqual({
    waiting: waiting.length,
    running: jobs.filter((job) => job.state === "running").length,
    oldestWakeAt: wakes.length === 0 ? null : Math.min(...wakes),
  });
}

export function agreesWithModel({ name, open, keepsOrder, runs, commandsMax = 250 }: ModelSubject): void {
  test(`whatever is asked of them, ${name} and the model answer alike`, { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: Math.floor(commandsMax / 2), maxLength: commandsMax, size: "max" }),
        async (commands) => {
          const clock = handClock();
          const real = await open(clock, shards);
          const model = memoryStore({ now: clock.now, shards });
          const tenants = [nextTenant(), nextTenant()] as const;
          const world: World = { tenants, clock, model, real, keepsOrder, copies: [], changes: [], payloads: [], place: null };
          try {
            for (const one of commands) await run(world, one);
            await countsAgree(world);
          } finally {
            await world.real.close();
          }
        },
      ),
      // Before the test's own time is over, so that what differed is shown, smaller or not.
      { numRuns: runs, interruptAfterTimeLimit: 50_000, markInterruptAsFailure: true },
    );
  });
}
