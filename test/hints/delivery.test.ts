import { describe, expect, it } from "vitest";
import { endOf, type Hint, startOf } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import type { Waiting } from "../../src/core/job.ts";
import { type EpochMs, later, secondMs } from "../../src/core/time.ts";
import { wake } from "../../src/engine/wake.ts";
import { readHint, writeHint } from "../../src/hints/message.ts";
import { startAt } from "../builders.ts";
import { type Home, openHome } from "../engine/home.ts";

const at = (ms: number): EpochMs => later(startAt, ms);
const graceMs = 35 * secondMs;

/** An engine whose own hints go nowhere: what it hears is what a test delivers, as the text of a message. */
async function openHouse(dueMs: readonly number[]): Promise<{ home: Home; jobs: Waiting[]; deliver(hint: Hint, atMs: number): void }> {
  const home = openHome({ params: { graceMs, namesAgeMsMax: graceMs, leadMs: 500 } });
  home.hints.stop();
  const jobs: Waiting[] = [];
  for (const ms of dueMs) jobs.push(await home.submit({ dueAt: at(ms) }));
  return {
    home,
    jobs,
    deliver(hint, atMs) {
      const read = readHint(writeHint(hint));
      if (read === undefined) throw new Error("expected a hint");
      void home.clock.until(at(atMs)).then(() => wake(home.engine, read, home.invocation));
    },
  };
}

function namesOf(jobs: readonly Waiting[]): Hint {
  const names = jobs.map(({ id, wakeAt }) => ({ tenant: soleTenant, id, wakeAt }));
  return { kind: "names", priority: "normal", startAt: names[0]?.wakeAt ?? startAt, names };
}

const callsOf = (home: Home) => home.calls.map(({ startedAt }) => startedAt - startAt);

describe("a message", () => {
  it("that is delivered twice at once, and again later, makes one call", async () => {
    const { home, jobs, deliver } = await openHouse([2_000]);
    for (const ms of [1_500, 1_500, 1_990, 2_001, 2_400, 9_000]) deliver(namesOf(jobs), ms);
    await home.clock.runUntil(at(20_000));
    expect(callsOf(home)).toEqual([2_000]);
  });

  it("that overtakes others, or is overtaken, calls each job at its own instant", async () => {
    const { home, jobs, deliver } = await openHouse([2_000, 3_000, 4_000]);
    deliver(namesOf(jobs.slice(2)), 1_000);
    deliver(namesOf(jobs.slice(0, 1)), 1_400);
    deliver(namesOf(jobs.slice(1, 2)), 1_300);
    await home.clock.runUntil(at(20_000));
    expect(callsOf(home)).toEqual([2_000, 3_000, 4_000]);
  });

  it("that comes minutes early calls on the dot", async () => {
    const { home, jobs, deliver } = await openHouse([120_000]);
    deliver(namesOf(jobs), 0);
    await home.clock.runUntil(at(130_000));
    expect(callsOf(home)).toEqual([120_000]);
  });

  it("that comes late, within the grace, calls at once", async () => {
    const { home, jobs, deliver } = await openHouse([2_000]);
    deliver(namesOf(jobs), 2_000 + graceMs);
    await home.clock.runUntil(at(60_000));
    expect(callsOf(home)).toEqual([2_000 + graceMs]);
  });

  it("that comes later still is left to the past's own hint", async () => {
    const { home, jobs, deliver } = await openHouse([2_000]);
    deliver(namesOf(jobs), 2_001 + graceMs);
    await home.clock.runUntil(at(60_000));
    expect(callsOf(home)).toEqual([]);
    const cutAt = at(61_000);
    deliver({ kind: "stretch", shard: 0, priority: "normal", after: startOf(startAt), until: endOf(cutAt), cutAt, startAt: cutAt }, 61_000);
    await home.clock.runUntil(at(70_000));
    expect(callsOf(home)).toEqual([61_000]);
  });

  it("of a job that has moved since, has ended, or never was makes no call", async () => {
    const { home, jobs, deliver } = await openHouse([2_000, 2_000]);
    const [job, ended] = jobs;
    if (job === undefined || ended === undefined) throw new Error("expected two jobs");
    const unknown = { ...job, id: job.id.replace(/.$/, "Z") as Waiting["id"] };
    deliver(namesOf([ended]), 1_900);
    await home.clock.runUntil(at(3_000));
    deliver(namesOf([ended, unknown, { ...job, wakeAt: at(1_000) }]), 3_000);
    await home.clock.runUntil(at(20_000));
    expect(callsOf(home)).toEqual([2_000]);
  });
});
