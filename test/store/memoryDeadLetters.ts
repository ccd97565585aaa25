/** Dead letters in a Map: what the table's are compared with, and what tests of the API list. */

import { type DeadLetter, type DeadLetters, deadLetterKeptMs } from "../../src/core/deadLetter.ts";
import { type EpochMs, later } from "../../src/core/time.ts";

export function memoryDeadLetters({ now }: { now(): EpochMs }): DeadLetters {
  const letters = new Map<string, DeadLetter>();
  const isBefore = (a: Pick<DeadLetter, "receivedAt" | "id">, b: Pick<DeadLetter, "receivedAt" | "id">) =>
    a.receivedAt > b.receivedAt || (a.receivedAt === b.receivedAt && a.id > b.id);
  return {
    async record(letter) {
      if (letters.has(letter.id)) return "exists";
      letters.set(letter.id, letter);
      return "recorded";
    },
    async list({ after, limit }) {
      const found = [...letters.values()]
        .filter((letter) => later(letter.receivedAt, deadLetterKeptMs) > now() && (after === null || isBefore(after, letter)))
        .toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return { letters: page, next: found.length > limit && last !== undefined ? { receivedAt: last.receivedAt, id: last.id } : null };
    },
  };
}
