/** The parameters of the home: that they fit together, and that a process keeps the instants an earlier one had hinted. */

import { describe, expect, test } from "vitest";
import { homeParams } from "../../local/params.ts";
import { limits } from "../../src/core/limits.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { openHome } from "../engine/home.ts";

const settings = { leaseSlackMs: 5 * secondMs, retentionMs: limits.retentionMsDefault };
const params = homeParams(settings, startAt, "0.0.0");

describe("the parameters of the home", () => {
  test("name again whatever an earlier process can have hinted when it died: up to a look-ahead and a tick from the start", () => {
    expect(params.hintedAnewBefore).toBe(startAt + params.lookaheadMs + params.tickMs);
    expect(params.hintedAnewBefore).toBeGreaterThan(startAt);
  });

  test("claim after the connection is opened, open it once the job is held, and hold it before its turn is past", () => {
    const { claimLeadMs, connectLeadMs, leadMs, tickMs, lookaheadMs } = params;
    expect(claimLeadMs).toBeGreaterThan(0);
    expect(connectLeadMs).toBeGreaterThan(claimLeadMs);
    expect(leadMs).toBeGreaterThanOrEqual(connectLeadMs);
    // A turn that is late by a whole tick still names what is due before the next one, with its lead.
    expect(lookaheadMs).toBeGreaterThanOrEqual(2 * tickMs);
    expect(lookaheadMs).toBeGreaterThan(tickMs + leadMs);
  });

  test("lose no hint but with the process: nothing waits for a grace, and no hint is too old within a turn", () => {
    expect(params.graceMs).toBe(0);
    expect(params.namesAgeMsMax).toBeGreaterThan(params.lookaheadMs);
    expect(params.stretchAgeMsMax).toBeGreaterThan(params.tickMs);
  });

  test("take the operator's slack, retention and version", () => {
    const given = homeParams({ leaseSlackMs: 7_000, retentionMs: 99 * secondMs }, startAt, "1.2.3");
    expect(given).toMatchObject({
      leaseRule: { kind: "register", slackMs: 7_000 },
      retentionMs: 99 * secondMs,
      userAgent: "onthedot/1.2.3",
    });
  });
});

/** With the parameters of the home itself, not those of the tests. */
test.each([200, 1_001, 1_500, 2_999])(
  "a job hinted by a process that is gone, due %i ms after the restart, is called on the dot",
  async (ms) => {
    const dead = openHome({ params });
    const dueAt = later(startAt, ms);
    expect((await dead.submit({ dueAt })).hinted).toBe(true);
    dead.die();
    const home = openHome({ clock: dead.clock, store: dead.engine.store, params: homeParams(settings, dead.clock.now(), "0.0.0") });
    await home.runUntil(later(startAt, 5 * secondMs));
    expect(home.calls.map((call) => call.startedAt)).toEqual([dueAt]);
  },
);
