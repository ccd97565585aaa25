/**
 * `npm run bench:cold`: how large each function's bundle is, and how long a fresh process takes to read, compile and run it up to the
 * point at which it could take its first event. Packed as the stack packs them and started under the environment that the stack sets.
 * What an empty module takes is taken off. `--rounds 15`: starts of each.
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { bundleAll } from "../test/functions/bundle.ts";
import { doorNames, type Environment, environmentOf } from "../test/functions/environment.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const rounds = Number(values.rounds);

type Start = {
  /** From the start of the process until the module was there. */
  readonly ms: number;
  readonly cpuMs: number;
};

/** Imports the file it is told, and says how long the process has lived and worked by then. */
const starter = `
const { handler } = await import(process.argv[2]);
const ms = performance.now();
const { user, system } = process.cpuUsage();
if (typeof handler !== "function") throw new Error("expected a handler in " + process.argv[2]);
process.stdout.write(JSON.stringify({ ms, cpuMs: (user + system) / 1_000 }), () => process.exit(0));
`;

async function start(folder: string, module: string, environment: Environment): Promise<Start> {
  const env = { ...environment, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "starter.mjs"), join(folder, module)], { env });
  return JSON.parse(stdout) as Start;
}

/** The value below which this part of them lies. */
function part(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

const bundles = await bundleAll();
const modules = ["empty", ...doorNames] as const;
const starts = new Map<string, Start[]>(modules.map((module) => [module, []]));
const folder = await mkdtemp(join(tmpdir(), "onthedot-cold-"));
try {
  await writeFile(join(folder, "starter.mjs"), starter);
  await writeFile(join(folder, "empty.mjs"), "export const handler = () => {};\n");
  for (const [door, { code }] of bundles) await writeFile(join(folder, `${door}.mjs`), code);
  // In turns, so that whatever else the machine does meets all of them alike. The first round warms the disk's cache.
  for (let round = 0; round <= rounds; round++) {
    for (const module of modules) {
      const started = await start(folder, `${module}.mjs`, module === "empty" ? {} : environmentOf(module));
      if (round > 0) starts.get(module)?.push(started);
    }
  }
} finally {
  await rm(folder, { recursive: true });
}

const of = (module: string, value: keyof Start) => (starts.get(module) ?? []).map((started) => started[value]);
const [emptyMs, emptyCpuMs] = [part(of("empty", "ms"), 0.5), part(of("empty", "cpuMs"), 0.5)];
const [cpu] = cpus();

const rows = [...bundles].map(([door, { code }]) => {
  const cells = [
    Math.round(code.byteLength / 1_024),
    Math.round(part(of(door, "ms"), 0.5) - emptyMs),
    Math.round(part(of(door, "ms"), 0.9) - emptyMs),
    Math.round(part(of(door, "cpuMs"), 0.5) - emptyCpuMs),
  ];
  return `| ${door} | ${cells.join(" | ")} |`;
});

process.stdout.write(
  [
    `${cpus().length} cores (${cpu?.model.trim()}), load ${loadavg()[0]?.toFixed(1)}, Node ${process.versions.node}, ${rounds} starts of each;`,
    `an empty module takes ${Math.round(emptyMs)} ms, which is taken off:`,
    "",
    "| function | bundle, KiB | init: median, ms | p90, ms | CPU, ms |",
    "|---|---:|---:|---:|---:|",
    ...rows,
    "",
  ].join("\n"),
);
