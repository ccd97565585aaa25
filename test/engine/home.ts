/** The engine at home, for tests: memory store, hints in process, a virtual clock, and a target that answers as it is told. */

import { type ChangeId, jobIdAt, type LeaseToken, nameOf, type PayloadId, soleTenant } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Answer } from "../../src/core/outcome.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { dayMs, type EpochMs, later, secondMs, toEpochMs } from "../../src/core/time.ts";
import { admitAll } from "../../src/engine/admit.ts";
import type { Invocation } from "../../src/engine/attempt.ts";
import type { Engine, Params } from "../../src/engine/engine.ts";
import { type CallRequest, type Cursors, type Observation, OutageError, type Store } from "../../src/engine/ports.ts";
import { createRegister } from "../../src/engine/register.ts";
import { createSlots } from "../../src/engine/slots.ts";
import { type Submission, submit } from "../../src/engine/submit.ts";
import { turn } from "../../src/engine/turn.ts";
import { wake } from "../../src/engine/wake.ts";
import { createMemoryHints, type MemoryHints } from "../../src/hints/memory.ts";
import { memoryCursors, memoryStore } from "../../src/store/memory.ts";
import { startAt } from "../builders.ts";
import { createVirtualClock, type VirtualClock } from "./virtualClock.ts";

export type Call = {
  readonly url: string;
  readonly timeoutMs: number;
  readonly request: CallRequest;
  readonly startedAt: EpochMs;
  readonly signal: AbortSignal;
};

export type Home = {
  readonly engine: Engine;
  readonly clock: VirtualClock;
  readonly invocation: Invocation;
  readonly hints: MemoryHints;
  readonly calls: Call[];
  readonly seen: Observation[];
  /** Prepared calls that were neither sent nor released yet, or are in flight. */
  open(): number;
  /** The process is gone: it hears no hint any more. A call in flight is left as it is. */
  die(): void;
  /** Runs turns each second and everything they set off, up to the instant. */
  runUntil(at: EpochMs): Promise<void>;
  submit(given?: Partial<Submission>): Promise<import("../../src/core/job.ts").Waiting>;
};

export const homeParams: Params = {
  shards: 1,
  tickMs: secondMs,
  lookaheadMs: 2 * secondMs,
  graceMs: 0,
  namesAgeMsMax: dayMs,
  stretchAgeMsMax: dayMs,
  leadMs: 150,
  connectLeadMs: 100,
  claimLeadMs: 20,
  takeLeadMs: 2 * secondMs,
  callMsMax: limits.timeoutMsMax,
  namesPerHint: 100,
  pageEntries: 200,
  stretchesPerPartition: 1,
  lonelySpreadMs: 2 * secondMs,
  hintedAnewBefore: startAt,
  leaseRule: { kind: "register", slackMs: 5 * secondMs },
  cancelWatch: { kind: "told" },
  retentionMs: 30 * dayMs,
  keepResponses: "all",
  userAgent: "onthedot/test",
};

export type Answerer = (call: Call, clock: VirtualClock) => Promise<Answer>;

/** A complete answer after some milliseconds; aborted when the signal says so. */
export function answerWith(status: number, options: { afterMs?: number; headers?: Record<string, string> } = {}): Answerer {
  return async (call, clock) => {
    await clock.until(later(clock.now(), options.afterMs ?? 5), call.signal);
    const endedAt = clock.now();
    if (call.signal.aborted) {
      return {
        kind: "failure",
        sentAt: call.startedAt,
        endedAt,
        reason: "aborted",
        code: null,
        message: "the call was aborted",
        status: null,
        retryAfter: null,
      };
    }
    const body = Buffer.from("ok");
    return {
      kind: "response",
      sentAt: call.startedAt,
      endedAt,
      status,
      headers: options.headers ?? {},
      excerpt: body,
      byteCount: 2,
      body: "complete",
    };
  };
}

/** No answer at all, until the call is aborted. */
export const silence: Answerer = async (call, clock) => {
  await new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
  return {
    kind: "failure",
    sentAt: call.startedAt,
    endedAt: clock.now(),
    reason: "aborted",
    code: null,
    message: "aborted",
    status: null,
    retryAfter: null,
  };
};

export type HomeOptions = {
  readonly store?: Store;
  readonly cursors?: Cursors;
  readonly answer?: Answerer;
  readonly capacity?: number;
  readonly namesMax?: number;
  namesPerStepMax?: number;
  readonly params?: Partial<Params>;
  readonly clock?: VirtualClock;
};

/** Homes opened so far in this file: two of them on one store must not draw the same ids. */
let homes = 0;

export function openHome(given: HomeOptions = {}): Home {
  const home = ++homes;
  const clock = given.clock ?? createVirtualClock(startAt);
  const params: Params = { ...homeParams, ...given.params };
  const invocation: Invocation = { slots: createSlots(given.capacity ?? 256), endsAt: null, warm: 0 };
  const calls: Call[] = [];
  const seen: Observation[] = [];
  let drawn = 0;
  const bytes = (count: number) => {
    const random = new Uint8Array(count);
    new DataView(random.buffer).setUint32(count - 4, ++drawn);
    random[0] = home;
    return random;
  };
  const answer = given.answer ?? answerWith(200);
  const hints: MemoryHints = createMemoryHints({
    clock,
    shards: params.shards,
    namesMax: given.namesMax ?? 10_000,
    namesPerStepMax: given.namesPerStepMax ?? 10_000,
    leadMs: params.leadMs,
    deliver: (hint, started) => duringOutages(wake(engine, hint, invocation, started)),
  });
  let open = 0;
  // What a host does with an outage: the wheel still holds the work.
  const duringOutages = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (cause) {
      if (!(cause instanceof OutageError)) throw cause;
      seen.push({ kind: "outage", where: "store", cause });
    }
  };
  const engine: Engine = {
    params,
    register: createRegister(),
    store: given.store ?? memoryStore({ now: clock.now, shards: params.shards }),
    cursors: given.cursors ?? memoryCursors(),
    hints,
    admit: admitAll,
    clock,
    chance: () => 0.5,
    ids: {
      job: (createdAt) => jobIdAt(createdAt, bytes(10)),
      payload: () => nameOf(bytes(16)) as PayloadId,
      change: () => nameOf(bytes(5)) as ChangeId,
      token: () => nameOf(bytes(10)) as LeaseToken,
      trace: () => ({ traceId: "1".padStart(32, "0"), spanId: "1".padStart(16, "0") }),
    },
    observe: (observation) => seen.push(observation),
    deliver: {
      prepare(url, timeoutMs) {
        let released = false;
        open += 1;
        return {
          send(request, signal) {
            const call: Call = { url, timeoutMs, request, startedAt: clock.now(), signal };
            calls.push(call);
            return answer(call, clock);
          },
          release() {
            if (!released) open -= 1;
            released = true;
          },
        };
      },
    },
  };
  return {
    engine,
    clock,
    invocation,
    hints,
    calls,
    seen,
    open: () => open,
    die: () => hints.stop(),
    async runUntil(at) {
      const shards = Array.from({ length: params.shards }, (_, shard) => shard);
      while (clock.now() < at) {
        await duringOutages(turn(engine, { range: 0, shards }, null));
        await clock.runUntil(toEpochMs(Math.min(at, clock.now() + params.tickMs)));
      }
    },
    async submit(submission = {}) {
      const submitted = await submit(engine, {
        tenant: soleTenant,
        dueAt: clock.now(),
        target: { url: "https://example.com/hook", method: "POST", headers: {} },
        body: null,
        timeoutMs: 30 * secondMs,
        deadline: null,
        retry: retryDefault,
        priority: "normal",
        labels: {},
        key: null,
        ...submission,
      });
      if (submitted.kind !== "created") throw new Error(`expected the job to be created, got ${submitted.kind}`);
      return submitted.job;
    },
  };
}
