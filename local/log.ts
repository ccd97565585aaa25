/**
 * The log of the home: one JSON object a line for machines, one short line for a person at a terminal.
 *
 * It holds no secret, by two nets. What may be logged is a closed set of fields, none of which is a header, a body or a URL; and
 * whatever text comes from elsewhere (the message of an error) is masked where it looks like a credential.
 */

import type { Writable } from "node:stream";
import { styleText } from "node:util";
import { type Fields, type Level, type Log, levels } from "../src/system/log.ts";
import { describeCause, maskSecrets, oneLine } from "../src/system/redact.ts";

export type LogOptions = {
  /** Standard error: standard output is for `ready …` alone. */
  readonly stream: Writable;
  readonly isTerminal: boolean;
  readonly level: Level;
  /** By default whatever NO_COLOR (https://no-color.org) and the stream's own abilities say. */
  readonly isColoured?: boolean;
  readonly now?: () => number;
};

/**
 * Lines wait in memory for a reader who is slower than they come. Some minutes of them at one line for each call; a reader who stands
 * still for longer must not cost the process its memory, and with it the calls.
 */
const waitingBytesMax = 16 * 1_024 * 1_024;

export function createLog(options: LogOptions): Log {
  const { stream, now = Date.now } = options;
  const least = levels.indexOf(options.level);
  let isOpen = true;
  // Whoever read the log is gone (a closed pipe). There is nobody left to tell, and it is no reason to stop calling: only the log ends.
  stream.on("error", () => {
    isOpen = false;
  });
  const isOn = (level: Level) => isOpen && levels.indexOf(level) >= least;
  const lineOf = options.isTerminal ? terminalLine(isColoured(options)) : jsonLine;
  const send = (level: Level, message: string, fields: Fields) =>
    stream.write(`${lineOf({ at: new Date(now()), level, message: maskSecrets(message), fields })}\n`);
  let droppedCount = 0;
  const tellDropped = () => {
    const count = droppedCount;
    droppedCount = 0;
    if (isOpen) send("warn", `${count} lines were dropped, for nobody read this log fast enough`, {});
  };
  const write = (level: Level, message: string, fields: Fields = {}) => {
    if (!isOn(level)) return;
    if (stream.writableLength <= waitingBytesMax) send(level, message, fields);
    else {
      // The newest are dropped: what began the trouble is what a reader needs.
      if (droppedCount === 0) stream.once("drain", tellDropped);
      droppedCount += 1;
    }
  };
  return Object.assign(write, { isOn });
}

type Line = { readonly at: Date; readonly level: Level; readonly message: string; readonly fields: Fields };

function jsonLine({ at, level, message, fields }: Line): string {
  const { cause, ...plain } = fields;
  const masked: Record<string, unknown> = { time: at.toISOString(), level, message };
  for (const [name, value] of Object.entries(plain)) masked[name] = typeof value === "string" ? maskSecrets(value) : value;
  if (cause !== undefined) masked["cause"] = describeCause(cause, level === "error" ? "stack" : "message");
  return JSON.stringify(masked);
}

type Paint = (style: "dim" | "yellow" | "red", text: string) => string;

function terminalLine(coloured: boolean): (line: Line) => string {
  const paint: Paint = (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text);
  return ({ at, level, message, fields }) => {
    const time = paint("dim", `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, "0")}`);
    return `${time} ${paintMessage(level, oneLine(message), paint)}${causeText(level, fields.cause, paint)}`;
  };
}

function paintMessage(level: Level, message: string, paint: Paint): string {
  switch (level) {
    case "debug":
      return paint("dim", message);
    case "info":
      return message;
    case "warn":
      return paint("yellow", message);
    case "error":
      return paint("red", message);
  }
}

function causeText(level: Level, cause: unknown, paint: Paint): string {
  if (cause === undefined) return "";
  const told = [];
  for (let of: ReturnType<typeof describeCause> | undefined = describeCause(cause, "message"); of !== undefined; of = of.cause) {
    told.push(oneLine(of.code === undefined ? of.message : `${of.message} (${of.code})`));
  }
  const stack = level === "error" ? describeCause(cause, "stack").stack : undefined;
  const frames = stack?.split("\n").slice(1).map(oneLine).join("\n");
  return `: ${told.join(": ")}${frames === undefined || frames === "" ? "" : paint("dim", `\n${frames}`)}`;
}

function isColoured({ isColoured: wanted, stream }: LogOptions): boolean {
  if (wanted !== undefined) return wanted;
  if ((process.env["NO_COLOR"] ?? "") !== "") return false;
  return "hasColors" in stream && typeof stream.hasColors === "function" && stream.hasColors() === true;
}
