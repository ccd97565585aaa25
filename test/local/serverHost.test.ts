/** The whole home behind its socket: what the API promises holds for bytes that no well-behaved client sends. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Host, startHost } from "../../local/host.ts";
import { readSettings } from "../../local/settings.ts";
import type { Log } from "../../src/system/log.ts";
import { type Folder, freshFolder } from "../store/folder.ts";
import { type Answer, answerTo, connectTo, expectProblem, head, host } from "./rawClient.ts";

const key = "otd_0123456789abcdefghijklmnop";
const json = "Content-Type: application/json";
const lines: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];
const log: Log = Object.assign(
  (level: string, message: string, fields?: unknown) => {
    lines.push({ level, message, fields });
  },
  { isOn: () => true },
);

const rejections: unknown[] = [];
const keep = (cause: unknown) => rejections.push(cause);
let folder: Folder;
let homes: { readonly open: Host; readonly keyed: Host };

async function started(name: string, env: Record<string, string> = {}): Promise<Host> {
  const read = readSettings({ argv: ["--data", folder.file(name), "--port", "0", "--receiver-port", "0"], env });
  if ("wrong" in read) throw new Error(read.wrong.join());
  const home = await startHost(read.settings, log, "0.0.0-test");
  if (home.kind === "refused") throw new Error(home.message);
  return home;
}

beforeAll(async () => {
  process.on("unhandledRejection", keep);
  folder = await freshFolder();
  const [open, keyed] = await Promise.all([started("open"), started("keyed", { ONTHEDOT_API_KEY: key })]);
  homes = { open, keyed };
});
afterAll(async () => {
  await Promise.all([homes.open.stop(), homes.keyed.stop()]);
  await folder.remove();
  process.off("unhandledRejection", keep);
  // Whatever clients did in this file: it is theirs, and no error of ours.
  expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  expect(rejections).toEqual([]);
});

const ask = (text: string) => answerTo(homes.open.url, text);
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const newJob = JSON.stringify({ target: { url: "https://example.com/" }, delay: "1h" });

describe("odd requests", () => {
  test.each([
    ["a path of two slashes", "GET //v1/jobs HTTP/1.1", 404, "not_found"],
    ["an encoded slash", "GET /v1%2Fjobs HTTP/1.1", 404, "not_found"],
    ["an encoded NUL", "GET /v1/jobs/%00 HTTP/1.1", 404, "not_found"],
    ["a broken encoding", "GET /v1/jobs/%zz HTTP/1.1", 404, "not_found"],
    ["a URL of 12 KiB", `GET /${"a".repeat(12_000)} HTTP/1.1`, 404, "not_found"],
    ["an absolute target of no path", "GET http://localhost/nope HTTP/1.1", 404, "not_found"],
    ["OPTIONS", "OPTIONS /v1/jobs HTTP/1.1", 405, "method_not_allowed"],
    ["TRACE", "TRACE /v1/jobs HTTP/1.1", 405, "method_not_allowed"],
    ["a method of another protocol", "PROPFIND /v1/jobs HTTP/1.1", 405, "method_not_allowed"],
  ])("%s is a problem of the API", async (_name, line, status, code) => {
    expectProblem(await ask(head(line, host)), status, code);
  });

  test("an absolute target is served by its path", async () => {
    expect((await ask(head(`GET http://localhost/v1/health HTTP/1.1`, host)))?.status).toBe(200);
  });

  test("HTTP/1.0 without a host, as load balancers ask, is served", async () => {
    expect((await ask(head("GET /v1/health HTTP/1.0")))?.status).toBe(200);
  });

  test("requests sent without waiting, of which one is refused, are answered in their order", async () => {
    const client = await connectTo(homes.open.url);
    const post = `${head("POST /v1/jobs HTTP/1.1", host, json, `Content-Length: ${newJob.length}`)}${newJob}`;
    client.send(head("GET /nope HTTP/1.1", host) + post + head("GET /v1/health HTTP/1.1", host));
    expect([await client.answer(), await client.answer(), await client.answer()].map((answer) => answer?.status)).toEqual([404, 201, 200]);
    client.socket.destroy();
  });

  test("a caller's request id comes back, and whoever sends none gets one", async () => {
    const given = await ask(head("GET /v1/health HTTP/1.1", host, "X-Request-Id: mine-7"));
    const made = await ask(head("GET /v1/health HTTP/1.1", host));
    expect(given?.headers["x-request-id"]).toBe("mine-7");
    expect(made?.headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
  });
});

describe("bodies", () => {
  test("a job in chunks is made, after 100 Continue where that is expected", async () => {
    const client = await connectTo(homes.open.url);
    client.send(head("POST /v1/jobs HTTP/1.1", host, json, "Transfer-Encoding: chunked", "Expect: 100-continue"));
    expect((await client.answer())?.status).toBe(100);
    client.send(`${chunk(newJob.slice(0, 10))}${chunk(newJob.slice(10))}0\r\n\r\n`);
    expect((await client.answer())?.status).toBe(201);
    client.socket.destroy();
  });

  test("endless chunks are refused by 413 while they come, and soon no longer read", async () => {
    const client = await connectTo(homes.open.url);
    client.send(head("POST /v1/jobs HTTP/1.1", host, json, "Transfer-Encoding: chunked"));
    const piece = Buffer.from(chunk("x".repeat(64 * 1_024)));
    let sentBytes = 0;
    const flood = () => {
      sentBytes += piece.length;
      // At the rate at which the server reads: with each piece taken, the next.
      client.socket.write(piece, (error) => (error == null ? flood() : undefined));
    };
    flood();
    expectProblem(await client.answer(), 413, "payload_too_large");
    await client.ended;
    // What the adapter swallows so that a client in full flow can read its answer.
    expect(sentBytes).toBeLessThan(100 * 1_024 * 1_024);
  });

  test("a length that is too large is refused by 413 before a byte is sent", async () => {
    const answer = await ask(head("POST /v1/jobs HTTP/1.1", host, json, "Content-Length: 999999999"));
    expectProblem(answer, 413, "payload_too_large");
  });

  test.each([
    ["too large by its length", 413, "payload_too_large", [json, "Content-Length: 999999999"]],
    ["larger than a job may be, and not than a batch", 413, "payload_too_large", [json, "Content-Length: 3000000"]],
    ["of another type", 415, "unsupported_media_type", ["Content-Type: text/plain", "Content-Length: 2"]],
  ] as const)("a body that is %s is refused before it is asked for, and the connection ends", async (_name, status, code, fields) => {
    const client = await connectTo(homes.open.url);
    client.send(head("POST /v1/jobs HTTP/1.1", host, "Expect: 100-continue", ...fields));
    const answer = await client.answer();
    expectProblem(answer, status, code);
    expect(answer?.headers["connection"]).toBe("close");
    await client.ended;
  });

  test("a body that is waited for is asked for, and the connection goes on", async () => {
    const client = await connectTo(homes.open.url);
    for (const framing of [`Content-Length: ${newJob.length}`, "Transfer-Encoding: chunked"]) {
      client.send(head("POST /v1/jobs HTTP/1.1", host, json, framing, "Expect: 100-continue"));
      expect((await client.answer())?.status).toBe(100);
      client.send(framing.startsWith("C") ? newJob : `${chunk(newJob)}0\r\n\r\n`);
      expect(await client.answer()).toMatchObject({ status: 201, headers: { connection: "keep-alive" } });
    }
    client.socket.destroy();
  });

  test("a client that breaks off makes no job, and is no error of ours", async () => {
    const jobs = async () => JSON.parse((await ask(head("GET /v1/jobs HTTP/1.1", host)))?.body ?? "").data.length as number;
    const before = await jobs();
    for (const framing of [`Content-Length: ${newJob.length + 1}`, "Transfer-Encoding: chunked"]) {
      const client = await connectTo(homes.open.url);
      client.send(`${head("POST /v1/jobs HTTP/1.1", host, json, framing)}${framing.startsWith("C") ? newJob : chunk(newJob)}`);
      // The answer to another request says that the server has seen the first.
      await ask(head("GET /v1/health HTTP/1.1", host));
      client.socket.resetAndDestroy();
      await client.ended;
    }
    expect(await jobs()).toBe(before);
  });
});

describe("without a key", () => {
  test.each([
    ["a name that is pointed here", ["Host: evil.example"]],
    ["a name that begins like ours", ["Host: localhost.evil.example"]],
    ["an address of another network", ["Host: 192.168.0.7"]],
    ["two hosts", ["Host: localhost", "Host: evil.example"]],
    ["an empty host", ["Host:"]],
    ["a page of another origin", [host, "Origin: https://evil.example"]],
    ["a page of no origin", [host, "Origin: null"]],
  ])("%s is refused by 403", async (_name, fields) => {
    expectProblem(await ask(head("GET /v1/jobs HTTP/1.1", ...fields)), 403, "forbidden");
  });

  test("an absolute target does not hide a foreign host", async () => {
    expectProblem(await ask(head("GET http://localhost/v1/jobs HTTP/1.1", "Host: evil.example")), 403, "forbidden");
  });
});

describe("with a key", () => {
  const asked = (line: string, ...fields: string[]) => answerTo(homes.keyed.url, head(line, host, ...fields));
  const bearer = `Authorization: Bearer ${key}`;
  const bodyOf = (answer: Answer | undefined): unknown => JSON.parse(answer?.body ?? "");

  test.each([["GET /v1/jobs"], ["POST /v1/jobs"], ["GET /v1/metrics"], ["GET /nope"], ["PROPFIND /v1/jobs"]])(
    "%s without it is refused by 401",
    async (line) => {
      const answer = await asked(`${line} HTTP/1.1`);
      expectProblem(answer, 401, "unauthorized");
      expect(answer?.headers["www-authenticate"]).toBe("Bearer");
    },
  );

  test("it opens what is closed", async () => {
    expect((await asked("GET /v1/jobs HTTP/1.1", bearer))?.status).toBe(200);
    expectProblem(await asked("GET /v1/jobs HTTP/1.1", `${bearer}x`), 401, "unauthorized");
  });

  test("health tells its status alone to who does not know it, and the whole to who does", async () => {
    expect(bodyOf(await asked("GET /v1/health HTTP/1.1"))).toEqual({ status: "ok" });
    expect(bodyOf(await asked("GET /v1/health HTTP/1.1", bearer))).toMatchObject({ status: "ok", checks: { store: "ok", clock: "ok" } });
  });

  test("the description of the API is open", async () => {
    expect((await asked("GET /openapi.json HTTP/1.1"))?.status).toBe(200);
  });
});
