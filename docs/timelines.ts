/**
 * Writes the pictures and the generated blocks of `docs/schedules.md`: each case is run by the real engine, and drawn as it went.
 * `test/docs/timelines.test.ts` runs them again and compares.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { occurrenceBecauses } from "../src/core/occurrence.ts";
import { findZone, formatZoned } from "../src/core/recurrence/zone.ts";
import { scheduleBounds } from "../src/core/schedule.ts";
import type { EpochMs } from "../src/core/time.ts";
import type { Logged } from "../src/engine/schedules/read.ts";
import { writeBlock } from "./blocks.ts";
import { commentsOf, table, valueText } from "./diagrams.ts";
import { sections } from "./timelineCases.ts";
import { picture } from "./timelineDraw.ts";
import { type Act, type Case, type Run, run } from "./timelineRun.ts";

export const page = "schedules.md";

export type Timelines = {
  /** By file name. */
  readonly pictures: ReadonlyMap<string, string>;
  /** By the name of its marks. */
  readonly blocks: ReadonlyMap<string, string>;
};

export async function timelines(): Promise<Timelines> {
  const pictures = new Map<string, string>();
  const blocks = new Map<string, string>([
    ["reasons", reasonTable()],
    ["bounds", boundTable()],
  ]);
  for (const [section, cases] of Object.entries(sections)) {
    const runs: Run[] = [];
    for (const one of cases) runs.push(await run(one));
    for (const one of runs) pictures.set(`${one.of.name}.svg`, picture(one));
    blocks.set(section, sectionBlock(runs));
  }
  return { pictures, blocks };
}

/** Where only what is done to a schedule differs, the schedule is shown once, before the cases. */
function sectionBlock(runs: readonly Run[]): string {
  const [first] = runs;
  const isAbout = first?.of.acts.some(({ kind }) => kind === "resume" || kind === "edit") ?? false;
  const base = first !== undefined && isAbout ? [`The schedule is this one:\n\n${putText(first.of)}`] : [];
  return [...base, ...runs.map((one) => caseBlock(one))].join("\n\n");
}

function caseBlock({ of: one, lines, answers }: Run): string {
  const records = lines.map(({ name, logged }) => {
    const rows = logged.map((entry) => recordLine(one, entry));
    return lines.length > 1 ? [`${name}`, ...rows.map((row) => `  ${row}`)] : rows;
  });
  const answered = answers.map((pending) => `The answer has \`"pending": "${pending}"\`.`);
  return [
    `### ${one.title}`,
    `![${one.title.replaceAll("`", "")}: ${one.sentence.replaceAll("`", "")}](timelines/${one.name}.svg)`,
    [one.sentence, ...answered].join(" "),
    sentText(one),
    `\`\`\`text\n${records.flat().join("\n")}\n\`\`\``,
  ].join("\n\n");
}

function sentText(one: Case): string {
  const act = one.acts.find((done): done is Extract<Act, { kind: "resume" | "edit" }> => done.kind === "resume" || done.kind === "edit");
  const [name] = Object.keys(one.schedules);
  if (act === undefined) return putText(one);
  if (act.kind === "edit") return example(`PUT /v1/schedules/${name}`, act.written);
  return example(`POST /v1/schedules/${name}/resume`, { recover: act.recover });
}

function putText(one: Case): string {
  const names = Object.keys(one.schedules);
  const [[name, written] = ["", {}]] = Object.entries(one.schedules);
  const others = names.slice(1).map((other) => `\`${other}\``);
  const more = others.length > 0 ? `, and the same to ${others.join(" and ")}` : "";
  return example(`PUT /v1/schedules/${name}`, written, more);
}

/** What is sent where: a test sends each of them. */
function example(call: string, body: object, more = ""): string {
  return `\`${call}\`${more}\n\n\`\`\`json\n${jsonText(body)}\n\`\`\``;
}

const lineMax = 110;

/** On one line where it fits, else one for each field. */
function jsonText(body: object): string {
  const plain = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(plain).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `"${key}": ${plain(inner)}`)
      .join(", ")} }`;
  };
  const whole = plain(body);
  if (whole.length <= lineMax) return whole;
  return `{\n${Object.entries(body)
    .map(([key, value]) => `  "${key}": ${plain(value)}`)
    .join(",\n")}\n}`;
}

/** State, reason and nominal instant as they are on record; a stretch has two instants and how many it is. */
function recordLine(one: Case, { state, because, nominalAt, lastNominalAt, dueAt, count }: Logged): string {
  const until = count === 1 ? "" : ` – ${timeText(one, lastNominalAt)} (${count})`;
  const due = count > 1 || dueAt === nominalAt ? "" : `, due ${timeText(one, dueAt)}`;
  return `${state} ${because} ${timeText(one, nominalAt)}${until}${due}`;
}

function timeText({ zone: name }: Case, at: EpochMs): string {
  const zone = findZone(name);
  if (zone === undefined) throw new Error(`expected a zone, got ${name}`);
  // The day is the same throughout a picture.
  return name === "UTC" ? `${formatZoned(zone, at).slice(11, 19)}Z` : formatZoned(zone, at).slice(11, 25);
}

/** Each reason with what its declaration says of it: `<state>: <sentence>`, or a sentence that begins with the state. */
function reasonTable(): string {
  const source = readFileSync(new URL("../src/core/occurrence.ts", import.meta.url), "utf8");
  const rows = occurrenceBecauses.map((because) => {
    const [, comment] = new RegExp(`/\\*\\* ([^*]+) \\*/\\n  "${because}"`).exec(source) ?? [];
    const [, states, meaning] = /^(\w+(?: or \w+)?):? (.+)$/.exec(comment ?? "") ?? [];
    if (states === undefined || meaning === undefined) throw new Error(`expected a comment before the reason ${because}, got none`);
    return [`\`${because}\``, states.replace(/\b(?!or\b)\w+/g, "`$&`"), meaning];
  });
  return table(["because", "state", "meaning"], rows);
}

function boundTable(): string {
  const source = readFileSync(new URL("../src/core/schedule.ts", import.meta.url), "utf8");
  const comments = commentsOf(source.slice(source.indexOf("export const scheduleBounds"))).ofFields;
  const rows = Object.entries(scheduleBounds).map(([name, value]) => [`\`${name}\``, valueText(name, value), comments.get(name) ?? ""]);
  return table(["bound", "value", "reason"], rows);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { pictures, blocks } = await timelines();
  for (const [file, svg] of pictures) writeFileSync(new URL(`timelines/${file}`, import.meta.url), svg);
  for (const [name, block] of blocks) writeBlock(page, name, block);
}
