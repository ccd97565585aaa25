/** The engine as its verbs see it: the ports of a home, its parameters, and what this process holds. */

import type { Running } from "../core/job.ts";
import type { ScheduleFacts } from "../core/standing.ts";
import { type EpochMs, later } from "../core/time.ts";
import type { Facts } from "../core/transition.ts";
import type { Admit } from "./admit.ts";
import type { Chance, Clock, Cursors, Deliver, Hints, Ids, Observe, Store } from "./ports.ts";
import type { Register } from "./register.ts";

/** What differs between homes. Each is a number or a rule, never a branch on the home's name. */
export type Params = {
  /** Partitions of the wheel for each priority. */
  readonly shards: number;
  /** How often a turn runs over a range of shards. */
  readonly tickMs: number;
  /** H: how far ahead of now a turn names what is owed. */
  readonly lookaheadMs: number;
  /** An entry this far in the past was hinted in vain. 0 where a hint cannot be lost without the process. */
  readonly graceMs: number;
  /** Names hinted for an instant longer ago than this are left to the past's next hint. */
  readonly namesAgeMsMax: number;
  /** A stretch cut longer ago than this has been cut anew by a later turn. */
  readonly stretchAgeMsMax: number;
  /** How long before the instant a hint should arrive. */
  readonly leadMs: number;
  /** How long before the instant the connection is opened. */
  readonly connectLeadMs: number;
  /** How long before the instant the claim is written: the store's latency at its worst, so that it is not in the lateness. */
  readonly claimLeadMs: number;
  /** How long before an occurrence is due it is taken: its job is inserted, claimed and connected within. */
  readonly takeLeadMs: number;
  /** The longest call that this home can make. A job that was taken when longer ones could be made is called with this timeout, and not never. */
  readonly callMsMax: number;
  readonly namesPerHint: number;
  /** Entries read from the wheel at once. */
  readonly pageEntries: number;
  /** Stretches that one turn cuts from the oldest page of a partition. */
  readonly stretchesPerPartition: number;
  /** Hints for items whose lease was lost are drawn over this span, so that they meet few others. */
  readonly lonelySpreadMs: number;
  /** Entries hinted for an instant before this may have been hinted by a process that is gone, and are named again. */
  readonly hintedAnewBefore: EpochMs;
  /** When a lease ends, and who may say so. "register": this process is the only executor, so what it does not hold is dead. */
  readonly leaseRule: { readonly kind: "register"; readonly slackMs: number } | { readonly kind: "invocation" };
  /** How an attempt learns of a cancel. "told": by the register. "asks": it reads the record, a lead before its instant, and then so often. */
  readonly cancelWatch: { readonly kind: "told" } | { readonly kind: "asks"; readonly leadMs: number; readonly everyMs: number };
  readonly retentionMs: number;
  /** Whose answers' excerpts are kept; each costs a write of its own. */
  readonly keepResponses: "failures" | "all";
  readonly userAgent: string;
};

export type Ports = {
  readonly store: Store;
  readonly cursors: Cursors;
  readonly hints: Hints;
  readonly deliver: Deliver;
  readonly admit: Admit;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly ids: Ids;
  readonly observe: Observe;
};

export type Engine = Ports & { readonly params: Params; readonly register: Register };

/** What a transition may know, as of now. */
export function factsNow(engine: Engine): Facts {
  const now = engine.clock.now();
  return { now, change: engine.ids.change(), hintBefore: hintBefore(engine, now), retentionMs: engine.params.retentionMs };
}

/** As {@link factsNow}, for a change of a schedule. */
export function scheduleFactsNow(engine: Engine): ScheduleFacts {
  const now = engine.clock.now();
  return { now, change: engine.ids.change(), hintBefore: hintBefore(engine, now), takeLeadMs: engine.params.takeLeadMs };
}

/**
 * Whoever sets a `wakeAt` before this instant hints it; later ones are left to the turn. One tick beyond the look-ahead,
 * because the index may lag behind the turn that reads it.
 */
function hintBefore(engine: Engine, now: EpochMs): EpochMs {
  return later(now, engine.params.lookaheadMs + engine.params.tickMs);
}

/** The total deadline of the job's next call. */
export function timeoutOf(engine: Engine, job: { readonly timeoutMs: number }): number {
  return Math.min(job.timeoutMs, engine.params.callMsMax);
}

/** Whether the lease's holder is surely dead. */
export function isLeaseOver(engine: Engine, job: Running): boolean {
  switch (engine.params.leaseRule.kind) {
    case "register":
      return !engine.register.lives(job, job.leaseToken);
    case "invocation":
      return engine.clock.now() > job.leaseUntil;
  }
}
