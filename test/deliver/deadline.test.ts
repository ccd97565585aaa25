import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Answer } from "../../src/core/outcome.ts";
import { later } from "../../src/core/time.ts";
import { call, get, now, ok, openDeliver, openTarget, post } from "./target.ts";

describe("the deadline, turned by hand:", () => {
  const timeoutMs = 30_000;
  const timeout = { kind: "failure", reason: "timeout" };
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  /** The answer, which must not come a millisecond early. */
  async function answerAtDeadline(answering: Promise<Answer>): Promise<Answer> {
    const early = vi.fn();
    void answering.then(early);
    await vi.advanceTimersByTimeAsync(timeoutMs - 1);
    expect(early).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    return answering;
  }

  /** A target that sends the bytes of its answer one by one, and tells when a few are out. */
  async function openDrip(start: string, piece: string) {
    let told = () => {};
    const dripping = new Promise<void>((done) => (told = done));
    const target = await openTarget((socket) => {
      let count = 0;
      socket.write(start);
      const timer = setInterval(() => {
        socket.write(piece);
        count += 1;
        if (count === 5) told();
      }, 1);
      socket.once("close", () => clearInterval(timer));
    });
    return { target, dripping };
  }

  test("a target that never answers is given up then, and its connection closed", async () => {
    let [asked, closed] = [() => {}, () => {}];
    const request = new Promise<void>((done) => (asked = done));
    const cut = new Promise<void>((done) => (closed = done));
    const target = await openTarget((socket) => {
      socket.once("close", closed);
      asked();
    });
    const answering = call(openDeliver(), target.url, { timeoutMs });
    await request;
    expect(await answerAtDeadline(answering)).toMatchObject({ ...timeout, status: null, sentAt: expect.any(Number) });
    await cut;
  });

  test("a head that drips does not move it", async () => {
    const { target, dripping } = await openDrip("HTTP/1.1 200 OK\r\n", "x: y\r\n");
    const answering = call(openDeliver(), target.url, { timeoutMs });
    await dripping;
    expect(await answerAtDeadline(answering)).toMatchObject({ ...timeout, status: null });
  });

  test("a body that drips does not move it, and the status that came is told", async () => {
    const { target, dripping } = await openDrip("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", "x");
    const head = new Promise<void>((done) => {
      const arrived = () => done();
      subscribe("undici:request:headers", arrived);
      onTestFinished(() => void unsubscribe("undici:request:headers", arrived));
    });
    const answering = call(openDeliver(), target.url, { timeoutMs });
    await Promise.all([dripping, head]);
    expect(await answerAtDeadline(answering)).toMatchObject({ ...timeout, status: 200 });
  });

  test("it counts from the preparation, and covers the look-up of the name", async () => {
    const deliver = openDeliver({ lookup: () => new Promise(() => {}) });
    const prepared = deliver.prepare("http://slow.test/", timeoutMs);
    vi.advanceTimersByTime(10_000);
    const answering = prepared.send(post, new AbortController().signal);
    vi.advanceTimersByTime(20_000);
    expect(await answering).toMatchObject({ ...timeout, sentAt: null, message: expect.stringContaining("the connection was not open") });
  });

  test("a TLS handshake that stalls ends then", async () => {
    const target = await openTarget(() => {});
    const answering = call(openDeliver(), target.url.replace("http:", "https:"), { timeoutMs });
    await target.accepted(1);
    expect(await answerAtDeadline(answering)).toMatchObject({ ...timeout, sentAt: null });
  });

  test("a call that is sent after it sends nothing", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    const prepared = openDeliver().prepare(target.url, timeoutMs);
    await target.accepted(1);
    vi.advanceTimersByTime(timeoutMs);
    expect(await prepared.send(post, new AbortController().signal)).toMatchObject({ ...timeout, sentAt: null });
    expect(target.requests).toHaveLength(0);
  });
});

test("a call whose connection opens after the last instant at which it may start sends nothing", async () => {
  const target = await openTarget((socket) => socket.write(ok));
  const late = { ...post, startBy: later(now(), -1) };
  expect(await call(openDeliver(), target.url, { request: late })).toMatchObject({ kind: "failure", reason: "aborted", sentAt: null });
  expect(target.requests).toHaveLength(0);
  expect(await call(openDeliver(), target.url, { request: { ...post, startBy: later(now(), 60_000) } })).toMatchObject({ status: 200 });
});

test("an aborted call ends at once as aborted, and its connection is closed", async () => {
  const abort = new AbortController();
  let closed = () => {};
  const cut = new Promise<void>((done) => (closed = done));
  const target = await openTarget((socket) => {
    socket.once("close", closed);
    abort.abort();
  });
  const answer = await call(openDeliver(), target.url, { signal: abort.signal });
  expect(answer).toMatchObject({ kind: "failure", reason: "aborted", sentAt: expect.any(Number) });
  await cut;
});

test("a call that was aborted before it is sent sends nothing, and its connection serves the next", async () => {
  const target = await openTarget((socket) => socket.write(ok));
  const deliver = openDeliver();
  const prepared = deliver.prepare(target.url, 5_000);
  await target.accepted(1);
  expect(await prepared.send(post, AbortSignal.abort())).toMatchObject({ kind: "failure", reason: "aborted", sentAt: null });
  await vi.waitFor(async () => expect(await call(deliver, target.url, { request: get })).toMatchObject({ status: 200 }));
  expect(target.requests).toHaveLength(1);
});

test("a call that is aborted while it connects sends nothing", async () => {
  const abort = new AbortController();
  const deliver = openDeliver({ lookup: () => new Promise(() => {}) });
  const answering = call(deliver, "http://slow.test/", { signal: abort.signal });
  abort.abort();
  expect(await answering).toMatchObject({ kind: "failure", reason: "aborted", sentAt: null });
});

test("the first byte's instant is that of the sending and not of the preparation", async () => {
  const target = await openTarget((socket) => socket.write(ok));
  const prepared = openDeliver().prepare(target.url, 5_000);
  await target.accepted(1);
  await new Promise((done) => setTimeout(done, 15));
  const before = now();
  const answer = await prepared.send(post, new AbortController().signal);
  expect(answer.sentAt).toBeGreaterThanOrEqual(before);
  expect(answer.endedAt).toBeGreaterThanOrEqual(answer.sentAt ?? Number.NaN);
});

test("an answered, a failed and a released call leave no timer and no listener", async () => {
  const set = vi.spyOn(globalThis, "setTimeout");
  const cleared = vi.spyOn(globalThis, "clearTimeout");
  const abort = new AbortController();
  const removed = vi.spyOn(abort.signal, "removeEventListener");
  const target = await openTarget((socket) => socket.write(ok));
  const deliver = openDeliver();
  const deadlineMs = 777_777;
  await call(deliver, target.url, { timeoutMs: deadlineMs, signal: abort.signal });
  await call(deliver, "http://10.0.0.1/", { timeoutMs: deadlineMs, signal: abort.signal });
  deliver.prepare(target.url, deadlineMs).release();
  const timers = set.mock.results.filter((_, index) => set.mock.calls[index]?.[1] === deadlineMs).map((result) => result.value);
  expect(timers).toHaveLength(3);
  for (const timer of timers) expect(cleared).toHaveBeenCalledWith(timer);
  expect(removed).toHaveBeenCalledTimes(2);
  vi.restoreAllMocks();
});
