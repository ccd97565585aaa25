/**
 * A model of DynamoDB: items, each written under a condition on itself, an index that lags behind, and requests that are throttled or
 * lost on their way. What stands on it are the AWS home's own store, cursors and plan.
 */

import { hashOf, type ItemId } from "../../src/core/ids.ts";
import type { Item as StoredItem } from "../../src/core/item.ts";
import { limits } from "../../src/core/limits.ts";
import { secondMs } from "../../src/core/time.ts";
import type { Store } from "../../src/engine/ports.ts";
import type { Condition, Item, Key, Page, Table } from "../../src/store/dynamo/table.ts";
import { houseKeys } from "../../src/store/keys.ts";
import { holds } from "./conditions.ts";
import { callThrough, type Manner } from "./faults.ts";
import type { Process } from "./process.ts";
import { drawStallMs } from "./targets.ts";
import { isWithin } from "./weather.ts";
import { createWheelIndex, movesEntry } from "./wheelIndex.ts";
import type { World } from "./world.ts";

export type Dynamo = {
  tableFor(process: Process): Table;
  storeFor(process: Process): Store;
  /** Throws where the store's answers have shown that the process's clock is off: it takes no work. */
  refuseIfOff(process: Process): void;
  /** Puts an item there before anything happens. */
  setUp(item: Key & Item): void;
  /** What stands under a key, with nothing in between. */
  standing(key: Key): Item | undefined;
  /** Told of each update that sets the attribute. */
  onUpdate(attribute: string, listener: () => void): void;
};

/** What a writer is about to write, and what he had seen; undefined for an insert. */
type Intent = { readonly from: StoredItem | undefined; readonly to: StoredItem };

type Put = { readonly item: Key & Item; readonly condition: Condition | undefined; readonly intent: Intent | undefined };

/** The sort keys of what a commit changes; others are payloads and the house's own. */
const itemKinds = new Set(["job", "schedule", "calendar"]);

/** One key in so many is hot where hot keys are. */
const hotShare = 8;

const noEntries = () => Promise.resolve([]);

export function createDynamo(world: World): Dynamo {
  const items = new Map<string, Item>();
  const index = createWheelIndex();
  const manners = { read: mannerOf(world, "read"), write: mannerOf(world, "write") };
  const readsEmpty = { ...manners.read, latencyMsMax: 0 };
  const listeners: { readonly attribute: string; readonly listener: () => void }[] = [];
  const dice = world.dice.fork("index");
  const { clocksOff, faultsUntil, indexLagMsMax, punctual, sleepBeforeByte, throttles } = world.weather;
  const hot = throttles.length > 0;

  const skews = new WeakMap<Process, number>();

  /** Each answer says what time it is at the store, in whole seconds. */
  async function dated<T>(process: Process, ask: () => Promise<T>): Promise<T> {
    const sentAt = process.clock.now();
    const answer = await ask();
    const date = Math.floor(world.clock.now() / secondMs) * secondMs;
    skews.set(process, world.code.skewOf(date, { sentAt, receivedAt: process.clock.now() }) ?? 0);
    return answer;
  }

  function refuseIfOff(process: Process): void {
    if (Math.abs(skews.get(process) ?? 0) <= limits.clockSkewMsMax) return;
    world.note({ kind: "fault", by: process.name, what: "takes no work, for its clock is off", lastsMs: 0 });
    throw new world.code.OutageError("the clock is off");
  }

  /** What is visible late is visible when faults end at the latest. */
  function lagMs(): number {
    if (!world.isRough() || indexLagMsMax === 0 || (!punctual && dice.happens(0.5))) return 0;
    return Math.min(dice.whole(0, indexLagMsMax), faultsUntil - world.clock.now());
  }

  function put(process: Process, { item, condition, intent }: Put): "written" | "refused" {
    const key = itemKey(item);
    const before = items.get(key);
    if (condition !== undefined && !holds(condition, before)) {
      if (itemKinds.has(item.sk) && condition.values?.[":seen"] !== undefined)
        world.note({ kind: "stale", by: process.name, item: item.pk.slice(item.pk.lastIndexOf("#") + 1) });
      return "refused";
    }
    items.set(key, item);
    if (itemKinds.has(item.sk)) {
      if (intent === undefined) throw new Error("expected an item's write to be made as soon as its store is asked");
      index.change(before, item, world.clock.now(), lagMs);
      world.truth.took(process.name, intent.from, intent.to);
    }
    if (item.sk === "dead") world.note({ kind: "buried", message: item.pk.slice(houseKeys.deadLetter.length) });
    if (item.sk.startsWith("p#") && item["b"] instanceof Uint8Array) world.truth.keep(item.sk.slice(2), item["b"]);
    return "written";
  }

  function update(key: Key, change: Parameters<Table["update"]>[1], condition: Condition | undefined): Item | "refused" {
    const standing = items.get(itemKey(key));
    if (condition !== undefined && !holds(condition, standing)) return "refused";
    const after: Record<string, Item[string]> = { ...key, ...standing, ...change.set };
    for (const [name, count] of Object.entries(change.add ?? {})) after[name] = Number(after[name] ?? 0) + count;
    for (const name of change.remove ?? []) delete after[name];
    items.set(itemKey(key), after);
    for (const { attribute, listener } of listeners) if (change.set?.[attribute] !== undefined) listener();
    return after;
  }

  /**
   * A hot key, or a partition of the index that is asked for more than it can take: the table's own write then fails too. `written`: the item
   * as it would be; undefined for a read.
   */
  function isThrottled(process: Process, key: Key, written?: Item): boolean {
    const now = world.clock.now();
    return throttles.some(({ from, until, shard, share }) => {
      if (now < from || now >= until || !world.isRough()) return false;
      const isHit =
        shard === null ? hashOf(key.pk) % hotShare === 0 : movedFrom(items.get(itemKey(key)), written)?.startsWith(`w1#${shard}#`);
      return isHit === true && process.dice.happens(share);
    });
  }

  function tableFor(process: Process, intentNow: () => Intent | undefined = () => undefined): Table {
    async function through<T>(manner: Partial<Manner> & Pick<Manner, "kind">, effect: () => T): Promise<T> {
      const ask = () => callThrough(world, process, { ...manners[manner.kind], ...manner }, async () => effect());
      if (clocksOff === 0) return ask();
      const answer = await dated(process, ask);
      // What is read leads to claims and calls; a write that has left is written.
      if (manner.kind === "read") refuseIfOff(process);
      return answer;
    }
    return {
      put(item, condition) {
        const intent = intentNow();
        return through({ kind: "write", ...(hot && { isThrottled: () => isThrottled(process, item, item) }) }, () =>
          put(process, { item, condition, intent }),
        );
      },
      // Of cursors and plans, which nothing waits for.
      update: (key, change, condition) => through({ kind: "write", latencyMsMax: 0 }, () => update(key, change, condition)),
      async get(key) {
        const found = await through({ kind: "read", ...(hot && { isThrottled: () => isThrottled(process, key) }) }, () =>
          items.get(itemKey(key)),
        );
        // Between the look at the record and the first byte.
        if (!world.isRough() || process.name.startsWith("api") || !process.dice.happens(sleepBeforeByte / 4)) return found;
        process.freeze(drawStallMs(process, world.clock.now()));
        await process.awake();
        return found;
      },
      async getMany(keys) {
        if (keys.length === 0) return [];
        world.note({ kind: "read", by: process.name, jobs: keys.length });
        const isHot = () => keys.some((key) => isThrottled(process, key));
        return through({ kind: "read", ...(hot && { isThrottled: isHot }) }, () =>
          keys.map((key) => items.get(itemKey(key))).filter((item) => item !== undefined),
        );
      },
      async query(page) {
        const found = index.query(pageOf(page), world.clock.now());
        // Pages without an entry are most of what a turn reads: they take no virtual time, which would cost most of the real one.
        return through({ kind: "read", latencyMsMax: found.items.length === 0 ? 0 : 20 }, () => found);
      },
    };
  }

  return {
    tableFor: (process) => tableFor(process),
    refuseIfOff,
    setUp: (item) => void items.set(itemKey(item), item),
    standing: (key) => items.get(itemKey(key)),
    onUpdate: (attribute, listener) => void listeners.push({ attribute, listener }),
    storeFor(process) {
      const onUnreadable = (id: ItemId, cause: unknown) =>
        world.note({ kind: "threw", by: process.name, error: `${id} cannot be read: ${String(cause)}` });
      const { shards } = world.params;
      let intent: Intent | undefined;
      const storeOn = (table: Table) => world.code.createDynamoStore({ table, now: process.clock.now, shards, onUnreadable });
      const store = storeOn(tableFor(process, () => intent));
      function meaning<T>(meant: Intent, ask: () => Promise<T>): Promise<T> {
        intent = meant;
        const answer = ask();
        intent = undefined;
        return answer;
      }
      return {
        ...store,
        // It writes again where what stood has just expired.
        insert: (item) => storeOn(tableFor(process, () => ({ from: undefined, to: item }))).insert(item),
        commit: (change) => meaning(change, () => store.commit(change)),
        // Of a partition with nothing in it, there is nothing that the store could make wrong, and a turn asks for many.
        wheel: (page) =>
          index.isEmpty(`w1#${page.shard}#${page.priority}`, world.clock.now())
            ? callThrough(world, process, readsEmpty, noEntries)
            : store.wheel(page),
      };
    },
  };
}

function mannerOf(world: World, kind: Manner["kind"]): Manner {
  return { kind, latencyMsMax: 20, outlivesProcess: true, isOut: () => isStoreOut(world, kind) };
}

export function isStoreOut(world: World, kind: Manner["kind"]): boolean {
  if (!world.isRough()) return false;
  const now = world.clock.now();
  return isWithin(world.weather.storeOut, now) || (kind === "write" && isWithin(world.weather.writesOut, now));
}

function itemKey({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

/** The partition of the index that a write would change; undefined where it changes none. */
function movedFrom(before: Item | undefined, after: Item | undefined): string | undefined {
  if (after === undefined || !movesEntry(before, after)) return undefined;
  return String(after["w"] ?? before?.["w"]);
}

function pageOf({ index, partition, from, to, limit }: Page) {
  if (index.name !== "wheel") throw new Error(`expected a query of the wheel, got one of ${index.name}`);
  return { partition, from, to, limit };
}
