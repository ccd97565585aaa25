import { describe, expect, it } from "vitest";
import { endOf, type Hint, type NamesHint, type StretchHint, startOf } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { type EpochMs, later } from "../../src/core/time.ts";
import { createMemoryHints } from "../../src/hints/memory.ts";
import { nextJobId, startAt } from "../builders.ts";
import { createVirtualClock } from "../engine/virtualClock.ts";

const at = (ms: number): EpochMs => later(startAt, ms);
const name = (ms: number, id = nextJobId()) => ({ tenant: soleTenant, id, wakeAt: at(ms) });

function names(...named: NamesHint["names"]): NamesHint {
  return { kind: "names", priority: "normal", startAt: at(Math.min(...named.map(({ wakeAt }) => wakeAt - startAt))), names: named };
}

function stretch(afterMs: number, untilMs: number, given: Partial<StretchHint> = {}): StretchHint {
  return {
    kind: "stretch",
    shard: 0,
    priority: "normal",
    after: startOf(at(afterMs)),
    until: endOf(at(untilMs)),
    cutAt: startAt,
    startAt,
    ...given,
  };
}

/** Hints with a lead of 100 ms, whose deliveries are written down with their instant; a walk lasts until it is let go. */
function open(namesMax = 1_000, namesPerStepMax = 1_000) {
  const clock = createVirtualClock(startAt);
  const delivered: { hint: Hint; atMs: number }[] = [];
  const walks: (() => void)[] = [];
  const hints = createMemoryHints({
    ...{ clock, shards: 1, namesMax, namesPerStepMax, leadMs: 100 },
    async deliver(hint) {
      delivered.push({ hint, atMs: clock.now() - startAt });
      if (hint.kind === "stretch") await new Promise<void>((resolve) => walks.push(resolve));
    },
  });
  const idsAt = () =>
    delivered.flatMap(({ hint, atMs }) => (hint.kind === "names" ? hint.names.map((one) => [one.id, atMs] as const) : []));
  const stretches = () => delivered.flatMap(({ hint }) => (hint.kind === "stretch" ? [hint] : []));
  return { clock, hints, delivered, idsAt, stretches, walks };
}

describe("a name", () => {
  it("is delivered a lead before its instant, never later, at most ten milliseconds earlier", async () => {
    const { clock, hints, idsAt } = open();
    const named = [500, 503, 509, 510, 777, 50].map((ms) => name(ms));
    await hints.send([names(...named)]);
    await clock.runUntil(at(2_000));
    expect(idsAt()).toHaveLength(6);
    for (const [id, atMs] of idsAt()) {
      const owed = (named.find((one) => one.id === id)?.wakeAt ?? startAt) - startAt - 100;
      expect(atMs).toBeLessThanOrEqual(Math.max(0, owed));
      expect(atMs).toBeGreaterThanOrEqual(owed - 10);
    }
  });

  it("is delivered with those of its moment, by one hint", async () => {
    const { clock, hints, delivered } = open();
    await hints.send([names(name(500), name(501), name(502))]);
    await clock.runUntil(at(2_000));
    expect(delivered.map(({ hint }) => hint.kind === "names" && hint.names.length)).toEqual([3]);
  });

  it("that is sent twice for one instant is delivered once", async () => {
    const { clock, hints, idsAt } = open();
    const one = name(500);
    await hints.send([names(one), names(one)]);
    await hints.send([names(one)]);
    expect(hints.depth()).toBe(1);
    await clock.runUntil(at(2_000));
    expect(idsAt()).toHaveLength(1);
  });

  it("that moved is delivered for its new instant too", async () => {
    const { clock, hints, idsAt } = open();
    const one = name(500);
    await hints.send([names(one)]);
    await hints.send([names({ ...one, wakeAt: at(900) })]);
    await hints.send([names({ ...one, wakeAt: at(300) })]);
    await clock.runUntil(at(2_000));
    expect(idsAt().map(([, atMs]) => atMs)).toEqual([200, 400, 800]);
    expect(hints.depth()).toBe(0);
  });

  it("waits for the hint's own instant where that is later, as after an outage", async () => {
    const { clock, hints, idsAt } = open();
    await hints.send([{ ...names(name(-5_000)), startAt: at(1_000) }]);
    await clock.runUntil(at(2_000));
    expect(idsAt().map(([, atMs]) => atMs)).toEqual([900]);
  });

  it("of the past is delivered at once", async () => {
    const { clock, hints, idsAt } = open();
    await hints.send([names(name(-5_000))]);
    await clock.rest();
    expect(idsAt().map(([, atMs]) => atMs)).toEqual([0]);
  });

  it("is held by one timer, however many there are", async () => {
    const { clock, hints, delivered } = open();
    await hints.send([names(...Array.from({ length: 500 }, (_, index) => name(10_000 - index * 10)))]);
    await clock.runUntil(at(20_000));
    expect(delivered.length).toBe(500);
    expect(delivered.map(({ atMs }) => atMs)).toEqual(delivered.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    expect(clock.next()).toBeUndefined();
  });
});

describe("a full memory", () => {
  it("says so, and holds no more than it may", async () => {
    const { hints } = open(3);
    expect(await hints.send([names(name(500), name(600))])).toBe("sent");
    expect(await hints.send([names(name(700), name(800), name(900))])).toBe("full");
    expect(hints.depth()).toBe(3);
  });

  it("has the past read when the instant of what it dropped has come", async () => {
    const { clock, hints, stretches } = open(0);
    await hints.send([names(name(700), name(500), name(600))]);
    await clock.runUntil(at(499));
    expect(stretches()).toEqual([]);
    await clock.runUntil(at(500));
    expect(stretches()).toMatchObject([{ shard: 0, priority: "normal", after: startOf(at(500)), until: endOf(at(500)) }]);
  });

  it("has the past read again for what it dropped after the first, up to the last", async () => {
    const { clock, hints, stretches, walks } = open(0);
    await hints.send([names(name(500), name(1_250))]);
    await clock.runUntil(at(3_000));
    expect(stretches()).toHaveLength(1);
    walks[0]?.();
    await clock.rest();
    expect(stretches().at(1)).toMatchObject({ until: endOf(at(1_250)) });
    expect(clock.next()).toBeUndefined();
  });

  it("has each partition of what it dropped read on its own", async () => {
    const { clock, hints, stretches } = open(0);
    await hints.send([names(name(500)), { ...names(name(600)), priority: "critical" }]);
    await clock.runUntil(at(1_000));
    expect(stretches().map(({ priority }) => priority)).toEqual(["normal", "critical"]);
  });

  it("has room again when names were delivered", async () => {
    const { clock, hints } = open(1);
    await hints.send([names(name(500))]);
    await clock.runUntil(at(450));
    expect(await hints.send([names(name(700))])).toBe("sent");
  });
});

describe("a moment for which more is named than could start", () => {
  it("takes no more names, and has the rest read from the wheel at its instant; other moments have room", async () => {
    const { clock, hints, delivered, stretches } = open(1_000, 2);
    expect(await hints.send([names(name(500), name(500), name(500), name(900))])).toBe("sent");
    expect(hints.depth()).toBe(3);
    await clock.runUntil(at(450));
    expect(delivered).toHaveLength(1);
    expect(stretches()).toEqual([]);
    await clock.runUntil(at(500));
    expect(stretches()).toMatchObject([{ after: startOf(at(500)), until: endOf(at(500)) }]);
  });

  it("takes what is owed already all the same", async () => {
    const { hints, clock, delivered } = open(1_000, 2);
    await hints.send([names(name(0)), names(name(0)), names(name(0))]);
    await clock.rest();
    expect(delivered).toHaveLength(3);
  });
});

describe("a stretch", () => {
  it("is delivered at once", async () => {
    const { hints, stretches } = open();
    const hint = stretch(0, 100);
    await hints.send([hint]);
    expect(stretches()).toEqual([hint]);
  });

  it("of a partition that is being walked makes it be walked once more, over the union of all that came meanwhile", async () => {
    const { clock, hints, stretches, walks } = open();
    await hints.send([stretch(0, 100)]);
    await hints.send([stretch(300, 400), stretch(200, 250), stretch(350, 500)]);
    expect(stretches()).toHaveLength(1);
    walks[0]?.();
    await clock.rest();
    expect(stretches().slice(1)).toMatchObject([{ after: startOf(at(200)), until: endOf(at(500)) }]);
    walks[1]?.();
    await clock.rest();
    expect(stretches()).toHaveLength(2);
  });

  it("of another partition does not wait", async () => {
    const { hints, stretches } = open();
    await hints.send([stretch(0, 100), stretch(0, 100, { priority: "low" }), stretch(0, 100, { shard: 1 })]);
    expect(stretches()).toHaveLength(3);
  });
});

describe("stopped hints", () => {
  it("deliver nothing more: no name, no dropped name's past, no second walk", async () => {
    const { clock, hints, delivered, walks } = open(1);
    await hints.send([names(name(500), name(600)), stretch(0, 100)]);
    await hints.send([stretch(0, 200)]);
    hints.stop();
    walks[0]?.();
    await hints.send([names(name(700)), stretch(0, 300)]);
    await clock.runUntil(at(2_000));
    expect(delivered).toHaveLength(1);
    expect(clock.next()).toBeUndefined();
  });
});
