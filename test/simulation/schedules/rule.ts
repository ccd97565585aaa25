/**
 * A rule as the simulation draws it: simple enough that its instants are arithmetic. What the engine makes of the written rule is judged by
 * this, and nothing here knows the engine's own planner.
 */

import { type EpochMs, formatDuration, formatInstant, minuteMs, secondMs, toEpochMs } from "../../../src/core/time.ts";
import type { Wanted } from "../../../src/engine/schedules/put.ts";

export type Beat =
  /** A cron: each instant whose remainder by `everyMs`, which divides an hour, is `phaseMs`. */
  | { readonly kind: "steps"; readonly everyMs: number; readonly phaseMs: number }
  /** From `fromAt` on, or, without one, from the rule's start or the schedule's creation on. */
  | { readonly kind: "every"; readonly everyMs: number; readonly fromAt: EpochMs | null }
  | { readonly kind: "list"; readonly at: readonly EpochMs[] };

export type Rule = {
  readonly beat: Beat;
  /** Minutes of each hour, the first and the last among them, in which nothing fires. */
  readonly except: { readonly first: number; readonly last: number } | null;
  /** Inclusive. */
  readonly startAt: EpochMs | null;
  /** Exclusive. */
  readonly endAt: EpochMs | null;
  readonly window: Wanted["window"];
};

export function written({ beat, except, startAt, endAt, window }: Rule): Pick<Wanted, "when" | "except" | "startAt" | "endAt" | "window"> {
  return {
    when: whenOf(beat),
    except: except === null ? [] : [{ cron: `${except.first}-${except.last} * * * *` }],
    startAt,
    endAt,
    window,
  };
}

function whenOf(beat: Beat): Wanted["when"] {
  switch (beat.kind) {
    case "steps": {
      const { everyMs, phaseMs } = beat;
      if (everyMs < minuteMs) return { cron: `${phaseMs / secondMs}-59/${everyMs / secondMs} * * * * *` };
      return { cron: `${phaseMs / minuteMs}-59/${everyMs / minuteMs} * * * *` };
    }
    case "every": {
      const every = formatDuration(beat.everyMs);
      return beat.fromAt === null ? { every } : { every, from: formatInstant(beat.fromAt) };
    }
    case "list":
      return { at: beat.at.map(formatInstant) };
  }
}

/** Whether two rules are written alike. */
export function isSameRule(a: Rule, b: Rule): boolean {
  return JSON.stringify(written(a)) === JSON.stringify(written(b));
}

export type Instant = { readonly at: EpochMs; readonly isExcluded: boolean };

/** The rule's instants after `after` up to `until`, exceptions marked; at most `max`. */
export function instantsOf(
  rule: Rule,
  createdAt: EpochMs,
  { after, until, max }: { readonly after: number; readonly until: number; readonly max: number },
): readonly Instant[] {
  const first = Math.max(after + 1, rule.startAt ?? 0);
  const last = Math.min(until, (rule.endAt ?? Number.POSITIVE_INFINITY) - 1);
  const found: Instant[] = [];
  for (const at of beatFrom(rule, createdAt, first)) {
    if (at > last || found.length === max) break;
    found.push({ at: toEpochMs(at), isExcluded: isExcluded(rule, at) });
  }
  return found;
}

/** The first instant after `after` that is not excluded; undefined where the rule has ended. */
export function followingOf(rule: Rule, createdAt: EpochMs, after: number): EpochMs | undefined {
  const until = Number.POSITIVE_INFINITY;
  // No exception covers more than an hour, and none drawn is shorter than a second.
  return instantsOf(rule, createdAt, { after, until, max: 4_000 }).find(({ isExcluded: isOut }) => !isOut)?.at;
}

function* beatFrom({ beat, startAt }: Rule, createdAt: EpochMs, from: number): Generator<number> {
  if (beat.kind === "list") return yield* beat.at.toSorted((a, b) => a - b).filter((at) => at >= from);
  const { everyMs } = beat;
  const anchor = beat.kind === "steps" ? beat.phaseMs : (beat.fromAt ?? startAt ?? createdAt);
  const begin = beat.kind === "steps" ? from : Math.max(from, anchor);
  for (let at = anchor + Math.ceil((begin - anchor) / everyMs) * everyMs; ; at += everyMs) yield at;
}

function isExcluded({ except }: Rule, at: number): boolean {
  const minute = Math.floor(at / minuteMs) % 60;
  return except !== null && minute >= except.first && minute <= except.last;
}

/** The latest instant at which an occurrence may be due. */
export function dueMax({ window }: Rule, nominalAt: EpochMs, nextAt: EpochMs | undefined): number {
  if (window === null) return nominalAt;
  const gapMs = nextAt === undefined ? undefined : nextAt - nominalAt;
  if (window.kind === "share") return nominalAt + ((gapMs ?? 0) * window.percent) / 100;
  return nominalAt + Math.min(window.spanMs, gapMs ?? window.spanMs);
}
