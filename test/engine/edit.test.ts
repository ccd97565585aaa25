import { describe, expect, it } from "vitest";
import type { Hint } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import type { Waiting } from "../../src/core/job.ts";
import { dayMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import { type EditRequest, edit } from "../../src/engine/edit.ts";
import { createSlots } from "../../src/engine/slots.ts";
import { wake } from "../../src/engine/wake.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { nextJobId, startAt } from "../builders.ts";
import { faultyStore } from "./faultyStore.ts";
import { answerWith, type Home, homeParams, openHome, silence } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

const dueAt = later(startAt, secondMs);
const change = (home: Home, job: Waiting, wanted: EditRequest, ifVersion: number | null = null) =>
  edit(home.engine, job, () => wanted, ifVersion);
const callTimes = (home: Home) => home.calls.map((call) => call.startedAt - startAt);

describe("an edit", () => {
  it("while the job is held changes what is sent, at the same instant", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt, body: { contentType: "text/plain", bytes: Buffer.from("old") } });
    await home.runUntil(later(dueAt, -50));
    const target = { url: "https://example.org/new", method: "PUT", headers: { "x-a": "new" } } as const;
    const answer = await change(home, job, { target, body: { contentType: "text/html", bytes: Buffer.from("new") } });
    expect(answer).toMatchObject({ kind: "edited", job: { version: 2, because: "edited" } });
    await home.runUntil(later(dueAt, 3 * secondMs));
    expect(home.calls).toMatchObject([{ url: "https://example.org/new", startedAt: dueAt, request: { method: "PUT" } }]);
    expect(home.calls[0]?.request.headers).toMatchObject({ "x-a": "new", "content-type": "text/html" });
    expect(Buffer.from(home.calls[0]?.request.body ?? []).toString()).toBe("new");
    expect(home.open()).toBe(0);
  });

  it("of the timeout alone, while the job is held, bounds the very next call", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, -50));
    await change(home, job, { timeoutMs: 5_000 });
    await home.runUntil(later(dueAt, secondMs));
    // Prepared at the claim, a lead before the instant; the timeout counts from the instant.
    expect(home.calls).toMatchObject([{ timeoutMs: 5_000 + homeParams.claimLeadMs, startedAt: dueAt }]);
    expect(home.open()).toBe(0);
  });

  it("that makes the held call longer than what is left of the invocation hands it on, and costs no attempt", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt, timeoutMs: secondMs });
    home.hints.stop();
    const sent: Hint[] = [];
    const hints: Home["engine"]["hints"] = {
      async send(more) {
        sent.push(...more);
        return "sent";
      },
    };
    const hint: Hint = { kind: "names", priority: job.priority, startAt: dueAt, names: [{ ...job, wakeAt: dueAt }] };
    const waked = wake({ ...home.engine, hints }, hint, { slots: createSlots(4), endsAt: later(dueAt, 10 * secondMs), warm: 0 });
    await home.clock.runUntil(later(dueAt, -50));
    await change(home, job, { timeoutMs: 20 * secondMs });
    await home.clock.runUntil(later(dueAt, secondMs));
    await waked;
    expect([home.calls, sent]).toMatchObject([[], [{ kind: "names", names: [{ id: job.id, wakeAt: dueAt }] }]]);
    expect(await home.engine.store.load(job)).toMatchObject({ state: "waiting", attemptCount: 0 });
  });

  it.each([
    ["claimed and not yet sent", -10],
    ["in flight", 100],
  ])("of an attempt that is %s is refused, and nothing changes", async (_, ms) => {
    const home = openHome({ answer: silence });
    const job = await home.submit({ dueAt });
    await home.runUntil(later(dueAt, ms));
    expect(await change(home, job, { labels: { a: "b" } })).toMatchObject({ kind: "in_flight", job: { attemptCount: 1, version: 2 } });
  });

  const far = later(startAt, 100 * secondMs);
  it.each([
    ["from far to near", far, 0, 1_500],
    ["from far to a later tick", far, 0, 5_250],
    ["from near to far", dueAt, 0, 5_250],
    ["from near to a little later, before it is held", dueAt, 500, 1_100],
    ["from near to a little earlier, before it is held", dueAt, 500, 900],
    ["to a little later while it is held", dueAt, 950, 1_060],
    ["to much later while it is held", dueAt, 950, 7_700],
  ])("of dueAt %s has it called there, once and on the dot", async (_, from, atMs, toMs) => {
    const home = openHome();
    const job = await home.submit({ dueAt: from });
    await home.runUntil(later(startAt, atMs));
    const wanted = later(startAt, toMs);
    expect(await change(home, job, { dueAt: wanted })).toMatchObject({ kind: "edited", job: { dueAt: wanted } });
    await home.runUntil(later(startAt, 110 * secondMs));
    expect(callTimes(home)).toEqual([toMs]);
  });

  it("of dueAt to earlier while it is held has it called once, at most a lead late", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await home.runUntil(later(startAt, 900));
    await change(home, job, { dueAt: later(startAt, 920) });
    await home.runUntil(later(startAt, 10 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(home.calls[0]?.startedAt).toBeGreaterThanOrEqual(startAt + 920);
    expect(home.calls[0]?.startedAt).toBeLessThanOrEqual(startAt + 920 + home.engine.params.leadMs);
  });

  it("of dueAt into the past has it called at once", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt: far });
    await home.runUntil(later(startAt, 500));
    await change(home, job, { dueAt: later(startAt, -dayMs) });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(callTimes(home)).toEqual([500]);
  });

  it("of the priority leaves the instant", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    await home.runUntil(later(startAt, 950));
    await change(home, job, { priority: "critical" });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(callTimes(home)).toEqual([1_000]);
  });

  it("of a job that waits for its retry counts on from its attempts", async () => {
    const home = openHome({ answer: answerWith(503) });
    const job = await home.submit();
    await home.runUntil(later(startAt, secondMs));
    await change(home, job, { dueAt: later(startAt, 2 * secondMs) });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls.map((call) => call.request.headers["onthedot-attempt"])).toEqual(["1", "2"]);
  });

  it("that lets a job live longer has its large body live as long", async () => {
    const home = openHome();
    const bytes = new Uint8Array(1_000).fill(7);
    const job = await home.submit({ dueAt, body: { contentType: "text/plain", bytes } });
    const nextYear = later(startAt, 365 * dayMs);
    const edited = await change(home, job, { dueAt: nextYear });
    if (edited.kind !== "edited" || edited.job.body?.kept !== "beside") throw new Error(edited.kind);
    expect(edited.job.body.keptUntil).toBeGreaterThan(nextYear);
    await home.clock.runUntil(later(nextYear, -secondMs));
    await home.runUntil(later(nextYear, secondMs));
    expect(home.calls).toMatchObject([{ startedAt: nextYear, request: { body: bytes } }]);
  });

  it("that does not move its end leaves the large body where it is", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt, body: { contentType: "text/plain", bytes: new Uint8Array(1_000) } });
    expect(await change(home, job, { labels: { a: "b" } })).toMatchObject({ job: { body: job.body } });
  });

  it("of another version than the one asked for is refused, and names the one that stands", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt: far });
    expect(await change(home, job, { labels: { a: "1" } }, 1)).toMatchObject({ kind: "edited", job: { version: 2 } });
    expect(await change(home, job, { labels: { a: "2" } }, 1)).toEqual({ kind: "version_conflict", version: 2 });
    expect(await home.engine.store.load(job)).toMatchObject({ labels: { a: "1" }, version: 2 });
  });

  it("that another overtakes is decided anew on what then stands, and both hold", async () => {
    const clock = createVirtualClock(startAt);
    const store = memoryStore({ now: clock.now, shards: 1 });
    const plain = openHome({ clock, store });
    let overtaken = false;
    const overtake = async () => void (await change(plain, job, { priority: "high" }));
    const slow = openHome({
      clock,
      store: faultyStore(store, (method) => {
        if (method !== "commit" || overtaken) return undefined;
        overtaken = true;
        return overtake();
      }),
    });
    const job = await plain.submit({ dueAt: far });
    const versions: number[] = [];
    const answer = await edit(
      slow.engine,
      job,
      (standing) => {
        versions.push(standing.version);
        return { labels: { a: "b" } };
      },
      null,
    );
    expect(answer).toMatchObject({ kind: "edited", job: { version: 3, priority: "high", labels: { a: "b" } } });
    expect(versions).toEqual([1, 2]);
  });

  it("with a version that another overtakes is a conflict", async () => {
    const clock = createVirtualClock(startAt);
    const store = memoryStore({ now: clock.now, shards: 1 });
    const plain = openHome({ clock, store });
    const job = await plain.submit({ dueAt: far });
    const overtake = async () => void (await change(plain, job, { priority: "high" }));
    let asked = 0;
    const slow = openHome({
      clock,
      store: faultyStore(store, (method) => (method === "commit" && ++asked === 1 ? overtake() : undefined)),
    });
    expect(await change(slow, job, { labels: { a: "b" } }, 1)).toEqual({ kind: "version_conflict", version: 2 });
  });

  it("that cannot be, given the job as it stands, says why and changes nothing", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt: far });
    const refusal = { field: "deadline", message: "expected a deadline after dueAt" };
    expect(await edit(home.engine, job, () => refusal, null)).toEqual({ kind: "invalid", ...refusal });
    expect(await home.engine.store.load(job)).toEqual(job);
  });

  it("of a job that has ended, or is not there, says so", async () => {
    const home = openHome();
    const job = await home.submit();
    await home.runUntil(later(startAt, secondMs));
    expect(await change(home, job, {})).toMatchObject({ kind: "state_conflict", job: { state: "succeeded" } });
    expect(await edit(home.engine, { tenant: soleTenant, id: nextJobId() }, () => ({}), null)).toEqual({ kind: "not_found" });
  });

  it("row after row within a minute calls once, at the last instant that was asked for", async () => {
    const home = openHome();
    const job = await home.submit({ dueAt });
    let wanted = dueAt;
    for (let atMs = 100; atMs < 20_000; atMs += 730) {
      await home.runUntil(later(startAt, atMs));
      wanted = later(startAt, atMs + 800 + (atMs % 7) * 300);
      expect((await change(home, job, { dueAt: wanted })).kind).toBe("edited");
    }
    await home.runUntil(later(startAt, minuteMs));
    expect(home.calls.map((call) => call.startedAt)).toEqual([wanted]);
  });
});
