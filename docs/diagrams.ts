/**
 * Writes `docs/states.md`: the diagram of a job's states and the tables of states, fields, reasons and limits. All of it comes from
 * the code: changes are found by making them, comments are those of the declarations. `test/docs/states.test.ts` compares the two.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { becauses, type Job, type Running, type Waiting } from "../src/core/job.ts";
import { limits } from "../src/core/limits.ts";
import { retryDefault } from "../src/core/retry.ts";
import { dayMs, formatDuration, later, secondMs } from "../src/core/time.ts";
import * as transitions from "../src/core/transition.ts";
import {
  againEnd,
  claimed,
  doneEnd,
  factsAt,
  leaseAt,
  markedJob,
  neverEnd,
  newJob,
  retriedJob,
  runningJob,
  startAt,
  waitingJob,
} from "../test/builders.ts";

type Verb = Exclude<keyof typeof transitions, "replay">;
type Edge = { readonly verb: Verb; readonly from: Job["state"] | null; readonly to: Job; readonly because: string };

const page = new URL("states.md", import.meta.url);

/** Jobs of the two live states that differ in all that a change depends on. */
const waitingJobs: readonly (() => Waiting)[] = [
  waitingJob,
  retriedJob,
  () => waitingJob({ deadline: startAt }),
  () => transitions.edit(retriedJob(), { retry: { ...retryDefault, maxAttempts: 1 } }, factsAt(startAt)).to,
];
const runningJobs: readonly (() => Running)[] = [
  runningJob,
  markedJob,
  () => claimed(retriedJob()),
  () => runningJob({ retry: { ...retryDefault, maxAttempts: 1 } }),
  () => runningJob({ retry: { ...retryDefault, maxAgeMs: secondMs } }),
  () => runningJob({ deadline: later(startAt, secondMs) }),
];

const cancels: readonly transitions.CancelBecause[] = ["cancelled", "overlap", "schedule_deleted"];

/** Each verb, made of every job that it takes, soon after its instant and days later. */
function edges(): Edge[] {
  return [later(startAt, 80), later(startAt, 3 * dayMs)].flatMap((now) => {
    const facts = () => factsAt(now);
    const ofWaiting = (verb: Verb, change: (job: Waiting) => transitions.Transition) => made(verb, waitingJobs, change);
    const ofRunning = (verb: Verb, change: (job: Running) => transitions.Transition) => made(verb, runningJobs, change);
    const created = transitions.create(newJob(), facts());
    return [
      { verb: "create" as const, from: null, to: created, because: created.because },
      ...[doneEnd(), againEnd(), neverEnd()].flatMap((end) => ofRunning("settle", (job) => transitions.settle(job, end, 0, facts()))),
      ...ofWaiting("claim", (job) => transitions.claim(job, leaseAt(now), facts())),
      ...cancels.flatMap((because) => ofWaiting("cancel", (job) => transitions.cancel(job, facts(), because))),
      ...ofWaiting("edit", (job) => transitions.edit(job, {}, facts())),
      ...ofRunning("expire", (job) => transitions.expire(job, facts())),
      ...ofRunning("requestCancel", (job) => transitions.requestCancel(job, facts())),
      ...ofRunning("loseLease", (job) => transitions.loseLease(job, facts())),
    ];
  });
}

function made<From extends Waiting | Running>(
  verb: Verb,
  jobs: readonly (() => From)[],
  change: (job: From) => transitions.Transition,
): Edge[] {
  return jobs.map((make) => {
    const { from, to, because } = change(make());
    return { verb, from: from.state, to, because };
  });
}

/** Refuses to draw a diagram that lacks something: a verb, a state or a reason that the walk never met. */
function refuseGaps(walked: readonly Edge[]): void {
  const verbs = Object.keys(transitions).filter((name) => name !== "replay");
  const gaps = [
    ...verbs.filter((verb) => !walked.some((edge) => edge.verb === verb)),
    ...becauses.filter((because) => !walked.some((edge) => edge.because === because)),
  ];
  if (gaps.length > 0) throw new Error(`expected the walk in docs/diagrams.ts to meet every verb and reason, missed ${gaps.join(", ")}`);
}

function diagram(walked: readonly Edge[]): string {
  const labels = new Map<string, Set<string>>();
  for (const { verb, from, to, because } of walked) {
    const arrow = `${from ?? "[*]"} --> ${to.state}`;
    // The mark leaves the reason as it was, which as a label would read as a second claim.
    const label = verb === "requestCancel" ? `${because} (cancel requested)` : because;
    labels.set(arrow, (labels.get(arrow) ?? new Set()).add(label));
  }
  const finals = states(walked).filter((state) => !walked.some((edge) => edge.from === state));
  const arrows = [...labels].map(([arrow, reasons]) => `  ${arrow}: ${[...reasons].join(", ")}`);
  return ["```mermaid", "stateDiagram-v2", ...arrows, ...finals.map((state) => `  ${state} --> [*]`), "```"].join("\n");
}

/** Live ones first, each kind in the order in which the walk first meets them. */
function states(walked: readonly Edge[]): Job["state"][] {
  const isFinal = (state: string) => (walked.some((edge) => edge.from === state) ? 0 : 1);
  return [...new Set(walked.map((edge) => edge.to.state))].toSorted((a, b) => isFinal(a) - isFinal(b));
}

function stateTable(walked: readonly Edge[], comments: Comments): string {
  const rows = states(walked).map((state) => {
    const name = `${state.charAt(0).toUpperCase()}${state.slice(1)}`;
    return [`\`${state}\``, comments.ofTypes.get(name) ?? missing(`the type ${name} of core/job.ts`)];
  });
  return table(["state", "meaning"], rows);
}

function fieldTable(walked: readonly Edge[], comments: Comments): string {
  const all = states(walked);
  const holds = (state: Job["state"], field: string) => walked.some(({ to }) => to.state === state && field in to);
  const fields = [...new Set(walked.flatMap(({ to }) => Object.keys(to)))].filter((field) => field !== "state");
  const declared = [...comments.ofFields.keys()];
  const rows = fields
    .toSorted((a, b) => declared.indexOf(a) - declared.indexOf(b))
    .map((field) => {
      const holders = all.filter((state) => holds(state, field));
      return [`\`${field}\``, holders.length === all.length ? "all" : holders.join(", "), comments.ofFields.get(field) ?? ""];
    });
  return table(["field", "states", "meaning"], rows);
}

function becauseTable(walked: readonly Edge[]): string {
  const rows = becauses.map((because) => {
    const edges = walked.filter((edge) => edge.because === because);
    const arrows = new Set(edges.map(({ from, to }) => (from === null ? to.state : `${from} → ${to.state}`)));
    const verbs = new Set(edges.map(({ verb }) => `\`${verb}\``));
    return [`\`${because}\``, [...arrows].join(", "), [...verbs].join(", ")];
  });
  return table(["because", "change", "made by"], rows);
}

function verbTable(walked: readonly Edge[]): string {
  const comments = commentsOf(read("../src/core/transition.ts"));
  const rows = [...new Set(walked.map((edge) => edge.verb))].map((verb) => [
    `\`${verb}\``,
    comments.ofFunctions.get(verb) ?? missing(`the function ${verb} of core/transition.ts`),
  ]);
  return table(["verb", "what it decides"], rows);
}

function limitTable(): string {
  const comments = commentsOf(read("../src/core/limits.ts")).ofFields;
  const rows = Object.entries(limits).map(([name, value]) => [`\`${name}\``, valueText(name, value), comments.get(name) ?? ""]);
  return table(["limit", "value", "reason"], rows);
}

export function valueText(name: string, value: number): string {
  if (/Ms(?:Min|Max|Default|$)/.test(name)) return formatDuration(value);
  if (!/Bytes/.test(name) || value < 1_024) return value.toLocaleString("en-US");
  return value < 1_024 ** 2 ? `${value / 1_024} KiB` : `${value / 1_024 ** 2} MiB`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export type Comments = {
  readonly ofFields: Map<string, string>;
  readonly ofTypes: Map<string, string>;
  readonly ofFunctions: Map<string, string>;
};

/** The comments right before members, types and functions. */
export function commentsOf(source: string): Comments {
  const found: Comments = { ofFields: new Map(), ofTypes: new Map(), ofFunctions: new Map() };
  const declaration = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^ *(?:(?:readonly )?(\w+):|export type (\w+)|export function (\w+))/gm;
  for (const [, comment, field, type, name] of source.matchAll(declaration)) {
    const text = (comment ?? "")
      .replace(/\n\s*\* ?/g, " ")
      .replace(/\{@link (\w+)\}/g, "`$1`")
      .trim();
    if (field !== undefined && !found.ofFields.has(field)) found.ofFields.set(field, text);
    if (type !== undefined) found.ofTypes.set(type, text);
    if (name !== undefined) found.ofFunctions.set(name, text);
  }
  return found;
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}

function missing(what: string): never {
  throw new Error(`expected a comment before ${what}, got none`);
}

/** The page as the code has it. */
export function statesPage(): string {
  const walked = edges();
  refuseGaps(walked);
  const source = read("../src/core/job.ts");
  const comments = commentsOf(source.slice(source.indexOf("type JobBase")));
  return `${[
    "<!-- Generated from src/core by `npm run docs`. Do not edit: a test compares this page with the code. -->",
    "# The states of a job",
    "Found by making every change that `src/core/transition.ts` has, of jobs in every state. The labels are the job's `because`.",
    diagram(walked),
    "## States",
    stateTable(walked, comments),
    "## Fields",
    "Each state has exactly these fields.",
    fieldTable(walked, comments),
    "## Reasons",
    becauseTable(walked),
    "## Changes",
    verbTable(walked),
    "## Limits",
    limitTable(),
  ].join("\n\n")}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(page, statesPage());
