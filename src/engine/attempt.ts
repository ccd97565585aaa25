/**
 * One attempt of one job, in the order that the guarantees rest on: admission, hold, claim, last look, first byte on the dot,
 * settle. The record is durable before the instant; the first byte leaves on it.
 */

import type { Running, Waiting } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import type { Answer } from "../core/outcome.ts";
import { headersOf, type Trace } from "../core/request.ts";
import { type EpochMs, later, laterOf } from "../core/time.ts";
import { claim } from "../core/transition.ts";
import { commit, sendHints } from "./commit.ts";
import { type Engine, factsNow, timeoutOf } from "./engine.ts";
import { lastLook, lookForMark, watchCancel } from "./look.ts";
import { readBody } from "./payload.ts";
import { OutageError, type PreparedCall } from "./ports.ts";
import type { Held } from "./register.ts";
import { settleAnswer, settleLate, settleUnsent } from "./settle.ts";
import type { Release, Slots } from "./slots.ts";

/** One stretch of an executor's life: a function's invocation, or the whole of a process. */
export type Invocation = {
  readonly slots: Slots;
  /** When the platform ends it; nothing is started that might outlive it. Null while no end is known. A shutdown sets it to now. */
  endsAt: EpochMs | null;
  /** Connections opened early for attempts that hold no slot yet: bounded by the free slots, for thousands may be held. */
  warm: number;
};

export type AttemptAnswer =
  /** The record says what happened, by our hand or another's. */
  | "recorded"
  /** Gone, moved, ended or held by another: whoever changed it has hinted it. */
  | "not_ours"
  /** No slot was free at its instant; it stays on the wheel. */
  | "no_slot"
  /** The invocation may end before the call would. */
  | "no_time";

/** What an attempt holds, and gives back however it ends. */
type Hold = { readonly held: Held; slot: Release | undefined; call: PreparedCall | undefined; warm: boolean };

/**
 * Where the slot comes from. A release: taken already, by whoever works through the past. "at_claim": holding takes none, and where
 * none is free at the claim the item stays on the wheel. "waits": the attempt begins when one is free.
 */
export type SlotFrom = Release | "at_claim" | "waits";

export async function attempt(engine: Engine, job: Waiting, invocation: Invocation, from: SlotFrom): Promise<AttemptAnswer> {
  const slot = typeof from === "string" ? undefined : from;
  const held = engine.register.hold(job);
  if (held === undefined) {
    slot?.();
    return "not_ours";
  }
  const hold: Hold = { held, slot, call: undefined, warm: false };
  try {
    if (from === "waits") hold.slot = await takeFree(invocation.slots, job);
    return await attemptHeld(engine, job, invocation, hold);
  } finally {
    hold.call?.release();
    cool(invocation, hold);
    engine.register.letGo(job);
    hold.slot?.();
    await hintMissed(engine, job, held);
  }
}

/** An edit or a short retry may have moved the item while it was held here, and the hint for it met the hold. */
async function hintMissed(engine: Engine, { tenant, id, priority, wakeAt }: Waiting, { missedAt }: Held): Promise<void> {
  if (missedAt === null || missedAt === wakeAt) return;
  await sendHints(engine, [{ kind: "names", priority, startAt: missedAt, names: [{ tenant, id, wakeAt: missedAt }] }]);
}

async function takeFree(slots: Slots, { priority }: Waiting): Promise<Release> {
  for (;;) {
    await slots.whenFree(priority);
    const slot = slots.tryTake(priority);
    if (slot !== undefined) return slot;
  }
}

async function attemptHeld(engine: Engine, job: Waiting, invocation: Invocation, hold: Hold): Promise<AttemptAnswer> {
  const admission = await engine.admit(job);
  switch (admission.kind) {
    case "pass":
      break;
  }
  if (!fits(engine, job, invocation)) return "no_time";
  await connectEarly(engine, job, invocation, hold);
  await until(engine, later(job.nextAttemptAt, -engine.params.claimLeadMs));
  cool(invocation, hold);
  hold.slot ??= invocation.slots.tryTake(job.priority);
  if (hold.slot === undefined) return "no_slot";
  // A shutdown may have begun while the job was held.
  if (!fits(engine, job, invocation)) return "no_time";
  hold.call ??= prepare(engine, job);
  const claimed = await claimFresh(engine, job, invocation, hold.held);
  if (typeof claimed === "string") return claimed;
  if (claimed.target.url !== job.target.url || claimed.timeoutMs !== job.timeoutMs) {
    hold.call.release();
    hold.call = prepare(engine, claimed);
  }
  return callClaimed(engine, claimed, hold.call, hold.held);
}

/** Opens the connection while the job is held, so that look-up, TCP and TLS are not in the lateness. */
async function connectEarly(engine: Engine, job: Waiting, invocation: Invocation, hold: Hold): Promise<void> {
  const connectAt = later(job.nextAttemptAt, -engine.params.connectLeadMs);
  await until(engine, connectAt);
  if (hold.slot === undefined && invocation.warm >= invocation.slots.free(job.priority)) return;
  hold.warm = hold.slot === undefined;
  if (hold.warm) invocation.warm += 1;
  hold.call = prepare(engine, job);
}

/** The caller's timeout counts from the instant: what is opened before it does not shorten the call. */
function prepare(engine: Engine, job: Waiting | Running): PreparedCall {
  const earlyMs = Math.max(0, job.nextAttemptAt - engine.clock.now());
  return engine.deliver.prepare(job.target.url, timeoutOf(engine, job) + earlyMs);
}

function cool(invocation: Invocation, hold: Hold): void {
  if (hold.warm) invocation.warm -= 1;
  hold.warm = false;
}

/** Whether the whole call would end before the invocation does, by any clock of the system. */
function fits(engine: Engine, job: Waiting, invocation: Invocation): boolean {
  if (invocation.endsAt === null) return true;
  const startsAt = laterOf(engine.clock.now(), job.nextAttemptAt);
  return startsAt + timeoutOf(engine, job) + limits.clockSkewMsMax <= invocation.endsAt;
}

/** Claims the job as it stands: an edit while it was held changes what is sent, or when. */
async function claimFresh(
  engine: Engine,
  seen: Waiting,
  invocation: Invocation,
  held: Held,
): Promise<Running | "recorded" | "not_ours" | "no_time"> {
  let job = seen;
  for (;;) {
    const token = engine.ids.token();
    // Before the commit, so that no one in this process takes the fresh record for one whose holder is dead.
    held.token = token;
    const claimed = claim(job, { token, until: leaseUntil(engine, job, invocation) }, factsNow(engine));
    if ((await commit(engine, claimed)) === "committed") return claimed.to.state === "running" ? claimed.to : "recorded";
    const fresh = await engine.store.load(job);
    if (fresh?.state !== "waiting" || fresh.nextAttemptAt !== seen.nextAttemptAt) return "not_ours";
    // The edit may have made the call longer than what is left.
    if (!fits(engine, fresh, invocation)) return "no_time";
    job = fresh;
  }
}

function leaseUntil(engine: Engine, job: Waiting, invocation: Invocation): EpochMs {
  const rule = engine.params.leaseRule;
  if (rule.kind === "register") return later(laterOf(engine.clock.now(), job.nextAttemptAt), timeoutOf(engine, job) + rule.slackMs);
  if (invocation.endsAt === null) throw new Error("expected an invocation that ends, for its leases end with it; got one without an end");
  return later(invocation.endsAt, limits.clockSkewMsMax);
}

/** From here on the attempt stands in the record, and every way out settles it. */
async function callClaimed(engine: Engine, job: Running, call: PreparedCall, held: Held): Promise<AttemptAnswer> {
  const body = await readBodyNow(engine, job);
  const mark = await lookForMark(engine, job);
  await until(engine, job.nextAttemptAt);
  switch (mark === "wanted" ? lastLook(engine, job, held) : mark) {
    case "not_ours":
      return "not_ours";
    case "lease_over":
      await settleLate(engine, job, "lease_over");
      return "recorded";
    case "deadline_passed":
      await settleLate(engine, job, "deadline_passed");
      return "recorded";
    case "unreadable":
      await settleUnsent(engine, job, { kind: "again", message: "the record could not be read before the call" });
      return "recorded";
    case "cancelled":
      await settleUnsent(engine, job, { kind: "never", message: "the job was cancelled before the call" });
      return "recorded";
    case "go":
      break;
  }
  if (body === "unreadable") {
    await settleUnsent(engine, job, { kind: "again", message: "the body could not be read from the store" });
  } else if (body === "gone") {
    await settleUnsent(engine, job, { kind: "never", message: "the body was no longer kept when the call was made" });
  } else {
    const answer = await send(engine, job, call, held, body);
    const isUnknown = held.cutOff && answer.kind === "failure" && answer.reason === "aborted" && answer.sentAt !== null;
    await (isUnknown ? settleLate(engine, job, "lease_over") : settleAnswer(engine, job, answer));
  }
  return "recorded";
}

async function readBodyNow(engine: Engine, job: Running): Promise<Uint8Array | null | "gone" | "unreadable"> {
  try {
    return await readBody(engine, job);
  } catch (cause) {
    if (!(cause instanceof OutageError)) throw cause;
    engine.observe({ kind: "outage", where: "store", cause });
    return "unreadable";
  }
}

async function send(engine: Engine, job: Running, call: PreparedCall, held: Held, body: Uint8Array | null): Promise<Answer> {
  const trace: Trace = engine.ids.trace();
  const headers = headersOf(job, { now: engine.clock.now(), trace, userAgent: engine.params.userAgent });
  const stopWatching = watchCancel(engine, job, held);
  const answer = await call.send({ method: job.target.method, headers, body, startBy: job.deadline }, held.abort.signal);
  stopWatching();
  engine.observe({ kind: "called", job, answer, trace });
  return answer;
}

/** Resolves at once, without a timer, where the instant has passed. */
async function until(engine: Engine, at: EpochMs): Promise<void> {
  if (engine.clock.now() < at) await engine.clock.until(at);
}
