/**
 * The world's targets: how each answers, call by call, and what a process sees of it. Here is the wire: the first byte leaves in
 * `send`, and nowhere else.
 */

import type { Answer, FailureReason } from "../../src/core/outcome.ts";
import { type EpochMs, earlierOf, later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { CallRequest, Deliver, PreparedCall } from "../../src/engine/ports.ts";
import type { Dice } from "./chance.ts";
import { type CallFault, drawCallFault } from "./faults.ts";
import type { CallEnd } from "./history.ts";
import type { Process } from "./process.ts";
import { contentOf } from "./truth.ts";
import { drawFreezeMs } from "./weather.ts";
import type { World } from "./world.ts";

/** What a target does with one call. */
export type Reaction =
  | { readonly kind: "answers"; readonly afterMs: number; readonly status: number; readonly retryAfterSeconds?: number }
  /** The connection breaks: before anything was sent, or when the answer had begun. */
  | { readonly kind: "breaks"; readonly afterMs: number; readonly unsent: boolean }
  | { readonly kind: "hangs" }
  /** A poison: whoever calls it dies of it. */
  | { readonly kind: "kills"; readonly afterMs: number };

export type Targets = {
  deliverFor(process: Process): Deliver;
  /** Whether calling it kills the caller. */
  isPoison(label: string): boolean;
};

export function createTargets(world: World): Targets {
  const called = new Map<string, number>();
  let calls = 0;

  function reactionOf(label: string, call: number): Reaction {
    return drawReaction(world, world.dice.fork(`target/${label}`), call);
  }

  /** A schedule's target has a pace of its own, and each occurrence its own luck. */
  function reactionToOccurrence(label: string, nominalAt: string, call: number): Reaction {
    const pace = world.dice.fork(`target/${label}`).pick(["fast", "fast", "slow", "flaky", "failing"] as const);
    const dice = world.dice.fork(`target/${label}/${nominalAt}`);
    const fine: Reaction = { kind: "answers", afterMs: dice.whole(5, 80), status: 200 };
    switch (pace) {
      case "fast":
        return fine;
      case "slow":
        return { ...fine, afterMs: dice.whole(500, 19 * secondMs) };
      case "failing":
        return dice.happens(0.7) ? { ...fine, status: 404 } : fine;
      case "flaky": {
        const reaction = drawReaction(world, dice, call);
        return reaction.kind === "kills" ? fine : reaction;
      }
    }
  }

  async function send(
    process: Process,
    url: string,
    request: CallRequest,
    limit: { endsAt: EpochMs; signal: AbortSignal },
  ): Promise<Answer> {
    const label = url.slice(url.lastIndexOf("/") + 1);
    const fault = drawCallFault(world, process);
    if (fault === "crash_before") return process.die("crashed before a request");
    const nominalAt = request.headers["onthedot-nominal-at"];
    const of = nominalAt === undefined ? label : `${label} ${nominalAt}`;
    const nth = (called.get(of) ?? 0) + 1;
    called.set(of, nth);
    const reaction = nominalAt === undefined ? reactionOf(label, nth) : reactionToOccurrence(label, nominalAt, nth);
    if (world.clock.now() >= limit.endsAt) return failed(process, null, "timeout");
    if (request.startBy !== null && process.clock.now() > request.startBy) return failed(process, null, "aborted");
    if (reaction.kind === "breaks" && reaction.unsent) {
      await process.clock.until(later(process.clock.now(), reaction.afterMs));
      return failed(process, null, "network");
    }
    const sleeps = world.isRough() && process.dice.happens(world.weather.sleepBeforeByte);
    if (sleeps || fault === "freeze_before") {
      // Between the last look at any clock and the first byte: as old as a look can be.
      process.freeze(sleeps ? drawSleepMs(process, world.clock.now()) : drawFreezeMs(process.dice));
      await process.awake();
    }
    return exchange(process, { label, request, reaction, fault, ...limit });
  }

  type Exchange = {
    readonly label: string;
    readonly request: CallRequest;
    readonly reaction: Reaction;
    readonly fault: CallFault;
    readonly endsAt: EpochMs;
    readonly signal: AbortSignal;
  };

  async function exchange(process: Process, { label, request, reaction, fault, endsAt, signal }: Exchange): Promise<Answer> {
    const call = ++calls;
    let open = true;
    const over = (how: CallEnd, status: number | null, retryAfterMs = 0) => {
      if (open) world.note({ kind: "over", call, how, status, retryAfterMs });
      open = false;
    };
    const job = request.headers["webhook-id"] ?? "";
    const attempt = Number(request.headers["onthedot-attempt"]);
    const content = contentOf(request.body ?? new Uint8Array(0));
    world.note({ kind: "sent", call, by: process.name, label, job, attempt, content, record: world.truth.records.get(job) });
    process.onEnd(() => over("cut", null));
    const sentAt = process.clock.now();
    if (fault === "crash_after") return process.die("crashed with a request on the wire");
    if (fault === "freeze_after") process.freeze(drawFreezeMs(process.dice));

    const reactsAt = reaction.kind === "hangs" ? endsAt : later(world.clock.now(), reaction.afterMs);
    await world.clock.until(earlierOf(reactsAt, endsAt), signal);
    if (signal.aborted) {
      over("aborted", null);
      return failed(process, sentAt, "aborted");
    }
    if (reaction.kind === "hangs" || reactsAt > endsAt) {
      await process.awake();
      over("timed_out", null);
      return failed(process, sentAt, "timeout");
    }
    switch (reaction.kind) {
      case "kills":
        return process.die("poisoned");
      case "breaks":
        over("broken", null);
        await process.awake();
        return failed(process, sentAt, "truncated");
      case "answers":
        over("answered", reaction.status, (reaction.retryAfterSeconds ?? 0) * secondMs);
        await process.awake();
        return answered(process, sentAt, reaction);
    }
  }

  return {
    isPoison: (label) => reactionOf(label, 1).kind === "kills",
    deliverFor: (process) => ({
      prepare(url, timeoutMs): PreparedCall {
        const endsAt = later(world.clock.now(), timeoutMs);
        return { send: (request, signal) => send(process, url, request, { endsAt, signal }), release() {} };
      },
    }),
  };
}

/**
 * As long as a lease may last, or until right before the platform ends the process, where a lease must still hold: right after a turn, whose
 * hints have others look at it, if one comes then.
 */
function drawSleepMs({ dice, killedAt }: Process, now: EpochMs): number {
  if (killedAt === null || dice.happens(0.3)) return dice.whole(60, 200) * secondMs;
  const turnAt = killedAt - (killedAt % minuteMs);
  const wakesAt = killedAt - turnAt < 3 * secondMs ? turnAt + dice.whole(100, 900) : killedAt - dice.whole(1, 1_500);
  return Math.max(0, Math.min(wakesAt, killedAt - 1) - now);
}

/** As long, or so that there is no time left for the call, but enough to say so. */
export function drawStallMs({ dice, killedAt }: Process, now: EpochMs): number {
  if (killedAt === null || dice.happens(0.3)) return dice.whole(60, 200) * secondMs;
  return Math.max(0, killedAt - dice.whole(1, 8) * secondMs - now);
}

function drawReaction(world: World, dice: Dice, call: number): Reaction {
  const failsFor = dice.whole(1, 4);
  const fine: Reaction = { kind: "answers", afterMs: dice.whole(5, 80), status: 200 };
  if (world.weather.overload) return { ...fine, afterMs: dice.whole(secondMs, 8 * secondMs) };
  if (world.profile === "cloud" && dice.happens(world.weather.poison)) return { kind: "kills", afterMs: dice.whole(1, 50) };
  const draw = dice.whole(1, 100);
  if (draw <= 40) return fine;
  if (draw <= 52) return { ...fine, afterMs: dice.whole(secondMs, 8 * secondMs), status: dice.pick([200, 201, 204]) };
  if (draw <= 56) return { ...fine, status: dice.pick([400, 404, 422, 302]) };
  if (draw <= 58) return { ...fine, status: 410 };
  if (call > failsFor) return fine;
  if (draw <= 75) return { ...fine, status: dice.pick([500, 503]) };
  if (draw <= 82) return { ...fine, status: dice.pick([429, 503]), retryAfterSeconds: dice.whole(1, 90) };
  if (draw <= 88) return { kind: "hangs" };
  return { kind: "breaks", afterMs: dice.whole(1, 500), unsent: dice.happens(0.5) };
}

function answered(process: Process, sentAt: EpochMs, reaction: Extract<Reaction, { kind: "answers" }>): Answer {
  const headers: Record<string, string> = {};
  if (reaction.retryAfterSeconds !== undefined) headers["retry-after"] = String(reaction.retryAfterSeconds);
  const rest = { excerpt: new Uint8Array(0), byteCount: 0, body: "complete" } as const;
  return { kind: "response", status: reaction.status, headers, sentAt, endedAt: process.clock.now(), ...rest };
}

function failed(process: Process, sentAt: EpochMs | null, reason: FailureReason): Answer {
  return {
    kind: "failure",
    reason,
    code: null,
    message: reason,
    status: null,
    retryAfter: null,
    sentAt,
    endedAt: process.clock.now(),
  };
}
