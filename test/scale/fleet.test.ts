import { describe, expect, it } from "vitest";
import { createAgenda } from "./agenda.ts";
import { createFleet, type Hindrance } from "./fleet.ts";
import { quotas } from "./quotas.ts";
import { defaults, type Setup } from "./setup.ts";

/** Sends messages that each keep an invocation for so long, and answers when each began. */
async function run(given: Partial<Setup>, { count, invocationMs }: { count: number; invocationMs: number }) {
  const agenda = createAgenda(0);
  const begun: number[] = [];
  const hindrances = new Set<Hindrance>();
  const fleet = createFleet<number>(
    agenda,
    { ...defaults, ...given },
    (message, at) => {
      begun[message] = at;
      agenda.at(at + invocationMs, fleet.release);
    },
    (why) => hindrances.add(why),
  );
  for (let message = 0; message < count; message++) fleet.send(message, 0);
  await agenda.run(3_600_000);
  return { begun, hindrances, ...fleet.counts() };
}

describe("a fleet", () => {
  it("handles each message once, oldest first, with never more invocations than it may have", async () => {
    const { begun, invocations, runningMax, waiting } = await run(
      { concurrency: 7, pollers: { min: 10, max: 10 } },
      { count: 100, invocationMs: 50 },
    );
    expect([begun.length, invocations, runningMax, waiting]).toEqual([100, 100, 7, 0]);
    expect(begun).toEqual(begun.toSorted((a, b) => a - b));
  });

  it("begins with five pollers and gains five a second while messages wait", async () => {
    const { begun, hindrances } = await run({ concurrency: 1_000 }, { count: 400, invocationMs: 600_000 });
    const within = (ms: number) => begun.filter((at) => at <= (begun[0] ?? 0) + ms).length;
    expect(within(0)).toBe(5);
    expect(within(1_000)).toBeLessThanOrEqual(10);
    expect(within(30_000)).toBeGreaterThan(150);
    expect(within(30_000)).toBeLessThanOrEqual(155);
    expect([...hindrances]).toEqual(["pollers"]);
  });

  it("makes a thousand environments at once, and a hundred a second after them", async () => {
    const given = { concurrency: 10_000, pollers: { min: 1_000, max: 1_000 } };
    const { begun, hindrances } = await run(given, { count: 3_000, invocationMs: 600_000 });
    const within = (ms: number) => begun.filter((at) => at <= ms).length;
    expect(within(1_000)).toBeLessThanOrEqual(quotas.environmentsAtOnce + quotas.environmentsPerSecond);
    expect(within(11_000)).toBeGreaterThan(1_900);
    expect(within(11_000)).toBeLessThanOrEqual(2_150);
    expect([...hindrances]).toEqual(["new environments"]);
  });

  it("starts an environment cold once, and uses it again", async () => {
    const { coldStarts, invocations } = await run({ concurrency: 5 }, { count: 50, invocationMs: 100 });
    expect([coldStarts, invocations]).toEqual([5, 50]);
  });
});
