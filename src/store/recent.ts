/**
 * What became of a schedule's last occurrences, as one short text: a schedule's item holds up to thirty entries, is billed by the
 * kilobyte, and mostly says thirty times that it fired a period later. So an entry says only what differs from the one before it. Part
 * of the storage format of schedules.
 *
 * An entry is `<state><because><gap>+<offset>*<count>,<span>`, of which only the state is always there.
 * - state: a capital. because: a letter; absent for "due", which nearly every one is.
 * - gap: from the last instant of the entry before it (at first: the creation) to its own first; absent where it is that of the entry before.
 * - offset: absent where it is that of the entry before (at first: 0).
 * - count, and the span from its first instant to its last: absent for one occurrence.
 * Spans are whole minutes, as those of a cron are; else seconds ("90s") or milliseconds ("1500ms").
 */

import type { Happened, Happening, OccurrenceBecause } from "../core/occurrence.ts";
import { type EpochMs, later, minuteMs, secondMs } from "../core/time.ts";

const letterOfState: Readonly<Record<Happening, string>> = { fired: "F", skipped: "S", missed: "M", dropped: "D", excluded: "E" };
const letterOfBecause: Readonly<Record<OccurrenceBecause, string>> = {
  ...{ due: "", late: "l", buffered: "b", triggered: "t", backfilled: "k", overlap: "o", paused: "p", misfire: "m", too_late: "a" },
  ...{ buffer_full: "f", edited: "e", exception: "x", zone_changed: "z" },
};
const stateOfLetter = inverse(letterOfState);
const becauseOfLetter = inverse(letterOfBecause);

function inverse<Word extends string>(letters: Readonly<Record<Word, string>>): ReadonlyMap<string, Word> {
  return new Map(Object.entries(letters).map(([word, letter]) => [letter as string, word as Word]));
}

export function encodeRecent(recent: readonly Happened[], createdAt: EpochMs): string {
  let text = "";
  let [lastAt, gapMs, offsetMs]: [number, number | undefined, number] = [createdAt, undefined, 0];
  for (const entry of recent) {
    const gap = entry.firstAt - lastAt;
    const isOne = entry.count === 1 && entry.firstAt === entry.lastAt;
    text += letterOfState[entry.state] + letterOfBecause[entry.because];
    if (gap !== gapMs) text += shortened(gap);
    if (entry.offsetMs !== offsetMs) text += `+${shortened(entry.offsetMs)}`;
    if (!isOne) text += `*${entry.count},${shortened(entry.lastAt - entry.firstAt)}`;
    [lastAt, gapMs, offsetMs] = [entry.lastAt, gap, entry.offsetMs];
  }
  return text;
}

const span = "-?\\d+(?:m?s)?";
const pattern = `([A-Z])([a-z]?)(${span})?(?:\\+(${span}))?(?:\\*(\\d+),(${span}))?`;

/** The entries that {@link encodeRecent} wrote. Throws where the text is none of its. */
export function decodeRecent(text: string, createdAt: EpochMs): readonly Happened[] {
  const recent: Happened[] = [];
  const entries = new RegExp(pattern, "y");
  let [lastAt, gapMs, offsetMs]: [EpochMs, number | undefined, number] = [createdAt, undefined, 0];
  while (entries.lastIndex < text.length) {
    const place = entries.lastIndex;
    const [, stateLetter = "", becauseLetter = "", gap, offset, count, span = "0"] = entries.exec(text) ?? [];
    const [state, because] = [stateOfLetter.get(stateLetter), becauseOfLetter.get(becauseLetter)];
    gapMs = gap === undefined ? gapMs : lengthened(gap);
    if (state === undefined || because === undefined || gapMs === undefined) {
      throw new Error(`expected what became of an occurrence at character ${place} of "${text}", got something else`);
    }
    const firstAt = later(lastAt, gapMs);
    lastAt = later(firstAt, lengthened(span));
    offsetMs = offset === undefined ? offsetMs : lengthened(offset);
    recent.push({ state, because, firstAt, lastAt, count: count === undefined ? 1 : Number(count), offsetMs });
  }
  return recent;
}

function shortened(ms: number): string {
  if (ms % minuteMs === 0) return String(ms / minuteMs);
  return ms % secondMs === 0 ? `${ms / secondMs}s` : `${ms}ms`;
}

function lengthened(text: string): number {
  const unitMs = text.endsWith("ms") ? 1 : text.endsWith("s") ? secondMs : minuteMs;
  return Number.parseInt(text, 10) * unitMs;
}
