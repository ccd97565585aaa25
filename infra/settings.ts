/**
 * The settings of a stack, from CDK context and environment: `-c name=value` counts before the variable, the variable before the
 * default. Everything that is wrong is told at once, a line each, before anything is made.
 */

import { parseAllowList } from "../src/core/address.ts";
import { maxTimeoutMsMax } from "../src/core/invocation.ts";
import { limits } from "../src/core/limits.ts";
import { nearest } from "../src/core/nearest.ts";
import { dayMs, formatDuration, minuteMs, parseDuration, secondMs } from "../src/core/time.ts";

export type Settings = {
  /** Names and outputs carry it. */
  readonly stage: string;
  /** How far ahead of an instant its hint is sent. */
  readonly lookaheadMs: number;
  /** How often the tick comes. The schedule is each minute; only an emulator's minute is shorter. */
  readonly tickMs: number;
  /** The longest call that the stack accepts. */
  readonly maxTimeoutMs: number;
  /** Hosts, host:port and CIDRs beside the public addresses, as written: the functions read the same text. */
  readonly allowTargets: string;
  readonly shards: number;
  readonly ranges: number;
  readonly retentionMs: number;
  readonly keepResponses: (typeof keptResponses)[number];
  /** Null: alarms change their state and tell nobody. */
  readonly alarmTopicArn: string | null;
  readonly auth: (typeof auths)[number];
};

/** The stage that is built to keep what it holds. */
export const productionStage = "prod";

const keptResponses = ["failures", "all"] as const;
/** `key`: the API asks for the admin key. `iam`: API Gateway asks for a request signed by an identity of the account. */
const auths = ["key", "iam"] as const;

/** Each shard is four partitions of the wheel that every turn looks at; a table of the largest kind needs fewer than these. */
const shardsMax = 1_024;
const lookaheadMsMin = 20 * secondMs;
/** What SQS can delay, less a minute for the turn that sends it. */
const lookaheadMsMax = 14 * minuteMs;
/** A tick may be a minute late and a turn takes most of one: a shorter look-ahead would name entries after their instant. */
const lookaheadMsOfMinutes = 2 * minuteMs;
const tickMsOfMinutes = minuteMs;

type SettingName = keyof typeof settingsTable;
type Reading<Value> = { readonly value: Value } | { readonly wrong: string };
type Setting = {
  readonly variable: `ONTHEDOT_${string}`;
  readonly default: string;
  /** "value": an empty text is something to ask for. */
  readonly empty: "unset" | "value";
  /** `wrong` begins with "expected"; it does not repeat what was given. */
  read(text: string): Reading<unknown>;
};

const settingsTable = {
  stage: setting("ONTHEDOT_STAGE", "dev", readStage),
  lookahead: setting("ONTHEDOT_LOOKAHEAD", "5m", (text) => readLookahead(text, tickMsOfMinutes)),
  tick: setting("ONTHEDOT_TICK", "1m", (text) => readDuration(text, { fromMs: secondMs, toMs: tickMsOfMinutes })),
  maxTimeout: setting("ONTHEDOT_MAX_TIMEOUT", "2m", readMaxTimeout),
  allowTargets: { ...setting("ONTHEDOT_ALLOW_TARGETS", "", readAllowed), empty: "value" },
  shards: setting("ONTHEDOT_SHARDS", "64", (text) => readWhole(text, { from: 1, to: shardsMax })),
  ranges: setting("ONTHEDOT_RANGES", "1", (text) => readWhole(text, { from: 1, to: shardsMax })),
  retention: setting("ONTHEDOT_RETENTION", formatDuration(limits.retentionMsDefault), (text) =>
    readDuration(text, { fromMs: limits.retentionMsMin, toMs: 3_650 * dayMs }),
  ),
  keepResponses: setting("ONTHEDOT_KEEP_RESPONSES", "failures", (text) => readWord(text, keptResponses)),
  alarmTopicArn: { ...setting("ONTHEDOT_ALARM_TOPIC_ARN", "", readTopicArn), empty: "value" },
  auth: setting("ONTHEDOT_AUTH", "key", (text) => readWord(text, auths)),
} as const satisfies Record<string, Setting>;

const settingNames = Object.keys(settingsTable) as SettingName[];

/** Settings of the other home: a shell that has both set up is no typo. */
const foreignVariables = new Set(
  ["HOST", "PORT", "DATA", "API_KEY", "CONCURRENCY", "LEASE_SLACK", "LOG", "LOG_FORMAT", "RECEIVER_PORT"].map((name) => `ONTHEDOT_${name}`),
);

type Given = {
  /** As CDK gives it: its own entries are among them. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By default the stage says so. */
  readonly production?: boolean;
};

export type Read =
  | {
      readonly settings: Settings;
      /** Probably not what was meant. */
      readonly warnings: readonly string[];
    }
  /** One line each: the setting by the name that was used, what was expected, what was given, the remedy. */
  | { readonly wrong: readonly string[] };

export function readSettings(given: Given): Read {
  const wrong: string[] = [];
  const names = {} as Record<SettingName, string>;
  const read = <Value>(name: SettingName, as: (text: string) => Reading<Value>): Value | undefined => {
    const source = sourceOf(name, given);
    names[name] = source.name;
    if (source.text === undefined) wrong.push(`${source.name}: expected a text, got ${source.kind}`);
    const reading = source.text === undefined ? undefined : as(source.text);
    if (reading === undefined || "value" in reading) return reading?.value;
    // The allow list's sentence names the one entry that is wrong.
    wrong.push(`${source.name}: ${reading.wrong}${name === "allowTargets" ? "" : `, got ${shown(source.text ?? "")}`}`);
    return undefined;
  };
  const tickMs = parseDuration(sourceOf("tick", given).text ?? "") ?? tickMsOfMinutes;
  const settings = {
    stage: read("stage", settingsTable.stage.read),
    lookaheadMs: read("lookahead", (text) => readLookahead(text, tickMs)),
    tickMs: read("tick", settingsTable.tick.read),
    maxTimeoutMs: read("maxTimeout", settingsTable.maxTimeout.read),
    allowTargets: read("allowTargets", settingsTable.allowTargets.read),
    shards: read("shards", settingsTable.shards.read),
    ranges: read("ranges", settingsTable.ranges.read),
    retentionMs: read("retention", settingsTable.retention.read),
    keepResponses: read("keepResponses", settingsTable.keepResponses.read),
    alarmTopicArn: read("alarmTopicArn", settingsTable.alarmTopicArn.read),
    auth: read("auth", settingsTable.auth.read),
  };
  const isProduction = given.production ?? settings.stage === productionStage;
  // Whoever types `-c stages=prod` waits for that deploy: another must not come of it. A variable may be there for something else.
  wrong.push(...contradictions(settings, names, isProduction), ...unknownContext(given.context));
  if (wrong.length > 0) return { wrong };
  // Nothing was wrong, so each has its value.
  const emulators = isEmulator(given.env) ? [] : [...emulatorsTick(settings.tickMs, names), ...ownTargets(settings.allowTargets, names)];
  return { settings: settings as Settings, warnings: [...unknownVariables(given.env), ...emulators] };
}

/** Settings as somebody would write them, to be read as anybody's are. What is not given is left to the defaults. */
export function asContext(given: { readonly [Name in keyof Settings]?: Settings[Name] | undefined }): Record<string, string> {
  const { stage, lookaheadMs, tickMs, maxTimeoutMs, allowTargets, shards, ranges, retentionMs, keepResponses, alarmTopicArn, auth } = given;
  const written: Record<SettingName, string | undefined> = {
    ...{ stage, allowTargets, keepResponses, auth, alarmTopicArn: alarmTopicArn ?? undefined },
    ...{ lookahead: duration(lookaheadMs), tick: duration(tickMs), maxTimeout: duration(maxTimeoutMs), retention: duration(retentionMs) },
    ...{ shards: shards?.toString(), ranges: ranges?.toString() },
  };
  return Object.fromEntries(Object.entries(written).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}

const duration = (ms: number | undefined) => (ms === undefined ? undefined : formatDuration(ms));

function setting<Value>(variable: `ONTHEDOT_${string}`, initial: string, read: (text: string) => Reading<Value>) {
  return { variable, default: initial, empty: "unset" as const, read };
}

type Source = { readonly name: string; readonly text: string | undefined; readonly kind: string };

/** CDK gives numbers and booleans of `cdk.json` as they are; `-c` gives texts. An empty variable is none, as composed files leave them. */
function sourceOf(name: SettingName, { context, env }: Given): Source {
  const { variable, default: initial, empty } = settingsTable[name];
  const fromContext = context[name];
  if (fromContext !== undefined && fromContext !== null) {
    const isPlain = ["string", "number", "boolean"].includes(typeof fromContext);
    return { name, text: isPlain ? String(fromContext) : undefined, kind: Array.isArray(fromContext) ? "a list" : "an object" };
  }
  const fromVariable = env[variable];
  const isSet = fromVariable !== undefined && (fromVariable !== "" || empty === "value");
  return { name: variable, text: isSet ? fromVariable : initial, kind: "text" };
}

/** What each is by itself, and no two of them together. */
function contradictions(
  settings: { readonly [Name in keyof Settings]: Settings[Name] | undefined },
  names: Record<SettingName, string>,
  isProduction: boolean,
) {
  const { lookaheadMs = lookaheadMsMax, tickMs = tickMsOfMinutes, shards = shardsMax, ranges = 1 } = settings;
  const isShort = lookaheadMs < lookaheadMsOfMinutes;
  const span = formatDuration;
  const least = `at least ${span(lookaheadMsOfMinutes)}`;
  return [
    isShort && isProduction ? `${names.lookahead}: expected ${least} in production, got ${span(lookaheadMs)}` : null,
    isShort && !isProduction && tickMs >= tickMsOfMinutes
      ? `${names.lookahead}: expected ${least} where the tick comes each minute, got ${span(lookaheadMs)}; only an emulator's ticks come faster, and ${names.tick} says how fast`
      : null,
    isProduction && tickMs !== tickMsOfMinutes
      ? `${names.tick}: expected ${span(tickMsOfMinutes)} in production, got ${span(tickMs)}; AWS ticks each minute`
      : null,
    ranges > shards ? `${names.ranges}: expected at most the number of shards (${shards}), got ${ranges}` : null,
  ].filter((line) => line !== null);
}

/** Only the variable that turns every AWS client to an emulator tells one from AWS here. */
function isEmulator(env: Given["env"]): boolean {
  return (env["AWS_ENDPOINT_URL"] ?? "") !== "";
}

function emulatorsTick(tickMs: number | undefined, names: Record<SettingName, string>): string[] {
  if (tickMs === undefined || tickMs === tickMsOfMinutes) return [];
  const [given, meant] = [formatDuration(tickMs), formatDuration(tickMsOfMinutes)];
  return [
    `${names.tick}: AWS ticks each minute, not every ${given}, and hints would be dropped as old; ${given} is for emulators, leave it at ${meant}`,
  ];
}

/** The other home lets calls to its machine through by such entries; a shell may still have them. */
function ownTargets(allowTargets: string | undefined, names: Record<SettingName, string>): string[] {
  const own = rangesOf("127.0.0.0/8,::1,169.254.0.0/16,fe80::/10");
  const entries = (allowTargets ?? "").split(",").map((entry) => entry.trim());
  const found = entries.filter(
    (entry) => /^([^:/]+\.)?localhost\.*(:\d+)?$/i.test(entry) || rangesOf(entry).some((range) => own.some((one) => overlap(one, range))),
  );
  if (found.length === 0) return [];
  return [`${names.allowTargets}: on AWS a loopback or link-local address is the function itself, so leave out ${shown(found.join(", "))}`];
}

type Range = { readonly bytes: readonly number[]; readonly prefixBits: number };

function rangesOf(text: string): readonly Range[] {
  const parsed = parseAllowList(text);
  return "wrong" in parsed ? [] : parsed.allow.ranges;
}

/** Of two ranges that have an address in common, one holds the other: they agree as far as the shorter prefix goes. */
function overlap(a: Range, b: Range): boolean {
  const bits = ({ bytes }: Range) => bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return a.bytes.length === b.bytes.length && bits(a).startsWith(bits(b).slice(0, Math.min(a.prefixBits, b.prefixBits)));
}

/** What is too short at any tick is told with the bounds that hold at this one. */
function readLookahead(text: string, tickMs: number): Reading<number> {
  const read = readDuration(text, { fromMs: lookaheadMsMin, toMs: lookaheadMsMax });
  if ("value" in read || tickMs < tickMsOfMinutes) return read;
  return readDuration("", { fromMs: lookaheadMsOfMinutes, toMs: lookaheadMsMax });
}

function readStage(text: string): Reading<string> {
  return /^[a-z0-9-]{1,20}$/.test(text)
    ? { value: text }
    : { wrong: "expected 1 to 20 of a–z, 0–9 and -, for AWS refuses others in some names" };
}

function readMaxTimeout(text: string): Reading<number> {
  const read = readDuration(text, { fromMs: limits.timeoutMsMin, toMs: maxTimeoutMsMax });
  // The timeout of a function is in seconds.
  return "value" in read && read.value % secondMs !== 0 ? { wrong: "expected whole seconds" } : read;
}

function readAllowed(text: string): Reading<string> {
  const parsed = parseAllowList(text);
  return "wrong" in parsed ? parsed : { value: text };
}

function readTopicArn(text: string): Reading<string | null> {
  if (text === "") return { value: null };
  if (/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/.test(text)) return { value: text };
  return { wrong: "expected the ARN of an SNS topic, such as arn:aws:sns:eu-central-1:123456789012:alarms" };
}

function readWhole(text: string, { from, to }: { from: number; to: number }): Reading<number> {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? { value } : { wrong: `expected a whole number from ${from} to ${to}` };
}

function readDuration(text: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Reading<number> {
  const value = parseDuration(text);
  if (value !== undefined && value >= fromMs && value <= toMs) return { value };
  return { wrong: `expected a duration from ${formatDuration(fromMs)} to ${formatDuration(toMs)}, such as "90s", "1h30m" or "7d"` };
}

function readWord<Word extends string>(text: string, words: readonly Word[]): Reading<Word> {
  const value = words.find((word) => word === text);
  return value === undefined ? { wrong: `expected one of ${words.join(", ")}` } : { value };
}

/** Those of CDK and of its packages carry a colon or a slash. */
function unknownContext(context: Given["context"]): string[] {
  return Object.keys(context)
    .filter((name) => !/[:/]/.test(name) && !(settingNames as string[]).includes(name))
    .flatMap((name) => toldIfNear(name, settingNames));
}

function unknownVariables(env: Given["env"]): string[] {
  const known: string[] = settingNames.map((name) => settingsTable[name].variable);
  return Object.keys(env)
    .filter((name) => name.startsWith("ONTHEDOT_") && !known.includes(name) && !foreignVariables.has(name))
    .flatMap((name) => toldIfNear(name, known));
}

/** What is near none of ours is somebody else's. */
function toldIfNear(name: string, known: readonly string[]): string[] {
  const bare = (text: string) => text.replace(/^ONTHEDOT_/, "");
  const near = nearest(bare(name), known.map(bare));
  const meant = known.find((one) => bare(one) === near);
  return meant === undefined ? [] : [`${shown(name)}: no such setting, so it changes nothing; did you mean ${meant}?`];
}

/** Of a text from outside, one line of bounded length. */
function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return line === "" ? "nothing" : line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
