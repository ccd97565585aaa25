import { expect, test } from "vitest";
import { firstTryTargets, isLoopback, printSettings, readSettings } from "../../local/settings.ts";
import { settingNames, settingsTable } from "../../local/settingsTable.ts";
import { allowNothing, judgeAddress } from "../../src/core/address.ts";
import { dayMs, hourMs, secondMs } from "../../src/core/time.ts";

type Env = Record<string, string>;

function read(argv: string[], env: Env = {}) {
  const answer = readSettings({ argv, env });
  if ("wrong" in answer) throw new Error(answer.wrong.join("\n"));
  return answer;
}

function wrong(argv: string[], env: Env = {}): readonly string[] {
  const answer = readSettings({ argv, env });
  if (!("wrong" in answer)) throw new Error("expected something wrong, got settings");
  return answer.wrong;
}

const key = "otd_0123456789abcdefghijklmn";

test("with nothing given, the settings are the contract's defaults", () => {
  expect(read([]).settings).toEqual({
    host: "127.0.0.1",
    port: 4000,
    data: ".onthedot",
    allowTargets: allowNothing,
    apiKey: null,
    concurrency: 256,
    leaseSlackMs: 5 * secondMs,
    retentionMs: 30 * dayMs,
    logLevel: "info",
    logFormat: "auto",
    receiverPort: 4001,
    firstTry: false,
  });
});

test("a flag counts before ONTHEDOT_PORT, that before PORT, and that before the default; each says which it was", () => {
  const env = { ONTHEDOT_PORT: "4200", PORT: "4300" };
  const seen = [read(["--port", "4100"], env), read(["--port=4100"], env), read([], env), read([], { PORT: "4300" }), read([])];
  expect(seen.map(({ settings }) => settings.port)).toEqual([4100, 4100, 4200, 4300, 4000]);
  expect(seen.map(({ sources }) => `${sources.port.kind} ${sources.port.name}`)).toEqual([
    "flag --port",
    "flag --port",
    "variable ONTHEDOT_PORT",
    "variable PORT",
    "default ONTHEDOT_PORT",
  ]);
});

test("every setting can be given by its flag and by its variable", () => {
  const texts: Record<(typeof settingNames)[number], [text: string, value: unknown]> = {
    host: ["::1", "::1"],
    port: ["0", 0],
    data: ["/var/lib/onthedot", "/var/lib/onthedot"],
    allowTargets: ["", allowNothing],
    apiKey: [key, key],
    concurrency: ["1", 1],
    leaseSlackMs: ["PT30S", 30 * secondMs],
    retentionMs: ["24h", 24 * hourMs],
    logLevel: ["DEBUG", "debug"],
    logFormat: ["json", "json"],
    receiverPort: ["0", 0],
  };
  for (const name of settingNames) {
    const { flag, variables } = settingsTable[name];
    const [text, value] = texts[name];
    expect(read([flag, text]).settings[name]).toEqual(value);
    expect(read([], { [variables[0]]: text }).settings[name]).toEqual(value);
  }
});

test.each<[variable: string, text: string, line: string]>([
  ["ONTHEDOT_PORT", "70000", "ONTHEDOT_PORT: expected a port from 0 to 65535, got 70000"],
  ["PORT", "http", "PORT: expected a port from 0 to 65535, got http"],
  ["ONTHEDOT_PORT", " 4000", "ONTHEDOT_PORT: expected a port from 0 to 65535, got  4000"],
  ["ONTHEDOT_RECEIVER_PORT", "1e3", "ONTHEDOT_RECEIVER_PORT: expected a port from 0 to 65535, got 1e3"],
  ["ONTHEDOT_CONCURRENCY", "-1", "ONTHEDOT_CONCURRENCY: expected a number of calls from 1 to 10000, got -1"],
  ["ONTHEDOT_CONCURRENCY", "0", "ONTHEDOT_CONCURRENCY: expected a number of calls from 1 to 10000, got 0"],
  ["ONTHEDOT_LEASE_SLACK", "5", 'ONTHEDOT_LEASE_SLACK: expected a duration from 1s to 10m, such as "90s", "1h30m" or "7d", got 5'],
  ["ONTHEDOT_RETENTION", "23h", 'ONTHEDOT_RETENTION: expected a duration from 24h to 3650d, such as "90s", "1h30m" or "7d", got 23h'],
  ["ONTHEDOT_LOG", "verbose", "ONTHEDOT_LOG: expected one of debug, info, warn, error, got verbose"],
  ["ONTHEDOT_LOG_FORMAT", "xml", "ONTHEDOT_LOG_FORMAT: expected one of auto, json, text, got xml"],
  [
    "ONTHEDOT_HOST",
    "localhost:4000",
    "ONTHEDOT_HOST: expected an IP address or a host name without port, such as 127.0.0.1 or ::1, got localhost:4000",
  ],
  ["ONTHEDOT_HOST", "127.1", "ONTHEDOT_HOST: expected an IP address or a host name without port, such as 127.0.0.1 or ::1, got 127.1"],
])("%s=%s is one line with the setting, what was expected and what was given", (variable, text, line) => {
  expect(wrong([], { [variable]: text })).toEqual([line]);
});

test("a broken CIDR is one line that names the setting and the entry", () => {
  const lines = wrong(["--allow-targets", "localhost,10.0.0.0/33"]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^--allow-targets: expected .*"10\.0\.0\.0\/33"/);
});

test("everything wrong is told at once, each in one line, by the name that was used", () => {
  const lines = wrong(["--concurrency", "-1", "--log=loud"], { ONTHEDOT_PORT: "70000", ONTHEDOT_DATA: "a\0b" });
  expect(lines.map((line) => line.split(":")[0])).toEqual(["ONTHEDOT_PORT", "ONTHEDOT_DATA", "--concurrency", "--log"]);
});

test("a value of many lines and characters stays one short line", () => {
  const [line = ""] = wrong([], { ONTHEDOT_PORT: `1\n2\u001b[2J${"x".repeat(1_000)}` });
  expect(line).not.toMatch(/\p{Cc}/u);
  expect(line.length).toBeLessThan(200);
});

test("a key under 24 characters, or with spaces, is refused without being repeated", () => {
  for (const text of ["short-secret", "secret with spaces, long enough", "sécret-sécret-sécret-sécret"]) {
    const lines = wrong([], { ONTHEDOT_API_KEY: text });
    expect(lines[0]).toMatch(/^ONTHEDOT_API_KEY: expected 24 to 512 printable characters .*openssl/);
    expect(lines.join()).not.toContain(text);
  }
});

test("a host beyond loopback needs a key, and the line says how to give one", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.7", "example.com", "localhost.example.com"]) {
    const lines = wrong([], { ONTHEDOT_HOST: host });
    expect(lines).toEqual([expect.stringMatching(/^ONTHEDOT_HOST: .*127\.0\.0\.0\/8, ::1, localhost.*ONTHEDOT_API_KEY/)]);
    expect(read([], { ONTHEDOT_HOST: host, ONTHEDOT_API_KEY: key }).settings.host).toBe(host);
  }
});

test("loopback is 127.0.0.0/8, ::1 however it is spelled, and localhost", () => {
  expect(["127.0.0.1", "127.255.3.4", "::1", "0:0:0:0:0:0:0:1", "localhost", "LocalHost"].filter((host) => !isLoopback(host))).toEqual([]);
  expect(["128.0.0.1", "0.0.0.0", "::", "::2", "localhost.evil.example", "127.0.0.1.evil.example", ""].filter(isLoopback)).toEqual([]);
});

test("an empty variable counts as unset, but an empty allow list is a choice that the first try respects", () => {
  expect(read([], { ONTHEDOT_PORT: "", ONTHEDOT_API_KEY: "", ONTHEDOT_LOG: "" }).settings).toEqual(read([]).settings);
  expect(read(["--first-try"], { ONTHEDOT_ALLOW_TARGETS: "" }).settings.allowTargets).toEqual(allowNothing);
  expect(wrong(["--port="])).toEqual(["--port: expected a port from 0 to 65535, got nothing"]);
});

test("the first try lets this machine through and says so, unless the operator chose", () => {
  const tried = read(["--first-try"]);
  for (const address of ["127.0.0.1", "::1"]) expect(judgeAddress(address, 4001, tried.settings.allowTargets)).toBe("open");
  expect(tried.settings.firstTry).toBe(true);
  expect(tried.notices).toEqual([expect.stringContaining(firstTryTargets)]);
  const chosen = read(["--first-try", "--allow-targets", "10.0.0.0/8"]);
  expect(judgeAddress("127.0.0.1", 4001, chosen.settings.allowTargets)).not.toBe("open");
  expect([chosen.notices, read([]).notices]).toEqual([[], []]);
});

test("an unknown variable is a warning with the nearest name, or all names where none is near; it stops nothing", () => {
  const { warnings } = read([], { ONTHEDOT_PROT: "1", ONTHEDOT_ALLOW_TARGET: "x", ONTHEDOT_COLOUR: "x", PATH: "/bin" });
  expect(warnings).toEqual([
    expect.stringMatching(/^ONTHEDOT_PROT: .*did you mean ONTHEDOT_PORT\?$/),
    expect.stringMatching(/^ONTHEDOT_ALLOW_TARGET: .*did you mean ONTHEDOT_ALLOW_TARGETS\?$/),
    expect.stringMatching(/^ONTHEDOT_COLOUR: .*the settings are ONTHEDOT_HOST, .*ONTHEDOT_RECEIVER_PORT$/),
  ]);
});

test("the stack's variables in the same shell are no warning", () => {
  expect(read([], { ONTHEDOT_STAGE: "dev", ONTHEDOT_MAX_TIMEOUT: "2m", ONTHEDOT_SHARDS: "64" }).warnings).toEqual([]);
});

test("an unknown flag is wrong and names the nearest; its value is not a second mistake", () => {
  expect(wrong(["--prot", "4000"])).toEqual(["--prot: unknown flag; did you mean --port?"]);
  expect(wrong(["--colour=red"])).toEqual([expect.stringMatching(/^--colour: unknown flag; the flags are --host, .*--first-try$/)]);
  expect(wrong(["4000"])).toEqual(["4000: expected a flag such as --port 4000"]);
});

test("a flag without its value, given twice, or with a value it does not take is wrong", () => {
  expect(wrong(["--port"])).toEqual(["--port: expected a value after it, got none"]);
  expect(wrong(["--port", "--host", "::1"])).toEqual(["--port: expected a value after it, got none"]);
  expect(wrong(["--port", "1", "--port=2"])).toEqual(["--port: expected once, got it twice"]);
  expect(wrong(["--first-try=no"])).toEqual(["--first-try: expected no value"]);
});

test("a key given as a flag is warned about, for others can read it", () => {
  expect(read(["--api-key", key]).warnings).toEqual([expect.stringMatching(/^--api-key: .*ONTHEDOT_API_KEY/)]);
});

test("the printed table has each setting with value, source and reason, and never the key", () => {
  const answer = read(["--port", "4100"], { ONTHEDOT_API_KEY: key, ONTHEDOT_HOST: "0.0.0.0" });
  const lines = printSettings(answer).split("\n");
  expect(lines).toHaveLength(settingNames.length + 1);
  expect(lines.find((line) => line.startsWith("ONTHEDOT_PORT"))).toMatch(/4100 +--port +.*default: 4000, free on most machines/);
  expect(lines.find((line) => line.startsWith("ONTHEDOT_HOST"))).toMatch(/0\.0\.0\.0 +ONTHEDOT_HOST /);
  expect(lines.find((line) => line.startsWith("ONTHEDOT_RETENTION"))).toMatch(/30d +default /);
  expect(`${lines.join("\n")}${JSON.stringify(answer.sources)}`).not.toContain(key);
});
