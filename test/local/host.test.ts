/** The whole home: it ends in the order that loses nothing, the next one on its folder goes on where it stood, and what ended goes. */

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { databaseFile, type Host, type Refused, startHost } from "../../local/host.ts";
import { lockFolder } from "../../local/lock.ts";
import { readSettings } from "../../local/settings.ts";
import { type JobId, soleTenant } from "../../src/core/ids.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { type EpochMs, later, secondMs, toEpochMs } from "../../src/core/time.ts";
import { submit } from "../../src/engine/submit.ts";
import type { Log } from "../../src/system/log.ts";
import { type Folder, freshFolder } from "../store/folder.ts";

const now = () => toEpochMs(Date.now());

/** A folder that goes when the test ends, after every home on it. */
async function openFolder(): Promise<Folder> {
  const folder = await freshFolder();
  onTestFinished(() => folder.remove());
  return folder;
}

const log: Log = Object.assign(() => {}, { isOn: () => false });

type Given = { readonly concurrency?: number; readonly retentionMs?: number };

function tryStart(folder: Folder, given: Given = {}): Promise<Host | Refused> {
  const argv = ["--data", folder.file("data"), "--port", "0", "--receiver-port", "0", "--allow-targets", "127.0.0.0/8"];
  const read = readSettings({ argv, env: {} });
  if ("wrong" in read) throw new Error(read.wrong.join());
  return startHost({ ...read.settings, ...given }, log, "0.0.0-test");
}

async function start(folder: Folder, given: Given = {}): Promise<Host> {
  const host = await tryStart(folder, given);
  if (host.kind === "refused") throw new Error(host.message);
  return host;
}

/** A target that holds each call until it is let go. */
async function openHoldingTarget() {
  const called: string[] = [];
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    called.push(String(request.headers["onthedot-job"]));
    waiting.push(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`expected a port, got ${address}`);
  return {
    url: `http://127.0.0.1:${address.port}/`,
    called,
    letGo() {
      for (const response of waiting.splice(0)) response.end("ok");
    },
  };
}

async function submitTo(host: Host, url: string, dueAt: EpochMs = now()): Promise<JobId> {
  const submitted = await submit(host.engine, {
    ...{ tenant: soleTenant, dueAt, target: { url, method: "POST", headers: {} }, body: null, timeoutMs: 30 * secondMs, deadline: null },
    ...{ retry: retryDefault, priority: "normal", labels: {}, key: null },
  });
  if (submitted.kind !== "created") throw new Error(`expected the job to be created, got ${submitted.kind}`);
  return submitted.job.id;
}

const load = (host: Host, id: JobId) => host.engine.store.load({ tenant: soleTenant, id });
const soon = (claim: () => unknown) => vi.waitFor(claim, { timeout: 10_000, interval: 5 });

describe("a home that is stopping", () => {
  test("lets the call in flight end and starts no other, though its slot is free then and a job is owed; the next home calls that", async () => {
    const folder = await openFolder();
    const target = await openHoldingTarget();
    const ending = await start(folder, { concurrency: 1 });
    const inFlight = await submitTo(ending, target.url);
    await soon(() => expect(target.called).toEqual([inFlight]));
    const owed = await submitTo(ending, target.url);
    // Found without a slot, it is waited for by a walk over the past: the one that holds the next free slot.
    await wait(100);
    const stopped = ending.stop();
    await nextTurn();
    target.letGo();
    // What the ending home would call now must not keep it for its whole patience.
    const letting = setInterval(target.letGo, 50);
    await stopped;
    clearInterval(letting);
    expect(target.called).toEqual([inFlight]);

    const next = await start(folder);
    expect(await load(next, inFlight)).toMatchObject({ state: "succeeded", attemptCount: 1 });
    await soon(() => expect(target.called).toEqual([inFlight, owed]));
    target.letGo();
    await soon(async () => expect(await load(next, owed)).toMatchObject({ state: "succeeded", attemptCount: 1, leaseLossCount: 0 }));
    await next.stop();
  });

  test("leaves a job that it holds, and that comes due during its patience, to the next home", async () => {
    const folder = await openFolder();
    const target = await openHoldingTarget();
    const ending = await start(folder);
    const inFlight = await submitTo(ending, target.url);
    await soon(() => expect(target.called).toEqual([inFlight]));
    const dueAt = later(now(), 140);
    const held = await submitTo(ending, target.url, dueAt);
    await soon(() => expect(ending.engine.register.holds({ tenant: soleTenant, id: held })).toBe(true));
    const isStoppedAhead = now() < dueAt - 40;
    const stopped = ending.stop();
    await wait(dueAt - now() + 60);
    target.letGo();
    await stopped;
    // A machine that stood still until the instant has had the job called, rightly.
    if (isStoppedAhead) expect(target.called).toEqual([inFlight]);
  });

  test("holds its folder until its file is closed: another is refused while it ends, and starts as soon as it has ended", async () => {
    const folder = await openFolder();
    const target = await openHoldingTarget();
    const ending = await start(folder);
    await submitTo(ending, target.url);
    await soon(() => expect(target.called).toHaveLength(1));
    let isStopped = false;
    const stopped = ending.stop().then(() => (isStopped = true));
    expect(await tryStart(folder)).toMatchObject({ kind: "refused", message: expect.stringMatching(/^another onthedot works on/) });
    expect(isStopped).toBe(false);
    target.letGo();
    // In each turn of the event loop: the file closes in a thread, which takes some.
    let lock = lockFolder(folder.file("data"));
    for (; lock.kind === "taken"; lock = lockFolder(folder.file("data"))) await nextTurn();
    expect([lock.kind, isStopped]).toEqual(["locked", true]);
    if (lock.kind === "locked") lock.release();
    await stopped;
    await (await start(folder)).stop();
  });
});

test("a job that a home had hinted, and that comes due soon after the next has started, is called on the dot", async () => {
  const folder = await openFolder();
  const target = await openHoldingTarget();
  const gone = await start(folder);
  // Between two turns of the next home: the turn after it would be late by most of a second.
  const id = await submitTo(gone, target.url, later(now(), 1_300));
  expect(await load(gone, id)).toMatchObject({ hinted: true });
  await gone.stop();
  const next = await start(folder);
  await soon(() => expect(target.called).toEqual([id]));
  target.letGo();
  await soon(async () => expect((await load(next, id))?.state).toBe("succeeded"));
  expect((await load(next, id))?.attempts[0]?.latenessMs).toBeLessThan(300);
  await next.stop();
});

test("an ended job is gone from the file once its retention is over, and one that is still kept is not", async () => {
  const folder = await openFolder();
  const target = await openHoldingTarget();
  const first = await start(folder, { retentionMs: 1 });
  const expired = await submitTo(first, target.url);
  await soon(() => expect(target.called).toEqual([expired]));
  target.letGo();
  await first.stop();
  const second = await start(folder);
  const kept = await submitTo(second, target.url);
  await soon(() => expect(target.called).toEqual([expired, kept]));
  target.letGo();
  const file = new DatabaseSync(folder.file(`data/${databaseFile}`), { readOnly: true });
  onTestFinished(() => file.close());
  await soon(() => expect(file.prepare("SELECT id FROM jobs").all()).toEqual([{ id: kept }]));
  await second.stop();
});
