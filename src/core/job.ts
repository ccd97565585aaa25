/**
 * The job: one call owed at one instant, with everything that happened to it. One field holds the state, and each state has
 * exactly its own fields. States change only by the transitions of `transition.ts`.
 */

import type { ChangeId, JobId, LeaseToken, PayloadId, ScheduleId, TenantId } from "./ids.ts";
import type { Because as AttemptBecause } from "./outcome.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Target } from "./target.ts";
import type { EpochMs } from "./time.ts";

/** From the most to the least urgent. The order is that of service, and of the wheel's partitions. */
export const priorities = ["critical", "high", "normal", "low"] as const;
export type Priority = (typeof priorities)[number];

/** Why a job is in the state it is in. Closed: it is the audit line, the metric's dimension and the diagram's label. */
export const becauses = [
  "created",
  "claimed",
  "succeeded",
  "retried",
  "exhausted",
  "aged",
  "refused",
  "expired",
  "cancelled",
  "lease_lost",
  "edited",
  /** cancelled by a schedule whose next occurrence takes its place */
  "overlap",
  /** cancelled with the schedule that made it */
  "schedule_deleted",
] as const;
export type Because = (typeof becauses)[number];

/** What is sent with the call. Small ones ride inside the job; larger ones lie beside it and are read right before they are sent. */
export type Body = {
  /** Sent unless the target's own headers name a content type. */
  readonly contentType: string;
  readonly byteCount: number;
} & (
  | { readonly kept: "inline"; readonly text: string }
  | { readonly kept: "inline_base64"; readonly base64: string }
  /** `keptUntil`: the payload may vanish after it. An edit that lets the job live longer writes the payload anew first. */
  | { readonly kept: "beside"; readonly payloadId: PayloadId; readonly keptUntil: EpochMs }
);

/** One try. Recorded by the claim, before its first byte; its end is written by the commit that settles it. */
export type Attempt = {
  readonly number: number;
  /** When the first byte left; null while it has not, or when none did. */
  readonly startedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  /** First byte sent minus the instant this attempt was owed at. */
  readonly latenessMs: number | null;
  /** What the answer meant; null while the call runs. "unknown": the executor was lost, and with it the answer. */
  readonly outcome: "done" | "again" | "never" | "unknown" | null;
  readonly because: AttemptBecause | null;
  readonly response: {
    readonly status: number;
    readonly byteCount: number;
    readonly truncated: boolean;
    /** Where headers and the body's beginning are kept; null when they are not. */
    readonly excerptId: PayloadId | null;
  } | null;
  readonly error: { readonly code: string | null; readonly message: string } | null;
};

export type HistoryEntry = {
  readonly at: EpochMs;
  readonly from: Job["state"] | null;
  readonly to: Job["state"];
  readonly because: Because;
  /** Names the commit that wrote this entry: a writer that lost the reply finds its own change by it. */
  readonly change: ChangeId;
};

/** The occurrence that a job is of. */
export type Occasion = {
  readonly id: ScheduleId;
  readonly name: string;
  readonly nominalAt: EpochMs;
  /** Whether the schedule wants to hear of the job's end: another occurrence waits for it, or failures are counted. */
  readonly tells: boolean;
};

type JobBase = {
  readonly tenant: TenantId;
  readonly id: JobId;
  /** Raised by one with every commit; a commit holds only for the version it saw. */
  readonly version: number;
  readonly createdAt: EpochMs;
  /** When the call is owed. Moved by the caller only. */
  readonly dueAt: EpochMs;
  readonly target: Target;
  readonly body: Body | null;
  /** Total deadline of one call, from the look-up of the name to the last byte. */
  readonly timeoutMs: number;
  /** No attempt starts after it. */
  readonly deadline: EpochMs | null;
  readonly retry: RetryPolicy;
  readonly priority: Priority;
  readonly labels: Readonly<Record<string, string>>;
  /** Digest of the request that made the job: tells a replay of its key from a conflict. Null when it came without a key. */
  readonly fingerprint: string | null;
  readonly replayOf: JobId | null;
  /** Null: no schedule made it. */
  readonly schedule: Occasion | null;
  /** Why it is in this state: that of the last history entry. */
  readonly because: Because;
  /** Claims so far. Claims and not failures are counted, so that a crash loop ends. */
  readonly attemptCount: number;
  /** Leases lost so far. A job that has lost one is never tried among others again: it may be what killed them. */
  readonly leaseLossCount: number;
  /** The last `limits.attemptsKept`, oldest first. */
  readonly attempts: readonly Attempt[];
  /** The last `limits.historyKept`, oldest first. */
  readonly history: readonly HistoryEntry[];
};

/** Where a live job stands on the wheel. */
type OnWheel = {
  /** When the attempt that is next, or now running, is owed. Moved by the engine: it is `dueAt` at first, later a retry's instant. */
  readonly nextAttemptAt: EpochMs;
  /** When the system looks at the job even if nobody else does. A claim leaves it, for moving an index key costs writes. */
  readonly wakeAt: EpochMs;
  /** True: whoever set `wakeAt` sends the hint. False: the turn does. */
  readonly hinted: boolean;
};

/** The job is waiting for its instant. Next: running, cancelled, or failed when its time has passed. */
export type Waiting = JobBase & OnWheel & { readonly state: "waiting" };

/** The job is running: an executor holds it and may be calling. Next: any end, or waiting for a retry. */
export type Running = JobBase &
  OnWheel & {
    readonly state: "running";
    readonly leaseToken: LeaseToken;
    /** After it, nothing of this attempt is on the wire any more. */
    readonly leaseUntil: EpochMs;
    /** A cancel's mark: the call is aborted if it can be, and no further attempt starts. */
    readonly cancelRequestedAt: EpochMs | null;
  };

type Ended = {
  readonly endedAt: EpochMs;
  /** From then on the job is absent everywhere, and its key is free. */
  readonly expiresAt: EpochMs;
};

/** The job is succeeded: a complete 2xx was received. Final. */
export type Succeeded = JobBase & Ended & { readonly state: "succeeded" };
/** The job is failed: its attempts or its time are used up, or the answer was final. Final. */
export type Failed = JobBase & Ended & { readonly state: "failed" };
/** The job is cancelled: nothing is in flight, and nothing starts. Final. */
export type Cancelled = JobBase & Ended & { readonly state: "cancelled"; readonly cancelRequestedAt: EpochMs | null };

export type Live = Waiting | Running;
export type Final = Succeeded | Failed | Cancelled;
export type Job = Live | Final;

export function isLive(job: Job): job is Live {
  return job.state === "waiting" || job.state === "running";
}
