import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { measureAll, openCloud, unitsPage } from "../../docs/units.ts";
import { later, minuteMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";

describe("docs/units.md", () => {
  it("is what the code does (else: npm run docs)", async () => {
    expect(readFileSync(new URL("../../docs/units.md", import.meta.url), "utf8")).toBe(await unitsPage());
  });

  it("counts six write units and two consistent reads for a successful job", async () => {
    const [created, fired] = await measureAll();
    expect([created?.bill.writeUnits, fired?.bill.writeUnits]).toEqual([3, 3]);
    expect([created?.bill.readUnits, fired?.bill.readUnits]).toEqual([0, 2]);
    expect([created?.bill.refusedUnits, fired?.bill.refusedUnits]).toEqual([0, 0]);
  });
});

describe("jobs that are due five minutes after they were created", () => {
  it("cost six units each, refused ones among them below a twentieth", { timeout: 60_000 }, async () => {
    const cloud = openCloud();
    const count = 400;
    const submitted = (async () => {
      for (let index = 0; index < count; index++) {
        // Before, at and after each tick, and as the index sees them.
        await cloud.engine.clock.until(later(startAt, index * 611));
        await cloud.submit({ dueAt: later(cloud.engine.clock.now(), 5 * minuteMs) });
      }
    })();
    await cloud.runUntil(later(startAt, 12 * minuteMs));
    await submitted;
    const { jobs } = await cloud.engine.store.list({
      tenant: (await cloud.submit({})).tenant,
      among: "all",
      after: null,
      limit: count + 1,
    });
    expect(jobs.slice(1).map((job) => [job.state, job.attempts[0]?.latenessMs])).toEqual(jobs.slice(1).map(() => ["succeeded", 0]));
    const { writeUnits, refusedUnits } = cloud.metered.bill();
    expect(refusedUnits / count).toBeLessThan(0.05);
    const turnUnits = 13 * 4;
    expect((writeUnits - turnUnits) / count).toBeLessThanOrEqual(6 + 3 / count);
  });
});
