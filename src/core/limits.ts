/** Every bound that a caller can meet, each with its reason. What an operator may change stands in the homes' settings. */

import { dayMs, hourMs, minuteMs, secondMs } from "./time.ts";

const kib = 1_024;

export const limits = {
  /** Far enough for "ten-year anniversaries"; beyond it, a wrong unit (seconds for milliseconds) is likelier than a wish. */
  dueAheadMsMax: 3_653 * dayMs,
  /** SQS and most webhook receivers stop at 256 KiB; larger payloads belong in object storage, with a link in the body. */
  bodyBytesMax: 256 * kib,
  /** A body up to this size rides inside the job's own item; a larger one would push the hot item over 1 KiB, which is one write unit. */
  inlineBodyBytesMax: 400,
  /** 1,000 jobs of a few KiB; API Gateway stops at 10 MB, Lambda at 6 MB. */
  batchBytesMax: 4 * kib * kib,
  batchItemsMax: 1_000,
  /** Room for base64 of the largest body plus every other field at its longest. */
  requestBytesMax: 400 * kib,
  /** Deeper JSON parses, but cannot be written again without overflowing the stack. */
  jsonDepthMax: 64,
  /** Values (members, elements) in one request: bounds the time to look at them to some milliseconds. */
  jsonValuesMax: 100_000,
  urlCharsMax: 2_048,
  headersMax: 64,
  /** Names and values together; most servers refuse a head above 8 KiB. */
  headerBytesMax: 8 * kib,
  labelsMax: 16,
  labelKeyCharsMax: 63,
  labelValueCharsMax: 255,
  idempotencyKeyCharsMax: 255,

  /** Below a second a call could time out on one lost packet. */
  timeoutMsMin: secondMs,
  /** The longest that a Lambda may run. */
  timeoutMsMax: 15 * minuteMs,
  timeoutMsDefault: 30 * secondMs,

  attemptMax: 100,
  attemptMaxDefault: 4,
  backoffMsMin: 100,
  minBackoffMsMax: dayMs,
  maxBackoffMsMax: 7 * dayMs,
  minBackoffMsDefault: 10 * secondMs,
  maxBackoffMsDefault: hourMs,
  doublingsMax: 16,
  doublingsDefault: 5,
  maxAgeMsMin: secondMs,
  maxAgeMsMax: 30 * dayMs,
  maxAgeMsDefault: dayMs,
  /** A Retry-After beyond a day is a mistake or a refusal in disguise. */
  retryAfterMsMax: dayMs,
  retryOnMax: 32,
  expireAfterMsMax: 3_653 * dayMs,

  /** Attempts and transitions that a job remembers; older ones are only counted. Keeps the item bounded under 100 attempts. */
  attemptsKept: 20,
  historyKept: 20,
  /** An answer's body is read to here, then the connection is cut; a 2xx counts all the same. */
  answerBytesRead: 64 * kib,
  /** What of an answer's body is kept for people to look at. */
  excerptBytesMax: 4 * kib,
  excerptHeaderBytesMax: 2 * kib,

  listLimitDefault: 50,
  listLimitMax: 200,
  /** Items that one filtered page may look at: a page's work is bounded, also where nothing matches. */
  listScanMax: 2_000,

  /** At least as long as an idempotency key is promised to hold. */
  retentionMsMin: dayMs,
  retentionMsDefault: 30 * dayMs,
  /** ε of the guarantees: how far two clocks may be apart before a process stops taking work. */
  clockSkewMsMax: 3 * secondMs,
} as const;
