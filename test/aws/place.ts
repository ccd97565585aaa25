/** Where the stack of the end-to-end suite may stand, and what each place lacks or does at its own pace. */

export type Place = {
  readonly name: string;
  /** How often the base tick comes, and the look-ahead that goes with it. */
  readonly tick: string;
  readonly lookahead: string;
  /** How late a call may arrive. Of a machine that also plays AWS, it says little about AWS. */
  readonly latenessMsMax: number;
  /** So far ahead that a few requests are answered before. */
  readonly soonMs: number;
  /** Requests at once, and executors of one queue: more would be more processes than its machine bears. */
  readonly requestsMax: number;
  readonly executorsMax: number;
  /** Whether its CloudFormation leaves out the expiry of items, in silence. Null: not known. */
  readonly dropsExpiry: boolean | null;
  /** Processes of a function run on this machine, where one can be killed in mid-call. */
  readonly runsFunctionsHere: boolean;
  /** IAM can be switched on and off, and any role be assumed. */
  readonly switchesIam: boolean;
  /** The API is reached under the endpoint, by a path that names it; else by the stack's own output. */
  readonly servesApiByPath: boolean;
};

/** The emulator that `emulator.ts` starts. Its minute lasts five seconds. */
export const emulatorMinuteSeconds = 5;
export const miniStack: Place = {
  name: "MiniStack",
  tick: `${emulatorMinuteSeconds}s`,
  lookahead: "20s",
  latenessMsMax: 5_000,
  soonMs: 15_000,
  requestsMax: 8,
  executorsMax: 16,
  dropsExpiry: true,
  runsFunctionsHere: true,
  switchesIam: true,
  servesApiByPath: true,
};

const otherPlace: Place = {
  name: "an emulator",
  tick: "1m",
  lookahead: "2m",
  latenessMsMax: 5_000,
  soonMs: 15_000,
  requestsMax: 8,
  executorsMax: 5,
  dropsExpiry: null,
  runsFunctionsHere: false,
  switchesIam: false,
  servesApiByPath: true,
};

const realAws: Place = { ...otherPlace, name: "AWS", latenessMsMax: 2_000, dropsExpiry: false, servesApiByPath: false };

/** `endpoint`: an address, or `aws` for the account that the shell's own profile names. */
export function placeOf(endpoint: string): Place {
  return endpoint === "aws" || /\.amazonaws\.com(?:\.cn)?(?::\d+)?\/?$/.test(endpoint) ? realAws : { ...otherPlace, name: endpoint };
}

/** One sentence each, so that what is not looked at is not taken for what is well. */
export function lacking({ runsFunctionsHere, switchesIam, tick }: Place): readonly string[] {
  return [
    ...(runsFunctionsHere ? [] : ["no executor is killed in mid-call: its processes run elsewhere"]),
    ...(switchesIam ? [] : ["no role is tried for what it must not do: its IAM cannot be switched on from here"]),
    ...(tick === "1m" ? ["ticks come each minute: whoever waits for one waits long"] : []),
  ];
}

/**
 * `ONTHEDOT_E2E_HOST`, as `name:port`: how functions that run elsewhere reach the targets in this process (in a container, that of the
 * machine it runs on). That port and the next are listened on. Null: functions run on this machine.
 */
export function receiverHost(env: Readonly<Record<string, string | undefined>>): { readonly name: string; readonly port: number } | null {
  const match = /^(.+):(\d+)$/.exec(env["ONTHEDOT_E2E_HOST"] ?? "");
  return match === null ? null : { name: match[1] ?? "", port: Number(match[2]) };
}

/** What `main.ts` hands to the suite, as JSON in `ONTHEDOT_E2E`. */
export type Deployed = {
  readonly place: Place;
  readonly stage: string;
  readonly shards: number;
  /** Null: the SDK's own. */
  readonly endpoint: string | null;
  readonly outputs: Readonly<Record<string, string>>;
  /** Null: not ours. */
  readonly emulator: { readonly pid: number; readonly folder: string; readonly logFile: string } | null;
};
