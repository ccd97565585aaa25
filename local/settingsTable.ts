/**
 * Every setting of the home in one table: its names, its default with the reason, and how its text is read. Which text counts,
 * `settings.ts` decides. A text that cannot be read answers what was expected, in words an operator can act on.
 */

import { isIP } from "node:net";
import { type AllowList, parseAllowList } from "../src/core/address.ts";
import { limits } from "../src/core/limits.ts";
import { dayMs, formatDuration, minuteMs, parseDuration, secondMs } from "../src/core/time.ts";
import { type Level, levels } from "../src/system/log.ts";

export type SettingValues = {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** The folder with the database, as given. */
  readonly data: string;
  readonly allowTargets: AllowList;
  /** Null: none is asked for, and the host listens on loopback only. */
  readonly apiKey: string | null;
  readonly concurrency: number;
  readonly leaseSlackMs: number;
  readonly retentionMs: number;
  readonly logLevel: Level;
  readonly logFormat: LogFormat;
  /** 0: none. */
  readonly receiverPort: number;
};

const logFormats = ["auto", "json", "text"] as const;
export type LogFormat = (typeof logFormats)[number];

export type SettingName = keyof SettingValues;

type Read<Value> = { readonly value: Value } | { readonly wrong: string };

export type Setting<Value> = {
  readonly flag: `--${string}`;
  /** The first that is set counts. */
  readonly variables: readonly [own: `ONTHEDOT_${string}`, ...others: string[]];
  /** Read by `read` as any other text is. */
  readonly default: string;
  /** "unset": an empty variable counts as none, as composed files leave them behind. "value": empty is something to ask for. */
  readonly empty: "unset" | "value";
  readonly isSecret: boolean;
  readonly meaning: string;
  /** Why the default is what it is. */
  readonly reason: string;
  /** `wrong` begins with "expected"; it does not repeat what was given. */
  read(text: string): Read<Value>;
};

const plain = { empty: "unset", isSecret: false } as const;

export const settingsTable: { readonly [Name in SettingName]: Setting<SettingValues[Name]> } = {
  host: {
    ...plain,
    flag: "--host",
    variables: ["ONTHEDOT_HOST"],
    default: "127.0.0.1",
    meaning: "address to listen on",
    reason: "only this machine, for then no key is needed",
    read: readHost,
  },
  port: {
    ...plain,
    flag: "--port",
    variables: ["ONTHEDOT_PORT", "PORT"],
    default: "4000",
    meaning: "port to listen on; 0: any that is free",
    reason: "free on most machines",
    read: (text) => readWhole(text, { what: "a port", from: 0, to: 65_535 }),
  },
  data: {
    ...plain,
    flag: "--data",
    variables: ["ONTHEDOT_DATA"],
    default: ".onthedot",
    meaning: "folder with the database",
    reason: "beside what it is used for; made with mode 0700",
    read: (text) => (text === "" || text.includes("\0") ? { wrong: "expected the path of a folder" } : { value: text }),
  },
  allowTargets: {
    ...plain,
    empty: "value",
    flag: "--allow-targets",
    variables: ["ONTHEDOT_ALLOW_TARGETS"],
    default: "",
    meaning: "hosts, host:port or CIDRs that may be called beside public addresses",
    reason: "a job must not reach this machine or its network unless you say so",
    read: readAllowed,
  },
  apiKey: {
    empty: "unset",
    isSecret: true,
    flag: "--api-key",
    variables: ["ONTHEDOT_API_KEY"],
    default: "",
    meaning: "key that every request must carry as a bearer token",
    reason: "none is asked for on loopback",
    read: readKey,
  },
  concurrency: {
    ...plain,
    flag: "--concurrency",
    variables: ["ONTHEDOT_CONCURRENCY"],
    default: "256",
    meaning: "calls in flight at once",
    reason: "each holds a socket; far below the usual limit of 1,024 open files",
    read: (text) => readWhole(text, { what: "a number of calls", from: 1, to: 10_000 }),
  },
  leaseSlackMs: {
    ...plain,
    flag: "--lease-slack",
    variables: ["ONTHEDOT_LEASE_SLACK"],
    default: "5s",
    meaning: "how long a lease outlives the timeout of its call",
    reason: "covers a busy machine; longer only delays the recovery",
    read: (text) => readDuration(text, { fromMs: secondMs, toMs: 10 * minuteMs }),
  },
  retentionMs: {
    ...plain,
    flag: "--retention",
    variables: ["ONTHEDOT_RETENTION"],
    default: formatDuration(limits.retentionMsDefault),
    meaning: "how long ended jobs, and their idempotency keys, are kept",
    reason: "long enough to look into last month; at least the day that keys are promised",
    read: (text) => readDuration(text, { fromMs: limits.retentionMsMin, toMs: 3_650 * dayMs }),
  },
  logLevel: {
    ...plain,
    flag: "--log",
    variables: ["ONTHEDOT_LOG"],
    default: "info",
    meaning: `least level that is logged: ${levels.join(", ")}`,
    reason: "one line for each call",
    read: (text) => readWord(text, levels),
  },
  logFormat: {
    ...plain,
    flag: "--log-format",
    variables: ["ONTHEDOT_LOG_FORMAT"],
    default: "auto",
    meaning: `${logFormats.join(", ")}`,
    reason: "short lines on a terminal, JSON elsewhere",
    read: (text) => readWord(text, logFormats),
  },
  receiverPort: {
    ...plain,
    flag: "--receiver-port",
    variables: ["ONTHEDOT_RECEIVER_PORT"],
    default: "4001",
    meaning: "port of a receiver to aim first jobs at; 0: none",
    reason: "a first job needs something that answers",
    read: (text) => readWhole(text, { what: "a port", from: 0, to: 65_535 }),
  },
};

export const settingNames = Object.keys(settingsTable) as SettingName[];

function readHost(text: string): Read<string> {
  const isName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(text);
  // "127.1" and "10.0.0.256" have the form of names and mean addresses.
  const isHost = isIP(text) !== 0 || (isName && !/^[\d.]+$/.test(text));
  return isHost ? { value: text } : { wrong: "expected an IP address or a host name without port, such as 127.0.0.1 or ::1" };
}

function readWhole(text: string, bounds: { what: string; from: number; to: number }): Read<number> {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.from && value <= bounds.to) return { value };
  return { wrong: `expected ${bounds.what} from ${bounds.from} to ${bounds.to}` };
}

function readDuration(text: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Read<number> {
  const value = parseDuration(text);
  if (value !== undefined && value >= fromMs && value <= toMs) return { value };
  return { wrong: `expected a duration from ${spelled(fromMs)} to ${spelled(toMs)}, such as "90s", "1h30m" or "7d"` };
}

/** "24h" and not "1d": it is how the smallest retention is written everywhere else. */
function spelled(durationMs: number): string {
  return durationMs === dayMs ? "24h" : formatDuration(durationMs);
}

function readWord<Word extends string>(text: string, words: readonly Word[]): Read<Word> {
  const value = words.find((word) => word === text.toLowerCase());
  return value === undefined ? { wrong: `expected one of ${words.join(", ")}` } : { value };
}

function readAllowed(text: string): Read<AllowList> {
  const parsed = parseAllowList(text);
  return "allow" in parsed ? { value: parsed.allow } : parsed;
}

/** Long enough not to be guessed, and of characters that a header carries as they are. */
function readKey(text: string): Read<string | null> {
  if (text === "") return { value: null };
  if (/^[\x21-\x7e]{24,512}$/.test(text)) return { value: text };
  return { wrong: "expected 24 to 512 printable characters without spaces; make one with: openssl rand -hex 24" };
}
