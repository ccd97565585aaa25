/**
 * The settings of the home, from flags and environment: the flag counts before the variable, the variable before the default.
 * Everything that is wrong is told at once, a line each, before anything is opened.
 */

import { BlockList, isIP } from "node:net";
import { nearest } from "../src/core/nearest.ts";
import { oneLine } from "../src/system/redact.ts";
import { type Setting, type SettingName, type SettingValues, settingNames, settingsTable } from "./settingsTable.ts";

export type Settings = SettingValues & {
  /** Somebody types `npm start` to see it work: a job may call this machine, unless the operator said what may be called. */
  readonly firstTry: boolean;
};

/** Where a value came from, and the text it was read from (nothing, where it is a secret). */
export type Source = {
  readonly kind: "flag" | "variable" | "first_try" | "default";
  /** How the operator wrote it: `--port`, `PORT`. */
  readonly name: string;
  readonly text: string;
};
export type Sources = { readonly [Name in SettingName]: Source };

export type Read =
  | {
      readonly settings: Settings;
      readonly sources: Sources;
      /** Probably not what was meant. */
      readonly warnings: readonly string[];
      /** What was decided for the operator and should be known. */
      readonly notices: readonly string[];
    }
  /** One line each: the setting by the name that was used, what was expected, what was given. */
  | { readonly wrong: readonly string[] };

/** What `--first-try` lets through: a first job is aimed at a receiver on this machine. */
export const firstTryTargets = "127.0.0.0/8,::1";
const firstTryFlag = "--first-try";

/** Settings of the other home: a shell that has both set up is no typo. */
const foreignVariables = new Set(
  ["STAGE", "LOOKAHEAD", "TICK", "MAX_TIMEOUT", "SHARDS", "RANGES", "KEEP_RESPONSES", "ALARM_TOPIC_ARN", "URL"].map(
    (name) => `ONTHEDOT_${name}`,
  ),
);

type Environment = Readonly<Record<string, string | undefined>>;

/** `argv`: what follows the command's name. */
export function readSettings({ argv, env }: { readonly argv: readonly string[]; readonly env: Environment }): Read {
  const flags = readFlags(argv);
  const wrong = [...flags.wrong];
  const values: Partial<Record<SettingName, unknown>> = {};
  const sources: Partial<Record<SettingName, Source>> = {};
  for (const name of settingNames) {
    const setting = settingsTable[name];
    const source = sourceOf(name, flags, env);
    const read = setting.read(source.text);
    if ("value" in read) values[name] = read.value;
    else wrong.push(`${source.name}: ${read.wrong}${given(setting, source.text)}`);
    sources[name] = setting.isSecret ? { ...source, text: "" } : source;
  }
  if (wrong.length > 0) return { wrong };
  // Nothing was wrong, so each name of the table has its value, of the type that its `read` gives.
  const complete = { settings: { ...(values as SettingValues), firstTry: flags.isFirstTry }, sources: sources as Sources };
  const open = wrongExposure(complete.settings, complete.sources);
  if (open !== undefined) return { wrong: [open] };
  return { ...complete, warnings: [...unknownVariables(env), ...shownKey(complete.sources)], notices: noticesOf(complete.sources) };
}

type Flags = { readonly texts: ReadonlyMap<string, string>; readonly isFirstTry: boolean; readonly wrong: readonly string[] };

/**
 * `--port 4000` or `--port=4000`. Not `parseArgs`: it takes the value of `--concurrency -1` for another flag, and its errors name neither
 * the nearest flag nor more than the first mistake.
 */
function readFlags(argv: readonly string[]): Flags {
  const texts = new Map<string, string>();
  const wrong: string[] = [];
  const known = new Set<string>(settingNames.map((name) => settingsTable[name].flag));
  let isFirstTry = false;
  for (let index = 0; index < argv.length; index++) {
    const [, flag = "", inline] = /^(--?[^=]*)(?:=(.*))?$/s.exec(argv[index] ?? "") ?? [];
    if (flag === firstTryFlag && inline === undefined) {
      isFirstTry = true;
      continue;
    }
    if (!known.has(flag)) {
      wrong.push(unknownFlag(argv[index] ?? "", flag));
      // What follows is most likely its value, and no mistake of its own.
      if (inline === undefined && flag !== "" && argv[index + 1]?.startsWith("-") === false) index += 1;
      continue;
    }
    const text = inline ?? argv[++index];
    if (text === undefined || (inline === undefined && known.has(text))) {
      wrong.push(`${flag}: expected a value after it, got none`);
      index -= text === undefined ? 0 : 1;
    } else if (texts.has(flag)) wrong.push(`${flag}: expected once, got it twice`);
    else texts.set(flag, text);
  }
  return { texts, isFirstTry, wrong };
}

function unknownFlag(written: string, flag: string): string {
  const flags = [...settingNames.map((name): string => settingsTable[name].flag), firstTryFlag];
  if (flag === firstTryFlag) return `${firstTryFlag}: expected no value`;
  if (flag === "") return `${shortened(written)}: expected a flag such as --port 4000`;
  const near = nearest(flag, flags);
  return `${shortened(flag)}: unknown flag; ${near === undefined ? `the flags are ${flags.join(", ")}` : `did you mean ${near}?`}`;
}

function sourceOf(name: SettingName, flags: Flags, env: Environment): Source {
  const setting = settingsTable[name];
  const text = flags.texts.get(setting.flag);
  if (text !== undefined) return { kind: "flag", name: setting.flag, text };
  for (const variable of setting.variables) {
    const value = env[variable];
    if (value !== undefined && (value !== "" || setting.empty === "value")) return { kind: "variable", name: variable, text: value };
  }
  if (name === "allowTargets" && flags.isFirstTry) return { kind: "first_try", name: firstTryFlag, text: firstTryTargets };
  return { kind: "default", name: setting.variables[0], text: setting.default };
}

/** Of a secret only its length. */
function given(setting: Setting<unknown>, text: string): string {
  if (setting.isSecret) return `, got ${text.length} characters`;
  // The allow list's sentence names the one entry that is wrong.
  if (setting === settingsTable.allowTargets) return "";
  return `, got ${text === "" ? "nothing" : shortened(text)}`;
}

function shortened(text: string): string {
  const line = oneLine(text);
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine can reach a listener on this host: 127.0.0.0/8, ::1 however it is spelled, localhost. */
export function isLoopback(host: string): boolean {
  switch (isIP(host)) {
    case 4:
      return loopback.check(host, "ipv4");
    case 6:
      return loopback.check(host, "ipv6");
    default:
      return host.toLowerCase() === "localhost";
  }
}

/** Without a key, whoever can reach the port can make this machine call. */
function wrongExposure(settings: Settings, sources: Sources): string | undefined {
  if (settings.apiKey !== null || isLoopback(settings.host)) return undefined;
  const expected = "expected a loopback address (127.0.0.0/8, ::1, localhost) while no key is configured";
  const remedy = "to be reached from elsewhere set ONTHEDOT_API_KEY to at least 24 printable characters";
  return `${sources.host.name}: ${expected}, got ${shortened(settings.host)}; ${remedy}`;
}

function unknownVariables(env: Environment): string[] {
  const known = settingNames.map((name) => settingsTable[name].variables[0]);
  const bare = (name: string) => name.replace(/^ONTHEDOT_/, "");
  return Object.keys(env)
    .filter((name) => name.startsWith("ONTHEDOT_") && !known.some((own) => own === name) && !foreignVariables.has(name))
    .map((name) => {
      const near = nearest(bare(name), known.map(bare));
      const hint = near === undefined ? `the settings are ${known.join(", ")}` : `did you mean ONTHEDOT_${near}?`;
      return `${shortened(name)}: no such setting, so it changes nothing; ${hint}`;
    });
}

function shownKey(sources: Sources): string[] {
  if (sources.apiKey.kind !== "flag") return [];
  return ["--api-key: other users of this machine can read it in the list of processes; set ONTHEDOT_API_KEY instead"];
}

function noticesOf(sources: Sources): string[] {
  if (sources.allowTargets.kind !== "first_try") return [];
  return [`jobs may call this machine (${firstTryTargets}) for a first try; ONTHEDOT_ALLOW_TARGETS chooses what they may call`];
}

/** As `onthedot config` shows them: each with its value, where that came from, and why the default is what it is. */
export function printSettings({ settings, sources }: { readonly settings: Settings; readonly sources: Sources }): string {
  const rows = settingNames.map((name) => {
    const { variables, meaning, reason } = settingsTable[name];
    return [
      variables[0],
      shownValue(name, settings, sources[name]),
      shownSource(sources[name]),
      `${meaning} (default: ${shownDefault(name)}, ${reason})`,
    ];
  });
  const table = [["setting", "value", "source", "meaning"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}

/** The text as it was given, which the operator recognises; of the key only that there is one. */
function shownValue(name: SettingName, settings: Settings, source: Source): string {
  if (name === "apiKey") return settings.apiKey === null ? "none" : "set, not shown";
  return source.text === "" ? "none" : oneLine(source.text);
}

function shownSource({ kind, name }: Source): string {
  return kind === "default" ? "default" : name;
}

function shownDefault(name: SettingName): string {
  return settingsTable[name].default === "" ? "none" : settingsTable[name].default;
}
