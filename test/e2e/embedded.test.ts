/** The suite against the embedded home: the real program as a child process, its targets in this one. And what only this home has. */

import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshFolder } from "../crash/folder.ts";
import { type HostProcess, startHostReady } from "../crash/hostProcess.ts";
import { suite } from "./suite.ts";
import { startTargets, type Targets } from "./targets.ts";

let host: HostProcess;
let targets: Targets;

beforeAll(async () => {
  targets = await startTargets(null);
  host = await startHostReady(await freshFolder());
});

afterAll(async () => {
  const code = await host.end("SIGTERM");
  await targets.close();
  // Whatever the suite did to it: no bug was met, and it ends as it should.
  expect([code, host.errors().match(/"level":"error".*/g)]).toEqual([0, null]);
});

suite({
  baseUrl: () => host.url,
  // No key: it listens on loopback only.
  headers: () => ({}),
  fetch,
  targetUrl: () => targets.targetUrl,
  calls: (jobId) => targets.calls(jobId),
  recorderUrl: () => targets.recorderUrl,
  recorded: (jobId) => targets.recorded(jobId),
  // Some tens of claims run at once on a machine that may be busy; how precise it is when it is not, the bench tells.
  latenessMsMax: 500,
  soonMs: 1_000,
  patienceMs: 20_000,
  pollMs: 25,
  counts: "itself",
});

describe.concurrent("the embedded home", () => {
  it.each([{ host: "evil.example" }, { origin: "https://evil.example" }])(
    "is not served to a web page that reached it as %j",
    async (headers) => {
      const refused = request(`${host.url}/v1/jobs`, { headers }).end();
      const [response] = await once(refused, "response");
      response.resume();
      expect(response.statusCode).toBe(403);
    },
  );

  it("answers what is no HTTP with a problem", async () => {
    const { hostname, port } = new URL(host.url);
    const socket = connect(Number(port), hostname);
    socket.end("NONSENSE\r\n\r\n");
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain("application/problem+json");
  });
});
