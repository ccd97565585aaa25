/** The runs of the table, each with the question that it answers. */

import { minuteMs, secondMs } from "../../src/core/time.ts";
import { defaults, type Load, load, type Setup } from "./setup.ts";

export type Scenario = {
  readonly name: string;
  readonly group: Group;
  readonly setup: Setup;
  readonly load: Load;
};
export type Group = "hot minute" | "one setting at a time" | "sustained" | "overload";

const setup = (given: Partial<Setup>): Setup => ({ ...defaults, ...given });

const hot = load({ jobCount: 1_000_000, spreadMs: minuteMs });
const hotSecond = load({ jobCount: 1_000_000, spreadMs: secondMs });
const sustained = (perSecond: number, given: Partial<Load> = {}) =>
  load({ jobCount: perSecond * 600, spreadMs: 10 * minuteMs, delayMs: 10 * minuteMs, settleInMs: 5 * minuteMs, ...given });
/** Twenty thousand a second for ten minutes: ten times what a new table writes. */
const flood = load({ jobCount: 12_000_000, spreadMs: 10 * minuteMs });
/** Ten times what twenty executors call on time, a full hint at a time; a backlog they work off faster, for it has no instants to wait for. */
const trickle = load({ jobCount: 1_620_000, spreadMs: 10 * minuteMs });

/** What each step adds to the one before it. */
const polled = setup({ concurrency: 2_000, pollers: { min: 200, max: 200 } });
const warmed = { ...polled, warmWrites: 40_000 };
const ranged = { ...warmed, ranges: 4 };
const parted = { ...ranged, keysApart: true };
const powered = { ...parted, memoryMb: 1_769 };

export const scenarios: readonly Scenario[] = [
  { group: "hot minute", name: "as deployed", setup: defaults, load: hot },
  { group: "hot minute", name: "+ 2,000 executors, 200 provisioned pollers", setup: polled, load: hot },
  { group: "hot minute", name: "+ table warm for 40,000 writes/s", setup: warmed, load: hot },
  { group: "hot minute", name: "+ 4 ranges", setup: ranged, load: hot },
  { group: "hot minute", name: "+ hot keys apart", setup: parted, load: hot },
  { group: "hot minute", name: "+ 1,769 MB", setup: powered, load: hot },
  { group: "hot minute", name: "as deployed, all due in one second", setup: defaults, load: hotSecond },
  { group: "hot minute", name: "the last setup, all due in one second", setup: powered, load: hotSecond },

  { group: "one setting at a time", name: "16 shards", setup: { ...parted, shards: 16 }, load: hot },
  { group: "one setting at a time", name: "32 shards", setup: { ...parted, shards: 32 }, load: hot },
  { group: "one setting at a time", name: "64 shards (the default)", setup: parted, load: hot },
  { group: "one setting at a time", name: "256 shards", setup: { ...parted, shards: 256 }, load: hot },
  { group: "one setting at a time", name: "1 range", setup: { ...parted, ranges: 1 }, load: hot },
  { group: "one setting at a time", name: "16 ranges", setup: { ...parted, ranges: 16 }, load: hot },
  { group: "one setting at a time", name: "5 names per hint", setup: { ...parted, namesPerHint: 5 }, load: hot },
  { group: "one setting at a time", name: "10 names per hint", setup: { ...parted, namesPerHint: 10 }, load: hot },
  { group: "one setting at a time", name: "20 names per hint", setup: { ...parted, namesPerHint: 20 }, load: hot },
  { group: "one setting at a time", name: "40 names per hint", setup: { ...parted, namesPerHint: 40 }, load: hot },
  { group: "one setting at a time", name: "256 MB", setup: { ...parted, memoryMb: 256 }, load: hot },
  { group: "one setting at a time", name: "1,024 MB", setup: { ...parted, memoryMb: 1_024 }, load: hot },
  { group: "one setting at a time", name: "1,000 executors", setup: { ...parted, concurrency: 1_000 }, load: hot },
  { group: "one setting at a time", name: "pollers as Lambda makes them", setup: { ...parted, pollers: null }, load: hot },

  { group: "sustained", name: "100/s, delay 10 min, as deployed", setup: defaults, load: sustained(100) },
  { group: "sustained", name: "100/s, delay 1 min, as deployed", setup: defaults, load: sustained(100, { delayMs: minuteMs }) },
  {
    group: "sustained",
    name: "100/s, delay 1 min, 200 executors",
    setup: setup({ concurrency: 200 }),
    load: sustained(100, { delayMs: minuteMs }),
  },
  { group: "sustained", name: "1,000/s, delay 10 min, as deployed", setup: defaults, load: sustained(1_000) },
  {
    group: "sustained",
    name: "1,000/s, delay 10 min, 300 executors",
    setup: setup({ concurrency: 300 }),
    load: sustained(1_000),
  },
  { group: "sustained", name: "10,000/s, delay 10 min, 4 ranges, warm, on its first day", setup: ranged, load: sustained(10_000) },
  { group: "sustained", name: "10,000/s, delay 10 min, hot keys apart", setup: parted, load: sustained(10_000) },
  {
    group: "sustained",
    name: "10,000/s, delay 1 min, 15,000 executors",
    setup: { ...parted, concurrency: 15_000, pollers: { min: 200, max: 2_000 } },
    load: sustained(10_000, { delayMs: minuteMs, jobCount: 4_800_000, spreadMs: 8 * minuteMs, settleInMs: 7 * minuteMs }),
  },

  { group: "overload", name: "20,000/s for 10 min, as deployed", setup: defaults, load: flood },
  { group: "overload", name: "2,700/s for 10 min, 20 executors", setup: setup({ concurrency: 20 }), load: trickle },
];

/** Small enough for every commit; the figures in the docs are held against the first. */
export const smoke: readonly Scenario[] = [
  { group: "sustained", name: "100/s, delay 10 min, as deployed", setup: defaults, load: sustained(100) },
  {
    group: "hot minute",
    name: "a tenth of a hot minute, as deployed",
    setup: defaults,
    load: load({ jobCount: 100_000, spreadMs: minuteMs }),
  },
  {
    group: "overload",
    name: "2,000/s for 2 min on a tenth of a table",
    setup: setup({ warmWrites: 400, concurrency: 200 }),
    load: load({ jobCount: 240_000, spreadMs: 2 * minuteMs }),
  },
];
