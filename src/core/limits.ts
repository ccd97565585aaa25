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
  /** The largest body with each of its bytes escaped (`\u00fc` is six for one), plus every other field at its longest. */
  requestBytesMax: 6 * 256 * kib + 64 * kib,
  /** Deeper JSON parses, but cannot be written again without overflowing the stack. */
  jsonDepthMax: 64,
  /** Values (members, elements) in one request: bounds the time to look at them to some milliseconds. */
  jsonValuesMax: 100_000,
  urlCharsMax: 2_048,
  headersMax: 64,
  /** Names and values together; most servers refuse a head above 8 KiB. */
  headerBytesMax: 8 * kib,
  /** Labels ride in the item of every job: bounds what they cost. The key's length is that of Kubernetes labels. */
  labelsMax: 16,
  labelKeyCharsMax: 63,
  labelValueCharsMax: 255,
  idempotencyKeyCharsMax: 255,

  /** Below a second a call could time out on one lost packet. */
  timeoutMsMin: secondMs,
  /** The longest that a Lambda may run. */
  timeoutMsMax: 15 * minuteMs,
  timeoutMsDefault: 30 * secondMs,

  /** What Cloud Tasks allows; a call that failed a hundred times wants a person. */
  attemptMax: 100,
  /** Rides out a restart of the target, some tens of seconds; a caller whose target may be down for hours asks for more. */
  attemptMaxDefault: 4,
  /** Shorter waits are a busy loop over the network. */
  backoffMsMin: 100,
  minBackoffMsMax: dayMs,
  /** A wait of more than a week is a schedule. */
  maxBackoffMsMax: 7 * dayMs,
  /** Long enough for a crashed process to be started again. */
  minBackoffMsDefault: 10 * secondMs,
  /** Met from the tenth attempt on: for callers who ask for many. */
  maxBackoffMsDefault: hourMs,
  /** 2^16 times the shortest wait is two hours; more doublings change nothing below maxBackoff. */
  doublingsMax: 16,
  /** 10 s doubled five times is five minutes, and grows by that from there. */
  doublingsDefault: 5,
  maxAgeMsMin: secondMs,
  /** As long as ended jobs are kept by default. */
  maxAgeMsMax: 30 * dayMs,
  /** A webhook of yesterday is rarely wanted. */
  maxAgeMsDefault: dayMs,
  /** A Retry-After beyond a day is a mistake or a refusal in disguise. */
  retryAfterMsMax: dayMs,
  /** Every status that anyone names by itself, with room. */
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

  /** A screenful or two; the largest page is some hundred KiB. */
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
