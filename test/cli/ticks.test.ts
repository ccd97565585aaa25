/** `onthedot ticks` against a server on loopback that answers as an installation does, and as others do. */

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ticks } from "../../cli/ticks.ts";
import { freePort, run } from "./program.ts";

const key = "otd_0123456789abcdefghijklmn";
const status = {
  ranges: 2,
  paused: false,
  shards: 64,
  ticks: [
    { range: 0, shards: 32, lastTickAt: "2027-01-01T00:00:00.000Z", scheduled: true },
    { range: 1, shards: 32, lastTickAt: null, scheduled: true },
  ],
};
const problem = (code: string, detail: string) => ({ type: `urn:onthedot:problem:${code}`, code, detail, requestId: "r-1", errors: [] });

type Asked = {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly body: unknown;
};
type Reply = { readonly status?: number; readonly body?: unknown; readonly text?: string; readonly headers?: Record<string, string> };

let reply: Reply = {};
let asked: Asked[] = [];
let url = "";
const server = createServer(async (request, response) => {
  const { method, headers } = request;
  const body = await textOf(request);
  asked.push({ method, url: request.url, key: headers.authorization, body: body === "" ? null : JSON.parse(body) });
  response.sendDate = false;
  response.writeHead(reply.status ?? 200, { date: "Fri, 01 Jan 2027 00:01:05 GMT", ...reply.headers });
  response.end(reply.text ?? JSON.stringify(reply.body ?? status));
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
afterEach(() => {
  reply = {};
  asked = [];
  vi.restoreAllMocks();
});

/** The command in this process, and what it printed. */
async function command(line: string, env: Record<string, string> = { ONTHEDOT_URL: url }) {
  const output: string[] = [];
  const errors: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text) => void output.push(String(text)));
  vi.spyOn(console, "error").mockImplementation((text) => void errors.push(String(text)));
  const code = await ticks(line === "" ? [] : line.split(" "), env);
  return { code, output: output.join("\n"), errors };
}

describe("onthedot ticks", () => {
  it("status prints each range with the age of its last tick, by the installation's clock", async () => {
    expect(await command("status", { ONTHEDOT_URL: `${url}/`, ONTHEDOT_API_KEY: key })).toEqual({
      code: 0,
      errors: [],
      output: [
        "running, 2 ranges over 64 shards",
        "",
        "range  shards  last tick  tick",
        "0      32      1m5s ago   comes",
        "1      32      never      comes",
      ].join("\n"),
    });
    expect(asked).toEqual([{ method: "GET", url: "/v1/ticks", key: `Bearer ${key}`, body: null }]);
  });

  it.each([
    ["pause", { paused: true }],
    ["resume", { paused: false }],
    ["resize --ranges 4", { ranges: 4 }],
    ["resize --ranges=4", { ranges: 4 }],
  ])("%s asks for it, and prints what stands then", async (line, body) => {
    const { code, output } = await command(`${line} --url ${url}/stage`, { ONTHEDOT_URL: "http://127.0.0.1:1" });
    expect([code, output.split("\n")[0]]).toEqual([0, "running, 2 ranges over 64 shards"]);
    expect(asked).toEqual([{ method: "PATCH", url: "/stage/v1/ticks", key: undefined, body }]);
  });

  it("says of ticks that do not stand yet who looks after their shards", async () => {
    reply = { body: { ...status, ticks: [status.ticks[0], { ...status.ticks[1], shards: 0, scheduled: false }] } };
    const { code, output, errors } = await command("status");
    expect([code, output.split("\n").at(-1)]).toEqual([0, "1      0       never      not yet"]);
    expect(errors).toEqual([expect.stringMatching(/^not all ticks stand yet, and range 0 looks after their shards/)]);
  });

  it("says that a pause holds calls back", async () => {
    const off = status.ticks.map((tick) => ({ ...tick, scheduled: tick.range === 0 }));
    reply = { body: { ...status, ranges: 1, shards: 1, paused: true, ticks: off } };
    const { code, output, errors } = await command("pause");
    expect([code, errors]).toEqual([0, []]);
    expect(output.split("\n")[0]).toBe("paused: only what is hinted already is called, 1 range over 1 shard");
    expect(output.split("\n").slice(-2)).toEqual(["0      32      1m5s ago   comes, does nothing", "1      32      never      off"]);
  });
});

describe("wrongly asked, onthedot ticks", () => {
  it.each([
    ["", [/^expected what to do with the ticks, got nothing; "onthedot ticks" takes status, pause, resume, resize$/]],
    ["stauts", [/^stauts: unknown; did you mean "ticks status"\?$/]],
    ["delete", [/^delete: unknown; "onthedot ticks" takes/]],
    ["status now", [/^now: expected nothing more after "ticks status"$/]],
    ["resize", [/^--ranges: expected a whole number from 1, .* got none$/]],
    ["resize --ranges 0", [/^--ranges: .* got 0$/]],
    ["resize --ranges two", [/^--ranges: .* got two$/]],
    ["resize --ranges", [/^--ranges: expected a value after it, got none$/, /^--ranges: expected a whole number/]],
    ["resize --ranges 2 --ranges 3", [/^--ranges: expected once, got it twice$/]],
    ["pause --ranges 2", [/^--ranges: only "ticks resize" takes it$/]],
    ["status --ulr http://127.0.0.1:1", [/^--ulr: unknown flag; did you mean --url\?$/]],
    ["status --verbose", [/^--verbose: unknown flag; the flags are --url, --ranges$/]],
  ])("%s is one line for each mistake, and nothing is asked", async (line, said) => {
    const { code, output, errors } = await command(line);
    expect([code, output, asked]).toEqual([2, "", []]);
    expect(errors).toEqual(said.map((one) => expect.stringMatching(one)));
  });

  it.each([
    ["no URL", "status", {}, /^no installation is named: give its URL with --url or ONTHEDOT_URL \(the stack's output ApiUrl\)$/],
    ["no URL of HTTP", "status", { ONTHEDOT_URL: "ftp://example.com" }, /^ONTHEDOT_URL: expected a URL such as https:/],
    ["a name alone", "status --url example.com", {}, /^--url: expected a URL such as https:/],
    ["a password in it", "status", { ONTHEDOT_URL: "https://me:hunter22@example.com" }, /^ONTHEDOT_URL: expected a URL .* without user/],
    [
      "a key for everybody on the way",
      "status --url http://example.com",
      { ONTHEDOT_API_KEY: key },
      /^http:\/\/example.com: expected https/,
    ],
    [
      "a key that cannot be sent",
      "status --url https://example.com",
      { ONTHEDOT_API_KEY: "otd_\nhunter22" },
      /^ONTHEDOT_API_KEY: expected/,
    ],
    ["a key as a flag", `status --api-key ${key}`, { ONTHEDOT_URL: "https://example.com" }, /^--api-key: set ONTHEDOT_API_KEY instead/],
    ["a key as a flag", `status --api-key=${key}`, { ONTHEDOT_URL: "https://example.com" }, /^--api-key: set ONTHEDOT_API_KEY instead/],
  ])("with %s says what is wanted, and no secret", async (_, line, env, said) => {
    const { code, errors } = await command(line, env as Record<string, string>);
    expect([code, errors]).toEqual([2, [expect.stringMatching(said)]]);
    expect(errors.join()).not.toMatch(/hunter22|0123456789/);
  });
});

describe("refused, onthedot ticks", () => {
  it.each([
    ["no key", 401, problem("unauthorized", "…"), {}, /^the installation asks for a key: set ONTHEDOT_API_KEY to otd_ followed by/],
    ["a wrong key", 401, problem("unauthorized", "…"), { ONTHEDOT_API_KEY: key }, /^the key in ONTHEDOT_API_KEY is not the installation's/],
    ["access by IAM", 403, { message: "Forbidden" }, {}, /refused the request \(403\): where access goes by IAM, a request must be signed/],
    ["a foreign name", 403, problem("forbidden", "Without an API key only this machine is served."), {}, /^Without an API key only this/],
    [
      "an embedded host",
      404,
      problem("not_found", "There is no such path."),
      {},
      /^this installation has no ticks to manage: an embedded host/,
    ],
    ["another service", 404, { message: "Not Found" }, {}, /did not answer as onthedot does: expected the stack's output ApiUrl$/],
    ["too many ranges", 400, problem("invalid_request", "ranges: expected 1 to 8, got 9"), {}, /^ranges: expected 1 to 8, got 9$/],
    [
      "an outage",
      503,
      problem("unavailable", "…"),
      {},
      /^the installation does not answer for the moment \(503\) \(request r-1\); .*again$/,
    ],
    [
      "a gateway's outage",
      504,
      { message: "Endpoint request timed out" },
      {},
      /for the moment \(504\); nothing is lost: run the same command again$/,
    ],
    ["throttling", 429, { message: "Too Many Requests" }, {}, /for the moment \(429\)/],
    ["a bug", 500, problem("internal", "Something went wrong on our side."), {}, /^Something went wrong on our side\. \(request r-1\)$/],
    ["a bug without words", 500, { message: "Internal Server Error" }, {}, /did not answer as onthedot does.* \(status 500\)$/],
    ["another place to go", 302, {}, {}, /did not answer as onthedot does.* \(status 302\)$/],
    ["an answer of another shape", 200, { ranges: 1 }, {}, /did not answer as onthedot does/],
    ["a tick of another shape", 200, { ...status, ticks: [{ range: 0 }] }, {}, /did not answer as onthedot does/],
    ["nothing", 200, null, {}, /did not answer as onthedot does/],
  ])("for %s says what to do in one line, and ends with 1", async (_, code, body, env, said) => {
    reply = { status: code, text: JSON.stringify(body) };
    const got = await command("status", { ONTHEDOT_URL: url, ...(env as Record<string, string>) });
    expect([got.code, got.output, got.errors]).toEqual([1, "", [expect.stringMatching(said)]]);
    expect(got.errors.join()).not.toMatch(/\n|0123456789/);
  });

  it("for a page of something else says so", async () => {
    reply = { text: "<html>hello</html>" };
    expect((await command("status")).errors).toEqual([expect.stringMatching(/did not answer as onthedot does/)]);
  });

  it("for nobody there names the reason", async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect(await command(`status --url ${nobody}`)).toEqual({
      code: 1,
      output: "",
      errors: [`${nobody} could not be reached (ECONNREFUSED): is it the stack's output ApiUrl, and this machine online?`],
    });
  });
});

describe.concurrent("the program", () => {
  it("prints the ticks on standard output, and ends with 0", async () => {
    const { code, output, errors } = await run(["ticks", "status"], { env: { ONTHEDOT_URL: url } }).ended;
    expect({ code, errors, first: output.split("\n")[0] }).toEqual({ code: 0, errors: "", first: "running, 2 ranges over 64 shards" });
  });

  it("says on standard error what is wrong, and ends with 2", async () => {
    const errors = "no installation is named: give its URL with --url or ONTHEDOT_URL (the stack's output ApiUrl)\n";
    expect(await run(["ticks", "status"]).ended).toMatchObject({ code: 2, output: "", errors });
  });

  it("offers the command for a word that is near it", async () => {
    const errors = 'there is no command "tick"; did you mean "ticks"? Run "onthedot help".\n';
    expect(await run(["tick"]).ended).toMatchObject({ code: 2, output: "", errors });
  });
});
