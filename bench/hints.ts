/**
 * `npm run bench:hints`: how many names a hint may hold for how much memory. Measures what a name costs an executor's processor on this
 * machine, and derives from it how long the steps before an instant take on a Lambda's share of a processor, beside the time there is
 * for them, and what the hold costs. `--rounds 60`: of each process.
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { awsParams } from "../functions/params.ts";
import { limits } from "../src/core/limits.ts";
import { minuteMs, secondMs } from "../src/core/time.ts";
// Certificates of an authority that exists only there: an EC leaf of P-256, signed by the authority itself.
import { authority, good, leafKey } from "../test/deliver/certificates.ts";
import { prices } from "../test/scale/prices.ts";
import type { Cost, Phases } from "./hintCost.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "60" } } });

const namesCounts = [5, 10, 15, 20, 50, 100] as const;
const memoriesMb = [128, 256, 512, 640, 1_024, 1_769] as const;
/** Those for which the first hint of a process is shown too, where nothing is compiled yet. */
const firstNames = 15;
/** Lambda gives a function with so much memory one whole processor, and less in proportion. */
const memoryMbPerCpu = 1_769;
const leadsMs = [250, 500, 1_000] as const;
/** What the table takes to answer, beside our own work: AWS speaks of single-digit milliseconds. */
const writeMs = 10;
const readMs = 5;
/** What the executors' work may add to the lateness of a call. */
const latenessMsMax = 10;

const { leadMs, connectLeadMs, claimLeadMs, namesPerHint, cancelWatch } = awsParams(
  {
    ...{ shards: 64, tickMs: minuteMs, lookaheadMs: 5 * minuteMs },
    ...{ retentionMs: limits.retentionMsDefault, maxTimeoutMs: 2 * minuteMs, keepResponses: "failures" },
  },
  "bench",
);

const lookLeadMs = cancelWatch.kind === "asks" ? cancelWatch.leadMs : 0;

/** One after the other, for two at once would share this machine's caches. */
async function measureAll(): Promise<[number, Cost][]> {
  const costs: [number, Cost][] = [];
  for (const names of namesCounts) costs.push([names, await measure(names)]);
  return costs;
}

async function measure(names: number): Promise<Cost> {
  const file = fileURLToPath(new URL("./hintCost.ts", import.meta.url));
  const args = [file, `https://127.0.0.1:${portOf(target)}`, `http://127.0.0.1:${portOf(table)}`, String(names), values.rounds];
  const env = { PATH: process.env["PATH"] ?? "", NODE_EXTRA_CA_CERTS: authorityFile };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Cost;
}

async function listen<Listening extends Server>(server: Listening): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

type Attributes = Record<string, { S?: string }>;
type Asked = { Item?: Attributes; Key?: Attributes; RequestItems?: Record<string, { Keys: Attributes[] }> };

/** As much of a table as the measured verbs need: it keeps what is put, and answers it. */
function answerAsTable(): Parameters<typeof createServer>[1] & object {
  const items = new Map<string, Attributes>();
  const place = (key: Attributes) => `${key["pk"]?.S}\n${key["sk"]?.S}`;
  const found = (key: Attributes) => items.get(place(key));
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { Item, Key, RequestItems = {} } = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    if (Item !== undefined) items.set(place(Item), Item);
    const many = Object.entries(RequestItems).map(([name, { Keys }]) => [name, Keys.map(found).filter((item) => item !== undefined)]);
    const answer = Key !== undefined ? { Item: found(Key) } : many.length > 0 ? { Responses: Object.fromEntries(many) } : {};
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify(answer));
  };
}

type Derived = (phases: Phases, names: number, share: number) => number;

/** All handshakes of a hint whose names share one instant. */
const handshakesMs: Derived = ({ connect }, names, share) => (connect * names) / share;

/**
 * How late the last call of such a hint is sent: each step begins at its time or when the one before is done, and the processor does one
 * thing after the other.
 */
const lastLatenessMs: Derived = (phases, names, share) => {
  const cpuMs = (each: number) => (each * names) / share;
  const connectedAt = -connectLeadMs + cpuMs(phases.connect);
  const claimedAt = Math.max(-claimLeadMs, connectedAt) + cpuMs(phases.claim) + writeMs;
  const lookedAt = Math.max(-lookLeadMs, claimedAt) + cpuMs(phases.look) + readMs;
  return Math.max(0, lookedAt) + cpuMs(phases.send);
};

const shares = memoriesMb.map((memoryMb) => Math.min(1, memoryMb / memoryMbPerCpu));
const heads = memoriesMb.map((memoryMb) => `${memoryMb.toLocaleString("en-US")} MB`);

function derivedRows(costs: ReadonlyMap<number, Cost>, derived: Derived, boundMs: number): string[][] {
  return [...costs].flatMap(([names, { warm, first }]) => {
    const cells = (phases: Phases) => shares.map((share) => shown(derived(phases, names, share), boundMs));
    const row = [`${names} names`, ...cells(warm)];
    return names === firstNames ? [row, [`${names}, the first hint of a process`, ...cells(first)]] : [row];
  });
}

function print(costs: ReadonlyMap<number, Cost>): void {
  const machine = `${cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}, ${values.rounds} rounds`;
  console.log(`\n${machine}\n\nMeasured: CPU for each name, ms\n`);
  const phases = ["load", "connect", "claim", "look", "send"] as const;
  const row = (label: string, read: (cost: Cost) => Phases) =>
    [...costs].map(([names, cost]) => [`${names} names, ${label}`, ...phases.map((phase) => read(cost)[phase].toFixed(2))]);
  write(
    ["", "read", "TLS handshake", "claim", "last look", "request and answer"],
    [...row("compiled", ({ warm }) => warm), ...row("first of a process", ({ first }) => first)],
  );

  const roomMs = connectLeadMs - claimLeadMs;
  console.log(`\nDerived: all handshakes of a hint whose names share one instant; there are ${roomMs} ms for them\n`);
  write(["", ...heads], derivedRows(costs, handshakesMs, roomMs));
  console.log(`\nDerived: how late the last call of such a hint is sent; more than ${latenessMsMax} ms in bold\n`);
  write(["", ...heads], derivedRows(costs, lastLatenessMs, latenessMsMax));

  console.log("\nDerived: dollars for the hold of a million lone jobs: half a second of rounding, and the lead\n");
  const dollars = (lead: number, memoryMb: number) =>
    ((lead + secondMs / 2) / secondMs) * (memoryMb / 1_024) * prices.lambdaGbSeconds * 1e6;
  write(
    ["", ...heads],
    leadsMs.map((lead) => [`lead ${lead} ms`, ...memoriesMb.map((memoryMb) => dollars(lead, memoryMb).toFixed(2))]),
  );
  const leads = `lead ${leadMs} ms, connect lead ${connectLeadMs} ms, claim lead ${claimLeadMs} ms, last look ${lookLeadMs} ms before`;
  console.log(`\nAs set: ${leads}, ${namesPerHint} names a hint.`);
}

function shown(ms: number, boundMs: number): string {
  const text = `${Math.round(ms)} ms`;
  return ms <= boundMs ? text : `**${text}**`;
}

function write(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`| ${heads.join(" | ")} |\n|---|${"---:|".repeat(heads.length - 1)}`);
  for (const cells of rows) console.log(`| ${cells.join(" | ")} |`);
}

const folder = await mkdtemp(join(tmpdir(), "onthedot-bench-hints-"));
const authorityFile = join(folder, "authority.pem");
await writeFile(authorityFile, authority);
const table = await listen(createServer(answerAsTable()));
const target = await listen(
  createTlsServer({ key: leafKey, cert: good }, (request, response) => {
    request.resume().on("end", () => response.end("ok"));
  }),
);
try {
  print(new Map(await measureAll()));
} finally {
  table.close();
  target.close();
  await rm(folder, { recursive: true });
}
