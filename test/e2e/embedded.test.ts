/** The suite against the embedded home: the real program as a child process, its targets in this one. And what only this home has. */

import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../local/log.ts";
import { type ReceivedCall, type Receiver, startReceiver } from "../../local/receiver.ts";
import { freshFolder } from "../crash/folder.ts";
import { type HostProcess, startHostReady } from "../crash/hostProcess.ts";
import { startRecorder } from "./recorder.ts";
import { suite } from "./suite.ts";

let host: HostProcess;
let receiver: Receiver;
let recorder: Awaited<ReturnType<typeof startRecorder>>;
const calls = new Map<string, ReceivedCall[]>();

beforeAll(async () => {
  const log = createLog({ stream: new PassThrough(), isTerminal: false, level: "error" });
  const onCall = (call: ReceivedCall) => {
    const id = call.jobId ?? "";
    calls.set(id, [...(calls.get(id) ?? []), call]);
  };
  const started = await startReceiver({ port: 0, log, onCall });
  if (started.kind !== "listening") throw new Error("expected a free port");
  receiver = started;
  recorder = await startRecorder();
  host = await startHostReady(await freshFolder());
});

afterAll(async () => {
  const code = await host.end("SIGTERM");
  await Promise.all([receiver.close(), recorder.close()]);
  // Whatever the suite did to it: no bug was met, and it ends as it should.
  expect([code, host.errors().match(/"level":"error".*/g)]).toEqual([0, null]);
});

suite({
  baseUrl: () => host.url,
  targetUrl: () => receiver.url,
  calls: (jobId) => calls.get(jobId) ?? [],
  recorderUrl: () => recorder.url,
  recorded: (jobId) => recorder.recorded(jobId),
  // Some tens of claims run at once on a machine that may be busy; how precise it is when it is not, the bench tells.
  latenessMsMax: 500,
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
