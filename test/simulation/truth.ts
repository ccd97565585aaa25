/**
 * What is true in a world, whatever anybody knows of it: every job and schedule as it stands, with a record of each effect at the moment it
 * takes place. Both homes' stores tell it of what they write.
 */

import { shardOf } from "../../src/core/hint.ts";
import type { ItemId } from "../../src/core/ids.ts";
import { type Change, type Item, isJob, isOnWheel, type OnWheel } from "../../src/core/item.ts";
import type { Job } from "../../src/core/job.ts";
import { type Schedule, scheduleBounds } from "../../src/core/schedule.ts";
import type { EpochMs } from "../../src/core/time.ts";
import type { Store } from "../../src/engine/ports.ts";
import type { World } from "./world.ts";

export type Truth = {
  readonly records: ReadonlyMap<string, Job>;
  /** Deleted ones too, until another of the name takes their place. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  /** The content that a record's body stands for. */
  contentIn(record: { readonly body: Job["body"] }): string;
  /** A payload was written. */
  keep(payloadId: string, bytes: Uint8Array): void;
  /** A write took effect. `from`: what its writer had seen; undefined for an insert. */
  took(by: string, from: Item | undefined, after: Item): void;
  /** The embedded home's store, as its one process's calls reach it. */
  memoryStoreFor(by: string): Store;
  /** The earliest instant at which anything of these shards stands on the wheel; undefined where nothing does. */
  nextWakeAt(shards: readonly number[]): EpochMs | undefined;
  /** Resolves at the next change of any item. */
  changed(): Promise<void>;
};

export function createTruth(world: World): Truth {
  const { shards } = world.params;
  const records = new Map<string, Job>();
  const schedules = new Map<string, Schedule>();
  const standing = new Map<string, OnWheel>();
  const contents = new Map<string, string>();
  const waiters: (() => void)[] = [];
  const inner = world.code.memoryStore({ now: world.clock.now, shards });

  function took(by: string, from: Item | undefined, after: Item): void {
    if (isJob(after)) tookJob(by, from as Job | undefined, after);
    else if ("incarnation" in after) tookSchedule(by, from as Schedule | undefined, after);
    if (isOnWheel(after)) standing.set(after.id, after);
    else standing.delete(after.id);
    for (const wake of waiters.splice(0)) wake();
  }

  function tookJob(by: string, from: Job | undefined, after: Job): void {
    const before = records.get(after.id);
    records.set(after.id, after);
    world.note({ kind: "stored", by, from, before, after });
  }

  /** With the page that older entries of its log lie in, as it stands at this moment. */
  function tookSchedule(by: string, from: Schedule | undefined, after: Schedule): void {
    const before = schedules.get(after.id);
    schedules.set(after.id, after);
    const number = after.paged / scheduleBounds.pageEntries - 1;
    world.note({ kind: "ruled", by, from, before, after, page: contents.get(`log-${after.incarnation}-${number}`) });
  }

  /** The memory store keeps the very value it was given: another one means that this write changed nothing. */
  function isWritten(item: Item): boolean {
    const standing: Item | undefined = isJob(item) ? records.get(item.id) : schedules.get(item.id);
    return standing === item;
  }

  /** A deleted item is absent, and a write of it is told by its answer. */
  async function tookIfStands(by: string, from: Item | undefined, wanted: Item, answer: string): Promise<void> {
    const isGone = wanted.state === "deleted" && answer === "committed";
    if ((isGone || (await inner.load<ItemId>(wanted)) === wanted) && !isWritten(wanted)) took(by, from, wanted);
  }

  function memoryStoreFor(by: string): Store {
    return {
      ...inner,
      async insert(item) {
        const answer = await inner.insert(item);
        await tookIfStands(by, undefined, item, answer);
        return answer;
      },
      async commit(change: Change) {
        const answer = await inner.commit(change);
        await tookIfStands(by, change.from, change.to, answer);
        if (answer === "stale") world.note({ kind: "stale", by, item: change.from.id });
        return answer;
      },
      async writePayload(owner, payload) {
        contents.set(payload.id, contentOf(payload.bytes));
        return inner.writePayload(owner, payload);
      },
    };
  }

  return {
    records,
    schedules,
    took,
    memoryStoreFor,
    contentIn({ body }) {
      if (body === null) return "";
      switch (body.kept) {
        case "inline":
          return contentOf(Buffer.from(body.text));
        case "inline_base64":
          return contentOf(Buffer.from(body.base64, "base64"));
        case "beside":
          return contents.get(body.payloadId) ?? "never written";
      }
    },
    keep: (payloadId, bytes) => void contents.set(payloadId, contentOf(bytes)),
    nextWakeAt(wanted) {
      let next: EpochMs | undefined;
      for (const { id, wakeAt } of standing.values()) {
        if ((next === undefined || wakeAt < next) && wanted.includes(shardOf(id, shards))) next = wakeAt;
      }
      return next;
    },
    changed: () => new Promise((resolve) => waiters.push(resolve)),
  };
}

/** The simulation's bodies carry what they stand for as their first word. */
export function contentOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString().split(" ", 1)[0] ?? "";
}
