/**
 * The attempts of this process: which items it holds, and how a running call is told that its cancel was asked for.
 * A doubled hint meets it and goes no further; a lease's holder that is not in it is, at home, surely dead.
 */

import type { ItemRef } from "../core/hint.ts";
import type { LeaseToken, TenantId } from "../core/ids.ts";
import type { EpochMs } from "../core/time.ts";

export type Held = {
  /** The attempt's token, once it has claimed. */
  token: LeaseToken | null;
  /** Set when a cancel of this job was recorded in this process. */
  cancelAsked: boolean;
  readonly abort: AbortController;
  /** Set when a shutdown cut the call off: whether it arrived is as unknown as after a crash. */
  cutOff: boolean;
  /** A hint named the item for this instant while it was held. It is sent again by whoever lets go, for nobody else will. */
  missedAt: EpochMs | null;
};

export type Register = {
  /** Undefined: this process holds the item already. */
  hold(ref: ItemRef): Held | undefined;
  letGo(ref: ItemRef): void;
  holds(ref: ItemRef): boolean;
  /**
   * Told of a hint's name. "held": its instant is noted for whoever lets go, who sends the hint again, for an edit or a retry may have
   * moved the item there.
   */
  noteMissed(name: ItemRef & { readonly wakeAt: EpochMs }): "held" | "free";
  /** Whether the attempt with this token is alive in this process. */
  lives(ref: ItemRef, token: LeaseToken): boolean;
  /** Tells the call in flight, if it is this process's. */
  askCancel(ref: ItemRef): void;
  /** Ends every call, as a shutdown does when its patience is over. */
  abortAll(): void;
};

export function createRegister(): Register {
  const tenants = new Map<TenantId, Map<ItemRef["id"], Held>>();
  const find = (ref: ItemRef) => tenants.get(ref.tenant)?.get(ref.id);

  return {
    hold(ref) {
      const held = tenants.get(ref.tenant) ?? new Map<ItemRef["id"], Held>();
      tenants.set(ref.tenant, held);
      if (held.has(ref.id)) return undefined;
      const item: Held = { token: null, cancelAsked: false, abort: new AbortController(), cutOff: false, missedAt: null };
      held.set(ref.id, item);
      return item;
    },
    letGo(ref) {
      const held = tenants.get(ref.tenant);
      held?.delete(ref.id);
      if (held?.size === 0) tenants.delete(ref.tenant);
    },
    holds: (ref) => find(ref) !== undefined,
    noteMissed(name) {
      const held = find(name);
      if (held === undefined) return "free";
      held.missedAt = name.wakeAt;
      return "held";
    },
    lives: (ref, token) => find(ref)?.token === token,
    askCancel(ref) {
      const held = find(ref);
      if (held === undefined) return;
      held.cancelAsked = true;
      held.abort.abort();
    },
    abortAll() {
      for (const held of tenants.values()) {
        for (const item of held.values()) {
          item.cutOff = true;
          item.abort.abort();
        }
      }
    },
  };
}
