import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hint, NamesHint, StretchHint } from "../../src/core/hint.ts";
import { shardOf } from "../../src/core/hint.ts";
import { priorities } from "../../src/core/job.ts";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import type { Engine, Params } from "../../src/engine/engine.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { turn } from "../../src/engine/turn.ts";
import { wake } from "../../src/engine/wake.ts";
import { compareWheelKeys } from "../../src/store/keys.ts";
import { memoryCursors } from "../../src/store/memory.ts";
import { factsAt, startAt, waitingJob } from "../builders.ts";
import { openHome } from "./home.ts";

/** As on AWS: hints may be lost, so the past begins a grace ago, and is cut into stretches. */
const cloud: Partial<Params> = {
  shards: 4,
  tickMs: minuteMs,
  lookaheadMs: 5 * minuteMs,
  graceMs: 30 * secondMs,
  namesPerHint: 3,
  pageEntries: 50,
  stretchesPerPartition: 4,
};
const range = { range: 0, shards: [0, 1, 2, 3] };

/** An engine whose hints are written down; `answers` says what becomes of each send. */
function open(params: Partial<Params> = cloud, answers: () => "sent" | "full" | "out" = () => "sent") {
  const home = openHome({ params: { ...params, hintedAnewBefore: later(startAt, -minuteMs) } });
  const sent: Hint[] = [];
  const hints: Engine["hints"] = {
    async send(more) {
      const answer = answers();
      if (answer === "out") throw new OutageError("the queue is out");
      sent.push(...more);
      return answer;
    },
  };
  const engine: Engine = { ...home.engine, hints };
  const namesOf = () =>
    sent.filter((hint): hint is NamesHint => hint.kind === "names").flatMap((hint) => hint.names.map((name) => name.id));
  const stretches = () => sent.filter((hint): hint is StretchHint => hint.kind === "stretch");
  /** Stands on the wheel since long ago; whether its maker hinted it is up to the caller. */
  const owe = async (ms: number, given: { hinted?: boolean; priority?: (typeof priorities)[number] } = {}) => {
    const { hinted = false, priority = "normal" } = given;
    const hintBefore = hinted ? later(startAt, 1_000 * minuteMs) : later(startAt, -1_000 * minuteMs);
    const facts = factsAt(later(startAt, -100 * minuteMs), { hintBefore });
    const job = waitingJob({ dueAt: later(startAt, ms), priority, createdAt: facts.now }, facts);
    await engine.store.insert(job);
    return job;
  };
  return { home, engine, sent, namesOf, stretches, owe };
}

describe("a turn over the near future", () => {
  it("names what is owed up to its look-ahead and was not hinted, once in all turns", async () => {
    const { home, engine, namesOf, owe } = open();
    const [near, last, beyond] = [await owe(1_000), await owe(5 * minuteMs), await owe(5 * minuteMs + 1)];
    await owe(2_000, { hinted: true });
    await turn(engine, range, null);
    expect(namesOf().toSorted()).toEqual([near.id, last.id].toSorted());
    await home.clock.runUntil(later(startAt, minuteMs));
    await turn(engine, range, null);
    expect(namesOf()).toHaveLength(3);
    expect(namesOf()).toContain(beyond.id);
  });

  it("names anew what a process that is gone had hinted", async () => {
    const { engine, namesOf, owe } = open();
    const job = await owe(1_000, { hinted: true });
    await turn({ ...engine, params: { ...engine.params, hintedAnewBefore: later(startAt, minuteMs) } }, range, null);
    expect(namesOf()).toEqual([job.id]);
  });

  it("fills hints over all shards of the range, by second and priority", async () => {
    const { engine, sent, owe } = open();
    const jobs = [];
    for (let index = 0; index < 9; index++) jobs.push(await owe(1_000 + index));
    expect(new Set(jobs.map((job) => shardOf(job.id, 4))).size).toBeGreaterThan(1);
    await owe(1_500, { priority: "high" });
    await turn(engine, range, null);
    expect(sent.map((hint) => (hint.kind === "names" ? hint.names.length : 0)).toSorted()).toEqual([1, 3, 3, 3]);
  });

  it("whose hints could not be sent keeps its place: the next turn names the same", async () => {
    let out = true;
    const { home, engine, namesOf, owe } = open(cloud, () => (out ? "out" : "sent"));
    const jobs = [await owe(90_000), await owe(91_000), await owe(92_000), await owe(93_000)];
    await turn(engine, range, null);
    expect(namesOf()).toEqual([]);
    out = false;
    await home.clock.runUntil(later(startAt, minuteMs));
    await turn(engine, range, null);
    expect(namesOf().toSorted()).toEqual(jobs.map((job) => job.id).toSorted());
  });

  it("that lost its cursor names again, and forgets nothing", async () => {
    const { engine, namesOf, owe } = open();
    const job = await owe(1_000);
    await turn(engine, range, null);
    await turn({ ...engine, cursors: memoryCursors() }, range, null);
    expect(namesOf()).toEqual([job.id, job.id]);
  });

  it("that has no time left comes to one shard at least, and the next begins with the others", async () => {
    const { home, engine, namesOf, owe } = open();
    const jobs = [];
    for (let index = 0; index < 40; index++) jobs.push(await owe(4 * minuteMs + index));
    for (let round = 0; round < 4; round++) {
      await turn(engine, range, home.clock.now());
      const named = new Set(namesOf());
      expect(
        jobs
          .filter((job) => named.has(job.id))
          .map((job) => shardOf(job.id, 4))
          .filter((shard, index, all) => all.indexOf(shard) === index),
      ).toHaveLength(round + 1);
    }
    expect(namesOf()).toHaveLength(40);
  });
});

describe("two turns", () => {
  it("over one range do not run at once", async () => {
    const { engine, namesOf, owe } = open();
    await owe(1_000);
    const answers = await Promise.all([turn(engine, range, null), turn(engine, range, null)]);
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(["leased", "turned"]);
    expect(namesOf()).toHaveLength(1);
  });

  it("over two ranges do not see each other's lease", async () => {
    const { engine } = open();
    const answers = await Promise.all([turn(engine, { range: 0, shards: [0, 1] }, null), turn(engine, { range: 1, shards: [2, 3] }, null)]);
    expect(answers.map(({ kind }) => kind)).toEqual(["turned", "turned"]);
  });

  it("of which the first died run again after a tick", async () => {
    const { home, engine } = open();
    const until = later(startAt, minuteMs);
    await engine.cursors.lease(range.range, { now: startAt, until, beyond: until });
    expect((await turn(engine, range, null)).kind).toBe("leased");
    await home.clock.runUntil(later(startAt, minuteMs));
    expect((await turn(engine, range, null)).kind).toBe("turned");
  });
});

describe("a turn that dies with its invocation", () => {
  it("does not cost the next tick too, however late it began", async () => {
    const { home, engine } = open();
    const invocationMs = 50 * secondMs;
    await home.clock.runUntil(later(startAt, 3 * secondMs));
    const dies = { ...engine, store: { ...engine.store, wheel: () => Promise.reject(new OutageError("the table is out")) } };
    await expect(turn(dies, range, later(home.clock.now(), invocationMs))).rejects.toThrow(OutageError);
    await home.clock.runUntil(later(startAt, minuteMs));
    expect((await turn(engine, range, later(home.clock.now(), invocationMs))).kind).toBe("turned");
  });
});

describe("a names hint", () => {
  it.each([
    ["first", [0, 300]],
    ["last", [300, 0]],
  ])("that holds a job at two instants, the true one %s, runs it", async (_, offsetsMs) => {
    const home = openHome();
    const job = await home.submit({ dueAt: later(startAt, 100 * secondMs) });
    const names = offsetsMs.map((ms) => ({ tenant: job.tenant, id: job.id, wakeAt: later(job.wakeAt, ms) }));
    home.hints.stop();
    void wake(home.engine, { kind: "names", priority: "normal", startAt: job.wakeAt, names }, home.invocation);
    await home.clock.runUntil(later(job.wakeAt, secondMs));
    expect(home.calls.map((call) => call.startedAt)).toEqual([job.wakeAt]);
  });
});

describe("a turn over the past", () => {
  it("hints nothing where nothing is older than the grace", async () => {
    const { engine, stretches, owe } = open();
    await owe(-29 * secondMs);
    await turn(engine, range, null);
    expect(stretches()).toEqual([]);
  });

  it("hints what was hinted and forgotten like everything else", async () => {
    const { engine, stretches, owe } = open();
    const job = await owe(-31 * secondMs, { hinted: true });
    await turn(engine, range, null);
    expect(stretches()).toMatchObject([{ shard: shardOf(job.id, 4), priority: "normal", cutAt: startAt }]);
  });

  it("cuts each partition's past into at most K disjoint stretches that leave nothing out", async () => {
    const ages = fc.array(fc.record({ ageMs: fc.integer({ min: 0, max: 200_000 }), priority: fc.constantFrom(...priorities) }), {
      maxLength: 80,
    });
    await fc.assert(
      fc.asyncProperty(ages, fc.integer({ min: 1, max: 8 }), async (owed, stretchesPerPartition) => {
        const { engine, stretches, owe } = open({ ...cloud, stretchesPerPartition, pageEntries: 10 });
        const jobs = [];
        for (const { ageMs, priority } of owed) jobs.push(await owe(-ageMs, { priority }));
        await turn(engine, range, null);
        for (const job of jobs) {
          const key = { wakeAt: job.wakeAt, id: job.id };
          const own = stretches().filter(({ shard, priority }) => shard === shardOf(job.id, 4) && priority === job.priority);
          const holding = own.filter(({ after, until }) => compareWheelKeys(after, key) < 0 && compareWheelKeys(key, until) <= 0);
          expect(own.length).toBeLessThanOrEqual(stretchesPerPartition);
          expect(holding).toHaveLength(job.wakeAt <= startAt - 30 * secondMs ? 1 : 0);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("cuts by count: stretches of the oldest page hold alike many", async () => {
    const { engine, stretches, owe } = open({ ...cloud, shards: 1 });
    // Most of them at one instant: a cut by time would put them into one stretch.
    for (let index = 0; index < 40; index++) await owe(index < 30 ? -100_000 : -90_000 + index);
    await turn(engine, { range: 0, shards: [0] }, null);
    const counts = [];
    for (const { shard, priority, after, until } of stretches()) {
      counts.push((await engine.store.wheel({ shard, priority, after, until, limit: 100 })).length);
    }
    expect(counts).toEqual([10, 10, 10, 10]);
  });

  it("is followed by the near future also where its hints could not be sent", async () => {
    let sends = 0;
    const { engine, namesOf, owe } = open(cloud, () => (++sends === 1 ? "out" : "sent"));
    await owe(-60_000);
    const job = await owe(1_000);
    await turn(engine, range, null);
    expect(namesOf()).toEqual([job.id]);
  });
});

describe("a hint that comes late", () => {
  const stretch: Hint = {
    ...{ kind: "stretch", shard: 0, priority: "normal", cutAt: startAt, startAt },
    ...{ after: { wakeAt: later(startAt, -minuteMs), id: "" }, until: { wakeAt: startAt, id: "~" } },
  };

  it("by stretch is acted on up to its age, and ignored after it, for a newer one exists", async () => {
    for (const [ageMs, calls] of [
      [2 * minuteMs, 1],
      [2 * minuteMs + 1, 0],
    ] as const) {
      const { home, engine, owe } = open({ ...cloud, shards: 1, stretchAgeMsMax: 2 * minuteMs });
      await owe(-10_000);
      await home.clock.runUntil(later(startAt, ageMs));
      const woken = wake(engine, stretch, home.invocation);
      await home.clock.runUntil(later(startAt, ageMs + secondMs));
      await woken;
      expect(home.calls, `${ageMs} ms`).toHaveLength(calls);
    }
  });

  it("by names is acted on up to its age, and ignored after it, for the past has taken over", async () => {
    for (const [ageMs, calls] of [
      [40_000, 1],
      [40_001, 0],
    ] as const) {
      const { home, engine, owe } = open({ ...cloud, shards: 1, namesAgeMsMax: 40_000 });
      const job = await owe(0);
      await home.clock.runUntil(later(startAt, ageMs));
      const woken = wake(engine, { kind: "names", priority: "normal", startAt, names: [job] }, home.invocation);
      await home.clock.runUntil(later(startAt, ageMs + secondMs));
      await woken;
      expect(home.calls, `${ageMs} ms`).toHaveLength(calls);
    }
  });

  it("for an instant that the job has left is forgotten", async () => {
    const { home, engine, owe } = open();
    const job = await owe(0);
    await wake(engine, { kind: "names", priority: "normal", startAt, names: [{ ...job, wakeAt: later(startAt, -1) }] }, home.invocation);
    await home.clock.runUntil(later(startAt, secondMs));
    expect(home.calls).toHaveLength(0);
  });

  it("and twice has the job called once", async () => {
    const { home, engine, owe } = open();
    const job = await owe(500);
    const hint: Hint = { kind: "names", priority: "normal", startAt: job.wakeAt, names: [job, job] };
    const woken = Promise.all([wake(engine, hint, home.invocation), wake(engine, hint, home.invocation)]);
    await home.clock.runUntil(later(startAt, secondMs));
    await woken;
    expect(home.calls).toHaveLength(1);
  });
});

describe("a walk that runs out of time", () => {
  it("goes on by a hint inside the same stretch, which keeps its age", async () => {
    const { home, engine, stretches, owe } = open({ ...cloud, shards: 1 });
    const jobs = [];
    for (let index = 0; index < 5; index++) jobs.push(await owe(-60_000 + index));
    await turn(engine, { range: 0, shards: [0] }, null);
    const whole = { ...stretches()[0], until: { wakeAt: startAt, id: "~" } } as StretchHint;
    home.invocation.endsAt = later(startAt, 10 * secondMs);
    await home.clock.runUntil(later(startAt, 100));
    const before = stretches().length;
    await wake(engine, whole, home.invocation);
    const [next] = stretches().slice(before);
    expect(home.calls).toHaveLength(0);
    expect(next).toMatchObject({ cutAt: startAt, until: whole.until, shard: 0, priority: "normal" });
    if (next !== undefined) expect(compareWheelKeys(whole.after, next.after)).toBeLessThanOrEqual(0);
  });
});
