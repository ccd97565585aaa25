/** How `onthedot start` ends: by one signal in its own time, by a second at once, and whenever in its life that comes. */

import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshFolder, type Program, pause, runStart, until } from "./program.ts";

/** Takes calls and never answers. */
let silent: Server;
let silentUrl: string;
let callCount = 0;
beforeAll(async () => {
  silent = createServer(() => {
    callCount += 1;
  }).listen(0, "127.0.0.1");
  await once(silent, "listening");
  silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
});
afterAll(() => {
  silent.closeAllConnections();
  silent.close();
});

/** A program with a call in flight that will not end by itself. */
async function runBusy(): Promise<Program> {
  const program = await runStart(["--allow-targets", "127.0.0.0/8"]);
  const url = await program.ready();
  const body = JSON.stringify({ target: { url: silentUrl }, timeout: "5m" });
  const before = callCount;
  const answer = await fetch(`${url}/v1/jobs`, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(answer.status).toBe(201);
  await until("the call to be in flight", () => callCount > before);
  return program;
}

const isRunning = ({ child }: Program) => child.exitCode === null && child.signalCode === null;

describe.concurrent("a signal", () => {
  it("sent twice within a second counts once, and once more later ends the program at once", async () => {
    const program = await runBusy();
    program.child.kill("SIGINT");
    await pause(150);
    program.child.kill("SIGINT");
    await pause(1_000);
    expect(isRunning(program)).toBe(true);
    expect(program.errors().match(/"signal":"SIGINT"/g)).toHaveLength(1);
    const askedAt = performance.now();
    program.child.kill("SIGINT");
    expect(await program.ended).toMatchObject({ code: 1, signal: null });
    expect(performance.now() - askedAt).toBeLessThan(1_000);
  });

  it("of a terminal that is closed ends the program as any other does", async () => {
    const program = await runStart();
    await program.ready();
    program.child.kill("SIGHUP");
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
  });

  it("that comes while the folder is being opened ends the program with 0, and leaves the folder to the next", async () => {
    const data = await freshFolder();
    const early = await runStart([], { env: { ONTHEDOT_DATA: data } });
    await until("the database to be made", () => existsSync(join(data, "onthedot.db")) || !isRunning(early));
    early.child.kill("SIGTERM");
    const { code, errors } = await early.ended;
    expect(code).toBe(0);
    expect(errors.split("\n").filter((line) => line !== "" && !line.includes('"signal":"SIGTERM"'))).toEqual([]);
    const next = await runStart([], { env: { ONTHEDOT_DATA: data } });
    await next.ready();
    next.child.kill("SIGTERM");
    expect(await next.ended).toMatchObject({ code: 0 });
  });

  it("ends the program although a client holds a request half sent", async () => {
    const program = await runStart();
    const { hostname, port } = new URL(await program.ready());
    const client = connect(Number(port), hostname).on("error", () => {});
    await once(client, "connect");
    client.write("POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{");
    await pause(100);
    program.child.kill("SIGTERM");
    const askedAt = performance.now();
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    client.destroy();
  });
});
