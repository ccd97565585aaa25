/**
 * What the building tells a function by its environment, read once at its start. Whatever is missing or wrong is told in one line by
 * the name of the variable: a function with half a setting does nothing.
 */

import { type AllowList, parseAllowList } from "../src/core/address.ts";
import { type Spans, spansFor } from "../src/core/invocation.ts";
import type { Priority } from "../src/core/job.ts";
import { limits } from "../src/core/limits.ts";
import { dayMs, parseDuration } from "../src/core/time.ts";
import { type Level, levels } from "../src/system/log.ts";

export type SettingValues = {
  readonly stage: string;
  readonly table: string;
  readonly shards: number;
  readonly lookaheadMs: number;
  readonly tickMs: number;
  readonly retentionMs: number;
  readonly keepResponses: "failures" | "all";
  readonly maxTimeoutMs: number;
  readonly logLevel: Level;
  readonly queueUrls: Readonly<Record<Priority, string>>;
  readonly allowTargets: AllowList;
  /** Name or ARN of the secret whose string is the admin key without its prefix. */
  readonly adminKeySecret: string;
  /** "iam": API Gateway has judged every request that arrives. */
  readonly auth: "key" | "iam";
  /** The function that makes the schedules of ticks match their plan. */
  readonly reconcile: string;
  /** As deployed, to be held against what they must be. */
  readonly executorTimeoutMs: number;
  readonly visibilityMs: number;
  readonly tickGroup: string;
  readonly dispatcherArn: string;
  readonly tickRoleArn: string;
  readonly tickDlqArn: string;
};
export type SettingName = keyof SettingValues;

/** The function cannot work as it was deployed. The message is one line with the variable's name and the remedy. */
export class WrongSettingsError extends Error {
  override readonly name = "WrongSettingsError";
}

type Environment = Readonly<Record<string, string | undefined>>;
type Read<Value> = { readonly value: Value } | { readonly wrong: string };

/** What every function is told. */
export const everywhere = [
  ...(["stage", "table", "shards", "lookaheadMs", "tickMs", "retentionMs", "keepResponses", "maxTimeoutMs", "logLevel"] as const),
];

export function readSettings<Name extends SettingName>(env: Environment, names: readonly Name[]): Pick<SettingValues, Name> {
  const wrong: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    const read = readers[name](env);
    if ("value" in read) values[name] = read.value;
    else wrong.push(read.wrong);
  }
  if (wrong.length > 0) throw new WrongSettingsError(`${wrong.join("; ")}: deploy the stack again, which sets them`);
  // Each name was read by the reader of its own type.
  return values as Pick<SettingValues, Name>;
}

/** The spans as they were deployed, beside the ones that follow from the longest call: both must hold. */
export function deployedSpans(settings: Pick<SettingValues, "maxTimeoutMs" | "executorTimeoutMs" | "visibilityMs">): Spans {
  const { maxTimeoutMs, executorTimeoutMs, visibilityMs } = settings;
  return { ...spansFor(maxTimeoutMs), executorTimeoutMs, visibilityMs };
}

const readers: { readonly [Name in SettingName]: (env: Environment) => Read<SettingValues[Name]> } = {
  stage: text("ONTHEDOT_STAGE"),
  table: text("ONTHEDOT_TABLE"),
  shards: whole("ONTHEDOT_SHARDS"),
  lookaheadMs: duration("ONTHEDOT_LOOKAHEAD"),
  tickMs: duration("ONTHEDOT_TICK"),
  retentionMs: duration("ONTHEDOT_RETENTION", limits.retentionMsMin, 3_653 * dayMs),
  keepResponses: oneOf("ONTHEDOT_KEEP_RESPONSES", ["failures", "all"]),
  maxTimeoutMs: duration("ONTHEDOT_MAX_TIMEOUT"),
  logLevel: oneOf("ONTHEDOT_LOG", levels),
  queueUrls: readQueues,
  allowTargets: readAllowed,
  adminKeySecret: text("ONTHEDOT_ADMIN_KEY_SECRET"),
  auth: oneOf("ONTHEDOT_AUTH", ["key", "iam"]),
  reconcile: text("ONTHEDOT_RECONCILE"),
  executorTimeoutMs: duration("ONTHEDOT_EXECUTOR_TIMEOUT"),
  visibilityMs: duration("ONTHEDOT_VISIBILITY"),
  tickGroup: text("ONTHEDOT_TICK_GROUP"),
  dispatcherArn: text("ONTHEDOT_DISPATCHER_ARN"),
  tickRoleArn: text("ONTHEDOT_TICK_ROLE_ARN"),
  tickDlqArn: text("ONTHEDOT_TICK_DLQ_ARN"),
};

function text(variable: string): (env: Environment) => Read<string> {
  return (env) => {
    const value = env[variable] ?? "";
    return value === "" ? { wrong: `${variable} is not set` } : { value };
  };
}

function oneOf<Value extends string>(variable: string, allowed: readonly Value[]): (env: Environment) => Read<Value> {
  return (env) => {
    const value = allowed.find((one) => one === env[variable]);
    return value === undefined ? { wrong: `${variable}: expected ${allowed.join(" or ")}, got ${given(env[variable])}` } : { value };
  };
}

function whole(variable: string): (env: Environment) => Read<number> {
  return (env) => {
    const value = Number(env[variable]);
    return Number.isSafeInteger(value) && value >= 1
      ? { value }
      : { wrong: `${variable}: expected a whole number from 1, got ${given(env[variable])}` };
  };
}

function duration(variable: string, fromMs = 1, toMs = dayMs): (env: Environment) => Read<number> {
  return (env) => {
    const value = parseDuration(env[variable] ?? "");
    return value !== undefined && value >= fromMs && value <= toMs
      ? { value }
      : { wrong: `${variable}: expected a duration such as 5m, got ${given(env[variable])}` };
  };
}

function given(value: string | undefined): string {
  return value === undefined || value === "" ? "nothing" : JSON.stringify(value.slice(0, 60));
}

function readQueues(env: Environment): Read<SettingValues["queueUrls"]> {
  const names = {
    critical: "ONTHEDOT_QUEUE_CRITICAL",
    high: "ONTHEDOT_QUEUE_HIGH",
    normal: "ONTHEDOT_QUEUE_NORMAL",
    low: "ONTHEDOT_QUEUE_LOW",
  } as const;
  const missing = Object.values(names).filter((name) => (env[name] ?? "") === "");
  if (missing.length > 0) return { wrong: missing.map((name) => `${name} is not set`).join("; ") };
  const url = (priority: Priority) => env[names[priority]] ?? "";
  return { value: { critical: url("critical"), high: url("high"), normal: url("normal"), low: url("low") } };
}

function readAllowed(env: Environment): Read<AllowList> {
  const parsed = parseAllowList(env["ONTHEDOT_ALLOW_TARGETS"] ?? "");
  return "allow" in parsed ? { value: parsed.allow } : { wrong: `ONTHEDOT_ALLOW_TARGETS: ${parsed.wrong}` };
}
