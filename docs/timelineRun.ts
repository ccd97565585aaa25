/** Runs a case of docs/schedules.md: sent to the API over the real engine and the memory store, in virtual time, and what became of each occurrence. */

import { type Agenda, readAgenda } from "../src/core/agenda.ts";
import { soleTenant } from "../src/core/ids.ts";
import type { WrittenMember } from "../src/core/recurrence/member.ts";
import { instants, occurrences } from "../src/core/recurrence/occurrences.ts";
import type { MisfirePolicy, Overlap, Recovery, Standing } from "../src/core/schedule.ts";
import { dayMs, type EpochMs, later, secondMs } from "../src/core/time.ts";
import { findSchedule, type Logged, listOccurrences } from "../src/engine/schedules/read.ts";
import { memoryCursors, memoryStore } from "../src/store/memory.ts";
import { openCaller } from "../test/api/caller.ts";
import { answerWith, type Home, openHome } from "../test/engine/home.ts";
import { createVirtualClock } from "../test/engine/virtualClock.ts";

/** A schedule as it is sent; the API fills in the rest. */
export type Written = {
  readonly when: WrittenMember;
  readonly except?: readonly { readonly cron: string }[];
  readonly job: { readonly target: { readonly url: string }; readonly timeout?: string };
  readonly overlap?: Overlap;
  readonly misfire?: { readonly policy?: MisfirePolicy; readonly within?: string; readonly max?: number };
  readonly window?: string;
};

/** What happens in a case beside the rule. */
export type Act = { readonly at: EpochMs } & (
  | { readonly kind: "outage"; readonly until: EpochMs }
  | { readonly kind: "pause" }
  | { readonly kind: "resume"; readonly recover: Recovery }
  | { readonly kind: "edit"; readonly written: Written }
);

export type Case = {
  /** The picture's file, without its ending. */
  readonly name: string;
  /** The policy, as a heading. */
  readonly title: string;
  /** What the picture says, in one sentence. */
  readonly sentence: string;
  /** By name, in the order in which they are drawn. */
  readonly schedules: Readonly<Record<string, Written>>;
  readonly from: EpochMs;
  readonly until: EpochMs;
  /** How far the marks of the axis are apart. */
  readonly gridMs: number;
  /** Whose wall the axis shows. */
  readonly zone: string;
  /** How long each call takes. */
  readonly callMs: number;
  readonly acts: readonly Act[];
};

/** An occurrence that made a call. `endedAt` is null while the call runs. */
export type Called = { readonly startedAt: EpochMs; readonly endedAt: EpochMs | null; readonly calledOff: boolean };

export type Fate = {
  readonly nominalAt: EpochMs;
  readonly dueAt: EpochMs;
  readonly state: Logged["state"];
  readonly because: string | null;
  readonly called: Called | null;
  /** What the rule's zone did to it. */
  readonly note: string | null;
};

/** `isOld`: by the rule that stood before an edit. */
export type Span = { readonly from: EpochMs; readonly until: EpochMs; readonly isOld: boolean };

export type Line = {
  readonly name: string;
  readonly fates: readonly Fate[];
  /** The record as the engine has it, oldest first. */
  readonly logged: readonly Logged[];
  /** Instants that another policy of the zone would have. */
  readonly passedOver: readonly EpochMs[];
  /** From when until when each window is open. */
  readonly windows: readonly Span[];
  /** Where calls were owed before an edit moved or dropped them. */
  readonly owedBefore: readonly EpochMs[];
};

export type Run = { readonly of: Case; readonly lines: readonly Line[]; readonly answers: readonly string[] };

type Edited = { readonly at: EpochMs; readonly before: Standing };

type Stage = { home: Home; readonly homes: Home[]; readonly edited: Map<string, Edited>; readonly answers: string[] };

export async function run(one: Case): Promise<Run> {
  const clock = createVirtualClock(one.from);
  const [store, cursors] = [memoryStore({ now: clock.now, shards: 1 }), memoryCursors()];
  const open = () => {
    const params = { hintedAnewBefore: later(clock.now(), 10 * secondMs) };
    return openHome({ clock, store, cursors, params, answer: answerWith(200, { afterMs: one.callMs }) });
  };
  const first = open();
  const stage: Stage = { home: first, homes: [first], edited: new Map(), answers: [] };
  for (const [name, written] of Object.entries(one.schedules)) await put(stage.home, name, written);
  for (const act of one.acts) {
    await stage.home.runUntil(act.at);
    await perform(stage, one, act, open);
  }
  await stage.home.runUntil(one.until);
  const lines = await Promise.all(Object.keys(one.schedules).map((name) => lineOf(stage, one, name)));
  // Nothing of it goes on in the background: what waits for a later instant waits for ever.
  for (const home of stage.homes) home.die();
  return { of: one, lines, answers: stage.answers };
}

/** Answers what became of an occurrence that was pending. */
async function put(home: Home, name: string, written: Written): Promise<string> {
  const standing = await findSchedule(home.engine, { tenant: soleTenant, name });
  const { pending } = await openCaller({ home }).schedule(standing === undefined ? 201 : 200, "PUT", `/v1/schedules/${name}`, {
    body: written,
  });
  return pending;
}

async function perform(stage: Stage, one: Case, act: Act, open: () => Home): Promise<void> {
  for (const name of Object.keys(one.schedules)) {
    const { home } = stage;
    switch (act.kind) {
      case "outage":
        // The process is gone, and another one starts on the same data.
        home.die();
        await home.clock.runUntil(act.until);
        stage.home = open();
        stage.homes.push(stage.home);
        return;
      case "pause":
        await openCaller({ home }).schedule(200, "POST", `/v1/schedules/${name}/pause`);
        break;
      case "resume":
        await openCaller({ home }).schedule(200, "POST", `/v1/schedules/${name}/resume`, { body: { recover: act.recover } });
        break;
      case "edit": {
        const before = await findSchedule(home.engine, { tenant: soleTenant, name });
        stage.answers.push(await put(home, name, act.written));
        if (before !== undefined) stage.edited.set(name, { at: act.at, before });
      }
    }
  }
}

async function lineOf(stage: Stage, one: Case, name: string): Promise<Line> {
  const { engine } = stage.home;
  const schedule = await findSchedule(engine, { tenant: soleTenant, name });
  const page = await listOccurrences(engine, { tenant: soleTenant, name }, { states: null, from: null, limit: 200 });
  if (schedule === undefined || page === undefined) throw new Error(`expected ${name} to stand`);
  const logged = page.occurrences.filter(({ nominalAt }) => nominalAt <= one.until).toReversed();
  const agenda = ruleOf(schedule);
  const fates: Fate[] = [];
  for (const entry of logged) {
    for (const nominalAt of instantsOf(agenda, schedule, entry)) {
      const note = occurrences(agenda.rule, { from: nominalAt, count: 1 }).found[0]?.note ?? null;
      const dueAt = later(nominalAt, entry.dueAt - entry.nominalAt);
      fates.push({ nominalAt, dueAt, state: entry.state, because: entry.because, called: await calledOf(stage, entry), note });
    }
  }
  fates.sort((a, b) => a.nominalAt - b.nominalAt);
  return {
    ...{ name, fates, logged: logged.filter(({ state }) => state !== "pending"), passedOver: passedOver(schedule, one) },
    ...windowsAround(agenda, one, stage.edited.get(name)),
  };
}

/** The rule without its exceptions, so that excluded instants are found too. */
function ruleOf(schedule: Standing): Agenda {
  const read = readAgenda({ ...schedule, spec: { ...schedule.spec, except: [] } }, new Map());
  if (!read.ok) throw new Error(read.mistakes.map(({ message }) => message).join("; "));
  return read.agenda;
}

/** A stretch in the record is one entry; in a picture each of its instants has a mark. */
function instantsOf(agenda: Agenda, schedule: Standing, { nominalAt, lastNominalAt, count }: Logged): readonly EpochMs[] {
  if (count === 1) return [nominalAt];
  const { at } = instants(agenda.rule, { from: nominalAt, until: later(lastNominalAt, 1), max: count });
  if (at.length !== count) throw new Error(`expected ${count} instants of ${schedule.name}, got ${at.length}`);
  return at;
}

/** The first byte as the target saw it, for the record learns of it when the call has ended. */
async function calledOf({ home, homes }: Stage, { job: id }: Logged): Promise<Called | null> {
  const job = id === null ? undefined : await home.engine.store.load({ tenant: soleTenant, id });
  const call = homes.flatMap(({ calls }) => calls).find(({ request }) => request.headers["onthedot-job"] === id);
  if (job === undefined || call === undefined) return null;
  return { startedAt: call.startedAt, endedAt: job.attempts[0]?.endedAt ?? null, calledOff: job.state === "cancelled" };
}

/** Instants at which the most generous policies would fire, and these do not. */
function passedOver(schedule: Standing, { from, until, zone }: Case): readonly EpochMs[] {
  if (zone === "UTC") return [];
  const generous = { ...(schedule.spec.when as WrittenMember), gap: "shift" as const, fold: "both" as const };
  const at = (agenda: Agenda) => instants(agenda.rule, { from, until, max: 100 }).at;
  const own = new Set(at(ruleOf(schedule)));
  return at(ruleOf({ ...schedule, spec: { ...schedule.spec, when: generous } })).filter((instant) => !own.has(instant));
}

/** By the old rule up to an edit, by the new one after it, and for the occurrence that was pending where it has a place in it. */
function windowsAround(agenda: Agenda, one: Case, edited: Edited | undefined): Pick<Line, "windows" | "owedBefore"> {
  const now = windowsOf(agenda, one, false);
  if (edited === undefined) return { windows: now, owedBefore: [] };
  const { at, before } = edited;
  const old = windowsOf(ruleOf(before), one, true).filter(({ from }) => from <= at);
  const pendingAt = before.next?.nominalAt;
  const windows = [...old, ...now.filter(({ from }) => from > at || from === pendingAt)];
  return { windows, owedBefore: before.next === null ? [] : [before.next.dueAt] };
}

function windowsOf({ rule, window }: Agenda, { from, until }: Case, isOld: boolean): readonly Span[] {
  if (window === null) return [];
  const { at } = instants(rule, { from, until: later(until, dayMs), max: 200 });
  return at.slice(0, -1).flatMap((nominalAt, index) => {
    const gapMs = (at[index + 1] ?? nominalAt) - nominalAt;
    const widthMs = window.kind === "share" ? (gapMs * window.percent) / 100 : Math.min(window.spanMs, gapMs);
    return nominalAt > until ? [] : [{ from: nominalAt, until: later(nominalAt, widthMs), isOld }];
  });
}
