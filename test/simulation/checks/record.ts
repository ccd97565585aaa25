/** What may become of a record: I2, I6, I7's backoff, I10, I11, I12, I13, and lost leases only where a fault explains them. */

import { isLive, type Job } from "../../../src/core/job.ts";
import { backoffMs } from "../../../src/core/retry.ts";
import { later, secondMs } from "../../../src/core/time.ts";
import type { Capacity } from "../house.ts";
import type { World } from "../world.ts";
import { type Chronicle, describe, hadFault, type Stored, type Story, type Violation } from "./chronicle.ts";

/** A store that writes texts gives back equal values, and not the same ones. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const names = Object.keys(a);
  const fields = (value: object, name: string) => (value as Readonly<Record<string, unknown>>)[name];
  return names.length === Object.keys(b).length && names.every((name) => isSame(fields(a, name), fields(b, name)));
}

/** Judges each change of each job by what stood before it. */
function eachChange(
  chronicle: Chronicle,
  invariant: string,
  judge: (change: Stored, before: Job, story: Story) => string | undefined,
): Violation[] {
  const violations: Violation[] = [];
  for (const story of chronicle.stories.values()) {
    for (const change of story.changes) {
      const { before, after } = change;
      const wrong = before === undefined ? undefined : judge(change, before, story);
      if (wrong !== undefined) violations.push({ invariant, message: `${describe(after)} by ${change.by}: ${wrong}` });
    }
  }
  return violations;
}

/** I2: an ended job never changes. */
export function finalIsFinal(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I2", (_, before) => (isLive(before) ? undefined : `changed after it was ${before.state}`));
}

/** I12: a write takes effect only on the version it saw, under the lease it saw. */
export function fenced(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I12", ({ from }, before) => {
    if (from?.version !== before.version) return `written over version ${before.version} by one who had seen ${from?.version}`;
    if (from.state === "running" && before.state === "running" && from.leaseToken !== before.leaseToken)
      return "written under another's lease";
    return undefined;
  });
}

/** I13: each change counts once, and forgets nothing that stood before. */
export function countedOnce(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I13", ({ after }, before) => {
    if (after.version !== before.version + 1) return `version ${before.version} was followed by ${after.version}`;
    const claims = after.attemptCount - before.attemptCount;
    if (claims !== (after.because === "claimed" && before.state === "waiting" ? 1 : 0))
      return `${claims} attempts counted by "${after.because}"`;
    const losses = after.leaseLossCount - before.leaseLossCount;
    if (losses < 0 || losses > 1) return `${losses} lost leases counted at once`;
    if (after.history.at(-2)?.change !== before.history.at(-1)?.change) return "an entry of its history is gone";
    if (after.attempts.length !== Math.min(after.attemptCount, 20))
      return `${after.attempts.length} attempts kept of ${after.attemptCount}`;
    const changed = before.attempts.findIndex((attempt, index) => attempt.outcome !== null && !isSame(after.attempts[index], attempt));
    return changed < 0 ? undefined : `attempt ${changed + 1} was rewritten after its end`;
  });
}

/** I9: only an edit changes what a job is; every other change carries it on as it stands. */
export function onlyEditsChange(chronicle: Chronicle): Violation[] {
  const fields = [
    "dueAt",
    "target",
    "body",
    "timeoutMs",
    "deadline",
    "retry",
    "priority",
    "labels",
    "fingerprint",
    "replayOf",
    "createdAt",
  ] as const;
  return eachChange(chronicle, "I9", ({ after }, before) => {
    if (after.because === "edited") return undefined;
    const changed = fields.find((field) => !isSame(after[field], before[field]));
    return changed === undefined ? undefined : `its ${changed} was changed by "${after.because}"`;
  });
}

/** I6: attempts never exceed the bound, re-claims after a lost lease included; and none is claimed under a cancel's mark (I8). */
export function claimsBounded(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I6", ({ after }, before) => {
    if (after.state !== "running" || before.state !== "waiting") return undefined;
    return after.attemptCount > before.retry.maxAttempts ? `attempt ${after.attemptCount} of ${before.retry.maxAttempts}` : undefined;
  });
}

/** I8: after a cancel's mark no attempt is claimed, and the job ends cancelled unless its call had succeeded. */
export function markIsObeyed(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I8", ({ after }, before) => {
    if (before.state !== "running" || before.cancelRequestedAt === null) return undefined;
    if (after.state === "running") return after.cancelRequestedAt === null ? "the mark is gone" : undefined;
    return after.state === "cancelled" || after.state === "succeeded" ? undefined : `${after.state} although its cancel was asked for`;
  });
}

/** I7: a retry's instant is the curve's, never before what the target asked for, and after its jitter never beyond the curve. */
export function backoffKept(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I7", ({ after }, before, { calls }) => {
    if (after.state !== "waiting" || after.because !== "retried" || before.state !== "running") return undefined;
    const now = after.history.at(-1)?.at ?? 0;
    const waitMs = after.nextAttemptAt - now;
    const curveMs = backoffMs(after.retry, Math.max(1, after.attemptCount - after.leaseLossCount));
    const askedMs = calls.find((call) => call.attempt === before.attemptCount)?.retryAfterMs ?? 0;
    const leastMs = Math.max(after.retry.jitter ? 1 : curveMs, askedMs);
    if (waitMs < leastMs) return `waits ${waitMs} ms, expected at least ${leastMs}`;
    return waitMs > Math.max(curveMs, askedMs) ? `waits ${waitMs} ms, expected at most ${Math.max(curveMs, askedMs)}` : undefined;
  });
}

/** I10: succeeded only by a complete 2xx to its last attempt. I11: failed only for a reason that holds. */
export function endsAreEarned(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I10, I11", ({ at, after }, before, { calls }) => {
    const call = calls.find((one) => one.attempt === after.attemptCount);
    const status = call?.how === "answered" && call.overAt <= at ? (call.status ?? 0) : 0;
    if (after.state === "succeeded") return status >= 200 && status < 300 ? undefined : `succeeded by ${call?.how} ${call?.status}`;
    if (after.state !== "failed") return undefined;
    const now = after.history.at(-1)?.at ?? at;
    // A retry's instant, where it would lie beyond the bound, is known only to within its jitter.
    const lastTryAt = Math.max(
      now + Math.max(backoffMs(after.retry, Math.max(1, after.attemptCount)), call?.retryAfterMs ?? 0),
      isLive(before) ? before.nextAttemptAt : 0,
    );
    switch (after.because) {
      case "exhausted":
        return after.attemptCount >= after.retry.maxAttempts
          ? undefined
          : `exhausted after ${after.attemptCount} of ${after.retry.maxAttempts}`;
      case "refused":
        return status >= 300 && status < 500 && status !== 429 ? undefined : `refused by ${call?.how} ${call?.status}`;
      case "expired":
        return after.deadline !== null && lastTryAt > after.deadline ? undefined : "expired before its deadline";
      case "aged":
        return lastTryAt > after.dueAt + after.retry.maxAgeMs ? undefined : "aged before its time";
      default:
        return `failed because "${after.because}"`;
    }
  });
}

/** I11: an attempt's recorded outcome is what its caller heard; what nobody heard is unknown. */
export function outcomesAreHeard(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "I11", ({ after }, _, { calls }) => {
    if (after.state === "running") return undefined;
    for (const attempt of after.attempts) {
      const call = calls.find((one) => one.attempt === attempt.number);
      if (attempt.outcome === null) return `attempt ${attempt.number} has no end`;
      if (attempt.outcome === "unknown") continue;
      if (call === undefined && attempt.startedAt !== null) return `attempt ${attempt.number} is said to have been sent`;
      if (call?.how === "cut") return `attempt ${attempt.number} is "${attempt.outcome}", though nobody heard its answer`;
      if (call?.how === "answered" && attempt.response?.status !== call.status)
        return `attempt ${attempt.number} has the status of another`;
    }
    return undefined;
  });
}

/** A lease is lost only by a holder that died, slept, or was not answered by the store. */
export function leaseLossesHaveCauses(chronicle: Chronicle): Violation[] {
  return eachChange(chronicle, "no causeless lease loss", ({ at, after }, before, { changes }) => {
    if (after.leaseLossCount === before.leaseLossCount) return undefined;
    const claim = changes.findLast((change) => change.after.state === "running" && change.before?.state === "waiting" && change.at <= at);
    if (claim === undefined) return "a lease was lost that nobody held";
    // A claim's write may arrive after its writer died, or be made right after it thawed.
    return hadFault(chronicle, claim.by, later(claim.at, -secondMs), at) ? undefined : `the lease of ${claim.by} was taken from it`;
  });
}

/** An executor that came to its end by itself leaves no attempt of its own open: only a store that did not answer excuses it. */
export function holdersSettle({ stories, lives }: Chronicle): Violation[] {
  const violations: Violation[] = [];
  for (const { changes } of stories.values()) {
    for (const [index, claim] of changes.entries()) {
      const life = lives.get(claim.by);
      if (claim.before?.state !== "waiting" || claim.after.state !== "running" || life?.why !== "done") continue;
      const end = changes.slice(index + 1).find((change) => change.after.state !== "running");
      if (end !== undefined && end.at <= life.endedAt) continue;
      // A fault of no length is a call that failed.
      if (life.faults.some(({ from, until }) => from === until && from >= later(claim.at, -secondMs))) continue;
      violations.push({ invariant: "holders settle", message: `${describe(claim.after)} was left to its lease by ${claim.by}` });
    }
  }
  return violations;
}

/**
 * A poison takes its neighbours with it once; from then on they, and it, are tried alone. Not where one invocation gets several
 * messages: each hint keeps its lonely items apart from its others, but knows nothing of the other hints.
 */
export function poisonIsAlone({ lives, calls }: Chronicle, world: World, capacity: Capacity): Violation[] {
  if (capacity.batch > 1) return [];
  const violations: Violation[] = [];
  for (const call of calls) {
    if (call.how !== "cut" || lives.get(call.by)?.why !== "poisoned" || call.record === undefined) continue;
    if (world.targets.isPoison(call.label) || call.record.leaseLossCount === 0) continue;
    violations.push({
      invariant: "poison is alone",
      message: `${describe(call.record)} was killed by another's poison after it had lost a lease already`,
    });
  }
  return violations;
}
