/**
 * Every condition under which the table is written, each with what it means that it failed. A condition looks at the one item that is
 * written, and at nothing else.
 */

import type { EpochMs } from "../../core/time.ts";
import type { Condition } from "./table.ts";

/** Nothing stands under this key, or only what has expired. Refused: somebody's item stands, perhaps our own of a write whose reply was lost. */
export function vacantAt(now: EpochMs): Condition {
  return { expression: "attribute_not_exists(pk) OR x <= :now", values: { ":now": now } };
}

/** Nothing stands under this key. Refused: it was written before, and what it names never changes. */
export const vacant: Condition = { expression: "attribute_not_exists(pk)" };

/**
 * The item is still the one that was read: the same version of the same creation, for an expired key may have been taken anew.
 * Refused: someone changed it first, perhaps we ourselves, or it is gone.
 */
export function unchangedSince(seen: { readonly version: number; readonly createdKey: string }): Condition {
  return { expression: "v = :seen AND c = :created", values: { ":seen": seen.version, ":created": seen.createdKey } };
}

/** No turn holds the range's lease now; one from beyond what a lease taken now could be was left by a clock that ran ahead. Refused: a turn runs. */
export function leaseFree(at: { readonly now: EpochMs; readonly beyond: EpochMs }): Condition {
  return {
    expression: "attribute_not_exists(leaseUntil) OR leaseUntil <= :now OR leaseUntil > :beyond",
    values: { ":now": at.now, ":beyond": at.beyond },
  };
}

/** The cursor is of the version that this turn wrote. Refused: another turn took over, and its places stand. */
export function ofVersion(version: number): Condition {
  return { expression: "v = :version", values: { ":version": version } };
}

/** Nothing else was wanted of the ticks since the plan was read. Refused: a deploy or a person was first; read again, and decide anew. */
export function wantedSince(changes: number): Condition {
  return { expression: "attribute_not_exists(changes) OR changes = :seen", values: { ":seen": changes } };
}

/** Nobody carries the plan of the ticks out, or we do already (a reply was lost). Refused: another run does, and will see what is wanted. */
export function planFree(holder: string, now: EpochMs): Condition {
  return {
    expression: "attribute_not_exists(holder) OR holder = :holder OR heldUntil <= :now",
    values: { ":holder": holder, ":now": now },
  };
}

/** The plan of the ticks is still ours to carry out. Refused: our time was over, and another run took it. */
export function planHeldBy(holder: string): Condition {
  return { expression: "holder = :holder", values: { ":holder": holder } };
}

/** We carry the plan out, and nothing else was wanted since it was read. Refused: there is more to do, or it is no longer ours. */
export function planDone(holder: string, changes: number): Condition {
  return {
    expression: "holder = :holder AND (attribute_not_exists(changes) OR changes = :seen)",
    values: { ":holder": holder, ":seen": changes },
  };
}
