/** I15: every nominal instant of a rule, as arithmetic has it, meets one fate, in order, and what follows is the one after the last that was decided. */

import { formatInstant, toEpochMs } from "../../../src/core/time.ts";
import { dueMax, followingOf, instantsOf, isSameRule } from "../schedules/rule.ts";
import type { Violation } from "./chronicle.ts";
import type { Entry } from "./scheduleLog.ts";
import { because, type Term, type TermChange, type Terms } from "./terms.ts";

/** How far a term has come. */
type Place = {
  /** Every instant of the rule up to it has met its fate, but for one that an edit has carried over. */
  decidedAt: number;
  /** Every excluded instant up to it is on record. */
  excludedAt: number;
  carriedAt: number | null;
  readonly fired: Set<number>;
  say: (message: string) => void;
};

export function everyInstantHasOneFate({ terms, strangers }: Terms): Violation[] {
  const violations: Violation[] = strangers.map((message) => ({ invariant: "I15", message }));
  for (const term of terms) {
    for (const message of term.wrong) violations.push({ invariant: "I15", message: `${term.name}: ${message}` });
    const place: Place = {
      ...{ decidedAt: term.createdAt - 1, excludedAt: term.createdAt - 1, carriedAt: null, fired: new Set() },
      say: () => {},
    };
    for (const change of term.changes) {
      const say = (message: string) => {
        const by = `${term.name} version ${change.after.version} by ${change.by}`;
        violations.push({ invariant: "I15", message: `${by} at ${shown(change.at)}: ${message}` });
      };
      place.say = say;
      judge(term, place, change);
    }
  }
  return violations;
}

function judge(term: Term, place: Place, change: TermChange): void {
  for (const entry of change.entries) meet(term, place, change, entry);
  for (const { nominalAt } of change.buffered) decide(term, place, change, { count: 1, lastAt: nominalAt });
  const isEdited = change.before !== undefined && change.wish.content !== change.wishBefore.content;
  if (isEdited) edit(term, place, change);
  followsTheLast(term, place, change);
}

/** An entry of the log, against the rule that was in force. */
function meet(term: Term, place: Place, change: TermChange, entry: Entry): void {
  const { before } = change;
  switch (entry.because) {
    case "triggered":
      return;
    case "backfilled":
      if (
        instantsOf(change.wishBefore.rule, term.createdAt, { after: entry.firstAt - 1, until: entry.firstAt, max: 1 })[0]?.isExcluded !==
        false
      )
        place.say(`${shown(entry.firstAt)} was backfilled, and is no instant of the rule`);
      fire(place, entry.firstAt);
      return;
    case "buffered":
      if (before?.buffered[0]?.nominalAt !== entry.firstAt)
        place.say(`${shown(entry.firstAt)} fired though it was not the first that waited`);
      fire(place, entry.firstAt);
      return;
    case "exception":
      exclude(term, place, change, entry);
      return;
    case "edited":
      if (entry.firstAt !== (before?.next?.nominalAt ?? -1)) place.say(`an edit dropped ${shown(entry.firstAt)}, which was not pending`);
      place.carriedAt = null;
      place.decidedAt = Math.max(place.decidedAt, entry.firstAt);
      return;
    case "zone_changed":
      place.say("its rule is said to have changed by itself");
      return;
    default:
      if (entry.state === "fired") fire(place, entry.firstAt);
      if (entry.after === null) windowed(term, place, change, entry);
      decide(term, place, change, entry);
      return;
  }
}

function fire(place: Place, nominalAt: number): void {
  if (place.fired.has(nominalAt)) place.say(`${shown(nominalAt)} fires a second time`);
  place.fired.add(nominalAt);
}

/** What was decided is what comes next, without a gap: `count` instants, the last of them at `lastAt`. */
function decide(term: Term, place: Place, { wishBefore }: TermChange, { count, lastAt }: { count: number; lastAt: number }): void {
  let expected = 0;
  if (place.carriedAt !== null && place.carriedAt <= lastAt) {
    expected += 1;
    place.carriedAt = null;
  }
  const between = { after: place.decidedAt, until: lastAt, max: Number.POSITIVE_INFINITY };
  const met = instantsOf(wishBefore.rule, term.createdAt, between).filter(({ isExcluded }) => !isExcluded);
  expected += met.length;
  const isLast = met.length === 0 || met.at(-1)?.at === lastAt;
  if (expected !== count || !isLast) {
    place.say(`${count} up to ${shown(lastAt)} were decided, where the rule has ${expected} after ${shown(place.decidedAt)}`);
  }
  place.decidedAt = Math.max(place.decidedAt, lastAt);
  const missed = instantsOf(wishBefore.rule, term.createdAt, { after: place.excludedAt, until: lastAt, max: Number.POSITIVE_INFINITY });
  const unrecorded = missed.filter(({ isExcluded }) => isExcluded).length;
  if (unrecorded > 0) place.say(`${unrecorded} excluded before ${shown(lastAt)} are on no record`);
  place.excludedAt = Math.max(place.excludedAt, lastAt);
}

function exclude(term: Term, place: Place, { wishBefore }: TermChange, entry: Entry): void {
  const between = { after: place.excludedAt, until: entry.lastAt, max: Number.POSITIVE_INFINITY };
  const count = instantsOf(wishBefore.rule, term.createdAt, between).filter(({ isExcluded }) => isExcluded).length;
  if (count !== entry.count) place.say(`${entry.count} are said to be excluded, where the rule excludes ${count}`);
  place.excludedAt = Math.max(place.excludedAt, entry.lastAt);
}

function windowed(term: Term, place: Place, { wishBefore, before }: TermChange, entry: Entry): void {
  const { rule } = wishBefore;
  const latest = dueMax(rule, entry.firstAt, followingOf(rule, term.createdAt, entry.firstAt));
  // What an edit carried over keeps its place.
  const isCarried = before?.next !== null && before !== undefined && entry.firstAt <= before.decidedUntil;
  if (entry.offsetMs < 0 || (!isCarried && entry.firstAt + entry.offsetMs > latest))
    place.say(`${because(entry)} was due ${entry.offsetMs} ms after its instant, beyond its window`);
}

/** Whatever came before an edit was decided before it, but one whose place in its window is still to come; and that stays where the new rule has it. */
function edit(term: Term, place: Place, { before, after, wish, wishBefore }: TermChange): void {
  const isRuleChanged = !isSameRule(wish.rule, wishBefore.rule);
  const isSpent = before !== undefined && wishBefore.maxRuns !== null && before.runs + before.buffered.length >= wishBefore.maxRuns;
  const isOver = before?.state === "finished" || isSpent;
  if (!isRuleChanged && !isOver) return;
  const editedAt = after.updatedAt;
  if (!isOver) {
    const between = { after: place.decidedAt, until: editedAt, max: Number.POSITIVE_INFINITY };
    const undecided = instantsOf(wishBefore.rule, term.createdAt, between).filter(({ isExcluded }) => !isExcluded);
    const pending = place.carriedAt ?? undecided[0]?.at;
    if (undecided.length + (place.carriedAt === null ? 0 : 1) > 1) place.say(`${undecided.length} of the old rule met no fate`);
    if (pending !== undefined) {
      const own = instantsOf(wish.rule, term.createdAt, { after: pending - 1, until: pending, max: 1 });
      const isKept = own[0]?.isExcluded === false;
      if (!isKept) place.say(`${shown(pending)} was pending, and the edit says nothing of it`);
      if (isKept && after.next?.nominalAt !== pending) place.say(`${shown(pending)} was pending, and the edit lost it`);
      place.carriedAt = isKept ? pending : null;
    }
  }
  const between = {
    after: place.excludedAt,
    until: Math.min(editedAt, before?.next?.nominalAt ?? editedAt),
    max: Number.POSITIVE_INFINITY,
  };
  const unrecorded = isOver ? 0 : instantsOf(wishBefore.rule, term.createdAt, between).filter(({ isExcluded }) => isExcluded).length;
  if (unrecorded > 0) place.say(`${unrecorded} that the old rule excluded are on no record`);
  place.decidedAt = Math.max(place.decidedAt, editedAt);
  place.excludedAt = Math.max(place.excludedAt, editedAt);
}

/** What comes next follows from the last nominal instant, whenever and by whom that was met. */
function followsTheLast(term: Term, place: Place, { after, wish }: TermChange): void {
  if (after.state === "deleted") return;
  const expected = place.carriedAt ?? followingOf(wish.rule, term.createdAt, place.decidedAt);
  if (after.next?.nominalAt === expected) return;
  place.say(`${shown(after.next?.nominalAt)} comes next, where the rule has ${shown(expected)} after ${shown(place.decidedAt)}`);
}

/** A schedule is finished when nothing follows, or when it has fired as often as it may. */
export function finishedOnlyAtTheEnd({ terms }: Terms): Violation[] {
  return terms.flatMap(({ name, changes }) =>
    changes.flatMap(({ after, wish }) => {
      if (after.state !== "finished" || after.next === null || (wish.maxRuns !== null && after.runs >= wish.maxRuns)) return [];
      return [{ invariant: "I15", message: `${name} version ${after.version} is finished, and ${shown(after.next.nominalAt)} follows` }];
    }),
  );
}

function shown(at: number | undefined): string {
  return at === undefined ? "nothing" : formatInstant(toEpochMs(at));
}
