import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { asContext, readSettings } from "../../infra/settings.ts";
import { dayMs, minuteMs, secondMs } from "../../src/core/time.ts";
import { root } from "./root.ts";

type Texts = Record<string, unknown>;

function read(context: Texts = {}, env: Record<string, string> = {}) {
  const answer = readSettings({ context, env });
  if ("wrong" in answer) throw new Error(answer.wrong.join("\n"));
  return answer;
}

function wrong(context: Texts, env: Record<string, string> = {}): readonly string[] {
  const answer = readSettings({ context, env });
  if (!("wrong" in answer)) throw new Error("expected something wrong, got settings");
  return answer.wrong;
}

const defaults = {
  stage: "dev",
  lookaheadMs: 5 * minuteMs,
  tickMs: minuteMs,
  maxTimeoutMs: 2 * minuteMs,
  allowTargets: "",
  shards: 64,
  ranges: 1,
  retentionMs: 30 * dayMs,
  keepResponses: "failures",
  alarmTopicArn: null,
  auth: "key",
};

/** Each setting by its context, its variable, a text, and what it means. */
const topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
const each: readonly [context: string, variable: string, text: string, setting: Partial<Record<keyof typeof defaults, unknown>>][] = [
  ["stage", "ONTHEDOT_STAGE", "team-7", { stage: "team-7" }],
  ["lookahead", "ONTHEDOT_LOOKAHEAD", "10m", { lookaheadMs: 10 * minuteMs }],
  ["tick", "ONTHEDOT_TICK", "5s", { tickMs: 5 * secondMs }],
  ["maxTimeout", "ONTHEDOT_MAX_TIMEOUT", "14m", { maxTimeoutMs: 14 * minuteMs }],
  ["allowTargets", "ONTHEDOT_ALLOW_TARGETS", "10.0.0.0/8, hooks.internal:8080", { allowTargets: "10.0.0.0/8, hooks.internal:8080" }],
  ["shards", "ONTHEDOT_SHARDS", "128", { shards: 128 }],
  ["ranges", "ONTHEDOT_RANGES", "4", { ranges: 4 }],
  ["retention", "ONTHEDOT_RETENTION", "24h", { retentionMs: dayMs }],
  ["keepResponses", "ONTHEDOT_KEEP_RESPONSES", "all", { keepResponses: "all" }],
  ["alarmTopicArn", "ONTHEDOT_ALARM_TOPIC_ARN", topic, { alarmTopicArn: topic }],
  ["auth", "ONTHEDOT_AUTH", "iam", { auth: "iam" }],
];

test("with nothing given, the settings are the contract's defaults", () => {
  expect(read().settings).toEqual(defaults);
});

test.each(each)("%s is read from the context and from %s", (context, variable, text, setting) => {
  expect(read({ [context]: text }).settings).toEqual({ ...defaults, ...setting });
  expect(read({}, { [variable]: text }).settings).toEqual({ ...defaults, ...setting });
});

test("the context counts before the variable, and an empty variable is none", () => {
  expect(read({ stage: "one" }, { ONTHEDOT_STAGE: "two" }).settings.stage).toBe("one");
  expect(read({}, { ONTHEDOT_STAGE: "", ONTHEDOT_ALLOW_TARGETS: "" }).settings).toEqual(defaults);
});

test("numbers of cdk.json are read as they are written there", () => {
  expect(read({ shards: 32, ranges: 2 }).settings).toMatchObject({ shards: 32, ranges: 2 });
});

test("settings written as context are read back the same", () => {
  const all = Object.fromEntries(each.map(([context, , text]) => [context, text]));
  const { settings } = read(all);
  expect(read(asContext(settings)).settings).toEqual(settings);
  expect(asContext({ stage: "dev" })).toEqual({ stage: "dev" });
});

test.each([
  ["stage", "", "stage: expected 1 to 20 of a–z, 0–9 and -"],
  ["stage", "Prod", "got Prod"],
  ["stage", "my_stage", "got my_stage"],
  ["stage", "a".repeat(21), "expected 1 to 20"],
  ["stage", "dev\nforged: line", "got dev forged: line"],
  ["lookahead", "19s", "lookahead: expected a duration from 2m to 14m"],
  ["lookahead", "15m", "expected a duration from 2m to 14m"],
  ["lookahead", "soon", "got soon"],
  ["lookahead", "90s", "expected at least 2m where the tick comes each minute, got 1m30s"],
  ["tick", "0s", "tick: expected a duration from 1s to 1m"],
  ["tick", "2m", "expected a duration from 1s to 1m"],
  ["maxTimeout", "999ms", "maxTimeout: expected a duration from 1s to 14m"],
  ["maxTimeout", "841s", "expected a duration from 1s to 14m"],
  ["maxTimeout", "1s500ms", "maxTimeout: expected whole seconds"],
  ["allowTargets", "http://localhost", "allowTargets: expected a host without http:// or a path"],
  ["allowTargets", "10.0.0.0/8,10.0.0.0/33", '10.0.0.0/33"'],
  ["shards", "0", "shards: expected a whole number from 1 to 1024, got 0"],
  ["shards", "1025", "got 1025"],
  ["shards", "64.5", "got 64.5"],
  ["ranges", "-1", "ranges: expected a whole number"],
  ["ranges", "65", "ranges: expected at most the number of shards (64), got 65"],
  ["retention", "23h", "retention: expected a duration from 24h"],
  ["keepResponses", "none", "keepResponses: expected one of failures, all, got none"],
  ["alarmTopicArn", "arn:aws:sqs:eu-central-1:123456789012:alarms", "alarmTopicArn: expected the ARN of an SNS topic"],
  ["alarmTopicArn", "alarms", "got alarms"],
  ["auth", "none", "auth: expected one of key, iam, got none"],
])("%s = %j is one line that names it", (name, text, line) => {
  const [context, variable = ""] = each.find(([one]) => one === name) ?? [];
  const lines = wrong({ [name]: text });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(line);
  expect(lines[0]).not.toContain("\n");
  if (text === "") return;
  expect(wrong({}, { [variable]: text })).toEqual(lines.map((one) => one.replaceAll(`${context}: `, `${variable}: `)));
});

test("a list or an object is no text", () => {
  expect(wrong({ shards: [64], stage: { name: "dev" } })).toEqual([
    "stage: expected a text, got an object",
    "shards: expected a text, got a list",
  ]);
});

test("a production stage has no emulator's minutes", () => {
  expect(wrong({ stage: "prod", lookahead: "30s", tick: "5s" })).toEqual([
    "lookahead: expected at least 2m in production, got 30s",
    "tick: expected 1m in production, got 5s; AWS ticks each minute",
  ]);
  expect(wrong({ lookahead: "1s", tick: "5s" })[0]).toContain("lookahead: expected a duration from 20s to 14m");
  expect(read({ stage: "e2e", lookahead: "20s", tick: "5s" }).settings).toMatchObject({ lookaheadMs: 20 * secondMs, tickMs: 5 * secondMs });
});

test("there may be as many ranges as shards", () => {
  expect(read({ shards: "4", ranges: "4" }).settings).toMatchObject({ shards: 4, ranges: 4 });
});

test("a tick that AWS does not have is told where no emulator is named", () => {
  const warned = (name: string) => [
    `${name}: AWS ticks each minute, not every 5s, and hints would be dropped as old; 5s is for emulators, leave it at 1m`,
  ];
  expect(read({ tick: "5s" }).warnings).toEqual(warned("tick"));
  expect(read({}, { ONTHEDOT_TICK: "5s", AWS_ENDPOINT_URL: "" }).warnings).toEqual(warned("ONTHEDOT_TICK"));
  expect(read({ tick: "5s" }, { AWS_ENDPOINT_URL: "http://127.0.0.1:4566" }).warnings).toEqual([]);
  expect(read({ tick: "60s" }).warnings).toEqual([]);
});

test.each([
  "127.0.0.0/8",
  "127.0.0.1:4001",
  "0.0.0.0/0",
  "::1",
  "::/0",
  "128.0.0.0/1",
  "169.254.169.254",
  "fe80::/10",
  "localhost",
  "localhost:4001",
  "hook.LOCALHOST",
])("%s as an allowed target is told where no emulator is named", (entry) => {
  const env = { ONTHEDOT_ALLOW_TARGETS: `10.0.0.0/8, ${entry}` };
  expect(read({}, env).warnings).toEqual([
    `ONTHEDOT_ALLOW_TARGETS: on AWS a loopback or link-local address is the function itself, so leave out ${entry}`,
  ]);
  expect(read({}, { ...env, AWS_ENDPOINT_URL: "http://127.0.0.1:4566" }).warnings).toEqual([]);
});

test("allowed targets that are another machine's are not told", () => {
  const allowTargets = "10.0.0.0/8,hooks.internal:8080,fd00::/8,124.0.0.0/7,169.253.0.1,not-localhost";
  expect(read({ allowTargets }).warnings).toEqual([]);
});

test("everything that is wrong is told at once", () => {
  const lines = wrong({ stage: "A", shards: "x", retention: "1h" }, { ONTHEDOT_TICK: "1h", ONTHEDOT_AUTH: "basic" });
  expect(lines.map((line) => line.slice(0, line.indexOf(":")))).toEqual(["stage", "ONTHEDOT_TICK", "shards", "retention", "ONTHEDOT_AUTH"]);
});

test("a name in the context that is near a known one is refused", () => {
  expect(wrong({ stages: "prod", "look-ahead": "5m" })).toEqual([
    "stages: no such setting, so it changes nothing; did you mean stage?",
    "look-ahead: no such setting, so it changes nothing; did you mean lookahead?",
  ]);
});

test("a variable whose name is near a known one is told, and what is CDK's, the other home's or anybody's is not", () => {
  const context = {
    "@aws-cdk/core:stage": true,
    "aws:cdk:tick": 1,
    owner: "billing",
    "availability-zones:x": [],
  };
  const env = { ONTHEDOT_MAXTIMEOUT: "1m", ONTHEDOT_PORT: "4000", ONTHEDOT_LOG: "debug", ONTHEDOT_SOMETHING_ELSE: "1", STAGE: "prod" };
  expect(read(context, env).warnings).toEqual([
    "ONTHEDOT_MAXTIMEOUT: no such setting, so it changes nothing; did you mean ONTHEDOT_MAX_TIMEOUT?",
  ]);
});

test("the app ends with 2 and the lines alone, and makes nothing", () => {
  const env = { PATH: process.env["PATH"], CDK_CONTEXT_JSON: JSON.stringify({ stage: "Prod", shards: "x" }), ONTHEDOT_TICK: "1h" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}/infra/app.ts`], { env, encoding: "utf8" });
  expect(stderr.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^stage: /),
    expect.stringMatching(/^ONTHEDOT_TICK: /),
    expect.stringMatching(/^shards: /),
  ]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
});
