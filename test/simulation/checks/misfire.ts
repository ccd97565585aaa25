/** I24 for schedules: which of the occurrences that nobody met in time still fire, and that a resume replays what it was asked for and no more. */

import type { Recovery } from "../../../src/core/schedule.ts";
import { type EpochMs, formatInstant, later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { followingOf, instantsOf } from "../schedules/rule.ts";
import type { World } from "../world.ts";
import { type Chronicle, hadFault, type Violation } from "./chronicle.ts";
import type { Entry } from "./scheduleLog.ts";
import { because, type Term, type TermChange, type Terms } from "./terms.ts";

/** Met later than this an occurrence was missed: what the documentation of schedules promises. */
const missedAfterMs = minuteMs;

/** A resume, and how it is to judge what fell due before it. */
type Lull = { readonly recover: Recovery | "unheard"; readonly before: EpochMs; readonly pausedAt: EpochMs; fired: number };

type Judged = { readonly term: Term; readonly change: TermChange; readonly lull: Lull | undefined; readonly slackMs: number };

export function missesAreJudgedAsWished({ terms }: Terms, chronicle: Chronicle, { weather }: World): Violation[] {
  const violations: Violation[] = [];
  for (const term of terms) {
    let lull: Lull | undefined;
    for (const change of term.changes) {
      const { at, by, entries, after } = change;
      // Between the look at the clock and the commit.
      const slackMs = secondMs + weather.skewMsMax;
      if (!hadFault(chronicle, by, later(at, -slackMs), at)) {
        for (const entry of entries) {
          const wrong = judge(entry, { term, change, lull, slackMs });
          if (wrong === undefined) continue;
          const message = `${term.name} version ${after.version} by ${by} at ${formatInstant(at)}: ${because(entry)} ${formatInstant(entry.firstAt)}: ${wrong}`;
          violations.push({ invariant: "I24", message });
        }
      }
      lull = lullAfter(change, chronicle, lull);
    }
  }
  return violations;
}

function lullAfter({ before, after, at }: TermChange, { exchanges }: Chronicle, lull: Lull | undefined): Lull | undefined {
  if (before?.state !== "paused" || after.state === "paused" || after.state === "deleted") return lull;
  const { pausedAt, pausedUntil } = before;
  const answered = exchanges.find(
    ({ asked, told }) => asked.what === "resume" && told.shown?.incarnation === after.incarnation && told.shown.version === after.version,
  );
  if (answered?.asked.what === "resume") return { recover: answered.asked.recover, before: at, pausedAt, fired: 0 };
  // Nobody heard of it, or it came by itself.
  const asked = exchanges.filter(
    (one) => one.asked.what === "resume" && one.asked.name === after.name && one.askedAt <= at && one.toldAt >= at,
  );
  if (asked.length > 0) return { recover: "unheard", before: at, pausedAt, fired: 0 };
  return { recover: "none", before: pausedUntil ?? at, pausedAt, fired: 0 };
}

function judge(entry: Entry, judged: Judged): string | undefined {
  const dueAt = entry.firstAt + entry.offsetMs;
  const { change, lull, slackMs } = judged;
  const { policy, withinMs, max } = change.wishBefore.misfire;
  const lateMs = change.at - dueAt;
  switch (entry.because) {
    case "due":
    case "late":
      if (lull !== undefined && dueAt < lull.before - slackMs) return replayed(lull, max);
      if (lull !== undefined && dueAt < lull.before + slackMs) return undefined;
      if (lateMs > withinMs + slackMs && lateMs > missedAfterMs + slackMs) return `it was ${lateMs} ms late, and ${withinMs} are allowed`;
      return lateMs > missedAfterMs + slackMs ? firesLate(entry, judged, policy, max) : undefined;
    case "too_late":
      return change.at - lastDueMin(entry) < withinMs - slackMs ? "it was not so late" : undefined;
    case "misfire":
      return missed(entry, judged, policy, max);
    case "paused":
      return lull === undefined && change.before?.state === "active" && change.before.catchUp === null ? "there was no pause" : undefined;
    default:
      return undefined;
  }
}

function replayed(lull: Lull, max: number): string | undefined {
  lull.fired += 1;
  const most = { none: 0, latest: 1, all: max, unheard: Number.POSITIVE_INFINITY }[lull.recover];
  return lull.fired > most ? `it fell into a pause, and the resume recovers ${lull.recover}` : undefined;
}

function lastDueMin({ lastAt, count, offsetMs }: Entry): number {
  return count === 1 ? lastAt + offsetMs : lastAt;
}

/** How many instants come after one, and were due by then. */
function dueAfter({ term, change, slackMs }: Judged, nominalAt: EpochMs): number {
  const { rule } = change.wishBefore;
  const windowMs = rule.window === null ? 0 : Number.POSITIVE_INFINITY;
  if (windowMs > 0) return 0;
  const later = instantsOf(rule, term.createdAt, { after: nominalAt, until: change.at - slackMs, max: 2_000 });
  return later.filter(({ isExcluded }) => !isExcluded).length;
}

function firesLate(entry: Entry, judged: Judged, policy: string, max: number): string | undefined {
  const newer = dueAfter(judged, entry.firstAt);
  switch (policy) {
    case "skip":
      return "nothing that is late fires by skip";
    case "latest":
      return newer > 0 ? `${newer} newer ones were due, and only the latest fires` : undefined;
    default:
      return newer >= max ? `${newer} newer ones were due, and only ${max} fire` : undefined;
  }
}

/** None is missed by the policy that is the last one due, and not late. */
function missed(entry: Entry, { term, change, slackMs }: Judged, policy: string, max: number): string | undefined {
  const { rule } = change.wishBefore;
  const next = followingOf(rule, term.createdAt, entry.lastAt);
  const isLast = next === undefined || next > change.at + slackMs;
  if (!isLast) return undefined;
  const isLate = change.at - lastDueMin(entry) > missedAfterMs - slackMs;
  if (policy === "skip") return isLate ? undefined : "it was not late yet";
  return max > 0 ? `it was the last that was due, and ${policy} lets it fire` : undefined;
}
