/** What an edit must not pass over: what exceptions left out, what is pending by another's clock, and what is owed no more. */

import { describe, expect, test } from "vitest";
import { scheduleIdOf, soleTenant } from "../../../src/core/ids.ts";
import { later, minuteMs, secondMs } from "../../../src/core/time.ts";
import { pauseSchedule } from "../../../src/engine/schedules/pause.ts";
import { startAt } from "../../builders.ts";
import { answerWith, openHome } from "../home.ts";
import { job, named, put, putStanding, record, standing } from "./wanted.ts";

const at = (ms: number) => later(startAt, ms);
const ref = { tenant: soleTenant, id: scheduleIdOf(soleTenant, named.name) };
const noWish = { until: null, reason: null };

describe("what exceptions left out", () => {
  const except = [{ cron: "2-4 * * * *" }];

  test("is counted by an edit to another rule, for no occurrence of the old one will", async () => {
    const home = openHome();
    await putStanding(home, { except });
    await home.runUntil(at(3 * minuteMs + 30 * secondMs));
    await putStanding(home, { when: { cron: "*/10 * * * *" } });
    expect(await record(home)).toEqual(["fired due 00:00:00", "fired due 00:01:00", "excluded exception 00:02:00-00:03:00 (2)"]);
  });

  test("during a pause is no skipped occurrence, and is counted by an edit", async () => {
    const home = openHome();
    await putStanding(home, { except });
    await home.runUntil(at(30 * secondMs));
    await pauseSchedule(home.engine, ref, noWish);
    await home.runUntil(at(5 * minuteMs + 30 * secondMs));
    await putStanding(home, { when: { cron: "*/10 * * * *" } });
    expect(await record(home)).toEqual([
      "fired due 00:00:00",
      "excluded exception 00:02:00-00:04:00 (3)",
      "skipped paused 00:01:00-00:05:00 (2)",
    ]);
  });
});

test("an edit of a schedule that fires no more of its own, for all that is left waits, is answered", async () => {
  const home = openHome({ answer: answerWith(200, { afterMs: 10 * minuteMs }) });
  const given = { overlap: "buffer_one", maxRuns: 2, job: { ...job, timeoutMs: 20 * minuteMs } } as const;
  await putStanding(home, given);
  await home.runUntil(at(3 * minuteMs + secondMs));
  expect(await standing(home)).toMatchObject({ state: "active", runs: 1, buffered: [{ nominalAt: at(minuteMs) }] });
  expect(await put(home, { ...given, when: { cron: "*/5 * * * *" } })).toMatchObject({ kind: "replaced", pending: "none" });
});

test("an edit keeps what another kept pending by a clock that was ahead", async () => {
  const home = openHome();
  const window = { kind: "span", spanMs: 4 * minuteMs } as const;
  await putStanding(home, { when: { cron: "*/10 * * * *" }, window });
  await home.runUntil(at(9 * minuteMs + 59 * secondMs));
  const { clock } = home.engine;
  const skewed = (ms: number) => Object.assign(home.engine, { clock: { ...clock, now: () => later(clock.now(), ms) } });
  skewed(1_500);
  expect(await put(home, { when: { cron: "*/5 * * * *" }, window })).toMatchObject({ pending: "kept" });
  skewed(-1_500);
  expect(await put(home, { when: { cron: "*/2 * * * *" }, window })).toMatchObject({ pending: "moved" });
  expect((await standing(home)).next).toMatchObject({ nominalAt: at(10 * minuteMs) });
});
