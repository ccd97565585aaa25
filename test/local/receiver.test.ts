import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ReceivedCall, type Receiver, startReceiver } from "../../local/receiver.ts";
import { readScript } from "../../local/receiverScript.ts";
import { formatInstant, later } from "../../src/core/time.ts";
import type { Fields, Level, Log } from "../../src/system/log.ts";
import { startAt } from "../builders.ts";

let receiver: Receiver;
let seen: ReceivedCall[] = [];
let lines: string[] = [];
const log: Log = Object.assign((_level: Level, message: string, _fields?: Fields) => void lines.push(message), { isOn: () => true });

beforeAll(async () => {
  const started = await startReceiver({ port: 0, log, now: () => later(startAt, 7), onCall: (call) => seen.push(call) });
  if (started.kind !== "listening") throw new Error(started.kind);
  receiver = started;
});
beforeEach(() => {
  seen = [];
  lines = [];
});
afterAll(() => receiver.close());

const headers = { "onthedot-job": "job_X", "onthedot-attempt": "1", "onthedot-due-at": formatInstant(startAt), "webhook-id": "job_X" };

function post(path: string, given: Record<string, string> = {}): Promise<Response> {
  return fetch(`${receiver.url}${path}`, { method: "POST", headers: { ...headers, ...given }, body: "0123456789" });
}

test("a call is seen with its job, attempt, due instant, lateness and size, and the log says how late it was", async () => {
  const answer = await post("/hook?token=query-secret");
  const call = {
    ...{ jobId: "job_X", attempt: 1, dueAt: startAt, receivedAt: later(startAt, 7), latenessMs: 7 },
    ...{ method: "POST", path: "/hook", webhookId: "job_X", bytes: 10 },
  };
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ ok: true, ...call });
  expect(seen).toEqual([call]);
  expect(receiver.calls().at(-1)).toEqual(call);
  expect(lines).toEqual(["received POST /hook of job_X, 7 ms late"]);
});

test("a retry is not called late: its line says how long after the due instant it came", async () => {
  await post("/hook", { "onthedot-attempt": "3" });
  expect(lines).toEqual(["received POST /hook of job_X, attempt 3, 7 ms after it was due"]);
});

test("a call that is not onthedot's, or carries nonsense, is seen with nothing made up for it", async () => {
  await fetch(`${receiver.url}/plain`, { headers: { "onthedot-due-at": "soon", "onthedot-attempt": "first" } });
  expect(seen[0]).toMatchObject({ jobId: null, attempt: null, dueAt: null, latenessMs: null, webhookId: null, bytes: 0 });
});

test("a look at / by a browser shows what the receiver can do and is no call; a job aimed at / is one", async () => {
  const help = await fetch(receiver.url);
  expect([help.headers.get("content-type"), await help.text()]).toEqual([
    "text/plain; charset=utf-8",
    expect.stringContaining("/status/503"),
  ]);
  expect(seen).toHaveLength(0);
  await fetch(receiver.url, { headers });
  await post("/");
  expect(seen).toHaveLength(2);
});

test("parts of the path combine in any order, and other parts are left alone", async () => {
  for (const path of ["/hooks/status/503/header/retry-after/1", "/header/retry-after/1/status/503/x"]) {
    const answer = await post(path);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  }
});

test("with until, the status is answered before that attempt and 200 from then on", async () => {
  const statuses = [];
  for (const attempt of ["1", "2", "3"]) statuses.push((await post("/status/503/until/2", { "onthedot-attempt": attempt })).status);
  expect(statuses).toEqual([503, 200, 200]);
});

test("an answer without a body, and one to HEAD, complete", async () => {
  expect([(await post("/status/204")).status, (await post("/status/304")).status]).toEqual([204, 304]);
  expect((await fetch(`${receiver.url}/status/404`, { method: "HEAD" })).status).toBe(404);
});

test("a delay, so many bytes, and a dripping body come as asked", async () => {
  const startedAt = performance.now();
  expect((await post("/delay/20ms")).status).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
  expect((await (await post("/bytes/70000")).arrayBuffer()).byteLength).toBe(70_000);
  expect(await (await post("/drip/100ms")).text()).toBe("..");
});

/** The code of the error that a call ends with, in its head or in its body. */
async function failureOf(path: string, signal?: AbortSignal): Promise<string | undefined> {
  const call = request(`${receiver.url}${path}`, { method: "POST", headers, ...(signal === undefined ? {} : { signal }) });
  const [outcome] = await Promise.race([once(call.end(), "response"), once(call, "error")]).catch((error: unknown) => [error]);
  if (outcome instanceof Error) return "code" in outcome ? String(outcome.code) : outcome.message;
  const [error] = await once(outcome.resume(), "error");
  return error.code;
}

test("a reset cuts the connection before an answer, short cuts it within the body", async () => {
  expect(await failureOf("/reset")).toBe("ECONNRESET");
  expect(await failureOf("/short")).toBe("ECONNRESET");
});

test("a call told to hang is seen, gets no answer until its caller goes, and closing does not wait for it", async () => {
  const seenCall = Promise.withResolvers<void>();
  const own = await startReceiver({ port: 0, log, onCall: () => seenCall.resolve() });
  if (own.kind !== "listening") throw new Error(own.kind);
  const call = fetch(`${own.url}/hang`).then(
    () => "answered",
    () => "cut",
  );
  await seenCall.promise;
  await own.close();
  expect(await call).toBe("cut");
});

test("a path that cannot be followed is a 400 that says how it should be, and no answer of another kind", async () => {
  for (const path of [
    "/status/abc",
    "/status/100",
    "/status",
    "/delay/2",
    "/delay/1d",
    "/header/a%20b/c",
    "/header/%zz/c",
    "/header/content-length/5",
    "/until/0",
  ]) {
    const answer = await post(path);
    expect([path, answer.status]).toEqual([path, 400]);
    expect(await answer.text()).toMatch(/^expected /);
  }
});

test("a header's value is decoded, and one with a line break is refused", () => {
  expect(readScript("/header/Retry-After/Sun,%2022%20Nov%202026%2016:00:00%20GMT")).toMatchObject({
    headers: [["retry-after", "Sun, 22 Nov 2026 16:00:00 GMT"]],
  });
  expect(readScript("/header/x/a%0d%0ab")).toHaveProperty("wrong");
});

test("of any number of calls the last ones are kept, in order", async () => {
  const paths: string[] = [];
  const own = await startReceiver({ port: 0, log, keep: 10, onCall: (call) => paths.push(call.path) });
  if (own.kind !== "listening") throw new Error(own.kind);
  for (let index = 0; index < 37; index++) {
    await (await fetch(`${own.url}/n/${index}`)).arrayBuffer();
    expect(own.calls().map((call) => call.path)).toEqual(paths.slice(-10));
  }
  await own.close();
});

test("every path has a reading, and following it answers or cuts the call and leaves the receiver alive", async () => {
  const word = fc.constantFrom(
    "status",
    "until",
    "bytes",
    "drip",
    "delay",
    "header",
    "hang",
    "reset",
    "short",
    "trailer",
    "204",
    "503",
    "0",
    "5",
    "1ms",
    "x",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 8 }), fc.constantFrom("POST", "HEAD", "GET"), async (parts, method) => {
      const path = `/hook/${parts.join("/")}`;
      await fetch(`${receiver.url}${path}`, { method, signal: AbortSignal.timeout(parts.includes("hang") ? 20 : 5_000) })
        .then((answer) => answer.arrayBuffer())
        .catch((error: unknown) =>
          expect(
            parts.some((part) => ["hang", "reset", "short"].includes(part)),
            `${path}: ${error}`,
          ).toBe(true),
        );
    }),
    { numRuns: 60 },
  );
  expect(lines.filter((line) => line.includes("could not answer"))).toEqual([]);
  expect((await post("/alive")).status).toBe(200);
});

test("any bytes at all, percent-encoded, are read as a header's value or refused, and never throw", () => {
  for (const bytes of fc.sample(fc.uint8Array({ maxLength: 6 }), 300)) {
    const value = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
    const read = readScript(`/header/x/${value}`);
    expect("wrong" in read || read.headers.length === 1).toBe(true);
  }
});

const others: { close(): void }[] = [];
afterEach(() => {
  for (const other of others.splice(0)) other.close();
});

test("a port that another program holds is an answer", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  others.push(other);
  await once(other, "listening");
  expect(await startReceiver({ port: (other.address() as AddressInfo).port, log })).toEqual({ kind: "port_taken" });
});
