/** The largest job that the limits allow: every text at its longest, of characters that take the most bytes. */

import type { PayloadId } from "../../src/core/ids.ts";
import type { Attempt, Waiting } from "../../src/core/job.ts";
import { limits } from "../../src/core/limits.ts";
import { later } from "../../src/core/time.ts";
import { factsAt, inlineBody, nextChange, nextJobId, startAt, waitingJob } from "../builders.ts";

function fill<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

export function largestJob(): Waiting {
  const headerBytes = Math.floor(limits.headerBytesMax / limits.headersMax);
  const headers = Object.fromEntries(fill(limits.headersMax, (index) => [`x-${index}`.padEnd(10, "h"), "v".repeat(headerBytes - 10)]));
  const labels = Object.fromEntries(
    fill(limits.labelsMax, (index) => [
      String(index).padEnd(limits.labelKeyCharsMax, "k"),
      "\u0000字".repeat(limits.labelValueCharsMax / 2),
    ]),
  );
  const attempts: readonly Attempt[] = fill(limits.attemptsKept, (index) => ({
    number: limits.attemptMax - limits.attemptsKept + index,
    startedAt: later(startAt, index),
    endedAt: later(startAt, index + 1),
    latenessMs: 123_456,
    outcome: "again",
    because: "status_503",
    response: { status: 503, byteCount: 65_536, truncated: true, excerptId: nextChange() as string as PayloadId },
    error: { code: "ERR_TLS_CERT_ALTNAME_INVALID", message: "m".repeat(500) },
  }));
  const job = waitingJob({
    target: { url: `https://h/${"u".repeat(limits.urlCharsMax - 10)}`, method: "DELETE", headers },
    body: { ...inlineBody("字".repeat(Math.floor(limits.inlineBodyBytesMax / 3))), contentType: "c".repeat(limits.headerBytesMax) },
    labels,
    fingerprint: "f".repeat(64),
    replayOf: nextJobId(),
    retry: { ...waitingJob().retry, retryOn: fill(limits.retryOnMax, (index) => 400 + index) },
  });
  const history = fill(limits.historyKept, () => ({
    ...({ at: factsAt(startAt).now, from: "running", to: "waiting", because: "lease_lost", change: nextChange() } as const),
  }));
  return { ...job, attempts, attemptCount: limits.attemptMax, history };
}
