/** What a function says when it was deployed with half an environment, or a wrong one: one line that names each variable. */

import { describe, expect, it } from "vitest";
import { deployedSpans, everywhere, readSettings, type SettingName, WrongSettingsError } from "../../functions/settings.ts";
import { allowNothing } from "../../src/core/address.ts";
import { brokenSpans } from "../../src/core/invocation.ts";
import { dayMs, minuteMs, secondMs } from "../../src/core/time.ts";
import { type DoorName, doorNames, environmentOf } from "./environment.ts";

const queue = (priority: string) => environmentOf("api")[`ONTHEDOT_QUEUE_${priority}`];

/** What each function asks for. */
const asked: Readonly<Record<DoorName, readonly SettingName[]>> = {
  api: [...everywhere, "queueUrls", "allowTargets", "adminKeySecret", "auth", "reconcile"],
  dispatcher: [...everywhere, "queueUrls"],
  executor: [...everywhere, "queueUrls", "allowTargets", "executorTimeoutMs", "visibilityMs"],
  undertaker: everywhere,
  reconcile: [...everywhere, "tickGroup", "dispatcherArn", "tickRoleArn", "tickDlqArn"],
};

function refusalOf(door: DoorName, change: Readonly<Record<string, string | undefined>>): string {
  try {
    readSettings({ ...environmentOf(door), ...change }, asked[door]);
  } catch (error) {
    expect(error).toBeInstanceOf(WrongSettingsError);
    return (error as Error).message;
  }
  throw new Error(`expected ${JSON.stringify(change)} to be refused`);
}

describe("what the stack sets", () => {
  it("is read as values", () => {
    expect(readSettings(environmentOf("executor"), asked.executor)).toEqual({
      ...{ stage: "test", table: "onthedot-test", shards: 64, keepResponses: "failures", logLevel: "info" },
      ...{ lookaheadMs: 5 * minuteMs, tickMs: minuteMs, retentionMs: 30 * dayMs, maxTimeoutMs: 2 * minuteMs },
      queueUrls: { critical: queue("CRITICAL"), high: queue("HIGH"), normal: queue("NORMAL"), low: queue("LOW") },
      allowTargets: allowNothing,
      ...{ executorTimeoutMs: 3 * minuteMs, visibilityMs: 18 * minuteMs },
    });
  });

  it("is enough for each function", () => {
    for (const door of doorNames) expect(Object.keys(readSettings(environmentOf(door), asked[door]))).toEqual(asked[door]);
  });
});

/** Set where they are needed; the rest of the environment is for Powertools and the SDK. */
const variables = doorNames.flatMap((door) =>
  Object.keys(environmentOf(door))
    .filter((name) => name.startsWith("ONTHEDOT_") && name !== "ONTHEDOT_ALLOW_TARGETS")
    .map((name) => [door, name] as const),
);

describe("a variable that is missing or empty", () => {
  it.each(variables)("of %s, %s, is named in one line with the remedy", (door, name) => {
    for (const value of [undefined, ""]) {
      const line = refusalOf(door, { [name]: value });
      expect(line).toMatch(new RegExp(`^${name}(?: is not set|: expected [^;]+, got nothing): deploy the stack again, which sets them$`));
    }
  });

  it("and another one are told together, in one line", () => {
    expect(refusalOf("api", { ONTHEDOT_TABLE: "", ONTHEDOT_SHARDS: "none", ONTHEDOT_QUEUE_LOW: undefined, ONTHEDOT_QUEUE_HIGH: "" })).toBe(
      'ONTHEDOT_TABLE is not set; ONTHEDOT_SHARDS: expected a whole number from 1, got "none"; ONTHEDOT_QUEUE_HIGH is not set; ' +
        "ONTHEDOT_QUEUE_LOW is not set: deploy the stack again, which sets them",
    );
  });

  it("of another function is not missed", () => {
    const { ONTHEDOT_QUEUE_LOW: _, ...environment } = environmentOf("api");
    expect(readSettings(environment, asked.undertaker)).toMatchObject({ stage: "test" });
  });
});

describe("a wrong variable", () => {
  it.each([
    ["ONTHEDOT_SHARDS", "0", 'expected a whole number from 1, got "0"'],
    ["ONTHEDOT_SHARDS", "1.5", 'expected a whole number from 1, got "1.5"'],
    ["ONTHEDOT_SHARDS", "-64", 'expected a whole number from 1, got "-64"'],
    ["ONTHEDOT_TICK", "60", 'expected a duration such as 5m, got "60"'],
    ["ONTHEDOT_TICK", "0s", 'expected a duration such as 5m, got "0s"'],
    ["ONTHEDOT_LOOKAHEAD", "five minutes", 'expected a duration such as 5m, got "five minutes"'],
    ["ONTHEDOT_MAX_TIMEOUT", "-2m", 'expected a duration such as 5m, got "-2m"'],
    // An idempotency key is promised for a day.
    ["ONTHEDOT_RETENTION", "23h", 'expected a duration such as 5m, got "23h"'],
    ["ONTHEDOT_KEEP_RESPONSES", "none", 'expected failures or all, got "none"'],
    ["ONTHEDOT_LOG", "loud", 'expected debug or info or warn or error, got "loud"'],
    ["ONTHEDOT_AUTH", "none", 'expected key or iam, got "none"'],
    ["ONTHEDOT_ALLOW_TARGETS", "10.0.0.0/99", /^ONTHEDOT_ALLOW_TARGETS: .*10\.0\.0\.0\/99/],
  ])("%s=%s is refused with what was expected", (name, value, told) => {
    const line = refusalOf("api", { [name]: value });
    if (typeof told === "string") expect(line).toBe(`${name}: ${told}: deploy the stack again, which sets them`);
    else expect(line).toMatch(told);
  });

  it("is shown in one line of bounded length, whatever it holds", () => {
    const line = refusalOf("executor", { ONTHEDOT_VISIBILITY: `18m\n${"x".repeat(10_000)}` });
    expect(line).toMatch(/^ONTHEDOT_VISIBILITY: expected a duration such as 5m, got "18m\\n/);
    expect([line.includes("\n"), line.length < 250]).toEqual([false, true]);
  });
});

describe("the spans as they were deployed", () => {
  const read = (change: Record<string, string> = {}) =>
    deployedSpans(readSettings({ ...environmentOf("executor"), ...change }, asked.executor));

  it("are held against what the longest call needs", () => {
    expect(read()).toEqual({ maxTimeoutMs: 120 * secondMs, executorTimeoutMs: 180 * secondMs, visibilityMs: 1_080 * secondMs });
    expect(brokenSpans(read())).toEqual([]);
  });

  it.each([
    [
      "a shorter function",
      { ONTHEDOT_EXECUTOR_TIMEOUT: "2m" },
      ["the longest call (2m) and the clocks' difference do not fit the executor's 2m"],
    ],
    ["messages that show too early", { ONTHEDOT_VISIBILITY: "15m" }, ["a message is hidden for 15m, less than 6 times the executor's 3m"]],
    [
      "a longer call alone",
      { ONTHEDOT_MAX_TIMEOUT: "14m" },
      ["the longest call (14m) and the clocks' difference do not fit the executor's 3m"],
    ],
    [
      "all of it",
      { ONTHEDOT_MAX_TIMEOUT: "20m", ONTHEDOT_EXECUTOR_TIMEOUT: "16m", ONTHEDOT_VISIBILITY: "1m" },
      [
        "the longest call (20m) and the clocks' difference do not fit the executor's 16m",
        "AWS runs no function for 16m; the longest is 15m",
        "a message is hidden for 1m, less than 6 times the executor's 16m",
      ],
    ],
  ])("with %s do not hold, and the sentences say why", (_, change, sentences) => {
    expect(brokenSpans(read(change))).toEqual(sentences);
  });
});
