/** What a schedule fires: I16, a job for each occurrence that was taken and for no other, never early, and what its overlap policy says. */

import { formatInstant, later, secondMs } from "../../../src/core/time.ts";
import type { World } from "../world.ts";
import { type Chronicle, hadFault, type Violation } from "./chronicle.ts";
import { because, type Term, type TermChange, type TermJob, type Terms } from "./terms.ts";

const named = ({ name }: Term, { after, by, at }: TermChange) => `${name} version ${after.version} by ${by} at ${formatInstant(at)}`;
const shown = ({ owed, origin }: TermJob) => `the job of ${formatInstant(owed.nominalAt)} (${origin})`;

/** Between the look at what stands and the commit that goes by it. */
const lookMs = secondMs;

/** Judges each change of each schedule. */
function eachChange(terms: Terms, invariant: string, judge: (change: TermChange, term: Term) => string | undefined): Violation[] {
  return terms.terms.flatMap((term) =>
    term.changes.flatMap((change) => {
      const wrong = judge(change, term);
      return wrong === undefined ? [] : [{ invariant, message: `${named(term, change)}: ${wrong}` }];
    }),
  );
}

/** Nothing of a schedule changes before what it has taken has its jobs; and when faults have ended, all of them stand. */
export function takenHaveJobs(terms: Terms): Violation[] {
  const violations = eachChange(terms, "taken, then done", ({ missing }) =>
    missing.length === 0 ? undefined : `it changed before ${missing.map(shown).join(" and ")} was inserted`,
  );
  for (const { name, jobs, changes } of terms.terms) {
    for (const job of jobs.values()) {
      if (job.insertedAt === undefined)
        violations.push({ invariant: "taken, then done", message: `${name}: ${shown(job)} was never made` });
    }
    const last = changes.at(-1)?.after;
    if (last?.taken != null) violations.push({ invariant: "taken, then done", message: `${name} has something taken for ever` });
  }
  return violations;
}

/** Not before its time, whatever the pending occurrence's place in its window. */
export function takenNeverEarly(terms: Terms, { lives }: Chronicle, { params, weather }: World): Violation[] {
  return eachChange(terms, "I7", ({ at, by, taken, entries }) => {
    if (taken === null || taken.origin !== "rule" || entries.some(({ because: why }) => why === "backfilled")) return undefined;
    if (lives.get(by)?.clockStepped === true) return undefined;
    const early = taken.owed.find(({ dueAt }) => at < dueAt - params.takeLeadMs - weather.skewMsMax);
    return early === undefined ? undefined : `${formatInstant(early.nominalAt)} was taken ${early.dueAt - at} ms before it was due`;
  });
}

/** I16: while it is paused, and when it is deleted, nothing of the rule is taken. */
export function pausesAndDeletionsHold(terms: Terms): Violation[] {
  return eachChange(terms, "I16", ({ before, taken, buffered }) => {
    if (before?.state === "deleted") return "it was deleted";
    const fires = taken?.origin === "rule" || buffered.length > 0;
    return before?.state === "paused" && fires ? "an occurrence was taken though it was paused" : undefined;
  });
}

/** I16: what was taken before a pause or a deletion was answered has its job by then, and the answer names what is still to come of it. */
export function answersNameWhatIsTaken({ terms }: Terms, { exchanges, lives }: Chronicle, { weather }: World): Violation[] {
  const violations: Violation[] = [];
  for (const { op, by, asked, told, toldAt } of exchanges) {
    const { shown: answer } = told;
    if (answer === undefined || (told.kind !== "changed" && told.kind !== "deleted" && told.kind !== "replaced")) continue;
    const term = terms.find(({ incarnation }) => incarnation === answer.incarnation);
    const say = (message: string) =>
      violations.push({ invariant: "I16", message: `op ${op} (${asked.what}, told ${told.kind}): ${message}` });
    if (term === undefined) {
      say("it tells of a schedule that never was");
      continue;
    }
    const stood = term.changes.find(({ after }) => after.version === answer.version);
    if (stood === undefined || stood.at > toldAt) say(`version ${answer.version} was not stored`);
    for (const job of term.jobs.values()) {
      if (job.version > answer.version) continue;
      if (job.insertedAt === undefined || job.insertedAt > toldAt) say(`${shown(job)} was made after it, though it was taken before`);
      const isToCome = job.owed.dueAt > toldAt + weather.skewMsMax && lives.get(by)?.clockStepped !== true;
      if (isToCome && !answer.taken.includes(job.owed.nominalAt)) say(`${shown(job)} is yet to be called, and the answer does not name it`);
    }
  }
  return violations;
}

/** What overlaps, by the policy under which it was taken. A job that a client triggered or backfilled is beside the rule. */
export function overlapsAsWished(terms: Terms, chronicle: Chronicle): Violation[] {
  const violations = eachChange(terms, "overlap", (change) => {
    const { at, by, taken, busy, entries, before, lastEndAt, wishBefore } = change;
    const isOfRule = taken?.origin === "rule" && entries.every(({ because: why }) => why !== "backfilled");
    const isAlone = wishBefore.overlap === "skip" || wishBefore.overlap.startsWith("buffer");
    if (isOfRule && isAlone && busy[0] !== undefined) return `it fires while ${shown(busy[0])} has not ended`;
    const isUnsure = busy.length > 0 || lastEndAt > at - lookMs || hadFault(chronicle, by, later(at, -lookMs), at);
    for (const entry of entries) {
      if (entry.because === "overlap" && !isUnsure) return `it ${because(entry)} with no job under way`;
      if (entry.because === "overlap" && !(wishBefore.overlap === "skip")) return `it ${because(entry)} by ${wishBefore.overlap}`;
      const room = wishBefore.overlap === "buffer_one" ? 1 : 100;
      if (entry.because === "buffer_full" && (before?.buffered.length ?? 0) < room) return `it ${because(entry)} while there was room`;
    }
    if (change.buffered.length > 0 && !wishBefore.overlap.startsWith("buffer")) return `it waits by ${wishBefore.overlap}`;
    return undefined;
  });
  for (const { name, jobs } of terms.terms) {
    for (const job of jobs.values()) {
      const [other] = job.overlap === "replace" && job.isCounted ? job.beside : [];
      if (other === undefined) continue;
      violations.push({
        invariant: "overlap",
        message: `${name}: ${shown(job)} was made while ${shown(other)} was under way, which it replaces`,
      });
    }
  }
  return violations;
}
