/**
 * The fault menu of one seed. Each kind of fault is drawn to be absent, rare or frequent, on its own: a seed in which one fault is frequent
 * and the others absent finds what an even mixture hides. In some seeds a single kind goes wrong that must cost no lateness.
 */

import { type EpochMs, hourMs, later, laterOf, minuteMs, secondMs } from "../../src/core/time.ts";
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

/** What may befall one process. */
export type Mishaps = {
  readonly perCall: CallFaults;
  /** The share of a batch's messages that the queue does not take. */
  readonly refusedSends: number;
  /** Each of its calls may take so much longer. */
  readonly slowMsMax: number;
};

/** The table takes less than is asked of it. */
export type Throttle = Span & {
  /** Of this shard's partitions of the wheel's index no change is taken, and so none of the item. Null: some hot keys are neither read nor written. */
  readonly shard: number | null;
  /** The share of requests that fail after all of the SDK's tries. */
  readonly share: number;
};

/** What goes wrong in a seed in which the design promises that nothing is late. "nothing": not even the delivery of a message jitters. */
export const mildKinds = ["nothing", "index", "ticks", "turns", "copies", "shard"] as const;

export type Weather = {
  /** The one kind of fault that there is; null: any may be. */
  readonly only: (typeof mildKinds)[number] | null;
  /** No fault at all. */
  readonly calm: boolean;
  /** What the design promises on a good day must hold to the millisecond. */
  readonly punctual: boolean;
  readonly overload: boolean;
  /** The share of targets that kill whoever calls them. */
  readonly poison: number;
  /** The share of jobs that are owed at one instant. */
  readonly crowd: number;
  /** Faults happen before this instant only. */
  readonly faultsUntil: EpochMs;
  readonly mishaps: Mishaps;
  /** At a first byte: how often its process sleeps right before it for as long as a lease may last. */
  readonly sleepBeforeByte: number;
  readonly storeOut: readonly Span[];
  /** As when a disk is full: reads are answered, writes are not. */
  readonly writesOut: readonly Span[];
  readonly throttles: readonly Throttle[];
  readonly hintsOut: readonly Span[];
  readonly ticks: {
    readonly out: readonly Span[];
    readonly lost: number;
    /** So many in a row at most. */
    readonly lostMax: number;
    readonly doubled: number;
    readonly lateMsMax: number;
    /** Delivered hours after their time. */
    readonly hoursLate: number;
    /** When the ranges of shards are made more or fewer, or the ticks are paused. */
    readonly changes: readonly { readonly at: EpochMs; readonly wantedRanges?: number; readonly paused?: boolean }[];
    readonly rangesAtFirst: number;
  };
  /** The share of turns that go badly, never two of a range in a row where all must be on time; and what befalls them. */
  readonly turns: { readonly bad: number; readonly mishaps: Mishaps };
  readonly indexLagMsMax: number;
  readonly skewMsMax: number;
  /** The share of processes whose clock is off by far more than any two may be, from their start or from some step on. */
  readonly clocksOff: number;
  readonly queue: {
    readonly lost: number;
    readonly doubled: number;
    readonly doubledMuchLater: number;
    readonly late: number;
    readonly early: number;
    readonly deleteFails: number;
    /** The message comes again while its receiver still works. */
    readonly expires: number;
    /** Received, and then nobody had room for it: counted all the same. */
    readonly throttled: number;
    readonly purges: readonly EpochMs[];
    readonly retentionMs: number;
    /** When someone sends what is no hint. */
    readonly foreign: readonly EpochMs[];
    /** The platform takes a chain of so many functions for a loop and ends it; null: it is allowed. A setting, not a fault: it never passes. */
    readonly hopsMax: number | null;
  };
  /** At home: when the process is killed, and when it is asked to stop. */
  readonly kills: readonly EpochMs[];
  readonly shutdowns: readonly EpochMs[];
};

/** Half of ε: any two clocks differ by at most ε. */
const skewMsMax = 1_500;

/** What SQS keeps by default, and how much longer than any seed. */
const retentionMs = 96 * hourMs;

/** The draws of one seed. */
type Draws = {
  readonly dice: Dice;
  /** Absent, rare or frequent. */
  rate(frequent: number): number;
  spans(often: number, durationMsMax: number): Span[];
  instants(often: number, countMax: number): EpochMs[];
};

export function drawWeather(dice: Dice, startAt: EpochMs, spanMs: number): Weather {
  const only = dice.happens(0.2) ? dice.pick(["nothing" as const, "nothing" as const, ...mildKinds.slice(1)]) : null;
  const draws = drawsOf(dice, only !== null, startAt, spanMs);
  const { rate, spans, instants } = draws;
  const overload = dice.happens(0.15);
  const poison = only === null ? dice.pick([0, 0.03, 0.03, 0.2]) : 0;
  const sleepBeforeByte = Math.max(rate(0.25), rate(0.25));
  const drawnTicks = drawTicks(draws, only);
  // Where many sleep until their end is near, a turn comes in time to see it.
  const ticks = sleepBeforeByte > 0.1 ? { ...drawnTicks, out: [], lost: 0, lateMsMax: 0 } : drawnTicks;
  const ends = ticks.out.map(({ until }) => until);
  return {
    only,
    calm: only === "nothing",
    punctual: only !== null,
    overload,
    poison,
    // A poison shows what it can do where it has neighbours, and a sleeper where many sleep at once.
    crowd: poison > 0.1 || sleepBeforeByte > 0.1 ? 0.6 : dice.pick([0.2, 0.2, 0.6]),
    faultsUntil: [later(startAt, spanMs + dice.whole(0, 10) * minuteMs), ...ends].reduce(laterOf),
    mishaps: {
      perCall: summed({
        crashBefore: rate(0.02),
        crashAfter: rate(0.02),
        freezeBefore: rate(0.015),
        freezeAfter: rate(0.015),
        refused: rate(0.05),
        answerLost: rate(0.04),
        repeated: rate(0.1),
      }),
      refusedSends: rate(0.3),
      slowMsMax: 0,
    },
    sleepBeforeByte,
    storeOut: spans(0.2, 30 * minuteMs),
    writesOut: spans(0.2, 10 * minuteMs),
    throttles: drawThrottles(draws, only),
    hintsOut: spans(0.2, 30 * minuteMs),
    ticks,
    turns: { bad: only === "turns" ? 0.6 : rate(0.4), mishaps: drawBadTurn(dice) },
    // In seconds it costs nothing, because the look-ahead has a tick to spare; in minutes the past takes over.
    indexLagMsMax: only === "index" ? dice.whole(45, 55) * secondMs : only === null ? dice.pick(indexLagsMs) : 0,
    // What a sleeper may still do is decided by clocks that differ.
    skewMsMax: only === null ? dice.pick([0, skewMsMax, sleepBeforeByte > 0 ? skewMsMax : 0]) : 0,
    clocksOff: rate(0.08),
    queue: drawQueue(draws, only, poison),
    kills: instants(0.5, 4),
    shutdowns: instants(0.5, 4),
  };
}

const indexLagsMs = [0, 50, 2 * secondMs, 20 * secondMs, 4 * minuteMs];

function drawsOf(dice: Dice, mild: boolean, startAt: EpochMs, spanMs: number): Draws {
  return {
    dice,
    rate: (frequent) => (mild ? 0 : dice.pick([0, 0, 0, frequent / 8, frequent])),
    spans: (often, durationMsMax) =>
      mild || !dice.happens(often) ? [] : Array.from({ length: dice.whole(1, 3) }, () => spanOf(dice, startAt, spanMs, durationMsMax)),
    instants: (often, countMax) =>
      mild || !dice.happens(often) ? [] : Array.from({ length: dice.whole(1, countMax) }, () => later(startAt, dice.whole(0, spanMs))),
  };
}

function drawTicks({ dice, rate, spans, instants }: Draws, only: Weather["only"]): Weather["ticks"] {
  const mild = only === "ticks";
  const resizes = instants(0.3, 4).toSorted((a, b) => a - b);
  return {
    // Ten hours without a tick are a rare day, and a long one.
    out: dice.happens(0.03) ? spans(1, 600 * minuteMs) : spans(0.2, 40 * minuteMs),
    lost: mild ? 0.4 : rate(0.3),
    lostMax: mild ? 2 : Number.POSITIVE_INFINITY,
    doubled: mild ? 0.3 : rate(0.3),
    lateMsMax: only === null ? dice.pick([0, 1, 59]) * secondMs : mild ? 59 * secondMs : 0,
    hoursLate: mild ? 0.1 : rate(0.1),
    changes: resizes.map((at) => ({
      at,
      ...dice.pick([{ wantedRanges: dice.whole(1, 3) }, { wantedRanges: 1 }, { paused: dice.happens(0.6) }]),
    })),
    rangesAtFirst: dice.pick([1, 2, 2, 3]),
  };
}

function drawBadTurn(dice: Dice): Mishaps {
  const refusedSends = dice.pick([0, 0.3, 0.9]);
  const slowMsMax = dice.pick([0, 0, 500, 4 * secondMs, 15 * secondMs]);
  const crash = dice.pick([0, 0.05]);
  const faults = { crashBefore: crash, crashAfter: crash, refused: dice.pick([0, 0.1]), answerLost: 0.05, repeated: 0.1 };
  return { perCall: summed({ ...faults, freezeBefore: 0, freezeAfter: 0 }), refusedSends, slowMsMax };
}

function drawThrottles({ dice, spans }: Draws, only: Weather["only"]): readonly Throttle[] {
  if (only === "shard") {
    const always = { from: Number.NEGATIVE_INFINITY as EpochMs, until: Number.POSITIVE_INFINITY as EpochMs };
    return [{ ...always, shard: dice.whole(0, 3), share: dice.pick([0.5, 1]) }];
  }
  return spans(0.3, 20 * minuteMs).map((span) => ({ ...span, shard: dice.pick([null, dice.whole(0, 3)]), share: dice.pick([0.5, 1]) }));
}

function drawQueue({ dice, rate, instants }: Draws, only: Weather["only"], poison: number): Weather["queue"] {
  const copies = only === "copies";
  return {
    // Where hints are lost, those who met a poison and survived meet it again in a walk.
    lost: poison > 0.1 ? 0.4 : rate(0.4),
    doubled: copies ? 0.3 : rate(0.3),
    doubledMuchLater: copies ? 0.2 : rate(0.1),
    late: rate(0.2),
    early: copies ? 0.2 : rate(0.2),
    deleteFails: copies ? 0.2 : rate(0.2),
    expires: copies ? 0.3 : rate(0.2),
    throttled: rate(0.3),
    purges: instants(0.15, 3),
    retentionMs: only === null ? dice.pick([retentionMs, retentionMs, retentionMs, dice.whole(1, 20) * minuteMs]) : retentionMs,
    foreign: instants(0.3, 3),
    hopsMax: only === null ? dice.pick([null, null, null, 16, 4]) : null,
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

/** How far off a clock is that nobody sets. */
export function drawClockOffMs(dice: Dice): number {
  return dice.pick([-hourMs, hourMs, -10 * secondMs, 10 * secondMs]);
}

/** How long a doubled message may wait for its second appearance. */
export function drawMuchLaterMs(dice: Dice): number {
  return dice.whole(minuteMs, 2 * hourMs);
}
