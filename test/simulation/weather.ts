/**
 * The fault menu of one seed. Each kind of fault is drawn to be absent, rare or frequent, on its own: a seed in which one fault is frequent
 * and the others absent finds what an even mixture hides.
 */

import { type EpochMs, hourMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Dice } from "./chance.ts";

export type Span = { readonly from: EpochMs; readonly until: EpochMs };

/** Probabilities at each call of a port by a process. */
export type CallFaults = {
  readonly crashBefore: number;
  readonly crashAfter: number;
  readonly freezeBefore: number;
  readonly freezeAfter: number;
  /** The call fails, and nothing was done. */
  readonly refused: number;
  /** It was done, and the answer is lost. */
  readonly answerLost: number;
  /** It was done, the answer was lost below the port, and the very same call is made again: what an SDK does by itself. */
  readonly repeated: number;
  /** The sum of all these. */
  readonly any: number;
};

export type Weather = {
  /** No fault at all: what the design promises on a good day must then hold to the millisecond. */
  readonly calm: boolean;
  readonly overload: boolean;
  /** The share of targets that kill whoever calls them. */
  readonly poison: number;
  /** The share of jobs that are owed at one instant. */
  readonly crowd: number;
  /** Faults happen before this instant only. */
  readonly faultsUntil: EpochMs;
  readonly perCall: CallFaults;
  /** At a first byte: how often its process sleeps right before it for as long as a lease may last. */
  readonly sleepBeforeByte: number;
  readonly storeOut: readonly Span[];
  /** As when a disk is full: reads are answered, writes are not. */
  readonly writesOut: readonly Span[];
  readonly hintsOut: readonly Span[];
  readonly ticksOut: readonly Span[];
  readonly tick: { readonly lost: number; readonly doubled: number; readonly lateMsMax: number };
  readonly indexLagMsMax: number;
  readonly skewMsMax: number;
  readonly queue: {
    readonly lost: number;
    readonly doubled: number;
    readonly doubledMuchLater: number;
    readonly late: number;
    readonly early: number;
    readonly deleteFails: number;
  };
  /** At home: when the process is killed, and when it is asked to stop. */
  readonly kills: readonly EpochMs[];
  readonly shutdowns: readonly EpochMs[];
};

/** Half of ε: any two clocks differ by at most ε. */
const skewMsMax = 1_500;

export function drawWeather(dice: Dice, startAt: EpochMs, spanMs: number): Weather {
  const calm = dice.happens(0.12);
  const overload = dice.happens(0.15);
  const poison = calm ? 0 : dice.pick([0, 0.03, 0.03, 0.2]);
  const faultsUntil = later(startAt, spanMs + dice.whole(0, 10) * minuteMs);
  const rate = (frequent: number) => (calm ? 0 : dice.pick([0, 0, 0, frequent / 8, frequent]));
  const spans = (often: number, durationMsMax: number): Span[] =>
    calm || !dice.happens(often) ? [] : Array.from({ length: dice.whole(1, 3) }, () => spanOf(dice, startAt, spanMs, durationMsMax));
  const instants = () =>
    calm || !dice.happens(0.5) ? [] : Array.from({ length: dice.whole(1, 4) }, () => later(startAt, dice.whole(0, spanMs)));
  return {
    calm,
    overload,
    poison,
    // A poison shows what it can do where it has neighbours.
    crowd: poison > 0.1 ? 0.6 : dice.pick([0.2, 0.2, 0.6]),
    faultsUntil,
    perCall: summed({
      crashBefore: rate(0.02),
      crashAfter: rate(0.02),
      freezeBefore: rate(0.015),
      freezeAfter: rate(0.015),
      refused: rate(0.05),
      answerLost: rate(0.04),
      repeated: rate(0.1),
    }),
    sleepBeforeByte: rate(0.15),
    storeOut: spans(0.2, 10 * minuteMs),
    writesOut: spans(0.2, 10 * minuteMs),
    hintsOut: spans(0.2, 10 * minuteMs),
    ticksOut: spans(0.2, 40 * minuteMs),
    tick: { lost: rate(0.3), doubled: rate(0.3), lateMsMax: calm ? 0 : dice.pick([0, 1, 59]) * secondMs },
    indexLagMsMax: calm ? 0 : dice.pick([0, 50, 2 * secondMs, 20 * secondMs]),
    skewMsMax: calm ? 0 : dice.pick([0, skewMsMax]),
    queue: {
      // Where hints are lost, those who met a poison and survived meet it again in a walk.
      lost: poison > 0.1 ? 0.4 : rate(0.4),
      doubled: rate(0.3),
      doubledMuchLater: rate(0.1),
      late: rate(0.2),
      early: rate(0.2),
      deleteFails: rate(0.2),
    },
    kills: instants(),
    shutdowns: instants(),
  };
}

function summed(faults: Omit<CallFaults, "any">): CallFaults {
  return { ...faults, any: Object.values(faults).reduce((sum, probability) => sum + probability, 0) };
}

function spanOf(dice: Dice, startAt: EpochMs, spanMs: number, durationMsMax: number): Span {
  const from = later(startAt, dice.whole(0, spanMs));
  const durationMs = dice.whole(secondMs, dice.pick([10 * secondMs, minuteMs, durationMsMax]));
  return { from, until: later(from, durationMs) };
}

export function isWithin(spans: readonly Span[], at: EpochMs): boolean {
  return spans.some((span) => span.from <= at && at < span.until);
}

/** How long a frozen process sleeps: a pause of garbage collection, a stall, a suspended machine. */
export function drawFreezeMs(dice: Dice): number {
  return dice.pick([dice.whole(20, 900), dice.whole(1, 10) * secondMs, dice.whole(10, 200) * secondMs]);
}

/** How long a doubled message may wait for its second appearance. */
export function drawMuchLaterMs(dice: Dice): number {
  return dice.whole(minuteMs, 2 * hourMs);
}
