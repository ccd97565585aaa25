/** How the receiver is to answer, read from the path of a call: pairs of a word and its argument, in any order. */

import { validateHeaderName, validateHeaderValue } from "node:http";
import { minuteMs, parseDuration } from "../src/core/time.ts";

export type Script = {
  readonly status: number;
  readonly delayMs: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The attempt that is answered with 200 whatever `status` says; null: none. */
  readonly until: number | null;
  /** "json": what was received. "bytes": so many. "drip": a byte now and then for so long. */
  readonly body:
    | { readonly kind: "json" }
    | { readonly kind: "bytes"; readonly byteCount: number }
    | { readonly kind: "drip"; readonly forMs: number };
  /** "hang": never answers. "reset": cuts the connection instead. "short": cuts it in the middle of the body. */
  readonly end: "answer" | "hang" | "reset" | "short";
};

const plainScript: Script = { status: 200, delayMs: 0, headers: [], until: null, body: { kind: "json" }, end: "answer" };

/** A slip in a path must not hold a connection for a day, or fill the memory. */
const delayMsMax = 20 * minuteMs;
const byteCountMax = 16 * 1_024 * 1_024;

export const receiverHelp = `This is onthedot's receiver: aim a job at it and watch the log. Any path answers 200 and says what arrived.
A path can also say how to answer; its parts combine, as in /status/503/header/retry-after/1

  /status/503             with this status (200 to 599)
  /status/503/until/3     with this status before attempt 3, with 200 from then on
  /delay/2s               after this time
  /header/NAME/VALUE      with this header
  /bytes/70000            with a body of so many bytes
  /drip/2s                with a body that trickles in for so long
  /hang                   never
  /reset                  by cutting the connection
  /short                  by cutting the connection in the middle of the body
`;

type Step = { readonly script: Script; readonly taken: number } | { readonly wrong: string };

/** Parts that are none of these words are left alone: `/hooks/billing` is a path like any other. */
export function readScript(path: string): Script | { readonly wrong: string } {
  const parts = path.split("/").filter((part) => part !== "");
  let script = plainScript;
  for (let index = 0; index < parts.length; ) {
    const step = readStep(script, parts.slice(index, index + 3));
    if ("wrong" in step) return step;
    script = step.script;
    index += step.taken;
  }
  return script;
}

function readStep(script: Script, [word = "", first = "", second = ""]: readonly string[]): Step {
  switch (word) {
    case "status":
      return whole(first, { from: 200, to: 599 }, "/status/503", (status) => ({ ...script, status }));
    case "until":
      return whole(first, { from: 1, to: 1_000 }, "/until/3", (until) => ({ ...script, until }));
    case "bytes":
      return whole(first, { from: 0, to: byteCountMax }, "/bytes/70000", (byteCount) => ({
        ...script,
        body: { kind: "bytes", byteCount },
      }));
    case "delay":
      return duration(first, "/delay/2s", (delayMs) => ({ ...script, delayMs }));
    case "drip":
      return duration(first, "/drip/2s", (forMs) => ({ ...script, body: { kind: "drip", forMs } }));
    case "header":
      return header(script, first, second);
    case "hang":
    case "reset":
    case "short":
      return { script: { ...script, end: word }, taken: 1 };
    default:
      return { script, taken: 1 };
  }
}

function whole(text: string, { from, to }: { from: number; to: number }, example: string, made: (value: number) => Script): Step {
  const value = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return { script: made(value), taken: 2 };
  return { wrong: `expected a number from ${from} to ${to}, as in ${example}, got ${text}` };
}

function duration(text: string, example: string, made: (durationMs: number) => Script): Step {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs <= delayMsMax) return { script: made(durationMs), taken: 2 };
  return { wrong: `expected a duration of at most 20m, as in ${example}, got ${text}` };
}

/** They would contradict the body that is sent, or the connection that it is sent on. */
const headersRefused = ["connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"];

function header(script: Script, nameText: string, valueText: string): Step {
  try {
    const name = decodeURIComponent(nameText).toLowerCase();
    const value = decodeURIComponent(valueText);
    validateHeaderName(name);
    validateHeaderValue(name, value);
    if (!headersRefused.includes(name)) return { script: { ...script, headers: [...script.headers, [name, value]] }, taken: 3 };
  } catch (error) {
    // What the two checks and the decoding throw says that the caller's text is no header; anything else is a bug.
    if (!(error instanceof URIError || (error instanceof TypeError && "code" in error))) throw error;
  }
  return { wrong: `expected a header as in /header/retry-after/5, got ${nameText}/${valueText}` };
}
