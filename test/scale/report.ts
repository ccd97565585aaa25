/** Runs as tables: how late, what held up, what was done in vain, what it cost. */

import { billOf, standing, totalOf, type Usage } from "./cost.ts";
import type { Group, Scenario } from "./scenarios.ts";
import type { Run } from "./simulate.ts";

export type Result = { readonly scenario: Scenario; readonly run: Run };

export function tablesOf(results: readonly Result[]): string {
  const groups = [...new Set(results.map(({ scenario }) => scenario.group))];
  return groups.map((group) => tableOf(group, results)).join("\n\n");
}

function tableOf(group: Group, results: readonly Result[]): string {
  const rows = results.filter(({ scenario }) => scenario.group === group);
  const effort = rows.map(({ scenario, run }) => effortRow(scenario, run));
  return [
    `**${group}**`,
    "",
    table(
      latenessHead,
      rows.map(({ scenario, run }) => latenessRow(scenario, run)),
    ),
    "",
    table(effortHead, effort),
  ].join("\n");
}

const latenessHead = ["", "≤ 100 ms", "≤ 1 s", "≤ 10 s", "≤ 1 min", "p50", "p99", "max", "held up first by", "most by"];

export function latenessRow({ name }: Scenario, { lateness, causes }: Run): string[] {
  const { within100ms, within1s, within10s, within1min, p50Ms, p99Ms, maxMs } = lateness;
  return [
    name,
    ...[within100ms, within1s, within10s, within1min].map(percent),
    ...[p50Ms, p99Ms, maxMs].map(span),
    causes.first ?? "nothing",
    causes.most ?? "nothing",
  ];
}

const effortHead = ["", "executors", "messages a job", "writes a job", "refused", "reads a job", "over after", "$ per million"];

function effortRow({ name, setup }: Scenario, run: Run): string[] {
  const { jobCount, tally, fleet, writeUnits, readUnits, drainedMs } = run;
  const messages = tally.namesHints + tally.ownHints + tally.stretchHints;
  const usage = usageOf(run, setup.memoryMb, setup.dispatcherMemoryMb);
  return [
    name,
    fleet.runningMax.toLocaleString("en-US"),
    (messages / jobCount).toFixed(3),
    (writeUnits / jobCount).toFixed(2),
    (tally.refusedWrites / jobCount).toFixed(3),
    (readUnits / jobCount).toFixed(2),
    span(drainedMs),
    ((totalOf(billOf(usage)) * 1e6) / jobCount).toFixed(2),
  ];
}

/** What the run took of AWS; what creating took only where it was part of the run. */
export function usageOf({ jobCount, tally, fleet, writeUnits, readUnits }: Run, memoryMb: number, dispatcherMemoryMb: number): Usage {
  const gbSeconds = (ms: number, mb: number) => (ms * mb) / 1_024 / 1_000;
  return {
    writeUnits,
    readUnits,
    sqsRequests: tally.sendRequests + 2 * tally.handled,
    lambdaRequests: fleet.invocations + tally.turns,
    lambdaGbSeconds: gbSeconds(tally.invocationMs, memoryMb) + gbSeconds(tally.turnMs, dispatcherMemoryMb),
    logGb: (jobCount * standing.logBytesPerCall + fleet.invocations * standing.logBytesPerInvocation) / 1e9,
    dataOutGb: (jobCount * standing.bytesPerCall) / 1e9,
  };
}

function percent(part: number): string {
  if (part === 1) return "100 %";
  // Never rounded up to all, nor down to none.
  return `${Math.min(99.99, Math.max(part > 0 ? 0.01 : 0, part * 100)).toFixed(part > 0.99 || part < 0.01 ? 2 : 1)} %`;
}

export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
