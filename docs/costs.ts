/**
 * Writes the cost tables of `docs/deploy.md` and `docs/SCALING.md`: units counted by `docs/units.ts` on the engine itself, messages and holds counted by the
 * scale simulation, times the prices of `test/scale/prices.ts`. `test/docs/costs.test.ts` compares the tables with the code.
 */

import { pathToFileURL } from "node:url";
import { minuteMs, secondMs } from "../src/core/time.ts";
import {
  type Bill,
  billOf,
  type IdleTurn,
  idleMonth,
  type JobUnits,
  lineNames,
  millionJobs,
  monthSeconds,
  type Shape,
  type Sizes,
  sharePerMillion,
  sumOf,
  totalOf,
} from "../test/scale/cost.ts";
import { table } from "../test/scale/report.ts";
import { defaults, load, longBefore, type Setup } from "../test/scale/setup.ts";
import { simulate } from "../test/scale/simulate.ts";
import { writeBlock } from "./blocks.ts";
import { measureAll } from "./units.ts";

const seed = 1;

/** Enough executors that none waits: what is counted is how jobs share hints, and how long an invocation holds them. */
const unhindered: Setup = { ...defaults, concurrency: 20_000, pollers: { min: 2_000, max: 2_000 }, warmWrites: 40_000, keysApart: true };

async function shapeOf(setup: Setup, jobsPerSecond: number, spanMs: number, delayMs: number): Promise<Shape> {
  const jobCount = (jobsPerSecond * spanMs) / secondMs;
  // Not at full seconds: the queue's whole-second delays would round all of them alike.
  const spreadMs = Math.floor(spanMs * 1.017);
  const { tally } = await simulate(setup, load({ jobCount, spreadMs, delayMs }), seed);
  const hints = tally.namesHints + tally.ownHints;
  return {
    namesPerHint: jobCount / hints,
    sendsPerHint: tally.sendRequests / hints,
    msPerHint: tally.invocationMs / tally.handled,
    // What a turn reads of an empty wheel is the month's, not the jobs'.
    pageUnitsPerJob: Math.max(0, tally.pageUnits - tally.queries / 2) / jobCount,
  };
}

type Counted = { readonly perJob: JobUnits; readonly turn: IdleTurn };

/** What the engine takes of the table, counted, and how long an idle turn lasts, simulated. */
async function count(): Promise<Counted> {
  const measured = await measureAll();
  const named = (what: string) => {
    const bill = measured.find((one) => one.what.startsWith(what))?.bill;
    if (bill === undefined) throw new Error(`expected docs/units.ts to measure "${what}", got nothing of that name`);
    return bill;
  };
  const [created, fired, idle] = [named("create the reference job"), named("fire the reference job"), named("an idle minute")];
  const { tally } = await simulate(defaults, load({ jobCount: 1, spreadMs: secondMs }), seed);
  return {
    perJob: { writes: created.writeUnits + fired.writeUnits, reads: created.readUnits + fired.readUnits },
    // The tick's sign-in is a unit beside what the turn itself writes.
    turn: { ms: tally.turnMs / tally.turns, readUnits: idle.readUnits, writeUnits: idle.writeUnits + 1 },
  };
}

const deployed: Sizes = { ranges: 1, memoryMb: 640, dispatcherMemoryMb: 512, apiMemoryMb: 512, provisionedPollers: 0 };
const large: Sizes = { ...deployed, ranges: 4, provisionedPollers: 200 };

const rates = [
  { perSecond: 1, spanMs: 10 * minuteMs, sizes: deployed, jobsPerRequest: 1 },
  { perSecond: 100, spanMs: minuteMs, sizes: deployed, jobsPerRequest: 1 },
  { perSecond: 10_000, spanMs: 10 * secondMs, sizes: large, jobsPerRequest: 100 },
] as const;

const memories = [256, 512, 640, 1_024, 1_769] as const;
const leadsMs = [200, 500, 1_000] as const;

export type CostBlock = { readonly page: string; readonly name: string; readonly block: string };

export async function costBlocks(): Promise<readonly CostBlock[]> {
  const counted = await count();
  const millions = await countMillions(counted);
  return [
    { page: "deploy.md", name: "cost-idle", block: idleTable(counted) },
    { page: "deploy.md", name: "cost-million", block: millionTable(millions) },
    { page: "deploy.md", name: "cost-memory", block: await memoryTable(counted) },
    { page: "SCALING.md", name: "cost-rates", block: rateTable(millions) },
  ];
}

function idleTable({ turn }: Counted): string {
  return billTable([
    { head: "as deployed", bill: billOf(idleMonth(deployed, turn)) },
    { head: "4 ranges, 200 provisioned pollers", bill: billOf(idleMonth(large, turn)) },
  ]);
}

/** What a million jobs cost at a rate, each with its share of the month. */
type Million = { readonly perSecond: number; readonly later: Bill; readonly soon: Bill };

async function countMillions({ perJob, turn }: Counted): Promise<readonly Million[]> {
  const millions: Million[] = [];
  // A job that is due soon has a hint of its own, however many come.
  const near = await shapeOf(unhindered, 20, minuteMs, minuteMs);
  for (const { perSecond, spanMs, sizes, jobsPerRequest } of rates) {
    const month = sharePerMillion(idleMonth(sizes, turn), perSecond);
    const far = await shapeOf(unhindered, perSecond, spanMs, longBefore);
    const bill = (shape: Shape) => billOf(sumOf(month, millionJobs(shape, sizes, { jobsPerRequest, perJob })));
    millions.push({ perSecond, later: bill(far), soon: bill(near) });
  }
  return millions;
}

const rateOf = (perSecond: number) => `${perSecond.toLocaleString("en-US")}/s`;

function millionTable(millions: readonly Million[]): string {
  return billTable(
    millions.flatMap(({ perSecond, later, soon }) => [
      { head: `${rateOf(perSecond)}, due later`, bill: later },
      { head: `${rateOf(perSecond)}, due soon`, bill: soon },
    ]),
  );
}

/** Rounded to three figures: nobody's month is steadier. */
function rateTable(millions: readonly Million[]): string {
  const aMonth = (bill: Bill, perSecond: number) =>
    Number(((totalOf(bill) * perSecond * monthSeconds) / 1e6).toPrecision(3)).toLocaleString("en-US");
  return table(
    ["US dollars", "a million, due later", "a million, due soon", "a month, due later", "a month, due soon"],
    millions.map(({ perSecond, later, soon }) => [
      `${rateOf(perSecond)}, steadily`,
      ...[later, soon].map((bill) => totalOf(bill).toFixed(2)),
      ...[later, soon].map((bill) => aMonth(bill, perSecond)),
    ]),
  );
}

/** Of a lone job: its executor's time, which is mostly waiting for the instant. */
async function memoryTable({ perJob }: Counted): Promise<string> {
  const rows: string[][] = [];
  for (const memoryMb of memories) {
    const shape = await shapeOf({ ...unhindered, memoryMb }, 1, minuteMs, longBefore);
    const dollars = leadsMs.map((leadMs) => {
      const held = { ...shape, msPerHint: shape.msPerHint + leadMs - defaults.leadMs };
      return billOf(millionJobs(held, { ...deployed, memoryMb }, { jobsPerRequest: 1e6, perJob }))["Lambda time"];
    });
    rows.push([`${memoryMb.toLocaleString("en-US")} MB`, ...dollars.map((one) => one.toFixed(2))]);
  }
  return table(["executor's memory", ...leadsMs.map((leadMs) => `lead ${leadMs.toLocaleString("en-US")} ms`)], rows);
}

function billTable(columns: readonly { readonly head: string; readonly bill: Bill }[]): string {
  const used = lineNames.filter((line) => columns.some(({ bill }) => bill[line] >= 0.005));
  return table(
    ["US dollars", ...columns.map(({ head }) => head)],
    [
      ...used.map((line) => [line, ...columns.map(({ bill }) => bill[line].toFixed(2))]),
      ["**all**", ...columns.map(({ bill }) => `**${totalOf(bill).toFixed(2)}**`)],
    ],
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { page, name, block } of await costBlocks()) writeBlock(page, name, block);
}
