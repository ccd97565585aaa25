/** Calling a job off. The answer is exact: "cancelled" means that nothing is in flight and nothing starts. */

import type { JobRef } from "../core/hint.ts";
import type { Cancelled, Failed, Running, Succeeded } from "../core/job.ts";
import { type CancelBecause, cancel as cancelWaiting, requestCancel } from "../core/transition.ts";
import { commit } from "./commit.ts";
import { type Engine, factsNow } from "./engine.ts";

export type CancelAnswer =
  | { readonly kind: "cancelled"; readonly job: Cancelled }
  /** The mark stands: the call in flight is aborted if it can be, and no attempt starts after it. */
  | { readonly kind: "requested"; readonly job: Running }
  | { readonly kind: "state_conflict"; readonly job: Succeeded | Failed }
  | { readonly kind: "not_found" };

export async function cancel(engine: Engine, ref: JobRef, because: CancelBecause = "cancelled"): Promise<CancelAnswer> {
  // Each round that finds the job changed saw another writer succeed, so someone always gets on.
  for (;;) {
    const job = await engine.store.load(ref);
    if (job === undefined) return { kind: "not_found" };
    switch (job.state) {
      case "succeeded":
      case "failed":
        return { kind: "state_conflict", job };
      case "cancelled":
        return { kind: "cancelled", job };
      case "waiting": {
        const cancelled = cancelWaiting(job, factsNow(engine), because);
        if ((await commit(engine, cancelled)) === "committed") return { kind: "cancelled", job: cancelled.to };
        break;
      }
      case "running": {
        if (job.cancelRequestedAt !== null) {
          // The first answer may have been lost before the call was told.
          engine.register.askCancel(ref);
          return { kind: "requested", job };
        }
        const requested = requestCancel(job, factsNow(engine));
        if ((await commit(engine, requested)) === "stale") break;
        engine.register.askCancel(ref);
        return { kind: "requested", job: requested.to };
      }
    }
  }
}
