import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { becauses, type Job, type Running, type Waiting } from "../../src/core/job.ts";
import { limits } from "../../src/core/limits.ts";
import { retryDefault } from "../../src/core/retry.ts";
import { hourMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import {
  cancel,
  claim,
  create,
  edit,
  expire,
  loseLease,
  replay,
  requestCancel,
  settle,
  type Transition,
} from "../../src/core/transition.ts";
import { always } from "../always.ts";
import {
  againEnd,
  attemptEnd,
  cancelledJob,
  claimed,
  doneEnd,
  expectState,
  factsAt,
  failedJob,
  inlineBody,
  leaseAt,
  markedJob,
  neverEnd,
  newJob,
  nextJobId,
  retriedJob,
  runningJob,
  startAt,
  succeededJob,
  waitingJob,
} from "../builders.ts";

const soon = later(startAt, 80);
const lost = attemptEnd({ kind: "again", because: "network", waitMs: null });

/** The fields of each state, and no others. */
const fieldsOfAll = Object.keys(newJob()).concat(
  "version",
  "createdAt",
  "because",
  "attemptCount",
  "leaseLossCount",
  "attempts",
  "history",
  "state",
);
const fieldsOf: Record<Job["state"], readonly string[]> = {
  waiting: [...fieldsOfAll, "nextAttemptAt", "wakeAt", "hinted"],
  running: [...fieldsOfAll, "nextAttemptAt", "wakeAt", "hinted", "leaseToken", "leaseUntil", "cancelRequestedAt"],
  succeeded: [...fieldsOfAll, "endedAt", "expiresAt"],
  failed: [...fieldsOfAll, "endedAt", "expiresAt"],
  cancelled: [...fieldsOfAll, "endedAt", "expiresAt", "cancelRequestedAt"],
};

/** A job that has only one attempt, which runs. */
const lastAttempt = () => runningJob({ retry: { ...retryDefault, maxAttempts: 1 } });

/** Each change with the job it is of, and what comes of it. */
const table: readonly (readonly [name: string, make: () => Transition, to: Job["state"], because: string])[] = [
  ["claim of a waiting job", () => claim(waitingJob(), leaseAt(startAt), factsAt(startAt)), "running", "claimed"],
  ["claim after the deadline", () => claim(waitingJob({ deadline: startAt }), leaseAt(soon), factsAt(soon)), "failed", "expired"],
  ["claim of a retry beyond maxAge", () => claim(retriedJob(), leaseAt(soon), factsAt(later(startAt, 25 * hourMs))), "failed", "aged"],
  ["claim of a job without attempts left", () => claim(usedUp(), leaseAt(soon), factsAt(soon)), "failed", "exhausted"],
  ["settle by a done", () => settle(runningJob(), doneEnd(), 0, factsAt(soon)), "succeeded", "succeeded"],
  ["settle by an again", () => settle(runningJob(), againEnd(), 0, factsAt(soon)), "waiting", "retried"],
  ["settle by a never", () => settle(runningJob(), neverEnd(), 0, factsAt(soon)), "failed", "refused"],
  ["settle of the last attempt by an again", () => settle(lastAttempt(), againEnd(), 0, factsAt(soon)), "failed", "exhausted"],
  [
    "settle whose retry would come after the deadline",
    () => settle(runningJob({ deadline: later(startAt, secondMs) }), againEnd(), 0, factsAt(soon)),
    "failed",
    "expired",
  ],
  [
    "settle whose retry would come after maxAge",
    () => settle(runningJob({ retry: { ...retryDefault, maxAgeMs: secondMs } }), againEnd(), 0, factsAt(soon)),
    "failed",
    "aged",
  ],
  ["settle of a marked job by a done", () => settle(markedJob(), doneEnd(), 0, factsAt(soon)), "succeeded", "succeeded"],
  ["settle of a marked job by an again", () => settle(markedJob(), againEnd(), 0, factsAt(soon)), "cancelled", "cancelled"],
  ["settle of a marked job by a never", () => settle(markedJob(), neverEnd(), 0, factsAt(soon)), "cancelled", "cancelled"],
  ["expire", () => expire(runningJob(), factsAt(soon)), "failed", "expired"],
  ["expire of a marked job", () => expire(markedJob(), factsAt(soon)), "cancelled", "cancelled"],
  ["cancel", () => cancel(waitingJob(), factsAt(soon)), "cancelled", "cancelled"],
  ["cancel for the next occurrence", () => cancel(waitingJob(), factsAt(soon), "overlap"), "cancelled", "overlap"],
  ["cancel with its schedule", () => cancel(waitingJob(), factsAt(soon), "schedule_deleted"), "cancelled", "schedule_deleted"],
  ["requestCancel", () => requestCancel(runningJob(), factsAt(soon)), "running", "claimed"],
  ["loseLease", () => loseLease(runningJob(), factsAt(soon)), "waiting", "lease_lost"],
  ["loseLease of a marked job", () => loseLease(markedJob(), factsAt(soon)), "cancelled", "cancelled"],
  ["loseLease of the last attempt", () => loseLease(lastAttempt(), factsAt(soon)), "failed", "exhausted"],
  ["edit", () => edit(waitingJob(), { labels: { a: "b" } }, factsAt(soon)), "waiting", "edited"],
];

function usedUp(): Waiting {
  return edit(retriedJob(), { retry: { ...retryDefault, maxAttempts: 1 } }, factsAt(soon)).to;
}

describe.each(table)("%s", (_, make, state, because) => {
  it(`leads to ${state} because ${because}, with exactly that state's fields`, () => {
    const { from, to, because: why, change } = make();
    expect([to.state, to.because, why]).toEqual([state, because, because]);
    expect(Object.keys(to).toSorted()).toEqual(fieldsOf[state].toSorted());
    expect(to).toMatchObject({ id: from.id, tenant: from.tenant, createdAt: from.createdAt, version: from.version + 1 });
    expect(to.history.slice(0, -1)).toEqual(from.history);
    expect(to.history.at(-1)).toMatchObject({ from: from.state, to: state, because, change });
  });

  it("changes nothing of the job it was made from", () => {
    const freeze = (value: unknown): void => {
      if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
      Object.freeze(value);
      for (const part of Object.values(value)) freeze(part);
    };
    const { from } = make();
    freeze(from);
    const before = structuredClone(from);
    if (from.state === "waiting") claim(from, leaseAt(soon), factsAt(soon));
    else settle(from, doneEnd(), 0, factsAt(soon));
    expect(from).toEqual(before);
  });
});

describe("the table of changes", () => {
  it("has every reason there is", () => {
    const seen = new Set(table.map(([, , , because]) => because).concat("created"));
    expect([...seen].toSorted()).toEqual([...becauses].toSorted());
  });
});

describe("create", () => {
  it("owes the attempt at dueAt, as version 1, because created", () => {
    const dueAt = later(startAt, hourMs);
    const job = create(newJob({ dueAt }), factsAt(startAt));
    expect(job).toMatchObject({
      state: "waiting",
      version: 1,
      because: "created",
      dueAt,
      nextAttemptAt: dueAt,
      wakeAt: dueAt,
      attemptCount: 0,
    });
    expect(job.history).toMatchObject([{ at: startAt, from: null, to: "waiting", because: "created" }]);
    expect(Object.keys(job).toSorted()).toEqual(fieldsOf.waiting.toSorted());
  });

  it("in the past owes the attempt now, and keeps dueAt as the caller wrote it", () => {
    const dueAt = later(startAt, -hourMs);
    expect(create(newJob({ dueAt }), factsAt(startAt))).toMatchObject({ dueAt, nextAttemptAt: startAt, wakeAt: startAt });
  });

  it("is hinted by its maker where it is owed before the turn would see it, and else by the turn", () => {
    const facts = factsAt(startAt, { hintBefore: later(startAt, minuteMs) });
    expect(create(newJob({ dueAt: later(startAt, minuteMs - 1) }), facts).hinted).toBe(true);
    expect(create(newJob({ dueAt: later(startAt, minuteMs) }), facts).hinted).toBe(false);
  });
});

describe("claim", () => {
  it("records the attempt before its first byte, and leaves the job where it stands on the wheel", () => {
    const job = waitingJob();
    const lease = leaseAt(startAt);
    const { to } = claim(job, lease, factsAt(startAt));
    const running = expectState(to, "running");
    expect(running).toMatchObject({ leaseToken: lease.token, leaseUntil: lease.until, cancelRequestedAt: null, attemptCount: 1 });
    expect(running).toMatchObject({ wakeAt: job.wakeAt, hinted: job.hinted, nextAttemptAt: job.nextAttemptAt });
    expect(running.attempts).toMatchObject([{ number: 1, startedAt: null, endedAt: null, outcome: null }]);
  });

  it("up to the deadline is made, a millisecond after it is not", () => {
    const job = waitingJob({ deadline: soon });
    expect(claim(job, leaseAt(soon), factsAt(soon)).to.state).toBe("running");
    expect(claim(job, leaseAt(soon), factsAt(later(soon, 1))).to.because).toBe("expired");
  });

  it("before the instant is judged by the instant, not by the claim", () => {
    const job = edit(waitingJob({ dueAt: soon }), { deadline: later(soon, -1) }, factsAt(startAt)).to;
    expect(claim(job, leaseAt(startAt), factsAt(later(soon, -20))).to.because).toBe("expired");
  });

  it("of a first attempt is made however late it comes", () => {
    const late = later(startAt, 30 * 24 * hourMs);
    expect(claim(waitingJob(), leaseAt(late), factsAt(late)).to.state).toBe("running");
  });

  it("that ends the job counts no attempt", () => {
    const { to } = claim(waitingJob({ deadline: startAt }), leaseAt(soon), factsAt(soon));
    expect(to).toMatchObject({ state: "failed", attemptCount: 0, attempts: [] });
  });
});

describe("settle", () => {
  it("writes how the attempt ended, and its lateness from the first byte", () => {
    const { to } = settle(runningJob(), doneEnd(later(startAt, 7)), 0, factsAt(soon));
    expect(to.attempts).toMatchObject([{ startedAt: startAt + 7, endedAt: soon, latenessMs: 7, outcome: "done", because: "status_200" }]);
    expect(to).toMatchObject({ endedAt: soon, expiresAt: soon + limits.retentionMsDefault });
  });

  it("of an attempt that sent nothing has no lateness", () => {
    const { to } = settle(runningJob(), attemptEnd({ kind: "again", because: "dns", waitMs: null }, null), 0, factsAt(soon));
    expect(to.attempts.at(-1)).toMatchObject({ startedAt: null, latenessMs: null, outcome: "again", because: "dns" });
  });

  it("leaves dueAt and moves the next attempt, and its place on the wheel, by the drawn backoff", () => {
    const { to } = settle(runningJob(), againEnd(), 0.5, factsAt(soon));
    const waiting = expectState(to, "waiting");
    const at = later(soon, retryDefault.minBackoffMs / 2);
    expect(waiting).toMatchObject({ dueAt: startAt, nextAttemptAt: at, wakeAt: at, hinted: true });
  });

  it("does not count a lost lease for the backoff, for the target had not failed", () => {
    const again = claimed(expectState(loseLease(runningJob(), factsAt(soon)).to, "waiting"));
    const { to } = settle(again, lost, 0, factsAt(soon));
    expect(expectState(to, "waiting").nextAttemptAt).toBe(soon + retryDefault.minBackoffMs);
    expect(to.attemptCount).toBe(2);
  });

  it("ends a job at once whose retry could only come after its deadline", () => {
    const deadline = later(soon, retryDefault.minBackoffMs);
    expect(settle(runningJob({ deadline }), againEnd(), 0, factsAt(soon)).to.state).toBe("waiting");
    expect(settle(runningJob({ deadline }), againEnd(), 0, factsAt(later(soon, 1))).to.because).toBe("expired");
  });

  it("keeps a cancel's mark on the cancelled job, and drops it from one that succeeded", () => {
    const job = markedJob();
    expect(settle(job, againEnd(), 0, factsAt(soon)).to).toMatchObject({ state: "cancelled", cancelRequestedAt: job.cancelRequestedAt });
    expect(settle(job, doneEnd(), 0, factsAt(soon)).to).not.toHaveProperty("cancelRequestedAt");
  });
});

describe("loseLease", () => {
  const late = later(startAt, 48 * hourMs);
  const everything = { deadline: startAt, retry: { ...retryDefault, maxAttempts: 1, maxAgeMs: secondMs } };
  const marked = () => requestCancel(runningJob(everything), factsAt(startAt)).to;

  it.each<[string, Running, string]>([
    ["a cancel's mark before all else", marked(), "cancelled"],
    ["the deadline before age and attempts", runningJob(everything), "expired"],
    ["the age before the attempts", runningJob({ ...everything, deadline: null }), "aged"],
    ["the attempts before a retry", runningJob({ retry: { ...retryDefault, maxAttempts: 1, maxAgeMs: 72 * hourMs } }), "exhausted"],
    ["a retry where nothing bars it", runningJob({ retry: { ...retryDefault, maxAgeMs: 72 * hourMs } }), "lease_lost"],
  ])("sees %s", (_, job, because) => {
    expect(loseLease(job, factsAt(late)).to.because).toBe(because);
  });

  it("writes the attempt down as unknown, and counts the loss, whatever comes of it", () => {
    for (const job of [runningJob(), marked(), runningJob(everything)]) {
      const { to } = loseLease(job, factsAt(late));
      expect(to).toMatchObject({ leaseLossCount: 1, attemptCount: 1 });
      expect(to.attempts).toMatchObject([{ number: 1, startedAt: null, outcome: "unknown", because: "lease_lost" }]);
    }
  });

  it("retries at once", () => {
    const waiting = expectState(loseLease(runningJob(), factsAt(soon)).to, "waiting");
    expect(waiting).toMatchObject({ nextAttemptAt: soon, wakeAt: soon });
  });

  it("over and over ends after maxAttempts claims", () => {
    let job: Job = waitingJob({ retry: { ...retryDefault, maxAttempts: 7 } });
    let claims = 0;
    for (; job.state === "waiting"; claims++) job = loseLease(claimed(job), factsAt(soon)).to;
    expect(job).toMatchObject({ state: "failed", because: "exhausted", attemptCount: 7, leaseLossCount: 7 });
    expect(claims).toBe(7);
  });
});

describe("expire", () => {
  it("says that nothing was sent", () => {
    expect(expire(runningJob(), factsAt(soon)).to.attempts).toMatchObject([
      { startedAt: null, outcome: "never", because: "aborted", endedAt: soon },
    ]);
  });
});

describe("requestCancel", () => {
  it("leaves its mark and nothing else of the lease changed", () => {
    const job = runningJob();
    const { to } = requestCancel(job, factsAt(soon));
    const { version, history, cancelRequestedAt, ...same } = to;
    expect(job).toMatchObject(same);
    expect([version, history.length, cancelRequestedAt]).toEqual([job.version + 1, job.history.length + 1, soon]);
  });
});

describe("edit", () => {
  const waiting = () => waitingJob({ dueAt: later(startAt, hourMs) });
  const stays = [
    ["labels", { labels: { a: "b" } }],
    ["target", { target: { url: "https://example.org/", method: "GET", headers: {} } }],
    ["body", { body: inlineBody("[]") }],
    ["timeout", { timeoutMs: secondMs }],
    ["deadline", { deadline: later(startAt, 2 * hourMs) }],
    ["retry", { retry: { ...retryDefault, maxAttempts: 9 } }],
    ["the same priority", { priority: "normal" }],
    ["nothing", {}],
  ] as const;

  it.each(stays)("of %s leaves the job where it stands on the wheel", (_, wanted) => {
    const job = waiting();
    const { to } = edit(job, wanted, factsAt(later(startAt, 59 * minuteMs + 30 * secondMs)));
    expect(to).toMatchObject({ ...wanted, nextAttemptAt: job.nextAttemptAt, wakeAt: job.wakeAt, hinted: job.hinted });
  });

  it("of dueAt moves dueAt, the next attempt and its place, and hints it anew", () => {
    const dueAt = later(startAt, 10 * secondMs);
    expect(edit(waiting(), { dueAt }, factsAt(startAt)).to).toMatchObject({ dueAt, nextAttemptAt: dueAt, wakeAt: dueAt, hinted: true });
    const far = later(startAt, 2 * hourMs);
    expect(edit(waitingJob(), { dueAt: far }, factsAt(startAt)).to).toMatchObject({ dueAt: far, wakeAt: far, hinted: false });
  });

  it("of dueAt into the past owes the attempt now", () => {
    const dueAt = later(startAt, -hourMs);
    expect(edit(waiting(), { dueAt }, factsAt(soon)).to).toMatchObject({ dueAt, nextAttemptAt: soon, wakeAt: soon, hinted: true });
  });

  it("of the priority hints it anew, for it moves to another partition", () => {
    const job = waiting();
    expect(job.hinted).toBe(false);
    const { to } = edit(job, { priority: "high" }, factsAt(later(startAt, 59 * minuteMs + 30 * secondMs)));
    expect(to).toMatchObject({ priority: "high", nextAttemptAt: job.nextAttemptAt, wakeAt: job.wakeAt, hinted: true });
  });

  it("keeps the attempts already made", () => {
    expect(edit(retriedJob(), { dueAt: later(startAt, hourMs) }, factsAt(soon)).to).toMatchObject({
      attemptCount: 1,
      attempts: [{ number: 1 }],
    });
  });

  it("clears what it sets to null", () => {
    const job = waitingJob({ deadline: later(startAt, hourMs), body: inlineBody("{}") });
    expect(edit(job, { deadline: null, body: null }, factsAt(startAt)).to).toMatchObject({ deadline: null, body: null });
  });
});

describe("replay", () => {
  it.each([
    ["succeeded", succeededJob()],
    ["failed", failedJob()],
    ["cancelled", cancelledJob()],
  ] as const)("of a %s job owes the same call now, without its deadline or key", (_, ended) => {
    const id = nextJobId();
    const wanted = replay({ ...ended, deadline: startAt, fingerprint: "digest", labels: { a: "b" } }, id, null, soon);
    expect(wanted).toMatchObject({
      id,
      dueAt: soon,
      replayOf: ended.id,
      deadline: null,
      fingerprint: null,
      labels: { a: "b" },
      target: ended.target,
    });
    expect(create(wanted, factsAt(soon))).toMatchObject({ state: "waiting", attemptCount: 0, leaseLossCount: 0, version: 1, attempts: [] });
  });
});

describe("a job's whole life", () => {
  it("keeps its last attempts and transitions, and counts all of them", () => {
    const retry = {
      ...retryDefault,
      maxAttempts: limits.attemptMax,
      maxAgeMs: limits.maxAgeMsMax,
      maxBackoffMs: retryDefault.minBackoffMs,
    };
    let job: Job = waitingJob({ retry });
    while (job.state === "waiting") job = settle(claimed(job), againEnd(job.nextAttemptAt), 0.9, factsAt(later(job.nextAttemptAt, 80))).to;
    expect(job).toMatchObject({ state: "failed", because: "exhausted", attemptCount: 100, version: 201 });
    expect(job.attempts.map((attempt) => attempt.number)).toEqual(Array.from({ length: limits.attemptsKept }, (_, index) => 81 + index));
    expect(job.history).toHaveLength(limits.historyKept);
    expect(job.history.at(-1)).toMatchObject({ to: "failed", because: "exhausted" });
  });

  type Step = { name: "claim" | "again" | "lost" | "edit" | "mark" | "done" | "cancel"; afterMs: number };
  const steps = fc.array(
    fc.record<Step>({
      name: fc.constantFrom("claim", "claim", "again", "again", "lost", "edit", "mark", "done", "cancel"),
      afterMs: fc.nat(10 * minuteMs),
    }),
    { maxLength: 80 },
  );

  function apply(job: Job, { name, afterMs }: Step): Transition | undefined {
    if (job.state !== "waiting" && job.state !== "running") return undefined;
    const facts = factsAt(later(job.history.at(-1)?.at ?? startAt, afterMs));
    if (job.state === "waiting") {
      if (name === "claim") return claim(job, leaseAt(facts.now), facts);
      if (name === "edit") return edit(job, { dueAt: later(facts.now, minuteMs) }, facts);
      return name === "cancel" ? cancel(job, facts) : undefined;
    }
    if (name === "again") return settle(job, againEnd(facts.now), 0.3, facts);
    if (name === "done") return settle(job, doneEnd(facts.now), 0, facts);
    if (name === "lost") return loseLease(job, facts);
    return name === "mark" && job.cancelRequestedAt === null ? requestCancel(job, facts) : undefined;
  }

  it("holds to its invariants over any row of changes", () => {
    always(steps, fc.integer({ min: 1, max: 30 }), (row, maxAttempts) => {
      let job: Job = waitingJob({ retry: { ...retryDefault, maxAttempts } });
      const { id, createdAt } = job;
      for (const step of row) {
        const transition = apply(job, step);
        if (transition === undefined) continue;
        const { to } = transition;
        expect(to).toMatchObject({ id, createdAt, version: job.version + 1 });
        expect(Object.keys(to).toSorted()).toEqual(fieldsOf[to.state].toSorted());
        expect(to.attemptCount).toBe(job.attemptCount + (transition.because === "claimed" && job.state === "waiting" ? 1 : 0));
        expect(to.attemptCount).toBeLessThanOrEqual(maxAttempts);
        expect(to.attempts.length).toBe(Math.min(to.attemptCount, limits.attemptsKept));
        expect(to.history.length).toBe(Math.min(to.version, limits.historyKept));
        expect(to.history.at(-1)?.because).toBe(to.because);
        job = to;
      }
    });
  });
});
