/**
 * `npm run bench`: one table, each figure beside the floor's in the same run on the same machine. `--smoke`: small sizes, to see that it
 * runs. `--waiting 1000000`: the same beside that many waiting jobs (may be given several times). `--rounds 3`: of each, to take the median.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fill } from "./fill.ts";
import { type Lateness, measureCreates, measureDrain, measureSteady, type Sizes } from "./measure.ts";
import { type Child, start, startHome } from "./process.ts";

type Figures = {
  readonly creates: { perSecond: number; cpuMs: number | null };
  readonly drain: { perSecond: number; cpuMs: number | null };
  readonly steady: Lateness;
  readonly readyMs: number;
};

const { values } = parseArgs({
  options: { smoke: { type: "boolean", default: false }, waiting: { type: "string", multiple: true }, rounds: { type: "string" } },
});
const sizes: Sizes = values.smoke
  ? { creates: 1_000, drain: 500, steadySeconds: 1 }
  : { creates: 20_000, drain: 10_000, steadySeconds: 10 };
const waitingCounts = (values.waiting ?? (values.smoke ? ["0"] : ["0", "10000", "1000000"])).map(Number);
const rounds = Number(values.rounds ?? (values.smoke ? 1 : 3));

const target = await start("./target.ts");
const floors: Figures[] = [];
const ours = new Map<number, Figures[]>();
for (const waiting of waitingCounts) {
  const data = await mkdtemp(join(tmpdir(), "onthedot-bench-"));
  try {
    await fill(data, waiting);
    for (let round = 0; round < rounds; round++) {
      floors.push(await measure(await start("./floor.ts")));
      const figures = await measure(await startHome(data));
      ours.set(waiting, [...(ours.get(waiting) ?? []), figures]);
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}
await target.stop();
print();

async function measure(host: Child): Promise<Figures> {
  try {
    const drain = await measureDrain(host, target, sizes.drain);
    const steady = await measureSteady(host, target, sizes.steadySeconds);
    const creates = await measureCreates(host, target, sizes.creates);
    return { creates, drain, steady, readyMs: host.readyMs };
  } finally {
    await host.stop();
  }
}

/** The median of the rounds: one disturbed round must not colour the figure. */
function median(of: readonly Figures[], read: (figures: Figures) => number | null): number {
  const numbers = of.map((figures) => read(figures) ?? Number.NaN).toSorted((a, b) => a - b);
  return numbers[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function print(): void {
  const rows: [string, (figures: Figures) => number | null, number][] = [
    ["creates per second, 32 clients", (figures) => figures.creates.perSecond, 0],
    ["CPU per create, ms", (figures) => figures.creates.cpuMs, 3],
    [`drain of ${sizes.drain} jobs due at once, per second`, (figures) => figures.drain.perSecond, 0],
    ["CPU per call, ms", (figures) => figures.drain.cpuMs, 3],
    ["lateness at 200 jobs/s: p50, ms", (figures) => figures.steady.p50, 0],
    ["p99, ms", (figures) => figures.steady.p99, 0],
    ["max, ms", (figures) => figures.steady.max, 0],
    ["start to ready, ms", (figures) => figures.readyMs, 0],
  ];
  console.log(`\n${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}; medians of ${rounds} rounds\n`);
  console.log(`| | floor |${waitingCounts.map((waiting) => ` beside ${waiting} waiting | ratio |`).join("")}`);
  console.log(`|---|---:|${waitingCounts.map(() => "---:|---:|").join("")}`);
  for (const [name, read, digits] of rows) {
    const floor = median(floors, read);
    const cells = waitingCounts.map((waiting) => {
      const own = median(ours.get(waiting) ?? [], read);
      return ` ${own.toFixed(digits)} | ${floor === 0 ? "–" : (own / floor).toFixed(2)} |`;
    });
    console.log(`| ${name} | ${floor.toFixed(digits)} |${cells.join("")}`);
  }
}
