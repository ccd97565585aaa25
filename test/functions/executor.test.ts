/** The door of the hints, over the engine on a virtual clock: what it takes, what it hands back, and that one message never harms another. */

import { afterAll, describe, expect, it, vi } from "vitest";
import { endOf, type Hint, startOf } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import type { Job, Waiting } from "../../src/core/job.ts";
import { limits } from "../../src/core/limits.ts";
import { type EpochMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import { cancel } from "../../src/engine/cancel.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { OutageError, type Store } from "../../src/engine/ports.ts";
import { writeHint } from "../../src/hints/message.ts";
import type { Visibility } from "../../src/hints/visibility.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { nextJobId, otherTenant, startAt } from "../builders.ts";
import { faultyStore } from "../engine/faultyStore.ts";
import { answerWith, type HomeOptions, openHome } from "../engine/home.ts";
import { createVirtualClock } from "../engine/virtualClock.ts";
import { contextOf } from "./environment.ts";
import { stubEnvironment, writtenBy } from "./instance.ts";
import { foreignEvents, sqsRecord } from "./sqsEvents.ts";

stubEnvironment("executor");
const { createExecutor, handler } = await import("../../functions/executor.ts");
afterAll(() => {
  vi.unstubAllEnvs();
});

const graceMs = 35 * secondMs;
const queueArn = sqsRecord().eventSourceARN;

type Given = HomeOptions & {
  readonly makeVisibleLater?: Visibility["makeVisibleLater"];
  readonly engine?: (engine: Engine) => Engine;
};

/** The engine with parameters as on AWS. What it hints is kept and goes nowhere: what it hears is what a test hands in. */
function open(given: Given = {}) {
  const params = { graceMs, namesAgeMsMax: graceMs, stretchAgeMsMax: minuteMs, leadMs: 500, leaseRule: { kind: "invocation" } } as const;
  const home = openHome({ ...given, params });
  home.hints.stop();
  const sent: Hint[] = [];
  const logged: string[] = [];
  const thrownBack: unknown[] = [];
  const hints: Engine["hints"] = {
    async send(hinted) {
      sent.push(...hinted);
      return "sent";
    },
  };
  const engine = (given.engine ?? ((same) => same))({ ...home.engine, hints });
  const execute = createExecutor({
    engine,
    visibility: {
      makeVisibleLater: async (message) => {
        thrownBack.push(message);
        return (await given.makeVisibleLater?.(message)) ?? "later";
      },
    },
    log: Object.assign((level: string, message: string) => void logged.push(`${level} ${message}`), { isOn: () => true }),
  });
  /** One invocation that lasts as long as the platform lets it. */
  async function invoke(records: readonly unknown[], remainingMs = 3 * minuteMs) {
    const answered = execute({ Records: records }, { getRemainingTimeInMillis: () => remainingMs });
    // A rejection while the clock runs is the test's to see, not the process's.
    answered.catch(() => {});
    await home.clock.runUntil(later(home.clock.now(), remainingMs));
    return answered;
  }
  const dropped = () => home.seen.flatMap((seen) => (seen.kind === "hint_dropped" ? [seen.why] : []));
  const outages = () => home.seen.filter(({ kind }) => kind === "outage").length;
  const stateOf = async (job: Job) => (await home.engine.store.load(job))?.state;
  return { home, engine, sent, logged, thrownBack, invoke, dropped, outages, stateOf };
}

const at = (ms: number): EpochMs => later(startAt, ms);
let messages = 0;

/** A message with a receipt of its own. */
function message(body: string) {
  messages += 1;
  const messageId = `059f36b4-87a3-44ab-83d2-${String(messages).padStart(12, "0")}`;
  return { ...sqsRecord({ messageId, body }), receiptHandle: `receipt-${messages}` };
}

const named = ({ id, wakeAt, tenant }: Pick<Waiting, "id" | "wakeAt" | "tenant">) =>
  message(writeHint({ kind: "names", priority: "normal", startAt: wakeAt, names: [{ tenant, id, wakeAt }] }));

const failing = (...records: readonly { messageId: string }[]) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});

describe("a hint", () => {
  it("runs its job on the dot, and is done with", async () => {
    const { home, invoke, stateOf, thrownBack, logged } = open();
    const job = await home.submit({ dueAt: at(2_000) });
    expect(await invoke([named(job)])).toEqual(failing());
    expect(home.calls.map(({ startedAt }) => startedAt)).toEqual([at(2_000)]);
    expect(await stateOf(job)).toBe("succeeded");
    expect([thrownBack, logged]).toEqual([[], []]);
  });

  it("of a stretch works through the past", async () => {
    const { home, invoke, stateOf } = open();
    const jobs = await Promise.all([1, 2, 3].map((ms) => home.submit({ dueAt: at(ms) })));
    await home.clock.runUntil(at(minuteMs));
    const cutAt = home.clock.now();
    const stretch = { shard: 0, priority: "normal", after: startOf(startAt), until: endOf(cutAt), cutAt, startAt: cutAt } as const;
    expect(await invoke([message(writeHint({ kind: "stretch", ...stretch }))])).toEqual(failing());
    expect(await Promise.all(jobs.map(stateOf))).toEqual(["succeeded", "succeeded", "succeeded"]);
  });

  it("of several names runs them side by side", async () => {
    const { home, invoke } = open({ answer: answerWith(200, { afterMs: 20_000 }) });
    const jobs = await Promise.all([1, 2, 3].map(() => home.submit({ dueAt: at(1_000) })));
    const names = jobs.map(({ tenant, id, wakeAt }) => ({ tenant, id, wakeAt }));
    await invoke([message(writeHint({ kind: "names", priority: "normal", startAt: at(1_000), names }))]);
    expect(home.calls.map(({ startedAt }) => startedAt)).toEqual([at(1_000), at(1_000), at(1_000)]);
  });

  it.each([
    ["an unknown job", (job: Waiting) => ({ ...job, id: nextJobId() }), "moved"],
    ["another tenant's job", (job: Waiting) => ({ ...job, tenant: otherTenant }), "moved"],
    ["a job that has moved since", (job: Waiting) => ({ ...job, wakeAt: later(job.wakeAt, -1) }), "moved"],
    ["an instant long past", (job: Waiting) => ({ ...job, wakeAt: at(-graceMs - 1) }), "old"],
  ] as const)("for %s is done with, counted, and calls nobody", async (_, change, why) => {
    const { home, invoke, dropped, stateOf, thrownBack } = open();
    const job = await home.submit({ dueAt: at(2_000) });
    expect(await invoke([named(change(job))])).toEqual(failing());
    expect([home.calls, dropped(), thrownBack]).toEqual([[], [why], []]);
    expect(await stateOf(job)).toBe("waiting");
  });

  it.each([
    ["succeeded", answerWith(200)],
    ["failed", answerWith(404)],
  ])("for a job that has %s already is done with and counted: it is called once", async (state, answer) => {
    const { home, invoke, dropped, stateOf } = open({ answer });
    const job = await home.submit({ dueAt: at(100) });
    // Within the grace: it is not dropped for its age.
    await invoke([named(job)], graceMs - secondMs);
    await invoke([named(job)]);
    expect([home.calls.length, dropped(), await stateOf(job)]).toEqual([1, ["moved"], state]);
  });

  it("for a cancelled job is done with and counted", async () => {
    const { home, invoke, dropped } = open();
    const job = await home.submit({ dueAt: at(2_000) });
    await cancel(home.engine, job);
    expect(await invoke([named(job)])).toEqual(failing());
    expect([home.calls, dropped()]).toEqual([[], ["moved"]]);
  });

  it("that comes twice in one invocation makes one call", async () => {
    const { home, invoke } = open();
    const job = await home.submit({ dueAt: at(1_000) });
    expect(await invoke([named(job), named(job)])).toEqual(failing());
    expect(home.calls).toHaveLength(1);
  });
});

describe("the end of the invocation", () => {
  it("is what Lambda says is left: the lease ends with it, and the clocks' difference", async () => {
    const leases: EpochMs[] = [];
    const { home, invoke } = open({
      answer: async (call, clock) => {
        const [job] = await home.engine.store.loadMany([{ tenant: soleTenant, id: submitted.id }]);
        if (job?.state === "running") leases.push(job.leaseUntil);
        return answerWith(200)(call, clock);
      },
    });
    const submitted = await home.submit({ dueAt: at(1_000) });
    // Lambda's own milliseconds have fractions, on some runtimes.
    await invoke([named(submitted)], 90_000.7);
    expect(leases).toEqual([at(90_000 + limits.clockSkewMsMax)]);
  });

  it("hands on a job whose call might outlive it: another invocation has the time", async () => {
    const { home, invoke, sent, stateOf } = open();
    const job = await home.submit({ dueAt: at(1_000), timeoutMs: 60_000 });
    expect(await invoke([named(job)], 1_000 + 60_000 + limits.clockSkewMsMax - 1)).toEqual(failing());
    expect([home.calls, await stateOf(job)]).toEqual([[], "waiting"]);
    expect(sent).toEqual([
      { kind: "names", priority: "normal", startAt: job.wakeAt, names: [{ tenant: job.tenant, id: job.id, wakeAt: job.wakeAt }] },
    ]);
  });

  it("leaves room for a job that just fits", async () => {
    const { home, invoke, sent } = open();
    const job = await home.submit({ dueAt: at(1_000), timeoutMs: 60_000 });
    await invoke([named(job)], 1_000 + 60_000 + limits.clockSkewMsMax);
    expect([home.calls.length, sent]).toEqual([1, []]);
  });
});

describe("a message that is no hint", () => {
  it.each([
    ["text", "hello"],
    ["nothing", ""],
    ["a tick", '{"range":0}'],
    ["a hint of another version", '{"v":2,"kind":"names"}'],
  ])("(%s) fails, comes again after seconds, and its neighbour is handled", async (_, body) => {
    const { home, invoke, thrownBack, logged } = open();
    const job = await home.submit({ dueAt: at(100) });
    const foreign = message(body);
    expect(await invoke([foreign, named(job)])).toEqual(failing(foreign));
    expect(thrownBack).toEqual([{ queueArn, receiptHandle: foreign.receiptHandle }]);
    expect(home.calls).toHaveLength(1);
    expect(logged).toEqual([`warn the message ${foreign.messageId} is no hint, and is left to the dead letter queue`]);
  });

  it("is not shown in the log: it may hold anybody's secrets", async () => {
    const { invoke, logged } = open();
    await invoke([message('{"password":"correct horse"}')]);
    expect(logged.join()).not.toContain("horse");
  });
});

/** A store that meets `failure` whenever this job is loaded. */
function storeWithout(failure: Error) {
  const clock = createVirtualClock(startAt);
  const met: { job?: Job } = {};
  const store: Store = memoryStore({ now: clock.now, shards: 1 });
  return {
    ...{ clock, met },
    store: {
      ...store,
      async loadMany(refs) {
        if (refs.some(({ id }) => id === met.job?.id)) throw failure;
        return store.loadMany(refs);
      },
    } satisfies Store,
  };
}

describe("a message whose job the store does not answer for", () => {
  it("fails alone, is counted, and comes again after seconds", async () => {
    const { met, ...options } = storeWithout(new OutageError("dynamodb:BatchGetItem did not succeed: ThrottlingException"));
    const { home, invoke, thrownBack, outages, stateOf } = open(options);
    const [first, second] = [await home.submit({ dueAt: at(100) }), await home.submit({ dueAt: at(100) })];
    met.job = first;
    const [out, fine] = [named(first), named(second)];
    expect(await invoke([out, fine])).toEqual(failing(out));
    expect([await stateOf(first), await stateOf(second)]).toEqual(["waiting", "succeeded"]);
    expect(thrownBack).toEqual([{ queueArn, receiptHandle: out.receiptHandle }]);
    expect(outages()).toBe(1);
  });

  it("does its work when it comes again", async () => {
    let isOut = true;
    const clock = createVirtualClock(startAt);
    const store = faultyStore(memoryStore({ now: clock.now, shards: 1 }), (method) => (isOut && method === "loadMany" ? "out" : undefined));
    const { home, invoke, stateOf } = open({ clock, store });
    const job = await home.submit({ dueAt: at(100) });
    const hint = named(job);
    expect(await invoke([hint], 10_000)).toEqual(failing(hint));
    isOut = false;
    expect(await invoke([hint])).toEqual(failing());
    expect(await stateOf(job)).toBe("succeeded");
  });
});

describe("a bug", () => {
  it("met by one message does not throw: it fails alone, and is logged as an error", async () => {
    const { met, ...options } = storeWithout(new TypeError("Cannot read properties of undefined"));
    const { home, invoke, logged, outages, stateOf } = open(options);
    const [first, second] = [await home.submit({ dueAt: at(100) }), await home.submit({ dueAt: at(100) })];
    met.job = first;
    const [broken, fine] = [named(first), named(second)];
    expect(await invoke([broken, fine])).toEqual(failing(broken));
    expect(await stateOf(second)).toBe("succeeded");
    expect(logged).toEqual(["error a bug: the work it met stays on the wheel and is tried again"]);
    expect(outages()).toBe(0);
  });
});

describe("a clock that is off", () => {
  // The table says so after each answer, and the whole of it is tried in `whole.test.ts`.
  it("takes nothing: every hint fails, is counted, and comes again elsewhere", async () => {
    const clock = createVirtualClock(startAt);
    const standing = memoryStore({ now: clock.now, shards: 1 });
    const refused = () => Promise.reject(new OutageError("expected a clock within 3000 ms of the store's, and it is 9000 ms ahead"));
    const { home, invoke, thrownBack, outages, stateOf } = open({ clock, store: { ...standing, loadMany: refused, wheel: refused } });
    const job = await home.submit({ dueAt: at(100) });
    const stretch = { shard: 0, priority: "normal", after: startOf(startAt), until: endOf(at(100)), cutAt: startAt, startAt } as const;
    const hints = [named(job), named(await home.submit({ dueAt: at(100) })), message(writeHint({ kind: "stretch", ...stretch }))];
    expect(await invoke(hints)).toEqual(failing(...hints));
    expect([home.calls, await stateOf(job), outages(), thrownBack.length]).toEqual([[], "waiting", 3, 3]);
  });
});

describe("a message that cannot be made visible again", () => {
  it.each([
    ["an outage", new OutageError("sqs:ChangeMessageVisibility to normal did not succeed: TimeoutError")],
    ["a missing right", new Error("expected the right to sqs:ChangeMessageVisibility on normal")],
  ])("for %s fails all the same, and harms no other", async (_, failure) => {
    const { home, invoke, logged } = open({ makeVisibleLater: () => Promise.reject(failure) });
    const [foreign, fine] = [message("hello"), named(await home.submit({ dueAt: at(100) }))];
    expect(await invoke([foreign, fine])).toEqual(failing(foreign));
    expect(home.calls).toHaveLength(1);
    expect(logged[1]).toBe(`warn the message ${foreign.messageId} stays hidden until its queue shows it again`);
  });
});

describe("an event of another shape", () => {
  it.each([
    ...Object.entries(foreignEvents),
    ["a message without a receipt", { Records: [{ ...sqsRecord(), receiptHandle: undefined }] }],
    ["a message of no queue", { Records: [{ ...sqsRecord(), eventSourceARN: "onthedot-normal" }] }],
    ["a message without a body", { Records: [{ ...sqsRecord(), body: null }] }],
    ["a message among others without an id", { Records: [sqsRecord(), { ...sqsRecord(), messageId: "" }] }],
  ])("(%s) is refused in one line, and nothing is done", async (_, event) => {
    const { home } = open();
    const parts = { engine: home.engine, log: Object.assign(() => {}, { isOn: () => false }) };
    const visibility = { makeVisibleLater: () => Promise.reject(new Error("expected nothing to be thrown back")) };
    const execute = createExecutor({ ...parts, visibility });
    const refused = execute(event, { getRemainingTimeInMillis: () => minuteMs });
    await expect(refused).rejects.toThrow(/^expected messages of a queue, got an event in which [^\n]+$/);
    await expect(refused).rejects.toMatchObject({ name: "ForeignEventError" });
  });
});

describe("the function", () => {
  it("refuses an event that is not its own, and says so in one line of the log's own kind", async () => {
    await writtenBy(() => expect(handler({ range: 0 }, contextOf("executor"))).rejects.toMatchObject({ name: "ForeignEventError" }));
  });

  it.each([
    [
      { ONTHEDOT_EXECUTOR_TIMEOUT: "2m" },
      /^the longest call \(2m\) and the clocks' difference do not fit the executor's 2m: deploy the stack again$/,
    ],
    [{ ONTHEDOT_VISIBILITY: "3m" }, /^a message is hidden for 3m, less than 6 times the executor's 3m: deploy the stack again$/],
    [
      { ONTHEDOT_QUEUE_LOW: "", ONTHEDOT_VISIBILITY: "" },
      /^ONTHEDOT_QUEUE_LOW is not set; ONTHEDOT_VISIBILITY: expected .* got nothing: deploy/,
    ],
  ])("does not start with %j, and says why in one line", async (change, line) => {
    vi.resetModules();
    stubEnvironment("executor", change);
    const starting = import("../../functions/executor.ts");
    await expect(starting).rejects.toMatchObject({ name: "WrongSettingsError", message: expect.stringMatching(line) });
    stubEnvironment("executor");
  });
});
