/** What may be seen on the wire: I3, I5, I6, I7, I9, I18, and duplicates only where a fault explains them. */

import { isLive } from "../../../src/core/job.ts";
import { formatInstant, later, secondMs } from "../../../src/core/time.ts";
import type { World } from "../world.ts";
import { type Chronicle, hadFault, type Violation, type WireCall } from "./chronicle.ts";

const named = (call: WireCall) => `call ${call.call} (${call.label}, attempt ${call.attempt}, by ${call.by}, at ${formatInstant(call.at)})`;

/** I3: every request belongs to a job that a client tried to create, with a content that a client asked for. */
export function noGhosts({ stories, exchanges }: Chronicle): Violation[] {
  const violations: Violation[] = [];
  const labels = new Map<string, Set<string>>();
  const replayed = new Set<string>();
  for (const { asked } of exchanges) {
    if (asked.what === "replay") replayed.add(asked.job);
    const label = asked.what === "create" ? asked.label : asked.what === "edit" ? asked.content?.split("/")[0] : undefined;
    const content = asked.what === "create" || asked.what === "edit" ? asked.content : undefined;
    if (asked.what === "put") labels.set(asked.name, (labels.get(asked.name) ?? new Set()).add(asked.wish.content));
    if (label === undefined || content === undefined) continue;
    labels.set(label, (labels.get(label) ?? new Set()).add(content));
  }
  for (const { calls, changes } of stories.values()) {
    const first = changes[0]?.after;
    for (const call of calls) {
      const wanted = first !== undefined && (first.replayOf === null || replayed.has(first.replayOf));
      if (!wanted) violations.push({ invariant: "I3", message: `${named(call)} is of a job that nobody asked for` });
      if (labels.get(call.label)?.has(call.content) !== true) {
        violations.push({ invariant: "I3", message: `${named(call)} carries "${call.content}", which nobody asked for` });
      }
    }
  }
  return violations;
}

/** I5: two attempts of one job are never on the wire together. */
export function noOverlap({ stories }: Chronicle): Violation[] {
  const violations: Violation[] = [];
  for (const { calls } of stories.values()) {
    for (const [index, call] of calls.entries()) {
      const open = calls.slice(0, index).find((other) => other.overAt > call.at);
      if (open !== undefined) violations.push({ invariant: "I5", message: `${named(call)} began while ${named(open)} was on the wire` });
    }
  }
  return violations;
}

/** I6: each call's attempt stands in the record before its first byte, and no number is used twice. */
export function recordedBeforeSent({ calls, stories }: Chronicle): Violation[] {
  const violations: Violation[] = [];
  for (const call of calls) {
    const { record, attempt } = call;
    if (record?.state !== "running" || record.attemptCount !== attempt) {
      const found = record === undefined ? "no record" : `${record.state}, attempt ${record.attemptCount}`;
      violations.push({ invariant: "I6", message: `${named(call)} was sent while the record said: ${found}` });
    }
  }
  for (const story of stories.values()) {
    for (const [index, call] of story.calls.entries()) {
      const before = story.calls[index - 1];
      if (before !== undefined && call.attempt <= before.attempt) {
        violations.push({ invariant: "I6", message: `${named(call)} came after ${named(before)}` });
      }
    }
  }
  return violations;
}

/** I7: never before the instant that the record names, and that is never before the instant that the caller named. */
export function neverEarly({ calls, lives }: Chronicle, { weather }: World): Violation[] {
  const violations: Violation[] = [];
  for (const call of calls) {
    const { record, at } = call;
    // A clock that steps between the last look at the store and the first byte has had no chance to be found out.
    if (record === undefined || !isLive(record) || lives.get(call.by)?.clockStepped === true) continue;
    const owedAt = Math.max(record.dueAt, record.nextAttemptAt);
    if (at < owedAt - weather.skewMsMax) violations.push({ invariant: "I7", message: `${named(call)} left ${owedAt - at} ms early` });
  }
  return violations;
}

/** No attempt starts after its deadline, unless its executor slept between the last look and the first byte. */
export function neverTooLate(chronicle: Chronicle, { weather }: World): Violation[] {
  const violations: Violation[] = [];
  for (const call of chronicle.calls) {
    const { record, at } = call;
    if (record?.deadline == null || at <= record.deadline + weather.skewMsMax || hadFault(chronicle, call.by, record.deadline, at))
      continue;
    violations.push({ invariant: "deadline", message: `${named(call)} left ${at - record.deadline} ms after its deadline` });
  }
  return violations;
}

/** I8: a mark that stood when the last look was taken keeps the call back. `lookMs`: how old the look may be at the first byte. */
export function lastLookSeesMark(chronicle: Chronicle, { params }: World): Violation[] {
  // The lead of the look, and the slowest read.
  const lookMs = params.cancelWatch.kind === "asks" ? params.cancelWatch.leadMs + 25 : 0;
  const violations: Violation[] = [];
  for (const { calls, changes } of chronicle.stories.values()) {
    for (const call of calls) {
      const mark = changes.find(
        ({ after }) => after.state === "running" && after.attemptCount === call.attempt && after.cancelRequestedAt !== null,
      );
      if (mark === undefined || call.at <= mark.at + lookMs || hadFault(chronicle, call.by, mark.at, call.at)) continue;
      // Whoever set the mark tells the executor beside it only once it knows that the mark stands.
      if (hadFault(chronicle, mark.by, mark.at, later(mark.at, 2 * secondMs))) continue;
      violations.push({ invariant: "I8", message: `${named(call)} left ${call.at - mark.at} ms after its cancel was recorded` });
    }
  }
  return violations;
}

/** I9: what leaves is what the record holds: an edit that was answered is in it, and nothing older is sent. */
export function contentIsTheRecords({ calls }: Chronicle, { truth }: World): Violation[] {
  const violations: Violation[] = [];
  for (const call of calls) {
    if (call.record === undefined) continue;
    const content = truth.contentIn(call.record);
    if (content !== call.content) {
      violations.push({ invariant: "I9", message: `${named(call)} carried "${call.content}", and the record "${content}"` });
    }
  }
  return violations;
}

/** A call after one that had succeeded at the target is a duplicate: only a fault of its caller, after the first byte, excuses it. */
export function duplicatesHaveCauses(chronicle: Chronicle): Violation[] {
  const violations: Violation[] = [];
  for (const { calls } of chronicle.stories.values()) {
    for (const [index, call] of calls.entries()) {
      const next = calls[index + 1];
      const succeeded = call.how === "answered" && call.status !== null && call.status < 300;
      if (next === undefined || !succeeded || hadFault(chronicle, call.by, call.at, next.at)) continue;
      violations.push({ invariant: "no causeless duplicates", message: `${named(next)} followed ${named(call)}, which had succeeded` });
    }
  }
  return violations;
}

/** Nothing is on the wire once a job has ended. Covers the first half of I8 too. */
export function silentAfterEnd({ stories }: Chronicle): Violation[] {
  const violations: Violation[] = [];
  for (const { calls, changes } of stories.values()) {
    const end = changes.find((change) => !isLive(change.after));
    if (end === undefined) continue;
    for (const call of calls) {
      if (call.overAt <= end.at) continue;
      violations.push({
        invariant: "I2",
        message: `${named(call)} was on the wire after the job was ${end.after.state} at ${formatInstant(end.at)}`,
      });
    }
  }
  return violations;
}
