/** What one process of the simulated world has in its hands: the engine's ports, each with the faults of that process between. */

import { type ChangeId, jobIdAt, type LeaseToken, nameOf, type PayloadId } from "../../src/core/ids.ts";
import type { Engine, Params } from "../../src/engine/engine.ts";
import type { Cursors, Hints, Ids, Store } from "../../src/engine/ports.ts";
import { callThrough, type Manner } from "./faults.ts";
import type { Process } from "./process.ts";
import { isWithin } from "./weather.ts";
import type { World } from "./world.ts";

/** How far away the store is. In the cloud a call travels; at home a read is a function call, and a write waits for the disk. */
function mannerOf(world: World, kind: Manner["kind"]): Manner {
  const isOut = () => isStoreOut(world, kind);
  if (world.profile === "cloud") return { kind, latencyMsMax: 20, outlivesProcess: true, isOut };
  return { kind, latencyMsMax: kind === "read" ? 0 : 8, outlivesProcess: false, isOut };
}

function isStoreOut(world: World, kind: Manner["kind"]): boolean {
  if (!world.isRough()) return false;
  const now = world.clock.now();
  return isWithin(world.weather.storeOut, now) || (kind === "write" && isWithin(world.weather.writesOut, now));
}

export function storeOf(world: World, process: Process): Store {
  const store = world.truth.storeFor(process.name);
  const read = mannerOf(world, "read");
  const write = mannerOf(world, "write");
  const through = <T>(manner: Manner, effect: () => Promise<T>) => callThrough(world, process, manner, effect);
  return {
    insert: (job) => through(write, () => store.insert(job)),
    load: (ref) => through(read, () => store.load(ref)),
    loadMany: (refs) => (refs.length === 0 ? Promise.resolve([]) : through(read, () => store.loadMany(refs))),
    commit: (transition) => through(write, () => store.commit(transition)),
    wheel: (page) => wheelThrough(world, process, store, page),
    list: (page) => through(read, () => store.list(page)),
    writePayload: (owner, payload) => through(write, () => store.writePayload(owner, payload)),
    readPayloads: (owner, ids) => through(read, () => store.readPayloads(owner, ids)),
  };
}

/** Pages without an entry are most of what a turn reads: they take no virtual time, which would cost most of the real one. */
async function wheelThrough(world: World, process: Process, store: Store, page: Parameters<Store["wheel"]>[0]): ReturnType<Store["wheel"]> {
  const entries = await store.wheel(page);
  const latencyMsMax = entries.length === 0 ? 0 : mannerOf(world, "read").latencyMsMax;
  return callThrough(world, process, { ...mannerOf(world, "read"), latencyMsMax }, async () => entries);
}

export function cursorsOf(world: World, process: Process, cursors: Cursors): Cursors {
  const write: Manner = { ...mannerOf(world, "write"), latencyMsMax: 0 };
  return {
    lease: (range, at) => callThrough(world, process, write, () => cursors.lease(range, at)),
    save: (cursor) => callThrough(world, process, write, () => cursors.save(cursor)),
  };
}

export function idsOf({ dice }: Process): Ids {
  return {
    job: (createdAt) => jobIdAt(createdAt, dice.bytes(10)),
    payload: () => nameOf(dice.bytes(8)) as PayloadId,
    change: () => nameOf(dice.bytes(8)) as ChangeId,
    token: () => nameOf(dice.bytes(8)) as LeaseToken,
    trace: () => ({ traceId: "0".repeat(32), spanId: "0".repeat(16) }),
  };
}

/** An engine in one process. What survives the process (store, cursors, queues) is the world's; everything else is its own. */
export function engineIn(world: World, process: Process, given: { hints: Hints; cursors: Cursors; params?: Partial<Params> }): Engine {
  return {
    params: { ...world.params, ...given.params },
    register: world.code.createRegister(),
    store: storeOf(world, process),
    cursors: given.cursors,
    hints: given.hints,
    deliver: world.targets.deliverFor(process),
    admit: world.code.admitAll,
    clock: process.clock,
    chance: process.dice.fraction,
    ids: idsOf(process),
    observe(observation) {
      if (observation.kind !== "turned") return;
      world.note({ kind: "turned", by: process.name, named: observation.named, stretches: observation.stretches });
    },
  };
}
