/**
 * What is true in a world, whatever anybody knows of it: every job as it stands, with a record of each effect at the moment it takes
 * place. Both homes' stores tell it of what they write.
 */

import { shardOf } from "../../src/core/hint.ts";
import { isLive, type Job } from "../../src/core/job.ts";
import type { EpochMs } from "../../src/core/time.ts";
import type { Transition } from "../../src/core/transition.ts";
import type { Store } from "../../src/engine/ports.ts";
import type { World } from "./world.ts";

export type Truth = {
  readonly records: ReadonlyMap<string, Job>;
  /** The content that a record's body stands for. */
  contentIn(job: Job): string;
  /** A payload was written. */
  keep(payloadId: string, bytes: Uint8Array): void;
  /** A write took effect. `from`: what its writer had seen; undefined for an insert. */
  took(by: string, from: Job | undefined, after: Job): void;
  /** The embedded home's store, as its one process's calls reach it. */
  memoryStoreFor(by: string): Store;
  /** The earliest instant at which a live job of these shards stands; undefined where none does. */
  nextWakeAt(shards: readonly number[]): EpochMs | undefined;
  /** Resolves at the next change of any job. */
  changed(): Promise<void>;
};

export function createTruth(world: World): Truth {
  const { shards } = world.params;
  const records = new Map<string, Job>();
  const contents = new Map<string, string>();
  const waiters: (() => void)[] = [];
  const inner = world.code.memoryStore({ now: world.clock.now, shards });

  function took(by: string, from: Job | undefined, after: Job): void {
    const before = records.get(after.id);
    records.set(after.id, after);
    world.note({ kind: "stored", by, from, before, after });
    for (const wake of waiters.splice(0)) wake();
  }

  async function tookIfStands(by: string, from: Job | undefined, wanted: Job): Promise<void> {
    // The memory store keeps the very value it was given: another one means that this write changed nothing.
    if ((await inner.load(wanted)) === wanted && records.get(wanted.id) !== wanted) took(by, from, wanted);
  }

  function memoryStoreFor(by: string): Store {
    return {
      ...inner,
      async insert(job) {
        const answer = await inner.insert(job);
        await tookIfStands(by, undefined, job);
        return answer;
      },
      async commit(transition: Transition) {
        const answer = await inner.commit(transition);
        await tookIfStands(by, transition.from, transition.to);
        if (answer === "stale") world.note({ kind: "stale", by, job: transition.from.id });
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
      for (const job of records.values()) {
        if (isLive(job) && (next === undefined || job.wakeAt < next) && wanted.includes(shardOf(job.id, shards))) next = job.wakeAt;
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
