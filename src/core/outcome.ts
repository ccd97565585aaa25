/** What an attempt meant: done, again, or never. The one place that judges statuses and failures. */

import { type RetryOn, readRetryAfter } from "./retry.ts";
import type { EpochMs } from "./time.ts";

/** Why a call brought no complete answer. */
export type FailureReason = "timeout" | "network" | "dns" | "tls" | "truncated" | "too_large" | "target_denied" | "aborted";

/** What came back from a target. `sentAt` is when the first byte of the request left; null when none did. */
export type Answer = {
  readonly sentAt: EpochMs | null;
  readonly endedAt: EpochMs;
} & (
  | {
      readonly kind: "response";
      readonly status: number;
      /** Names in lower case; repeated ones joined by ", ". */
      readonly headers: Readonly<Record<string, string>>;
      /** The first bytes of the body, at most `limits.excerptBytesMax`. */
      readonly excerpt: Uint8Array;
      /** Bytes of the body that were read. */
      readonly byteCount: number;
      /** "cut": read to `limits.answerBytesRead`, then the connection was cut. */
      readonly body: "complete" | "cut";
    }
  | {
      readonly kind: "failure";
      readonly reason: FailureReason;
      /** The system's code (`ECONNREFUSED`), where it gave one. */
      readonly code: string | null;
      /** One sentence for people; holds no secret and no header. */
      readonly message: string;
      /** The status, where the head of an answer had arrived before it failed. */
      readonly status: number | null;
      /** That head's Retry-After: a target that asks for time is given it, also where its body broke off. */
      readonly retryAfter: string | null;
    }
);

export type Because = `status_${number}` | FailureReason | "lease_lost";

export type Outcome =
  | { readonly kind: "done"; readonly because: Because }
  /** `waitMs`: what the target asked for by Retry-After, already bounded; null when it did not ask. */
  | { readonly kind: "again"; readonly because: Because; readonly waitMs: number | null }
  | { readonly kind: "never"; readonly because: Because };

export function outcomeOf(answer: Answer, retryOn: readonly RetryOn[]): Outcome {
  if (answer.kind === "failure") return outcomeOfFailure(answer, retryOn);
  const because: Because = `status_${answer.status}`;
  if (answer.status >= 200 && answer.status <= 299) return { kind: "done", because };
  if (!retriesStatus(answer.status, retryOn)) return { kind: "never", because };
  return { kind: "again", because, waitMs: readRetryAfter(answer.headers["retry-after"], answer.endedAt) };
}

function outcomeOfFailure(failure: Extract<Answer, { kind: "failure" }>, retryOn: readonly RetryOn[]): Outcome {
  const because = failure.reason;
  const waitMs = readRetryAfter(failure.retryAfter ?? undefined, failure.endedAt);
  switch (because) {
    case "target_denied":
      return { kind: "never", because };
    // Only a host that shuts down aborts a call whose job was not cancelled: the target's answer is still wanted.
    case "aborted":
      return { kind: "again", because, waitMs: null };
    case "timeout":
      return retryOn.includes("timeout") ? { kind: "again", because, waitMs } : { kind: "never", because };
    case "network":
    case "dns":
    case "tls":
    case "truncated":
    case "too_large":
      return retryOn.includes("network") ? { kind: "again", because, waitMs } : { kind: "never", because };
  }
}

/** Redirects are never followed and never retried; a status outside 100–599 is final, for nobody knows what it means. */
function retriesStatus(status: number, retryOn: readonly RetryOn[]): boolean {
  if (status < 400 || status > 599) return false;
  return retryOn.includes(status) || retryOn.includes(status < 500 ? "4xx" : "5xx");
}
