/**
 * A dead letter: what is kept of a message that nobody could handle, for people to look at. It is bounded, and says nothing about any
 * job: the wheel holds what is owed, whatever became of a message.
 */

import { limits } from "./limits.ts";
import { dayMs, type EpochMs } from "./time.ts";

/** `not_a_hint`: somebody else's message in a queue of hints. `tick_undelivered`: a tick for which no dispatcher could be started. */
export const deadLetterReasons = ["not_a_hint", "tick_undelivered"] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

export type DeadLetter = {
  /** The message's own id, the same however often it is delivered: a dead letter is recorded once. */
  readonly id: string;
  /** When the undertaker found it. */
  readonly receivedAt: EpochMs;
  /** The name of the dead-letter queue, without account and region. */
  readonly queue: string;
  readonly reason: DeadLetterReason;
  /** The beginning of the message's text, masked where it looks like a credential. */
  readonly body: string;
  /** Of the whole text, in UTF-8. */
  readonly bodyBytes: number;
  /** How often it was delivered, before it was given up and since. */
  readonly receives: number;
};

/** The place of a dead letter in the list: newest first, then by id, descending. */
export type DeadLetterKey = Pick<DeadLetter, "receivedAt" | "id">;

export type DeadLetters = {
  /** "exists": it was recorded before, and stands as it was. */
  record(letter: DeadLetter): Promise<"recorded" | "exists">;
  /** Newest first, from `after` (exclusive); at most `limit`. `next` is null at the end. A page may lag behind records. */
  list(page: { readonly after: DeadLetterKey | null; readonly limit: number }): Promise<DeadLetterPage>;
};

export type DeadLetterPage = { readonly letters: readonly DeadLetter[]; readonly next: DeadLetterKey | null };

/** As long as ended jobs by default: whoever looks for the one finds the other. */
export const deadLetterKeptMs = 30 * dayMs;

/** The end of the name of the queue for ticks that could not be delivered; the building names it so. */
const deadTicksEnd = "-ticks-dead";

/** A dead letter of a message. `mask` takes the credentials out of a text. */
export function deadLetterOf(message: Omit<DeadLetter, "bodyBytes" | "reason">, mask: (text: string) => string): DeadLetter {
  const { body } = message;
  return { ...message, reason: reasonOf(message.queue), body: beginningOf(body, mask), bodyBytes: new TextEncoder().encode(body).length };
}

function reasonOf(queue: string): DeadLetterReason {
  return queue.endsWith(deadTicksEnd) ? "tick_undelivered" : "not_a_hint";
}

/** Masked before it is cut, or half a credential might not look like one; and from twice as much as is kept, for masks shorten. */
function beginningOf(body: string, mask: (text: string) => string): string {
  const masked = mask(body.slice(0, 2 * limits.excerptBytesMax));
  // Cut between characters: one that does not fit whole is left out.
  const { read } = new TextEncoder().encodeInto(masked, new Uint8Array(limits.excerptBytesMax));
  return masked.slice(0, read);
}
