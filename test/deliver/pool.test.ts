/** Which connection a call gets: its own, ready when it is due, and never one that cannot carry it. */

import { once } from "node:events";
import { createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Connection } from "../../src/deliver/connection.ts";
import { createPool } from "../../src/deliver/pool.ts";
import { call, get, ok, openDeliver, openTarget, post } from "./target.ts";

const signal = new AbortController().signal;

/** A pool alone, and connections of it to one port. */
function openPool(port: number, now: () => number = Date.now) {
  const resolve = async () => ({ addresses: [{ address: "127.0.0.1", family: 4 as const }] });
  const pool = createPool({ resolve, connectionsMax: 8, now });
  onTestFinished(() => pool.close());
  const place = { origin: `http://127.0.0.1:${port}`, secure: false, host: "127.0.0.1", port };
  const open = () =>
    new Promise<Connection>((done) => {
      pool.open(place, (result) => ("reason" in result ? fail() : done(result)));
    });
  return { pool, place, open };
}
const answered = { kind: "response", status: 200, body: "complete" };

describe("connections ahead of their need:", () => {
  test("of 250 calls prepared for one origin, each has its own connection before any is sent, and no more are opened", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver();
    const calls = Array.from({ length: 250 }, () => deliver.prepare(target.url, 10_000));
    await target.accepted(250);
    const answers = await Promise.all(calls.map((prepared) => prepared.send(post, signal)));
    for (const answer of answers) expect(answer).toMatchObject(answered);
    expect(target.sockets).toHaveLength(250);
  });

  test("the connection of a released call serves the next one", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver();
    const prepared = deliver.prepare(target.url, 5_000);
    await target.accepted(1);
    await nextTurn();
    prepared.release();
    expect(await call(deliver, target.url)).toMatchObject(answered);
    expect(target.sockets).toHaveLength(1);
  });

  test("a released call cannot be sent, and one that was sent cannot be released", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver();
    const releasedCall = deliver.prepare(target.url, 5_000);
    releasedCall.release();
    expect(await releasedCall.send(post, signal)).toMatchObject({ kind: "failure", reason: "aborted", sentAt: null });
    const sentCall = deliver.prepare(target.url, 5_000);
    const answering = sentCall.send(post, signal);
    sentCall.release();
    expect(await answering).toMatchObject(answered);
    expect(target.requests).toHaveLength(1);
  });

  test("beyond the bound none is opened ahead, and a call that is sent gets one all the same", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver({ connectionsMax: 2 });
    const calls = [1, 2, 3].map(() => deliver.prepare(target.url, 5_000));
    await target.accepted(2);
    await nextTurn();
    expect(target.sockets).toHaveLength(2);
    expect(await calls[2]?.send(post, signal)).toMatchObject(answered);
    expect(target.sockets).toHaveLength(3);
    for (const prepared of calls.slice(0, 2)) prepared.release();
  });

  test("at the bound the longest idle connection makes room for another origin", async () => {
    const [first, second] = await Promise.all([openTarget((socket) => socket.write(ok)), openTarget((socket) => socket.write(ok))]);
    const deliver = openDeliver({ connectionsMax: 1 });
    await call(deliver, first.url);
    const closed = once(first.sockets[0] ?? fail(), "close");
    const prepared = deliver.prepare(second.url, 5_000);
    await closed;
    await second.accepted(1);
    expect(await prepared.send(post, signal)).toMatchObject(answered);
  });

  test("a connection that is lost while its call waits is replaced before the call is sent", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const prepared = openDeliver().prepare(target.url, 5_000);
    await target.accepted(1);
    await nextTurn();
    target.sockets[0]?.destroy();
    await target.accepted(2);
    expect(await prepared.send(post, signal)).toMatchObject(answered);
    expect(target.sockets).toHaveLength(2);
  });
});

describe("kept-alive connections:", () => {
  test("calls one after another share one", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver();
    for (let count = 0; count < 5; count += 1) expect(await call(deliver, target.url)).toMatchObject(answered);
    expect(target.sockets).toHaveLength(1);
  });

  test("one that the target announces to close is not used again", async () => {
    const target = await openTarget((socket) => socket.end(ok.replace("\r\n", "\r\nconnection: close\r\n")));
    const deliver = openDeliver();
    expect(await call(deliver, target.url)).toMatchObject(answered);
    expect(await call(deliver, target.url)).toMatchObject(answered);
    expect(target.sockets).toHaveLength(2);
  });

  test.each([
    ["closes", "destroy"],
    ["resets", "resetAndDestroy"],
  ] as const)("a call whose connection the target %s before a byte is sent goes out once, on a new one", async (_, close) => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver();
    await call(deliver, target.url);
    // In the check phase: the event loop polls, and so meets the close, before the client writes.
    await nextTurn();
    target.sockets[0]?.[close]();
    const answer = await call(deliver, target.url);
    expect(answer).toMatchObject(answered);
    expect(target.requests).toHaveLength(2);
    expect(target.sockets).toHaveLength(2);
  });

  test("a call whose bytes had left when the target closed is not sent again", async () => {
    const target = await openTarget((socket, _request, index) => (index === 0 ? socket.write(ok) : socket.destroy()));
    const deliver = openDeliver();
    await call(deliver, target.url);
    const answer = await call(deliver, target.url, { request: get });
    expect(answer).toMatchObject({ kind: "failure", reason: "network", sentAt: expect.any(Number) });
    expect(target.requests).toHaveLength(2);
  });

  test("an answer that nobody asked for is never taken for the next call's", async () => {
    const stray = ok.replace("ok", "no");
    const target = await openTarget((socket, _request, index) => socket.write(index === 0 ? ok + stray : ok));
    const deliver = openDeliver();
    await call(deliver, target.url);
    const answer = await call(deliver, target.url);
    if (answer.kind !== "response") throw new Error(answer.message);
    expect(Buffer.from(answer.excerpt).toString()).toBe("ok");
    expect(target.sockets).toHaveLength(2);
  });

  test("bytes that came before the request was sent are not its answer", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const deliver = openDeliver();
    const prepared = deliver.prepare(target.url, 5_000);
    await target.accepted(1);
    target.sockets[0]?.write(ok.replace("ok", "no"));
    await nextTurn();
    await nextTurn();
    const answer = await prepared.send(post, signal);
    expect(answer).toMatchObject(answered);
    if (answer.kind === "response") expect(Buffer.from(answer.excerpt).toString()).toBe("ok");
    expect(target.requests).toHaveLength(1);
  });
});

describe("a connection that cannot carry another request:", () => {
  test("one that has ended but is not closed yet is not handed out; the idle one below it is", async () => {
    const target = await openTarget(() => {});
    const { pool, place, open } = openPool(target.port);
    const [whole, ended] = [await open(), await open()];
    pool.put(whole);
    pool.put(ended);
    // Its close event comes in a later turn of the event loop.
    ended.socket.destroy();
    expect(pool.take(place.origin)).toBe(whole);
    expect(pool.take(place.origin)).toBeUndefined();
  });

  test("one that lay idle while the process was frozen is not handed out, for nobody can have seen it close", async () => {
    const target = await openTarget(() => {});
    let frozenMs = 0;
    const { pool, place, open } = openPool(target.port, () => Date.now() + frozenMs);
    const connection = await open();
    pool.put(connection);
    expect(pool.take(place.origin)).toBe(connection);
    pool.put(connection);
    frozenMs = 60_000;
    expect(pool.take(place.origin)).toBeUndefined();
    expect(connection.socket.destroyed).toBe(true);
  });

  test("one whose request was answered before it was read is not used again, for its bytes are still unsent", async () => {
    // Reads the head of the first request and no more of it; the next call on that connection would wait behind the rest for ever.
    let accepted = 0;
    const server = createServer((socket) => {
      const isFirst = ++accepted === 1;
      socket.on("error", () => {});
      onTestFinished(() => void socket.destroy());
      socket.once("data", () => {
        if (isFirst) socket.pause();
        socket.write(ok);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error(`expected a port, got ${address}`);
    const url = `http://127.0.0.1:${address.port}/`;
    const deliver = openDeliver();
    // More than the buffers of the system hold.
    const body = Buffer.alloc(32 * 1_024 * 1_024);
    expect(await call(deliver, url, { request: { ...post, body } })).toMatchObject(answered);
    expect(await call(deliver, url, { timeoutMs: 1_000 })).toMatchObject(answered);
    expect(accepted).toBe(2);
  });
});

describe("a connection that fails:", () => {
  test("a refused one is a network failure with the system's code, and nothing was sent", async () => {
    expect(await call(openDeliver(), "http://127.0.0.1:1/")).toMatchObject({
      kind: "failure",
      reason: "network",
      code: "ECONNREFUSED",
      sentAt: null,
    });
  });

  test("a target that closes each connection unread is connected to twice ahead, and once more to send", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const prepared = openDeliver().prepare(target.url, 5_000);
    for (let count = 1; count <= 2; count += 1) {
      await target.accepted(count);
      await nextTurn();
      target.sockets[count - 1]?.destroy();
    }
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    expect(target.sockets).toHaveLength(2);
    expect(await prepared.send(post, signal)).toMatchObject(answered);
    expect(target.sockets).toHaveLength(3);
  });

  test("the first of two addresses may be dead", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const addresses = ["127.0.0.9", "127.0.0.1"].map((address) => ({ address, family: 4 }));
    const deliver = openDeliver({ lookup: async () => addresses });
    expect(await call(deliver, `http://two.test:${target.port}/`)).toMatchObject(answered);
  });
});

test("closing ends what is idle, what is in flight and what is prepared, the latter two as aborted", async () => {
  const target = await openTarget((socket, _request, index) => (index === 0 ? socket.write(ok) : undefined));
  const deliver = openDeliver({ lookup: () => new Promise(() => {}) });
  await call(deliver, target.url);
  const inFlight = call(deliver, target.url);
  const connecting = call(deliver, "http://slow.test/");
  const prepared = deliver.prepare(target.url, 5_000);
  await vi.waitFor(() => expect(target.requests).toHaveLength(2));
  await deliver.close();
  const aborted = { kind: "failure", reason: "aborted" };
  expect(await inFlight).toMatchObject(aborted);
  expect(await connecting).toMatchObject(aborted);
  expect(await prepared.send(post, signal)).toMatchObject(aborted);
  expect(await call(deliver, target.url)).toMatchObject({ ...aborted, sentAt: null });
});

test("a URL that cannot be called is a failed call and not an exception", async () => {
  for (const url of ["", "hook", "ftp://hook.test/"]) {
    expect(await call(openDeliver(), url)).toMatchObject({ kind: "failure", reason: "network", sentAt: null });
  }
});

test("a header that HTTP cannot carry is a failed call and not an exception", async () => {
  const target = await openTarget((socket) => socket.write(ok));
  const answer = await call(openDeliver(), target.url, { request: { ...post, headers: { "x-a": "a\r\nb: c" } } });
  expect(answer).toMatchObject({ kind: "failure", reason: "network", sentAt: null });
  expect(target.requests).toHaveLength(0);
});

function fail(): never {
  throw new Error("expected a connection");
}
