import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { createLog, type LogOptions } from "../../local/log.ts";
import { type Level, levels } from "../../src/system/log.ts";

const at = Date.UTC(2026, 10, 22, 16, 4, 5, 123);

/** A log and the lines it wrote. */
function logged(given: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const log = createLog({ stream, isTerminal: false, level: "debug", now: () => at, ...given });
  return { log, written, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("off a terminal each line is one JSON object with time, level, message and the fields, whatever the message holds", () => {
  const { log, written, lines } = logged();
  log("info", 'two\nlines and a "quote"', { job: "job_X", attempt: 2, latenessMs: null });
  expect(written.join("").split("\n")).toHaveLength(2);
  expect(lines()).toEqual([
    { time: "2026-11-22T16:04:05.123Z", level: "info", message: 'two\nlines and a "quote"', job: "job_X", attempt: 2, latenessMs: null },
  ]);
});

test("on a terminal a line is the local time to the millisecond and the message", () => {
  const { log, written } = logged({ isTerminal: true, isColoured: false });
  log("info", "called job_X 200 in 12 ms, 3 ms late", { job: "job_X" });
  expect(written).toEqual([expect.stringMatching(/^\d\d:04:05\.123 called job_X 200 in 12 ms, 3 ms late\n$/)]);
});

test("text from outside can neither start a line of its own on a terminal nor send it escape sequences", () => {
  const { log, written } = logged({ isTerminal: true, isColoured: false });
  log("warn", "refused\n16:04:05.124 forged\u001b[2J", { cause: new Error("a\r\nb\u0007") });
  expect(written).toHaveLength(1);
  expect(written[0]?.slice(0, -1)).not.toMatch(/\p{Cc}/u);
});

test("each level writes itself and what is worse, and says beforehand whether it is on", () => {
  for (const [place, level] of levels.entries()) {
    const { log, lines } = logged({ level });
    for (const written of levels) log(written, written);
    expect(lines().map((line) => line["level"])).toEqual(levels.slice(place));
    expect(levels.filter((candidate: Level) => log.isOn(candidate))).toEqual(levels.slice(place));
  }
});

test("colours stand on a terminal that has them, and nowhere when NO_COLOR is set", () => {
  const before = process.env["NO_COLOR"];
  const coloured = (noColor: string) => {
    process.env["NO_COLOR"] = noColor;
    const stream = Object.assign(new Writable({ write: (chunk, _encoding, done) => done(void seen.push(String(chunk))) }), {
      hasColors: () => true,
    });
    const seen: string[] = [];
    createLog({ stream, isTerminal: true, level: "info" })("error", "no");
    return seen.join("").includes("\u001b[");
  };
  try {
    expect([coloured(""), coloured("1")]).toEqual([true, false]);
  } finally {
    if (before === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = before;
  }
});

const secrets = ["otd_abcDEF0123456789abcdef", "whsec_C2FVsBQIhrscChlQIMV", "hunter2hunter2", "dXNlcjpodW50ZXIy"];

test("no credential in a message, a field or any cause of an error is written, at any level or form", () => {
  const [key, signing, password, basic] = secrets;
  const texts = [
    `rejected ${key}`,
    `signed with ${signing}`,
    `connect https://user:${password}@example.com/ failed`,
    `GET https://example.com/hook?code=${password} failed`,
    `GET https://example.com/hook?a=1&b=${password}#${password}`,
    `authorization: Bearer ${password}`,
    `sent Bearer ${password} to it`,
    `Authorization: Basic ${basic}`,
    `{"token":"${password}"}`,
    `authorization: ApiKey ${password}`,
    `set-cookie: a=1; session=${password}`,
    `api_key=${password}`,
    `ONTHEDOT_API_KEY=${password}`,
    `password: ${password}`,
  ];
  for (const isTerminal of [true, false]) {
    const { log, written } = logged({ isTerminal, isColoured: false });
    for (const level of levels) {
      for (const text of texts) {
        const inner = Object.assign(new Error(text), { code: "EX", request: { headers: { authorization: password } } });
        log(level, text, { where: text, cause: new Error(text, { cause: inner }) });
        log(level, "thrown text", { cause: text });
      }
    }
    for (const secret of secrets) expect(written.join("")).not.toContain(secret);
  }
});

test("ids, codes and sentences without credentials are written as they are", () => {
  const { log, lines } = logged();
  const message = "called job_0123456789ABCDEFGHJKMNPQRS 503 in 12 ms, 3 ms late: connect ECONNREFUSED 203.0.113.7:443";
  log("info", message);
  expect(lines()[0]?.["message"]).toBe(message);
});

test("an error is written with its code and its causes; its stack only at level error", () => {
  const { log, lines } = logged();
  const cause = Object.assign(new Error("disk I/O error"), { code: "EIO" });
  log("warn", "outage", { cause: new Error("commit failed", { cause }) });
  log("error", "bug", { cause });
  expect(lines()[0]?.["cause"]).toEqual({
    name: "Error",
    message: "commit failed",
    cause: { name: "Error", message: "disk I/O error", code: "EIO" },
  });
  expect(lines()[1]?.["cause"]).toMatchObject({ code: "EIO", stack: expect.stringContaining("log.test") });
});

test("an error that is its own cause is written and ends", () => {
  const { log, written } = logged();
  const error = new Error("round");
  error.cause = error;
  log("warn", "outage", { cause: error });
  expect(written).toHaveLength(1);
});

test("a reader who stands still costs a bounded memory, and learns how many lines it lost when it reads on", async () => {
  const held: (() => void)[] = [];
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      held.push(done);
    },
  });
  const { log } = logged({ stream });
  const text = "x".repeat(100_000);
  for (let line = 0; line < 300; line++) log("info", text);
  expect(stream.writableLength).toBeLessThan(18_000_000);
  while (stream.writableLength > 0) {
    held.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const lost = Number(/(\d+) lines were dropped/.exec(written.at(-1) ?? "")?.[1]);
  expect([lost > 100, lost + written.length]).toEqual([true, 301]);
  log("info", "read again");
  expect(written.at(-1)).toContain("read again");
});

test("a log whose reader has gone ends itself and not the process", async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })) });
  const { log } = logged({ stream });
  log("info", "one");
  await new Promise((resolve) => stream.on("close", resolve));
  log("info", "two");
  expect(log.isOn("error")).toBe(false);
});
