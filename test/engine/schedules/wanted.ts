/** Schedules as callers want them, for tests of the engine, and a home that says what became of them. */

import { soleTenant } from "../../../src/core/ids.ts";
import { retryDefault } from "../../../src/core/retry.ts";
import type { Standing } from "../../../src/core/schedule.ts";
import { hourMs, secondMs } from "../../../src/core/time.ts";
import { type PutAnswer, type PutRequest, putSchedule, type Wanted } from "../../../src/engine/schedules/put.ts";
import { findSchedule, recentOf } from "../../../src/engine/schedules/read.ts";
import type { Home } from "../home.ts";

export const job: Wanted["job"] = {
  target: { url: "https://example.com/hook", method: "POST", headers: {} },
  body: null,
  timeoutMs: 30 * secondMs,
  expireAfterMs: null,
  retry: retryDefault,
  priority: "normal",
  labels: {},
};

/** Each minute, in UTC. */
export function wanted(given: Partial<Wanted> = {}): Wanted {
  return {
    ...{ when: { cron: "* * * * *" }, except: [], startAt: null, endAt: null, window: null, job, overlap: "skip" },
    ...{ misfire: { policy: "latest", withinMs: hourMs, max: 100 }, maxRuns: null, pauseAfterFailures: null, labels: {}, set: null },
    ...given,
  };
}

export const named = { tenant: soleTenant, name: "report" };

export async function put(home: Home, given: Partial<Wanted> = {}, pause: PutRequest["pause"] = undefined): Promise<PutAnswer> {
  return putSchedule(home.engine, named, () => ({ wanted: wanted(given), pause }));
}

/** The schedule as it is made or written anew; fails where it was refused. */
export async function putStanding(home: Home, given: Partial<Wanted> = {}): Promise<Standing> {
  const answer = await put(home, given);
  if (answer.kind !== "created" && answer.kind !== "replaced") throw new Error(`expected a schedule, got ${JSON.stringify(answer)}`);
  return answer.schedule;
}

export async function standing(home: Home): Promise<Standing> {
  const schedule = await findSchedule(home.engine, named);
  if (schedule === undefined) throw new Error("expected the schedule to stand, got none");
  return schedule;
}

/** What became of its occurrences, oldest first: `fired due 00:01:00` or `missed misfire 00:01:00-00:09:00 (9)`. */
export async function record(home: Home): Promise<readonly string[]> {
  const schedule = await standing(home);
  const time = (at: number) => new Date(at).toISOString().slice(11, 19);
  return recentOf(schedule, 100)
    .toReversed()
    .map(({ state, because, nominalAt, lastNominalAt, count }) =>
      count === 1 ? `${state} ${because} ${time(nominalAt)}` : `${state} ${because} ${time(nominalAt)}-${time(lastNominalAt)} (${count})`,
    );
}

/** The calls that were made: `00:01:00.000` each, by their first byte. */
export function calls(home: Home): readonly string[] {
  return home.calls.map(({ startedAt }) => new Date(startedAt).toISOString().slice(11, 23));
}
