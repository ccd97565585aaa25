/** `onthedot ticks`: what wakes the dispatchers of an installation on AWS, looked at and changed over its API. */

import { nearest } from "../src/core/nearest.ts";
import { formatDuration, secondMs } from "../src/core/time.ts";
import { oneLine } from "../src/system/redact.ts";

/** 0 done, 1 the installation did not do it, 2 wrongly asked. */
type ExitCode = 0 | 1 | 2;

type Environment = Readonly<Record<string, string | undefined>>;

/** What the API answers. */
type Status = {
  readonly ranges: number;
  readonly paused: boolean;
  readonly shards: number;
  readonly ticks: readonly Tick[];
};
type Tick = { readonly range: number; readonly shards: number; readonly lastTickAt: string | null; readonly scheduled: boolean };

type Asked = { readonly url: string; readonly key: string | null; readonly change: { ranges?: number; paused?: boolean } | null };

const actions = ["status", "pause", "resume", "resize"] as const;
const flags = ["--url", "--ranges"];

/** The API itself gives up before. */
const answerMsMax = 35 * secondMs;

/** `argv`: what follows `ticks`. */
export async function ticks(argv: readonly string[], env: Environment): Promise<ExitCode> {
  const asked = readAsked(argv, env);
  if ("wrong" in asked) {
    for (const line of asked.wrong) console.error(line);
    return 2;
  }
  const answered = await ask(asked);
  if ("failed" in answered) {
    console.error(answered.failed);
    return 1;
  }
  const { status, now } = answered;
  console.log(printStatus(status, now));
  if (!status.paused && status.ticks.some(({ scheduled }) => !scheduled)) {
    console.error("not all ticks stand yet, and range 0 looks after their shards: the next hourly run makes them, or ask again");
  }
  return 0;
}

function readAsked(argv: readonly string[], env: Environment): Asked | { readonly wrong: readonly string[] } {
  const { words, texts, wrong } = readWords(argv);
  const [action = "", ...more] = words;
  if (!actions.some((one) => one === action)) wrong.unshift(unknownAction(action));
  else if (more.length > 0) wrong.push(`${shown(more[0] ?? "")}: expected nothing more after "ticks ${action}"`);
  const ranges = texts.get("--ranges");
  if (action === "resize" && !/^[1-9]\d{0,5}$/.test(ranges ?? "")) {
    wrong.push(
      `--ranges: expected a whole number from 1, such as "ticks resize --ranges 4", got ${ranges === undefined ? "none" : shown(ranges)}`,
    );
  }
  if (action !== "resize" && ranges !== undefined) wrong.push(`--ranges: only "ticks resize" takes it`);
  const url = readUrl(texts.get("--url"), env);
  const key = readKey(env);
  if ("wrong" in url) wrong.push(url.wrong);
  if ("wrong" in key) wrong.push(key.wrong);
  if (wrong.length > 0 || "wrong" in url || "wrong" in key) return { wrong };
  const exposed = exposedKey(url.value, key.value);
  if (exposed !== undefined) return { wrong: [exposed] };
  return { url: url.value, key: key.value, change: changeOf(action, Number(ranges)) };
}

function changeOf(action: string, ranges: number): Asked["change"] {
  if (action === "status") return null;
  return action === "resize" ? { ranges } : { paused: action === "pause" };
}

function readWords(argv: readonly string[]) {
  const words: string[] = [];
  const texts = new Map<string, string>();
  const wrong: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    const [, flag, inline] = /^(--?[^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (flag === undefined) words.push(word);
    else if (!flags.includes(flag)) {
      wrong.push(unknownFlag(flag));
      // What follows is most likely its value, and no mistake of its own. It may be a key, and is not shown.
      if (inline === undefined && argv[index + 1]?.startsWith("-") === false) index += 1;
    } else {
      const text = inline ?? argv[++index];
      if (text === undefined) wrong.push(`${flag}: expected a value after it, got none`);
      else if (texts.has(flag)) wrong.push(`${flag}: expected once, got it twice`);
      else texts.set(flag, text);
    }
  }
  return { words, texts, wrong };
}

function unknownAction(word: string): string {
  const all = `"onthedot ticks" takes ${actions.join(", ")}`;
  if (word === "") return `expected what to do with the ticks, got nothing; ${all}`;
  const meant = nearest(word, actions);
  return `${shown(word)}: unknown; ${meant === undefined ? all : `did you mean "ticks ${meant}"?`}`;
}

function unknownFlag(flag: string): string {
  if (/key|token/i.test(flag)) return `${shown(flag)}: set ONTHEDOT_API_KEY instead, for other users of this machine can read flags`;
  const near = nearest(flag, flags);
  return `${shown(flag)}: unknown flag; ${near === undefined ? `the flags are ${flags.join(", ")}` : `did you mean ${near}?`}`;
}

type Read<Value> = { readonly value: Value } | { readonly wrong: string };

function readUrl(flag: string | undefined, env: Environment): Read<string> {
  const [name, text] = flag === undefined ? ["ONTHEDOT_URL", env["ONTHEDOT_URL"] ?? ""] : ["--url", flag];
  if (text === "") {
    return { wrong: "no installation is named: give its URL with --url or ONTHEDOT_URL (the stack's output ApiUrl)" };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    // A URL that is refused may hold a password.
    return {
      wrong: `${name}: expected a URL such as https://abc123.execute-api.eu-central-1.amazonaws.com, without user, query and fragment`,
    };
  }
  return { value: `${url.origin}${url.pathname.replace(/\/+$/, "")}` };
}

function readKey(env: Environment): Read<string | null> {
  const key = env["ONTHEDOT_API_KEY"] ?? "";
  if (key === "") return { value: null };
  // Sent as it is, a broken key would stand in the error of whoever cannot send it.
  return /^[\x21-\x7e]+$/.test(key)
    ? { value: key }
    : { wrong: "ONTHEDOT_API_KEY: expected printable characters without spaces and line breaks" };
}

function exposedKey(url: string, key: string | null): string | undefined {
  const { protocol, hostname } = new URL(url);
  const isNear = /^(?:localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  if (key === null || protocol === "https:" || isNear) return undefined;
  return `${shown(url)}: expected https, for over plain http everybody on the way could read the key`;
}

type Answered = { readonly status: Status; readonly now: number } | { readonly failed: string };

async function ask({ url, key, change }: Asked): Promise<Answered> {
  const headers = {
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(change === null ? {} : { "content-type": "application/json" }),
  };
  const body = change === null ? null : JSON.stringify(change);
  const signal = AbortSignal.timeout(answerMsMax);
  try {
    const response = await fetch(`${url}/v1/ticks`, {
      method: change === null ? "GET" : "PATCH",
      headers,
      body,
      signal,
      redirect: "manual",
    });
    const answer = parsed(await response.text());
    if (!response.ok) return { failed: refusalOf(response.status, answer, url, key !== null) };
    // By the installation's clock: this machine's may be another.
    const sentAt = Date.parse(response.headers.get("date") ?? "");
    return isStatus(answer) ? { status: answer, now: Number.isNaN(sentAt) ? Date.now() : sentAt } : { failed: foreign(url) };
  } catch (cause) {
    return { failed: `${shown(url)} could not be reached (${reasonOf(cause)}): is it the stack's output ApiUrl, and this machine online?` };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no answer of ours; what it means depends on the status.
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return oneLine(String(cause));
  if (cause.name === "TimeoutError") return `no answer within ${formatDuration(answerMsMax)}`;
  const inner = cause.cause instanceof Error ? cause.cause : cause;
  return oneLine("code" in inner && typeof inner.code === "string" ? inner.code : inner.message);
}

function foreign(url: string): string {
  return `${shown(url)} did not answer as onthedot does: expected the stack's output ApiUrl`;
}

/** One line, with what to do. */
function refusalOf(status: number, answer: unknown, url: string, hasKey: boolean): string {
  const { detail, requestId } = problemOf(answer);
  const asked = requestId === "" ? "" : ` (request ${requestId})`;
  switch (status) {
    case 401:
      return hasKey
        ? "the key in ONTHEDOT_API_KEY is not the installation's: it is otd_ followed by the string of the secret that the stack's output AdminKeySecret names"
        : "the installation asks for a key: set ONTHEDOT_API_KEY to otd_ followed by the string of the secret that the stack's output AdminKeySecret names";
    case 403:
      if (detail !== "") return detail;
      return `${shown(url)} refused the request (403): where access goes by IAM, a request must be signed, as curl does with --aws-sigv4`;
    case 404:
      return detail === ""
        ? foreign(url)
        : "this installation has no ticks to manage: an embedded host ticks by itself each second; --url must name one on AWS";
    case 429:
    case 502:
    case 503:
    case 504:
      return `the installation does not answer for the moment (${status})${asked}; nothing is lost: run the same command again`;
    default:
      return detail === "" ? `${foreign(url)} (status ${status})` : `${detail}${status >= 500 ? asked : ""}`;
  }
}

function problemOf(answer: unknown): { readonly detail: string; readonly requestId: string } {
  const text = (name: string) => {
    const value = typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>)[name] : undefined;
    return typeof value === "string" ? oneLine(value) : "";
  };
  return { detail: text("detail"), requestId: text("requestId") };
}

function isStatus(answer: unknown): answer is Status {
  const { ranges, paused, shards, ticks } = (answer ?? {}) as Partial<Record<keyof Status, unknown>>;
  return (
    typeof ranges === "number" && typeof paused === "boolean" && typeof shards === "number" && Array.isArray(ticks) && ticks.every(isTick)
  );
}

function isTick(tick: unknown): tick is Tick {
  const { range, shards, lastTickAt, scheduled } = (tick ?? {}) as Partial<Record<keyof Tick, unknown>>;
  const isInstant = lastTickAt === null || (typeof lastTickAt === "string" && !Number.isNaN(Date.parse(lastTickAt)));
  return typeof range === "number" && typeof shards === "number" && typeof scheduled === "boolean" && isInstant;
}

function printStatus({ ranges, paused, shards, ticks }: Status, now: number): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const state = paused ? "paused: only what is hinted already is called" : "running";
  const rows = ticks.map((tick) => [`${tick.range}`, `${tick.shards}`, ageOf(tick.lastTickAt, now), tickState(tick, paused)]);
  const table = [["range", "shards", "last tick", "tick"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return [`${state}, ${count(ranges, "range")} over ${count(shards, "shard")}`, "", ...lines].join("\n");
}

function tickState({ scheduled }: Tick, paused: boolean): string {
  if (scheduled) return paused ? "comes, does nothing" : "comes";
  return paused ? "off" : "not yet";
}

function ageOf(lastTickAt: string | null, now: number): string {
  if (lastTickAt === null) return "never";
  const ageMs = Math.max(0, now - Date.parse(lastTickAt));
  return `${formatDuration(Math.floor(ageMs / secondMs) * secondMs)} ago`;
}

function shown(text: string): string {
  const line = oneLine(text);
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
