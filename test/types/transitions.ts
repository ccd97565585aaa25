/**
 * State changes that must not compile: each verb, asked of each state that it has no business with. Never run. `types.test.ts`
 * proves that every line below is refused for the type of its argument, and that the list is whole.
 */

import type { Cancelled, Failed, Job, Running, Succeeded, Waiting } from "../../src/core/job.ts";
import {
  type AttemptEnd,
  cancel,
  claim,
  edit,
  expire,
  type Facts,
  loseLease,
  replay,
  requestCancel,
  settle,
  type Transition,
} from "../../src/core/transition.ts";

declare const waiting: Waiting;
declare const running: Running;
declare const succeeded: Succeeded;
declare const failed: Failed;
declare const cancelled: Cancelled;
declare const anyJob: Job;
declare const lease: Parameters<typeof claim>[1];
declare const end: AttemptEnd;
declare const facts: Facts;
declare const newId: Parameters<typeof replay>[1];
declare const now: Facts["now"];

// A job is claimed once; a final one never again.
// @ts-expect-error
claim(running, lease, facts);
// @ts-expect-error
claim(succeeded, lease, facts);
// @ts-expect-error
claim(failed, lease, facts);
// @ts-expect-error
claim(cancelled, lease, facts);
// @ts-expect-error
claim(anyJob, lease, facts);

// Only an attempt has an outcome.
// @ts-expect-error
settle(waiting, end, 0, facts);
// @ts-expect-error
settle(succeeded, end, 0, facts);
// @ts-expect-error
settle(failed, end, 0, facts);
// @ts-expect-error
settle(cancelled, end, 0, facts);
// @ts-expect-error
settle(anyJob, end, 0, facts);

// Only what is claimed can expire before its first byte; what waits expires by its claim.
// @ts-expect-error
expire(waiting, facts);
// @ts-expect-error
expire(succeeded, facts);
// @ts-expect-error
expire(failed, facts);
// @ts-expect-error
expire(cancelled, facts);
// @ts-expect-error
expire(anyJob, facts);

// A call in flight cannot be called off from outside; it is asked to stop.
// @ts-expect-error
cancel(running, facts);
// @ts-expect-error
cancel(succeeded, facts);
// @ts-expect-error
cancel(failed, facts);
// @ts-expect-error
cancel(cancelled, facts);
// @ts-expect-error
cancel(anyJob, facts);

// What waits is called off at once, without a mark.
// @ts-expect-error
requestCancel(waiting, facts);
// @ts-expect-error
requestCancel(succeeded, facts);
// @ts-expect-error
requestCancel(failed, facts);
// @ts-expect-error
requestCancel(cancelled, facts);
// @ts-expect-error
requestCancel(anyJob, facts);

// Only a holder can be lost.
// @ts-expect-error
loseLease(waiting, facts);
// @ts-expect-error
loseLease(succeeded, facts);
// @ts-expect-error
loseLease(failed, facts);
// @ts-expect-error
loseLease(cancelled, facts);
// @ts-expect-error
loseLease(anyJob, facts);

// An edit would change what a call in flight sends, or what an ended job says it sent.
// @ts-expect-error
edit(running, {}, facts);
// @ts-expect-error
edit(succeeded, {}, facts);
// @ts-expect-error
edit(failed, {}, facts);
// @ts-expect-error
edit(cancelled, {}, facts);
// @ts-expect-error
edit(anyJob, {}, facts);

// Only what has ended can be done again.
// @ts-expect-error
replay(waiting, newId, null, now);
// @ts-expect-error
replay(running, newId, null, now);
// @ts-expect-error
replay(anyJob, newId, null, now);

// A state has no other state's fields.
// @ts-expect-error
waiting.leaseToken;
// @ts-expect-error
waiting.endedAt;
// @ts-expect-error
running.endedAt;
// @ts-expect-error
succeeded.wakeAt;
// @ts-expect-error
succeeded.cancelRequestedAt;
// @ts-expect-error
failed.nextAttemptAt;

// No change leaves a final state, and none is made by hand without its change id.
// @ts-expect-error
({ from: succeeded, to: waiting, because: "edited", change: facts.change }) satisfies Transition;
// @ts-expect-error
({ from: waiting, to: cancelled, because: "cancelled" }) satisfies Transition;
// @ts-expect-error
({ from: waiting, to: cancelled, because: "bored", change: facts.change }) satisfies Transition;

// A number is an instant, and a text an id, only where someone has said so.
// @ts-expect-error
({ ...facts, now: 1_798_761_600_000 }) satisfies Facts;
// @ts-expect-error
"job_01MB78QN000000000000000000" satisfies Job["id"];
