/**
 * Recording how an attempt ended. Conditioned on the lease's token alone: a cancel's mark that came meanwhile does not lose the
 * outcome, and a holder that took over is left in peace.
 */

import type { PayloadId } from "../core/ids.ts";
import type { Running } from "../core/job.ts";
import { type Answer, type Outcome, outcomeOf } from "../core/outcome.ts";
import { later } from "../core/time.ts";
import { type AttemptEnd, expire, loseLease, settle, type Transition } from "../core/transition.ts";
import { commit } from "./commit.ts";
import { type Engine, factsNow } from "./engine.ts";
import { excerptOf } from "./excerpt.ts";
import { keptUntil } from "./payload.ts";
import { OutageError } from "./ports.ts";

export async function settleAnswer(engine: Engine, job: Running, answer: Answer): Promise<void> {
  const outcome = outcomeOf(answer, job.retry.retryOn);
  const { sentAt: startedAt } = answer;
  if (answer.kind === "failure") {
    const response = answer.status === null ? null : { status: answer.status, byteCount: 0, truncated: true, excerptId: null };
    return recordEnd(engine, job, { startedAt, outcome, response, error: { code: answer.code, message: answer.message } });
  }
  const excerptId = await keepExcerpt(engine, job, answer, outcome);
  const response = { status: answer.status, byteCount: answer.byteCount, truncated: answer.body === "cut", excerptId };
  return recordEnd(engine, job, { startedAt, outcome, response, error: null });
}

/** The attempt was claimed, but nothing of it left. */
export async function settleUnsent(engine: Engine, job: Running, why: { kind: "again" | "never"; message: string }): Promise<void> {
  const outcome: Outcome =
    why.kind === "again" ? { kind: "again", because: "aborted", waitMs: null } : { kind: "never", because: "aborted" };
  return recordEnd(engine, job, { startedAt: null, outcome, response: null, error: { code: null, message: why.message } });
}

/** The deadline passed, or the lease's time ran out, between the claim and the first byte. */
export async function settleLate(engine: Engine, job: Running, why: "deadline_passed" | "lease_over"): Promise<void> {
  return record(engine, job, (fresh) => (why === "lease_over" ? loseLease : expire)(fresh, factsNow(engine)));
}

/** Written before the commit that names it. An excerpt is a convenience: where it cannot be written the outcome counts without it. */
async function keepExcerpt(
  engine: Engine,
  job: Running,
  answer: Extract<Answer, { kind: "response" }>,
  outcome: Outcome,
): Promise<PayloadId | null> {
  if (outcome.kind === "done" && engine.params.keepResponses === "failures") return null;
  const id = engine.ids.payload();
  try {
    await engine.store.writePayload(job, { id, bytes: excerptOf(answer), keptUntil: keptUntil(engine, job) });
    return id;
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "store", cause });
    return null;
  }
}

async function recordEnd(engine: Engine, claimed: Running, end: AttemptEnd): Promise<void> {
  const fraction = engine.chance();
  return record(engine, claimed, (fresh) => settle(fresh, end, fraction, factsNow(engine)));
}

/** `ending` is asked anew where a cancel's mark was set meanwhile. */
async function record(engine: Engine, claimed: Running, ending: (job: Running) => Transition): Promise<void> {
  let job = claimed;
  for (;;) {
    const settled = ending(job);
    if ((await patiently(engine, claimed, () => commit(engine, settled))) === "committed") return;
    const fresh = await patiently(engine, claimed, () => engine.store.load(claimed));
    if (fresh === "lease_over" || fresh?.state !== "running" || fresh.leaseToken !== claimed.leaseToken) {
      engine.observe({ kind: "lease_lost", job: claimed });
      return;
    }
    job = fresh;
  }
}

const waitMsMin = 100;
const waitMsMax = 5_000;

/**
 * An outcome is worth waiting for: a store that is out is asked again until it answers. Only where the lease ends by the clock
 * is there an end to it, for then another takes the job. The same change is repeated, so that one whose reply was lost is known.
 */
async function patiently<T>(engine: Engine, claimed: Running, ask: () => Promise<T>): Promise<T | "lease_over"> {
  for (let waitMs = waitMsMin; ; waitMs = Math.min(2 * waitMs, waitMsMax)) {
    try {
      return await ask();
    } catch (cause) {
      if (!(cause instanceof OutageError)) throw cause;
      engine.observe({ kind: "outage", where: "store", cause });
    }
    await engine.clock.until(later(engine.clock.now(), waitMs));
    if (engine.params.leaseRule.kind === "invocation" && engine.clock.now() > claimed.leaseUntil) return "lease_over";
  }
}
