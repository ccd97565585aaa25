/** Draws a run as an SVG: a clock along the top, a mark for the fate of each occurrence, and a bar as long as its call ran. */

import { findZone, formatZoned } from "../src/core/recurrence/zone.ts";
import { type EpochMs, later, minuteMs, toEpochMs } from "../src/core/time.ts";
import type { Case, Fate, Line, Run } from "./timelineRun.ts";

const width = 780;
const [left, right] = [74, 24];
const laneHeight = 17;
/** Neutral on its own white ground, so that it reads the same on a light and on a dark page. */
const ink = {
  text: "#24292f",
  faint: "#6e7781",
  line: "#afb8c1",
  fired: "#0b5cad",
  bar: "#a6cdf2",
  ground: "#ffffff",
  window: "#cdeaff",
  oldWindow: "#eceff2",
};
const inks: Readonly<Record<string, string>> = {
  ...{ fired: ink.fired, skipped: "#9a6700", missed: "#cf222e", dropped: "#8250df", excluded: "#57606a", pending: ink.fired },
};

const round = (value: number) => Number(value.toFixed(1));
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function text(x: number, y: number, words: string, { fill = ink.text, size = 12, anchor = "middle", more = "" } = {}): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${fill}" font-size="${size}" text-anchor="${anchor}"${more}>${escaped(words)}</text>`;
}

function stroke(from: readonly [number, number], to: readonly [number, number], color: string, more = ""): string {
  const [[x1, y1], [x2, y2]] = [from.map(round), to.map(round)] as unknown as [number[], number[]];
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}"${more}/>`;
}

/** Filled where a call was made; each of the others hollow, and of another shape. */
export function mark(state: Fate["state"], x: number, y: number): string {
  const [cx, cy] = [round(x), round(y)];
  const hollow = `fill="${ink.ground}" stroke="${inks[state]}" stroke-width="1.8"`;
  switch (state) {
    case "fired":
      return `<circle cx="${cx}" cy="${cy}" r="5" fill="${inks["fired"]}"/>`;
    case "skipped":
      return `<circle cx="${cx}" cy="${cy}" r="5" ${hollow}/>`;
    case "missed":
      return `<path d="M${cx} ${round(cy - 6)}l6 6-6 6-6-6z" ${hollow}/>`;
    case "dropped":
      return `<rect x="${round(cx - 5)}" y="${round(cy - 5)}" width="10" height="10" ${hollow}/>`;
    case "excluded":
      return `<path d="M${cx} ${round(cy - 6)}l6.2 11h-12.4z" ${hollow}/>`;
    case "pending":
      return `<circle cx="${cx}" cy="${cy}" r="5" ${hollow} stroke-dasharray="2 2"/>`;
  }
}

/** Keeps words readable where a line runs behind them. */
const halo = ` stroke="${ink.ground}" stroke-width="3" paint-order="stroke"`;

/** Where no call is made that might have been: owed before an edit, or passed over by a zone's policy. */
function ghost(x: number, y: number): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="5" fill="none" stroke="${ink.faint}" stroke-dasharray="2 2"/>`;
}

function cross(x: number, y: number): string {
  return `<path d="M${round(x - 4)} ${round(y - 4)}l8 8m0-8l-8 8" stroke="${inks["missed"]}" stroke-width="2" fill="none"/>`;
}

type Scale = (at: EpochMs) => number;

function scaleOf({ from, until }: Case): Scale {
  // Room before the first instant, where its mark would stand on the edge.
  const [start, end] = [left + 12, width - right];
  return (at) => start + ((Math.min(at, until) - from) / (until - from)) * (end - start);
}

/** The clock on the wall, and UTC below it where that is another. */
function axis(one: Case, x: Scale, y: number): string[] {
  const zone = findZone(one.zone);
  if (zone === undefined) throw new Error(`expected a zone, got ${one.zone}`);
  const isUtc = one.zone === "UTC";
  const parts = [text(14, y - 12, isUtc ? "UTC" : (one.zone.split("/")[1] ?? one.zone), { fill: ink.faint, anchor: "start" })];
  if (!isUtc) parts.push(text(14, y - 26, "UTC", { fill: ink.faint, anchor: "start", size: 10 }));
  parts.push(stroke([left, y], [width - right, y], ink.line, ' stroke-width="1.5"'));
  for (let at = toEpochMs(Math.ceil(one.from / one.gridMs) * one.gridMs); at <= one.until; at = later(at, one.gridMs)) {
    parts.push(text(x(at), y - 12, formatZoned(zone, at).slice(11, 16), { size: 11 }));
    if (!isUtc) parts.push(text(x(at), y - 26, new Date(at).toISOString().slice(11, 16), { fill: ink.faint, size: 10 }));
    parts.push(stroke([x(at), y - 4], [x(at), y], ink.line));
  }
  return parts;
}

type Span = { readonly from: EpochMs; readonly until: EpochMs; readonly label: string; readonly fill: string };

/** Times at which nothing is taken, and the two passes of a fold. */
function spansOf(one: Case): Span[] {
  const spans: Span[] = [];
  for (const act of one.acts) {
    if (act.kind === "outage") spans.push({ from: act.at, until: act.until, label: "outage", fill: "#ffebe9" });
    const end = one.acts.find(({ kind }) => kind === "resume");
    if (act.kind === "pause" && end !== undefined) spans.push({ from: act.at, until: end.at, label: "paused", fill: "#eaeef2" });
  }
  const change = clockChange(one);
  if (change === null || change.jumpMs > 0) return spans;
  const passMs = -change.jumpMs;
  spans.push({ from: later(change.at, -passMs), until: change.at, label: "first pass", fill: "#f6f8fa" });
  spans.push({ from: change.at, until: later(change.at, passMs), label: "second pass", fill: "#eaeef2" });
  return spans;
}

/** Where the clocks are changed within the picture, and by how much. */
function clockChange({ zone: name, from, until }: Case): { readonly at: EpochMs; readonly jumpMs: number } | null {
  const zone = findZone(name);
  const offsetAt = (at: EpochMs) => Date.parse(`${formatZoned(zone as never, at).slice(0, 19)}Z`) - Math.floor(at / 1_000) * 1_000;
  for (let at = toEpochMs(Math.ceil(from / minuteMs) * minuteMs); at <= until; at = later(at, minuteMs)) {
    const jumpMs = offsetAt(at) - offsetAt(later(at, -minuteMs));
    if (jumpMs !== 0) return { at, jumpMs };
  }
  return null;
}

function spanShapes(one: Case, x: Scale, top: number, bottom: number): string[] {
  const shapes = spansOf(one).flatMap(({ from, until, label, fill }) => [
    `<rect x="${round(x(from))}" y="${top}" width="${round(x(until) - x(from))}" height="${bottom - top}" fill="${fill}"/>`,
    text((x(from) + x(until)) / 2, bottom - 5, label, { fill: ink.faint, size: 11 }),
  ]);
  const change = clockChange(one);
  if (change !== null) {
    shapes.push(stroke([x(change.at), top], [x(change.at), bottom], ink.faint, ' stroke-dasharray="4 3"'));
    if (change.jumpMs > 0) shapes.push(text(x(change.at), bottom + 13, "the clocks go from 02:00 to 03:00", { fill: ink.faint, size: 11 }));
    else shapes.push(text(x(change.at), bottom + 13, "the clocks go from 03:00 back to 02:00", { fill: ink.faint, size: 11 }));
  }
  return shapes;
}

function editShapes(one: Case, x: Scale, top: number, bottom: number): string[] {
  return one.acts
    .filter(({ kind }) => kind === "edit")
    .flatMap(({ at }) => [
      stroke([x(at), top], [x(at), bottom], ink.faint, ' stroke-dasharray="4 3"'),
      text(x(at), bottom + 13, "the edit", { fill: ink.faint, size: 11 }),
    ]);
}

/** One schedule's occurrences: those without a call on the axis, calls in lanes below, each with a thin line from its nominal instant. */
function lineShapes(one: Case, line: Line, x: Scale, y: number): { readonly shapes: string[]; readonly lanes: number } {
  const [under, ticks, over]: [string[], string[], string[]] = [[], [], []];
  const ends: number[] = [];
  for (const { from, until, isOld } of line.windows) {
    const fill = isOld ? ink.oldWindow : ink.window;
    under.push(`<rect x="${round(x(from))}" y="${y + 4}" width="${round(x(until) - x(from))}" height="${laneHeight + 4}" fill="${fill}"/>`);
  }
  for (const at of line.passedOver) over.push(ghost(x(at), y + 15));
  for (const fate of line.fates) {
    const tickX = x(fate.nominalAt);
    ticks.push(stroke([tickX, y - 6], [tickX, y + 6], ink.text, ' stroke-width="2"'));
    const waits = fate.state === "pending" && fate.nominalAt < one.until;
    if (fate.called === null && !waits) {
      over.push(mark(fate.state, tickX, y));
      continue;
    }
    const startX = fate.called === null ? x(one.until) : x(fate.called.startedAt);
    const endX = fate.called === null ? startX : Math.max(startX + 5, x(fate.called.endedAt ?? one.until));
    const free = ends.findIndex((end) => end < tickX - 7);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = Math.max(endX, startX + 6);
    const laneY = y + 15 + lane * laneHeight;
    under.push(stroke([tickX, y], [tickX, laneY], ink.line));
    if (startX > tickX + 1) under.push(stroke([tickX, laneY], [startX, laneY], ink.fired, ' stroke-dasharray="1 3" stroke-width="1.5"'));
    if (fate.called === null) continue;
    over.push(`<rect x="${round(startX)}" y="${laneY - 4}" width="${round(endX - startX)}" height="8" rx="2" fill="${ink.bar}"/>`);
    over.push(mark("fired", startX, laneY));
    if (fate.called.calledOff) over.push(cross(endX, laneY));
    if (fate.note !== null) over.push(text(startX, laneY + 17, fate.note, { fill: ink.faint, size: 10, more: halo }));
  }
  const called = line.fates.map((fate) => fate.called?.startedAt ?? 0);
  for (const at of line.owedBefore.filter((owed) => !called.includes(owed))) over.push(ghost(x(at), y + 15));
  const hasNotes = line.fates.some(({ note }) => note !== null);
  return { shapes: [...under, ...ticks, ...over], lanes: Math.max(1, ends.length) + (hasNotes ? 0.7 : 0) };
}

type Entry = { readonly draw: (x: number, y: number) => string; readonly words: string };

/** What the picture has, and no more. */
function legendOf({ lines }: Run): Entry[] {
  const fates = lines.flatMap((line) => line.fates);
  const entries: Entry[] = [];
  for (const state of ["fired", "skipped", "missed", "dropped", "excluded"] as const) {
    const becauses = [...new Set(fates.filter((fate) => fate.state === state).map(({ because }) => because))];
    if (becauses.length > 0) entries.push({ draw: (x, y) => mark(state, x, y), words: `${state}: ${becauses.join(", ")}` });
  }
  const bar = (x: number, y: number) => `<rect x="${round(x - 8)}" y="${y - 4}" width="16" height="8" rx="2" fill="${ink.bar}"/>`;
  entries.push({ draw: bar, words: "the call" });
  const wait = (x: number, y: number) => stroke([x - 8, y], [x + 8, y], ink.fired, ' stroke-dasharray="1 3" stroke-width="1.5"');
  const isLate = ({ called, nominalAt }: Fate) => called !== null && called.startedAt - nominalAt > minuteMs / 2;
  if (fates.some(isLate)) entries.push({ draw: wait, words: "from its instant to its call" });
  if (fates.some(({ called }) => called?.calledOff)) entries.push({ draw: cross, words: "aborted" });
  const box = (fill: string) => (x: number, y: number) => `<rect x="${round(x - 8)}" y="${y - 6}" width="16" height="12" fill="${fill}"/>`;
  const windows = lines.flatMap((line) => line.windows);
  if (windows.some(({ isOld }) => !isOld)) entries.push({ draw: box(ink.window), words: "window" });
  if (windows.some(({ isOld }) => isOld)) entries.push({ draw: box(ink.oldWindow), words: "window before the edit" });
  const called = fates.map((fate) => fate.called?.startedAt ?? 0);
  if (lines.some(({ owedBefore }) => owedBefore.some((at) => !called.includes(at))))
    entries.push({ draw: ghost, words: "owed before the edit" });
  if (lines.some(({ passedOver }) => passedOver.length > 0)) entries.push({ draw: ghost, words: "no occurrence" });
  return entries;
}

/** Letters of a plain face are about so wide; a legend that is a little too airy harms nobody. */
const letterWidth = 6.5;

function legend(run: Run, top: number): { readonly shapes: string[]; readonly bottom: number } {
  const shapes: string[] = [];
  let [x, y] = [left, top];
  for (const { draw, words } of legendOf(run)) {
    const needs = 24 + words.length * letterWidth + 14;
    if (x + needs > width - 8) [x, y] = [left, y + 18];
    shapes.push(draw(x + 8, y), text(x + 22, y + 4, words, { anchor: "start", fill: ink.faint }));
    x += needs;
  }
  return { shapes, bottom: y + 14 };
}

export function picture(run: Run): string {
  const { of: one, lines } = run;
  const x = scaleOf(one);
  const axisY = one.zone === "UTC" ? 36 : 48;
  const isMany = lines.length > 1;
  const shapes: string[] = [];
  let y = axisY;
  for (const line of lines) {
    if (isMany) shapes.push(text(left - 8, y + 18, line.name, { anchor: "end" }));
    const drawn = lineShapes(one, line, x, y);
    shapes.push(...drawn.shapes);
    y += 14 + Math.ceil(drawn.lanes * laneHeight) + (isMany ? 4 : 0);
  }
  const hasSpans = spansOf(one).length > 0;
  const bottom = y + (hasSpans ? 14 : 0);
  const hasFoot = clockChange(one) !== null || one.acts.some(({ kind }) => kind === "edit");
  const key = legend(run, bottom + (hasFoot ? 30 : 18));
  const plain = one.title.replaceAll("`", "");
  const label = `${one.name.split("-")[0]}: ${plain}`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${key.bottom}" width="${width}" height="${key.bottom}" role="img" aria-labelledby="t d" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title id="t">${escaped(label)}</title>`,
    `<desc id="d">${escaped(one.sentence.replaceAll("`", ""))}</desc>`,
    `<rect width="${width}" height="${key.bottom}" rx="6" fill="${ink.ground}"/>`,
    ...spanShapes(one, x, axisY - 8, bottom),
    ...axis(one, x, axisY),
    ...shapes,
    ...editShapes(one, x, axisY - 8, bottom),
    ...key.shapes,
    "</svg>",
  ].join("\n")}\n`;
}
