import { describe, expect, it } from "vitest";
import type { Hint } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { dayMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { OutageError, type Store } from "../../src/engine/ports.ts";
import { type Submission, submit, submitBatch } from "../../src/engine/submit.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { otherTenant, startAt } from "../builders.ts";
import { type Fault, faultyStore } from "./faultyStore.ts";
import { openHome } from "./home.ts";
import { createVirtualClock } from "./virtualClock.ts";

/** Soon enough to be hinted by its maker, and not at once. */
const soon = later(startAt, 500);

function submission(given: Partial<Submission> = {}): Submission {
  return {
    tenant: soleTenant,
    dueAt: soon,
    target: { url: "https://example.com/hook", method: "POST", headers: {} },
    body: null,
    timeoutMs: 30 * secondMs,
    deadline: null,
    retry: retryDefault,
    priority: "normal",
    labels: {},
    key: null,
    ...given,
  };
}

const keyed = (text: string, fingerprint = "digest") => submission({ key: { text, fingerprint } });

/** A home whose store fails as it is told. */
function openFaultyHome(fault: (method: keyof Store, argument: unknown) => Fault | undefined) {
  const clock = createVirtualClock(startAt);
  return openHome({ clock, store: faultyStore(memoryStore({ now: clock.now, shards: 1 }), fault) });
}

/** The engine of a home, with its hints written down instead of sent. */
function withHints(engine: Engine): { engine: Engine; sent: Hint[] } {
  const sent: Hint[] = [];
  const hints: Engine["hints"] = {
    async send(more) {
      sent.push(...more);
      return "sent";
    },
  };
  return { engine: { ...engine, hints }, sent };
}

describe("a key", () => {
  it("stands for one job, however often it is asked for", async () => {
    const home = openHome();
    const first = await submit(home.engine, keyed("order-17"));
    const second = await submit(home.engine, keyed("order-17"));
    expect([first.kind, second.kind]).toEqual(["created", "replayed"]);
    expect(second).toMatchObject({ job: first.kind === "created" ? first.job : undefined });
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(await submit(home.engine, keyed("order-17"))).toMatchObject({ kind: "replayed", job: { state: "succeeded" } });
  });

  it("with another request is a conflict, and leaves the job that stands", async () => {
    const home = openHome();
    const first = await submit(home.engine, keyed("order-17"));
    if (first.kind !== "created") throw new Error(first.kind);
    expect(await submit(home.engine, keyed("order-17", "another digest"))).toEqual({ kind: "conflict" });
    expect(await home.engine.store.load(first.job)).toEqual(first.job);
  });

  it("of fifty who ask for it at once is created for one, and replayed for the rest", async () => {
    const home = openHome();
    const answers = await Promise.all(Array.from({ length: 50 }, () => submit(home.engine, keyed("order-17"))));
    const kinds = answers.map((answer) => answer.kind);
    expect([kinds.filter((kind) => kind === "created").length, kinds.filter((kind) => kind === "replayed").length]).toEqual([1, 49]);
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls).toHaveLength(1);
  });

  it("is each tenant's own", async () => {
    const { engine } = openHome();
    expect((await submit(engine, keyed("order-17"))).kind).toBe("created");
    expect((await submit(engine, { ...keyed("order-17"), tenant: otherTenant })).kind).toBe("created");
  });

  it("is free again when its job has expired", async () => {
    const home = openHome();
    await submit(home.engine, keyed("order-17"));
    await home.clock.runUntil(later(startAt, secondMs));
    await home.clock.runUntil(later(startAt, 31 * dayMs));
    expect((await submit(home.engine, keyed("order-17", "another digest"))).kind).toBe("created");
  });

  it("finds the job of a create whose answer was lost", async () => {
    let lost = false;
    const home = openFaultyHome((method) => {
      if (method !== "insert" || lost) return undefined;
      lost = true;
      return "reply_lost";
    });
    await expect(submit(home.engine, keyed("order-17"))).rejects.toThrow(OutageError);
    expect((await submit(home.engine, keyed("order-17"))).kind).toBe("replayed");
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls).toHaveLength(1);
  });
});

describe("a body", () => {
  const random = (byteCount: number) => Uint8Array.from({ length: byteCount }, (_, index) => (index * 7919) % 251);
  it.each([
    ["no bytes", Buffer.from(""), "inline"],
    ["text", Buffer.from('{"a":"ü€😀"}'), "inline"],
    ["text with a byte order mark", Buffer.from("\u{feff}a"), "inline"],
    ["bytes that are no text", Uint8Array.from([0xff, 0x00, 0xc3]), "inline_base64"],
    ["a NUL", Uint8Array.from([0]), "inline"],
    ["the most that rides inside", random(limits.inlineBodyBytesMax), "inline_base64"],
    ["one byte more", random(limits.inlineBodyBytesMax + 1), "beside"],
    ["the most there may be", random(limits.bodyBytesMax), "beside"],
  ])("of %s goes out byte for byte", async (_, bytes, kept) => {
    const home = openHome();
    const job = await home.submit({ body: { contentType: "application/octet-stream", bytes } });
    expect(job.body).toMatchObject({ kept, byteCount: bytes.byteLength });
    await home.clock.runUntil(later(startAt, secondMs));
    expect(Buffer.compare(home.calls[0]?.request.body ?? Buffer.from("none"), bytes)).toBe(0);
    expect(home.calls[0]?.request.headers["content-type"]).toBe("application/octet-stream");
  });

  it("that is large is written before the job that names it", async () => {
    const asked: string[] = [];
    const home = openFaultyHome((method) => void asked.push(method));
    await home.submit({ dueAt: soon, body: { contentType: "text/plain", bytes: random(1_000) } });
    expect(asked).toEqual(["writePayload", "insert"]);
  });

  it("of a second create with the same key does not touch that of the first", async () => {
    const home = openHome();
    const body = (fill: number) => ({ contentType: "text/plain", bytes: new Uint8Array(1_000).fill(fill) });
    await submit(home.engine, { ...keyed("order-17"), body: body(1) });
    await submit(home.engine, { ...keyed("order-17", "another digest"), body: body(2) });
    await home.runUntil(later(startAt, secondMs));
    expect(home.calls[0]?.request.body?.[0]).toBe(1);
  });
});

describe("a created job", () => {
  it("is called also where its hint could not be sent", async () => {
    const home = openHome();
    const hints: Engine["hints"] = { send: () => Promise.reject(new OutageError("the queue is out")) };
    const { kind } = await submit({ ...home.engine, hints }, submission());
    expect(kind).toBe("created");
    await home.runUntil(later(startAt, 3 * secondMs));
    expect(home.calls).toHaveLength(1);
    expect(home.seen.filter(({ kind }) => kind === "outage")).toHaveLength(1);
  });

  it("is hinted after its insert, and only where the turn would come too late", async () => {
    const { engine, sent } = withHints(openHome().engine);
    await submit(engine, submission({ dueAt: later(startAt, 3 * secondMs - 1) }));
    expect(sent).toHaveLength(1);
    await submit(engine, submission({ dueAt: later(startAt, 3 * secondMs) }));
    expect(sent).toHaveLength(1);
  });
});

describe("a batch", () => {
  it("is answered in order, and shares hints by the second", async () => {
    const { engine, sent } = withHints(openHome().engine);
    const dueAts = [0, 100, 200, 1_100, 60_000].map((ms) => later(startAt, ms));
    const results = await submitBatch(
      engine,
      dueAts.map((dueAt) => submission({ dueAt })),
    );
    expect(results.map((result) => result.status === "fulfilled" && result.value.kind === "created" && result.value.job.dueAt)).toEqual(
      dueAts,
    );
    expect(sent.map((hint) => hint.kind === "names" && hint.names.length)).toEqual([3, 1]);
  });

  it("with one that cannot be written has the others written", async () => {
    let inserts = 0;
    const home = openFaultyHome((method) => (method === "insert" && ++inserts === 2 ? "out" : undefined));
    const results = await submitBatch(home.engine, [submission(), submission(), submission()]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await home.runUntil(later(startAt, minuteMs));
    expect(home.calls).toHaveLength(2);
  });

  it("that names one key twice makes one job", async () => {
    const { engine } = openHome();
    const results = await submitBatch(engine, [keyed("a"), keyed("a"), keyed("a", "another digest")]);
    expect(results.map((result) => result.status === "fulfilled" && result.value.kind)).toEqual(["created", "replayed", "conflict"]);
  });
});
