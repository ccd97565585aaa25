import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { TickPlan } from "../../src/core/tickPlan.ts";
import { dayMs, later, minuteMs } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { reconcile as reconcileWithin, type Ticking } from "../../src/ticks/reconcile.ts";
import { nextJobId, startAt, waitingJob } from "../builders.ts";
import { refusal } from "./fakeScheduler.ts";
import { group, type Opened, openTicking, runMsMax, target } from "./ticking.ts";

const never = later(startAt, 3_650 * dayMs);
const reconcile = (ticking: Ticking, patienceMs: number, endsAt = never) => reconcileWithin(ticking, { patienceMs, endsAt });

/** The ranges of the further ticks that stand and are enabled, with what each says. */
function standing({ fake }: Opened): string[] {
  return [...fake.kept.values()]
    .filter(({ State }) => State === "ENABLED")
    .map(({ Name, Target }) => `${Name} ${Target?.Input}`)
    .toSorted();
}

describe("a reconciliation", () => {
  it("makes a tick for each further range, as the base tick is made, and then gives the base tick its share", async () => {
    const opened = openTicking();
    await opened.want({ wantedRanges: 3 });
    expect(await reconcile(opened.ticking, 0)).toEqual({
      kind: "reconciled",
      plan: expect.objectContaining({ wantedRanges: 3, ranges: 3 }),
      steps: [
        { kind: "create", tick: { range: 1, of: 3, enabled: true } },
        { kind: "create", tick: { range: 2, of: 3, enabled: true } },
        { kind: "ranges", ranges: 3 },
      ],
    });
    expect(opened.fake.kept.get("range-2")).toEqual({
      Name: "range-2",
      GroupName: group,
      ScheduleExpression: "cron(* * * * ? *)",
      ScheduleExpressionTimezone: "UTC",
      FlexibleTimeWindow: { Mode: "OFF" },
      State: "ENABLED",
      Target: {
        Arn: target.arn,
        RoleArn: target.roleArn,
        DeadLetterConfig: { Arn: target.deadLetterArn },
        Input: '{"range":2,"of":3}',
        RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 1 },
      },
    });
    expect(opened.fake.kept.size).toBe(2);
  });

  it("with nothing to do changes nothing", async () => {
    const opened = openTicking();
    await opened.want({ wantedRanges: 5 });
    await reconcile(opened.ticking, 0);
    const before = opened.changes();
    const plan = await opened.plan();
    expect(await reconcile(opened.ticking, 0)).toEqual({ kind: "reconciled", plan, steps: [] });
    expect(opened.changes()).toEqual(before);
  });

  it("disables the further ticks while paused, and enables them on a resume", async () => {
    const opened = openTicking();
    await opened.want({ wantedRanges: 2 });
    await reconcile(opened.ticking, 0);
    await opened.want({ paused: true });
    await reconcile(opened.ticking, 0);
    expect([standing(opened), await opened.plan()]).toEqual([[], expect.objectContaining({ ranges: 1, wantedRanges: 2 })]);
    expect(opened.fake.kept.get("range-1")?.State).toBe("DISABLED");
    await opened.want({ paused: false });
    expect(await opened.uncovered()).toEqual([]);
    await reconcile(opened.ticking, 0);
    expect([standing(opened), (await opened.plan()).ranges]).toEqual([['range-1 {"range":1,"of":2}'], 2]);
  });

  it.each([
    ["disabled", { State: "DISABLED" }],
    ["made to come each hour", { ScheduleExpression: "rate(1 hour)" }],
    ["put into another zone", { ScheduleExpressionTimezone: "Europe/Berlin" }],
    ["aimed at another function", { Target: { Arn: "arn:other" } }],
    ["given another role", { Target: { RoleArn: "arn:other" } }],
    ["taken its queue", { Target: { DeadLetterConfig: undefined } }],
    ["made to be tried for a day", { Target: { RetryPolicy: undefined } }],
    ["given another range", { Target: { Input: '{"range":2,"of":3}' } }],
    ["given no JSON", { Target: { Input: "{" } }],
    ["given nothing", { Target: { Input: undefined } }],
  ] as const)("mends a tick that somebody has %s", async (_, change: object) => {
    const opened = openTicking();
    await opened.want({ wantedRanges: 3 });
    await reconcile(opened.ticking, 0);
    const [made, { Target = {}, ...rest }] = [opened.fake.kept.get("range-1"), change as { Target?: object }];
    if (made === undefined) throw new Error("expected the tick of range 1 to stand");
    opened.fake.kept.set("range-1", { ...made, ...rest, Target: { ...made.Target, ...Target } } as typeof made);
    const { steps } = await reconcile(opened.ticking, 0);
    expect(steps.map(({ kind }) => kind)).toEqual(["ranges", "update", "ranges"]);
    expect(opened.fake.kept.get("range-1")).toEqual(made);
  });

  it("leaves alone what is not a further tick", async () => {
    const opened = openTicking();
    const foreign = ["range-0", "range-01", "range-", "range-x", "range-1b", "orange-1", "base"];
    await opened.want({ wantedRanges: 2 });
    await reconcile(opened.ticking, 0);
    const other = opened.fake.kept.get("range-1");
    if (other === undefined) throw new Error("expected the tick of range 1 to stand");
    for (const name of foreign) opened.fake.kept.set(name, { ...other, Name: name });
    await opened.want({ wantedRanges: 1 });
    await reconcile(opened.ticking, 0);
    expect([...opened.fake.kept.keys()].toSorted()).toEqual(foreign.toSorted());
  });

  it("carries out what is wanted while it runs", async () => {
    const opened = openTicking();
    await opened.want({ wantedRanges: 2 });
    opened.fake.before = async (action) => {
      if (action !== "CreateSchedule") return;
      opened.fake.before = () => {};
      await opened.want({ wantedRanges: 4 });
    };
    await reconcile(opened.ticking, 0);
    expect(standing(opened)).toEqual(['range-1 {"range":1,"of":4}', 'range-2 {"range":2,"of":4}', 'range-3 {"range":3,"of":4}']);
  });

  it("begins no step when its time is over, and the next run goes on", async () => {
    const opened = openTicking();
    const { clock } = opened.ticking;
    await opened.want({ wantedRanges: 4 });
    opened.fake.before = (action) => (action === "CreateSchedule" ? clock.until(later(clock.now(), 1_000)) : undefined);
    const slow = reconcile(opened.ticking, 0, later(startAt, 2_000)).catch((cause: unknown) => cause);
    await clock.runUntil(later(startAt, 10_000));
    expect(await slow).toBeInstanceOf(OutageError);
    expect([standing(opened).length, (await opened.plan()).ranges]).toEqual([2, 1]);
    opened.fake.before = () => {};
    await clock.runUntil(later(startAt, 2 * runMsMax));
    expect((await reconcile(opened.ticking, 0)).steps.map(({ kind }) => kind)).toEqual(["create", "ranges"]);
  });

  it("ends with an outage where somebody wants something else without end", async () => {
    const opened = openTicking();
    opened.fake.before = () => opened.want({ paused: false });
    await expect(reconcile(opened.ticking, 0)).rejects.toThrow(OutageError);
  });
});

describe("two reconciliations at once", () => {
  it("take turns: the second waits, and finds nothing to do", async () => {
    const opened = openTicking();
    const { clock } = opened.ticking;
    await opened.want({ wantedRanges: 4 });
    opened.fake.before = () => clock.until(later(clock.now(), 1_000));
    const both = [reconcile(opened.ticking, 30_000), reconcile(opened.ticking, 30_000)];
    await clock.runUntil(later(startAt, 30_000));
    const [first, second] = await Promise.all(both);
    expect([first?.kind, first?.steps.length, second?.kind, second?.steps.length]).toEqual(["reconciled", 4, "reconciled", 0]);
  });

  it("that want opposite things leave no shard uncovered at any moment", async () => {
    const opened = openTicking();
    const { clock } = opened.ticking;
    const seen: number[][] = [];
    await opened.want({ wantedRanges: 6 });
    await reconcile(opened.ticking, 0);
    opened.fake.before = async () => {
      await clock.until(later(clock.now(), 300));
      seen.push(await opened.uncovered());
    };
    await opened.want({ wantedRanges: 1 });
    const shrinking = reconcile(opened.ticking, 0);
    await clock.runUntil(later(startAt, 2_500));
    await opened.want({ wantedRanges: 6 });
    const growing = reconcile(opened.ticking, 0);
    await clock.runUntil(later(startAt, 60_000));
    await shrinking;
    expect((await growing).kind).toBe("busy");
    expect([seen.flat(), await opened.uncovered(), (await opened.plan()).ranges]).toEqual([[], [], 6]);
    expect(seen.length).toBeGreaterThan(10);
  });

  it("of which one died: the other waits for the end of its time, and not longer than it may", async () => {
    const opened = openTicking();
    const { plans, clock } = opened.ticking;
    await plans.hold("dead", { now: startAt, until: later(startAt, runMsMax) });
    const impatient = reconcile(opened.ticking, 5_000);
    await clock.runUntil(later(startAt, 6_000));
    expect((await impatient).kind).toBe("busy");
    await clock.runUntil(later(startAt, runMsMax));
    expect((await reconcile(opened.ticking, 0)).kind).toBe("reconciled");
  });

  it("of which one may still run: the other, whose clock is ahead, does not take it over", async () => {
    const opened = openTicking();
    const { plans, clock } = opened.ticking;
    opened.fake.before = () => new Promise<void>(() => {});
    void reconcile(opened.ticking, 0);
    await clock.runUntil(later(startAt, 1));
    const takeOver = (afterMs: number) => plans.hold("ahead", { now: later(startAt, afterMs), until: later(startAt, 2 * runMsMax) });
    expect(await takeOver(runMsMax + limits.clockSkewMsMax - 1)).toBe("held");
    expect(await takeOver(runMsMax + limits.clockSkewMsMax)).not.toBe("held");
  });

  it("of which one took longer than it may: it stops before it gives the base tick's shards away", async () => {
    const opened = openTicking();
    const { plans } = opened.ticking;
    await opened.want({ wantedRanges: 2 });
    opened.fake.before = async (action) => {
      const past = later(startAt, 2 * runMsMax);
      if (action === "CreateSchedule") await plans.hold("other", { now: past, until: later(past, runMsMax) });
    };
    await expect(reconcile(opened.ticking, 0)).rejects.toThrow(OutageError);
    expect((await opened.plan()).ranges).toBe(1);
  });
});

describe("requests that fail", () => {
  it("leave every shard with a tick at every moment, and the next run ends at what is wanted", async () => {
    const change = fc.record({ wantedRanges: fc.integer({ min: 1, max: 6 }), paused: fc.boolean() });
    const fault = fc.record({ atRequest: fc.nat(14), tookEffect: fc.boolean(), denied: fc.boolean() });
    const runs = fc.array(fc.record({ change, fault: fc.option(fault) }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(runs, async (given) => {
        const opened = openTicking();
        for (const { change: wanted, fault: met } of given) {
          await opened.want(wanted);
          await runWithFault(opened, met);
          await opened.ticking.clock.runUntil(later(opened.ticking.clock.now(), 2 * runMsMax));
        }
        const { plan } = await runWithFault(opened, null);
        expect(plan?.ranges).toBe(plan?.paused === true ? 1 : plan?.wantedRanges);
        expect([...opened.fake.kept.keys()].toSorted()).toEqual(
          Array.from({ length: (plan?.wantedRanges ?? 0) - 1 }, (_, index) => `range-${index + 1}`),
        );
        expect(standing(opened)).toHaveLength(plan?.paused === true ? 0 : opened.fake.kept.size);
      }),
      { numRuns: 200 },
    );
  });

  type Met = { readonly atRequest: number; readonly tookEffect: boolean; readonly denied: boolean } | null;

  async function runWithFault(opened: Opened, met: Met): Promise<{ plan?: TickPlan }> {
    const { fake, ticking } = opened;
    let request = 0;
    fake.before = async (action, input) => {
      expect(await opened.uncovered()).toEqual([]);
      if (request++ !== met?.atRequest) return;
      // The request arrived, and its answer did not.
      if (met.tookEffect && action === "DeleteSchedule") fake.kept.delete(input.Name ?? "");
      throw met.denied ? refusal("AccessDeniedException", 403) : refusal("InternalServerException", 500);
    };
    const run = await reconcile(ticking, 0).catch((cause: Error) => {
      if (!(cause instanceof OutageError) && !/^expected the right to scheduler:\w+,/.test(cause.message)) throw cause;
      return {};
    });
    expect(await opened.uncovered()).toEqual([]);
    return run;
  }
});

describe("shards that a deploy gave up", () => {
  async function shrunk() {
    const opened = openTicking(16);
    await opened.want({ shards: 64, deployed: { ranges: 1, shards: 16, previousShards: 64, at: startAt } });
    return opened;
  }

  it("are looked after until no function of the deploy before can write any more", async () => {
    const opened = await shrunk();
    await reconcile(opened.ticking, 0);
    expect((await opened.plan()).shards).toBe(64);
    await opened.ticking.clock.runUntil(later(startAt, 16 * minuteMs));
    await reconcile(opened.ticking, 0);
    expect((await opened.plan()).shards).toBe(16);
  });

  it("are looked after for as long as something stands on them", async () => {
    const opened = await shrunk();
    const { wheel } = opened.ticking.store;
    const job = waitingJob({ id: nextJobId(), createdAt: startAt });
    const store = {
      wheel: async (page: Parameters<typeof wheel>[0]) =>
        page.shard === 40 && page.priority === "low"
          ? [{ tenant: job.tenant, id: job.id, wakeAt: job.wakeAt, hinted: false }]
          : wheel(page),
    };
    await opened.ticking.clock.runUntil(later(startAt, 16 * minuteMs));
    await reconcile({ ...opened.ticking, store }, 0);
    expect((await opened.plan()).shards).toBe(64);
    await reconcile(opened.ticking, 0);
    expect((await opened.plan()).shards).toBe(16);
  });
});
