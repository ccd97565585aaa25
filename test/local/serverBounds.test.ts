/** What a client can hold by being slow, silent, large or gone: nothing for long. */

import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type Bounds, type Listening, listen } from "../../local/server.ts";
import { answerTo, connectTo, expectProblem, head, host, type RawClient } from "./rawClient.ts";

type Open = Extract<Listening, { kind: "listening" }>;

const patient: Bounds = {
  headMsMax: 20_000,
  requestMsMax: 20_000,
  keepAliveMs: 20_000,
  stillMsMax: 20_000,
  lookEveryMs: 20,
  lingerMs: 1_000,
};
/** Cuts a test short where the server holds on: far below the patient bounds, far above the short ones. */
const soonMs = 3_000;

const open: Open[] = [];
const clients: RawClient[] = [];
const rejections: unknown[] = [];
const keep = (cause: unknown) => rejections.push(cause);
process.on("unhandledRejection", keep);
afterAll(() => void process.off("unhandledRejection", keep));
const complaints = vi.spyOn(console, "error").mockImplementation(() => {});

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await Promise.all(open.splice(0).map((server) => server.close()));
  // Whatever the test did: nothing is left behind and nothing is complained of.
  await new Promise((resolve) => setImmediate(resolve));
  expect(rejections.splice(0)).toEqual([]);
  expect(complaints.mock.calls).toEqual([]);
});

async function opened(bounds: Partial<Bounds>, fetch: (request: Request) => Response | Promise<Response> = echo): Promise<Open> {
  const server = await listen({ host: "127.0.0.1", port: 0, fetch, bounds: { ...patient, ...bounds } });
  if (server.kind === "refused") throw new Error(server.message);
  open.push(server);
  return server;
}

async function client(server: Open, text: string): Promise<RawClient> {
  const connected = await connectTo(server.url);
  clients.push(connected);
  connected.send(text);
  return connected;
}

/** What the API does: reads the body, and answers even a body that broke off. */
async function echo(request: Request): Promise<Response> {
  const read = request.text().then(
    (body) => ({ status: 200, body }),
    () => ({ status: 400, body: "broke off" }),
  );
  const { status, body } = await read;
  return new Response(body, { status });
}

async function soon<Value>(promise: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`expected it within ${soonMs} ms`)), soonMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

describe("slow clients", () => {
  test.each([
    ["that sends nothing", ""],
    ["with half a request line", "GET /a HT"],
    ["with half a head", `GET /a HTTP/1.1\r\n${host}\r\nX-A: `],
  ])("a client %s is refused by 408 when the time for a head is over", async (_name, text) => {
    const slow = await client(await opened({ headMsMax: 150 }), text);
    expectProblem(await soon(slow.answer()), 408, "invalid_request");
    await soon(slow.ended);
  });

  test("a head that comes byte by byte is cut by its whole time, not by that of its pauses", async () => {
    const slow = await client(await opened({ headMsMax: 200 }), head("GET / HTTP/1.1", host).trimEnd());
    const drip = setInterval(() => slow.send("\r\nX: y"), 20);
    expectProblem(await soon(slow.answer()), 408, "invalid_request");
    clearInterval(drip);
  });

  test.each([
    ["of a known length", head("POST / HTTP/1.1", host, "Content-Length: 100000"), "abc"],
    ["in chunks", head("POST / HTTP/1.1", host, "Transfer-Encoding: chunked"), "3\r\nabc\r\n"],
  ])("a body %s that comes drop by drop is refused by 408, and the connection ends", async (_name, start, drop) => {
    const slow = await client(await opened({ headMsMax: 200, requestMsMax: 200 }), start);
    const drip = setInterval(() => slow.send(drop), 20);
    expectProblem(await soon(slow.answer()), 408, "invalid_request");
    clearInterval(drip);
    await soon(slow.ended);
  });

  test("a connection is closed when no further request comes", async () => {
    const idle = await client(await opened({ keepAliveMs: 100 }), head("GET / HTTP/1.1", host));
    expect((await idle.answer())?.status).toBe(200);
    await soon(idle.ended);
  });

  test("a client that does not read its answer is cut", async () => {
    const cut = Promise.withResolvers<void>();
    const server = await opened({ stillMsMax: 150 }, (request) => {
      request.signal.addEventListener("abort", () => cut.resolve());
      return Promise.resolve(new Response("x".repeat(64 * 1_024 * 1_024)));
    });
    const deaf = await client(server, head("GET / HTTP/1.1", host));
    deaf.socket.pause();
    await soon(cut.promise);
  });

  test("a refused client that goes on sending has a while to read its answer, and is cut then", async () => {
    const rude = await client(await opened({ lingerMs: 200 }), "nonsense\r\n\r\n");
    const drip = setInterval(() => rude.send("nonsense"), 5);
    const closed = new Promise((resolve) => rude.socket.once("close", resolve));
    expectProblem(await soon(rude.answer()), 400, "invalid_request");
    const answeredAt = performance.now();
    await soon(closed);
    clearInterval(drip);
    expect(performance.now() - answeredAt).toBeGreaterThan(100);
  });
});

describe("many clients", () => {
  test("hundreds of idle connections, and of half-sent heads, do not stop the service", async () => {
    const server = await opened({});
    await Promise.all(Array.from({ length: 400 }, (_, index) => client(server, index % 2 === 0 ? "" : "POST /v1/jobs HTT")));
    expect((await soon(answerTo(server.url, head("GET / HTTP/1.1", host))))?.status).toBe(200);
  });
});

describe("clients that go away", () => {
  test("a client that vanishes while it is served, sends or is answered leaves nothing behind", async () => {
    const arrived: Request[] = [];
    let isHere = Promise.withResolvers<void>();
    const server = await opened({}, async (request) => {
      arrived.push(request);
      isHere.resolve();
      return echo(request);
    });
    const texts = [
      `${head("POST / HTTP/1.1", host, "Content-Length: 10")}abc`,
      `${head("POST / HTTP/1.1", host, "Transfer-Encoding: chunked")}3\r\nabc\r\n`,
      `${head("POST / HTTP/1.1", host, "Content-Length: 3")}abc`,
    ];
    for (const text of texts) {
      isHere = Promise.withResolvers();
      const gone = await client(server, text);
      await isHere.promise;
      gone.socket.resetAndDestroy();
    }
    expect((await soon(answerTo(server.url, head("GET / HTTP/1.1", host))))?.status).toBe(200);
    expect(arrived.map(({ method }) => method)).toEqual(["POST", "POST", "POST", "GET"]);
  });

  test("a client that closes its side after the request is answered all the same", async () => {
    const gate = Promise.withResolvers<void>();
    const server = await opened({}, async () => {
      await gate.promise;
      return new Response("late");
    });
    const half = await client(server, head("GET / HTTP/1.1", host));
    half.socket.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    gate.resolve();
    expect((await soon(half.answer()))?.body).toBe("late");
    await soon(half.ended);
  });

  test("nonsense after a request that runs is refused after its answer, and not in its place", async () => {
    const gate = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const server = await opened({}, async () => {
      arrived.resolve();
      await gate.promise;
      return new Response("late");
    });
    const confused = await client(server, `${head("GET / HTTP/1.1", host)}nonsense\r\n\r\n`);
    await arrived.promise;
    gate.resolve();
    expect((await soon(confused.answer()))?.body).toBe("late");
    expectProblem(await soon(confused.answer()), 400, "invalid_request");
    await soon(confused.ended);
  });
});
