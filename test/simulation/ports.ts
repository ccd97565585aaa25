/** What one process of the simulated world has in its hands: the engine's ports, each with the faults of that process between. */

import { type ChangeId, jobIdAt, type LeaseToken, nameOf, type PayloadId } from "../../src/core/ids.ts";
import type { Engine, Params } from "../../src/engine/engine.ts";
import type { Cursors, Hints, Ids, Store } from "../../src/engine/ports.ts";
import { callThrough, type Manner } from "./faults.ts";
import type { Process } from "./process.ts";
import { isStoreOut } from "./table.ts";
import type { World } from "./world.ts";

/** At home a read is a function call, and a write waits for the disk. Whoever dies takes what he has not written with him. */
export function homeStoreOf(world: World, process: Process): Store {
  const store = world.truth.memoryStoreFor(process.name);
  const manner = (kind: Manner["kind"]): Manner => {
    return { kind, latencyMsMax: kind === "read" ? 0 : 8, outlivesProcess: false, isOut: () => isStoreOut(world, kind) };
  };
  const read = manner("read");
  const write = manner("write");
  const through = <T>(manner: Manner, effect: () => Promise<T>) => callThrough(world, process, manner, effect);
  return {
    insert: (item) => through(write, () => store.insert(item)),
    load: (ref) => through(read, () => store.load(ref)),
    loadMany: (refs) => {
      world.note({ kind: "read", by: process.name, jobs: refs.length });
      return refs.length === 0 ? Promise.resolve([]) : through(read, () => store.loadMany(refs));
    },
    commit: (change) => through(write, () => store.commit(change)),
    wheel: (page) => through(read, () => store.wheel(page)),
    list: (page) => through(read, () => store.list(page)),
    listNamed: (page) => through(read, () => store.listNamed(page)),
    writePayload: (owner, payload) => through(write, () => store.writePayload(owner, payload)),
    readPayloads: (owner, ids) => through(read, () => store.readPayloads(owner, ids)),
  };
}

function idsOf({ dice }: Process): Ids {
  return {
    job: (createdAt) => jobIdAt(createdAt, dice.bytes(10)),
    payload: () => nameOf(dice.bytes(8)) as PayloadId,
    change: () => nameOf(dice.bytes(8)) as ChangeId,
    token: () => nameOf(dice.bytes(8)) as LeaseToken,
    trace: () => ({ traceId: "0".repeat(32), spanId: "0".repeat(16) }),
  };
}

type Given = { readonly store: Store; readonly hints: Hints; readonly cursors: Cursors; readonly params?: Partial<Params> };

/** An engine in one process. What survives the process (store, cursors, queues) is the world's; everything else is its own. */
export function engineIn(world: World, process: Process, { store, hints, cursors, params }: Given): Engine {
  return {
    ...{ store, hints, cursors },
    params: { ...world.params, ...params },
    register: world.code.createRegister(),
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
