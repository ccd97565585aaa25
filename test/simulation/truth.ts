/**
 * The one true store of a world: the memory store, with a record of every effect at the moment it takes place, and an index that lags
 * behind as a database's does.
 */

import type { WheelEntry } from "../../src/core/hint.ts";
import { shardOf } from "../../src/core/hint.ts";
import { isLive, type Job, priorities } from "../../src/core/job.ts";
import { type EpochMs, later } from "../../src/core/time.ts";
import type { Store } from "../../src/engine/ports.ts";
import { compareWheelKeys } from "../../src/store/keys.ts";
import type { World } from "./world.ts";

export type Truth = {
  /** The store as one process's calls reach it, with nothing in between. */
  storeFor(by: string): Store;
  readonly records: ReadonlyMap<string, Job>;
  /** The content that a record's body stands for. */
  contentIn(job: Job): string;
  /** The earliest instant at which a live job of these shards stands; undefined where none does. */
  nextWakeAt(shards: readonly number[]): EpochMs | undefined;
  /** Resolves at the next change of any job. */
  changed(): Promise<void>;
};

type Pending = { readonly visibleAt: EpochMs; readonly before: Job | undefined; readonly after: Job };

export function createTruth(world: World): Truth {
  const { shards } = world.params;
  const inner = world.code.memoryStore({ now: world.clock.now, shards });
  const records = new Map<string, Job>();
  const contents = new Map<string, string>();
  const index = createIndex(shards);
  const dice = world.dice.fork("index");
  const waiters: (() => void)[] = [];

  async function took(by: string, from: Job | undefined, wanted: Job): Promise<void> {
    const before = records.get(wanted.id);
    const after = await inner.load(wanted);
    // The memory store keeps the very value it was given: another one means that this write changed nothing.
    if (after !== wanted || before === wanted) return;
    records.set(after.id, after);
    world.note({ kind: "stored", by, from, before, after });
    index.change({ visibleAt: later(world.clock.now(), lagMs()), before, after });
    for (const wake of waiters.splice(0)) wake();
  }

  function lagMs(): number {
    // At home the index is written with the record.
    if (world.profile === "home" || !world.isRough() || world.weather.indexLagMsMax === 0) return 0;
    return dice.happens(0.5) ? 0 : dice.whole(0, world.weather.indexLagMsMax);
  }

  function storeFor(by: string): Store {
    return {
      ...inner,
      async insert(job) {
        const answer = await inner.insert(job);
        await took(by, undefined, job);
        return answer;
      },
      async commit(transition) {
        const answer = await inner.commit(transition);
        await took(by, transition.from, transition.to);
        if (answer === "stale") world.note({ kind: "stale", by, job: transition.from.id });
        return answer;
      },
      async writePayload(owner, payload) {
        contents.set(payload.id, contentOf(payload.bytes));
        return inner.writePayload(owner, payload);
      },
      async loadMany(refs) {
        world.note({ kind: "read", by, jobs: refs.length });
        return inner.loadMany(refs);
      },
      async wheel({ shard, priority, after, until, limit }) {
        const found: WheelEntry[] = [];
        for (const entry of index.partition(shard, priority, world.clock.now())) {
          if (compareWheelKeys(entry, after) <= 0) continue;
          if (compareWheelKeys(entry, until) > 0 || found.length === limit) break;
          found.push(entry);
        }
        return found;
      },
    };
  }

  return {
    storeFor,
    records,
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

/** Applies each change when it becomes visible; the changes of one item in the order they were made. */
function createIndex(shards: number) {
  const partitions = new Map<string, WheelEntry[]>();
  for (const priority of priorities) for (let shard = 0; shard < shards; shard++) partitions.set(`${shard} ${priority}`, []);
  const pending: Pending[] = [];
  const visibleFrom = new Map<string, EpochMs>();

  const entriesOf = (job: Job) => partitions.get(`${shardOf(job.id, shards)} ${job.priority}`) ?? [];

  function apply({ before, after }: Pending): void {
    if (before !== undefined && isLive(before)) {
      const entries = entriesOf(before);
      const place = entries.findIndex((entry) => entry.id === before.id);
      if (place >= 0) entries.splice(place, 1);
    }
    if (!isLive(after)) return;
    const entries = entriesOf(after);
    const { tenant, id, wakeAt, hinted } = after;
    const entry = { tenant, id, wakeAt, hinted };
    const place = entries.findIndex((other) => compareWheelKeys(other, entry) > 0);
    entries.splice(place < 0 ? entries.length : place, 0, entry);
  }

  return {
    change(change: Pending): void {
      if (!moves(change)) return;
      const visibleAt = Math.max(change.visibleAt, visibleFrom.get(change.after.id) ?? 0) as EpochMs;
      visibleFrom.set(change.after.id, visibleAt);
      const place = pending.findLastIndex((other) => other.visibleAt <= visibleAt) + 1;
      pending.splice(place, 0, { ...change, visibleAt });
    },
    partition(shard: number, priority: string, now: EpochMs): readonly WheelEntry[] {
      while (pending[0] !== undefined && pending[0].visibleAt <= now) {
        const next = pending.shift();
        if (next !== undefined) apply(next);
      }
      return partitions.get(`${shard} ${priority}`) ?? [];
    },
  };
}

/** A claim, a settling that ends nothing, a cancel's mark: most changes leave the entry as it is. */
function moves({ before, after }: Pending): boolean {
  if (before === undefined || !isLive(before) || !isLive(after)) return true;
  return before.wakeAt !== after.wakeAt || before.hinted !== after.hinted || before.priority !== after.priority;
}
