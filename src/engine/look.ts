/** Looking at the record between the claim and the answer: may the first byte leave, and is the call still wanted. */

import type { Job, Running } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import { type EpochMs, later } from "../core/time.ts";
import { type Engine, timeoutOf } from "./engine.ts";
import { OutageError } from "./ports.ts";
import type { Held } from "./register.ts";

export type Look =
  | "go"
  /** A cancel's mark stands: nothing is sent. */
  | "cancelled"
  /** The process slept past what its lease allows: another may take the job, so nothing is sent. */
  | "lease_over"
  | "deadline_passed"
  /** Another holds the job already. */
  | "not_ours"
  /** Whether the call is still wanted cannot be known now: nothing is sent. */
  | "unreadable";

/** Right before the first byte. After it, nobody can call the request back. Costs no read, so that nothing of it is in the lateness. */
export function lastLook(engine: Engine, job: Running, held: Held): Look {
  if (held.cancelAsked) return "cancelled";
  const now = engine.clock.now();
  if (later(now, timeoutOf(engine, job)) > lastEnd(engine, job)) return "lease_over";
  if (job.deadline !== null && now > job.deadline) return "deadline_passed";
  return "go";
}

/** A lease that ends with its invocation outlives it by what clocks may differ; a call must not. */
function lastEnd(engine: Engine, job: Running): EpochMs {
  return engine.params.leaseRule.kind === "invocation" ? later(job.leaseUntil, -limits.clockSkewMsMax) : job.leaseUntil;
}

/** Where nobody tells this process of a cancel, it reads the record right before the instant. */
export async function lookForMark(engine: Engine, job: Running): Promise<"wanted" | "cancelled" | "not_ours" | "unreadable"> {
  const watch = engine.params.cancelWatch;
  if (watch.kind === "told") return "wanted";
  const lookAt = later(job.nextAttemptAt, -watch.leadMs);
  if (engine.clock.now() < lookAt) await engine.clock.until(lookAt);
  try {
    return readMark(job, await engine.store.load(job));
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "store", cause });
    return "unreadable";
  }
}

function readMark(job: Running, record: Job | undefined): "wanted" | "cancelled" | "not_ours" {
  if (record?.state !== "running" || record.leaseToken !== job.leaseToken) return "not_ours";
  return record.cancelRequestedAt === null ? "wanted" : "cancelled";
}

/** Aborts the call when its cancel is asked for. Where nobody tells this process, it asks the record every so often. Call the answer to stop. */
export function watchCancel(engine: Engine, job: Running, held: Held): () => void {
  const watch = engine.params.cancelWatch;
  if (watch.kind === "told") return () => {};
  const over = new AbortController();
  void askUntil(over.signal, engine, job, held, watch.everyMs);
  return () => over.abort();
}

async function askUntil(over: AbortSignal, engine: Engine, job: Running, held: Held, everyMs: number): Promise<void> {
  for (;;) {
    await engine.clock.until(later(engine.clock.now(), everyMs), over);
    if (over.aborted) return;
    try {
      if (readMark(job, await engine.store.load(job)) === "wanted") continue;
      held.abort.abort();
      return;
    } catch (cause) {
      // Whatever it was, the call goes on: the mark stands in the record and is found when the call is settled.
      engine.observe({ kind: "outage", where: "store", cause });
    }
  }
}
