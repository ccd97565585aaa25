/** The log of the functions as it is written: a line of JSON each, with our fields and no secret. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFunctionLog } from "../../functions/log.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { type Level, levels } from "../../src/system/log.ts";
import { stubEnvironment, writtenBy } from "./instance.ts";

beforeEach(() => stubEnvironment("executor"));
afterEach(() => {
  vi.unstubAllEnvs();
});

/** What is written at `level` while `work` has the log. */
function lines(level: Level, work: (log: ReturnType<typeof createFunctionLog>["log"]) => void) {
  return writtenBy(() => work(createFunctionLog({ level, stage: "test" }).log));
}

describe("a line", () => {
  it("carries the message, the level, the fields, the function and the stage", async () => {
    const [line] = await lines("info", (log) =>
      log("info", "called job_1 200 in 12 ms, 3 ms late", { job: "job_1", attempt: 1, latenessMs: 3, code: null }),
    );
    expect(line).toMatchObject({
      ...{ level: "INFO", message: "called job_1 200 in 12 ms, 3 ms late", service: "executor", stage: "test" },
      ...{ job: "job_1", attempt: 1, latenessMs: 3 },
    });
    // What there is none of is left out.
    expect(line).not.toHaveProperty("code");
    expect(Date.parse(String(line?.["timestamp"]))).not.toBeNaN();
  });

  it("does not keep the fields of the line before", async () => {
    const written = await lines("info", (log) => {
      log("info", "first", { job: "job_1" });
      log("info", "second");
    });
    expect(written.map((line) => "job" in line)).toEqual([true, false]);
  });

  it.each([
    ["a key of onthedot", "the key otd_0123456789abcdef was sent", "the key otd_*** was sent"],
    ["a header", "authorization: Bearer abcdefghijkl", "authorization: ***"],
    ["a URL with a password and a query", "https://a:b@example.com/hook?token=1", "https://***@example.com/hook?***"],
  ])("masks %s in the message, in a field and in a cause", async (_, text, masked) => {
    const [line] = await lines("info", (log) => log("warn", text, { where: text, cause: new Error(text) }));
    expect(line).toMatchObject({ message: masked, where: masked, cause: { message: masked } });
  });

  it("with line breaks stays one line, so that nobody forges another", async () => {
    const [line, ...others] = await lines("info", (log) => log("warn", 'a\n{"level":"ERROR","message":"forged"}'));
    expect([line?.["level"], others]).toEqual(["WARN", []]);
  });
});

describe("a cause", () => {
  const cause = new OutageError("dynamodb:Query did not succeed: TimeoutError", {
    cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET", $metadata: { headers: { authorization: "secret" } } }),
  });

  it("is told with its own causes and codes, and nothing else that hangs on it", async () => {
    const [line] = await lines("info", (log) => log("warn", "the store did not answer", { cause }));
    expect(line?.["cause"]).toEqual({
      ...{ name: "OutageError", message: "dynamodb:Query did not succeed: TimeoutError" },
      cause: { name: "Error", message: "socket hang up", code: "ECONNRESET" },
    });
  });

  it("at level error comes with its stack, for it is a bug", async () => {
    const [line] = await lines("info", (log) => log("error", "a bug", { cause: new TypeError("x is undefined") }));
    expect(line?.["cause"]).toMatchObject({ name: "TypeError", stack: expect.stringContaining("log.test.ts") });
  });

  it("may be anything that was thrown", async () => {
    const [line] = await lines("info", (log) => log("error", "a bug", { cause: "token=abc" }));
    expect(line?.["cause"]).toEqual({ name: "string", message: "token=***" });
  });
});

describe("a level", () => {
  it.each(levels)("%s writes its own lines and those above, and says so beforehand", async (level) => {
    const above = levels.slice(levels.indexOf(level));
    let on: readonly Level[] = [];
    const written = await lines(level, (log) => {
      on = levels.filter(log.isOn);
      for (const one of levels) log(one, `at ${one}`);
    });
    expect(on).toEqual(above);
    expect(written.map(({ message }) => message)).toEqual(above.map((one) => `at ${one}`));
    expect(written.map((line) => line["level"])).toEqual(above.map((one) => one.toUpperCase()));
  });
});
