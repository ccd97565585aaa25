/** The parameters on AWS: that they fit together, each pair with what would go wrong if they did not. */

import { describe, expect, it } from "vitest";
import { awsParams, type Choices } from "../../functions/params.ts";
import { limits } from "../../src/core/limits.ts";
import { dayMs, later, minuteMs, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";

const choices: Choices = {
  ...{ shards: 64, tickMs: minuteMs, lookaheadMs: 5 * minuteMs, retentionMs: 30 * dayMs, maxTimeoutMs: 2 * minuteMs },
  keepResponses: "failures",
};
const params = awsParams(choices, "1.2.3");

describe("the parameters on AWS", () => {
  it("take what the deploy chose, and the version", () => {
    const others = { shards: 7, tickMs: 3 * minuteMs, lookaheadMs: 8 * minuteMs, retentionMs: dayMs, keepResponses: "all" } as const;
    expect(awsParams({ ...choices, ...others }, "2.0.0")).toMatchObject({ ...others, userAgent: "onthedot/2.0.0" });
    for (const maxTimeoutMs of [secondMs, 14 * minuteMs]) {
      expect(awsParams({ ...choices, maxTimeoutMs }, "1").callMsMax).toBe(maxTimeoutMs);
    }
  });

  it("leave what a hint may still be running to it: the past begins after the default call and some slack", () => {
    // Were it less, each tick would hint most of the calls that are under way once more.
    expect(params.graceMs).toBe(35 * secondMs);
    expect(params.graceMs).toBeGreaterThan(limits.timeoutMsDefault + limits.clockSkewMsMax);
  });

  it("drop a hint of names just when the past takes its jobs over", () => {
    // Dropped earlier, nobody would look at them until then; dropped later, two hints would name the same jobs.
    expect(params.namesAgeMsMax).toBe(params.graceMs);
  });

  it.each([30 * secondMs, minuteMs, 5 * minuteMs])(
    "drop a stretch of the past just when the next turn cuts it anew: a tick of %i ms",
    (ms) => {
      // Dropped later, the chains of follow-ups of two turns would walk the same stretch, and then those of three.
      expect(awsParams({ ...choices, tickMs: ms }, "1").stretchAgeMsMax).toBe(ms);
    },
  );

  it("hold, connect, claim and look in this order, each with its time before the instant", () => {
    const { leadMs, connectLeadMs, claimLeadMs, cancelWatch } = params;
    const lookLeadMs = cancelWatch.kind === "asks" ? cancelWatch.leadMs : Number.NaN;
    expect(lookLeadMs).toBeGreaterThan(0);
    expect(claimLeadMs).toBeGreaterThan(lookLeadMs);
    expect(connectLeadMs).toBeGreaterThan(claimLeadMs);
    expect(leadMs).toBeGreaterThan(connectLeadMs);
  });

  it("trust every hint that was promised, for the queues outlive who sent them", () => {
    expect(params.hintedAnewBefore).toBeLessThan(later(startAt, -100 * dayMs));
    expect(params.leaseRule).toEqual({ kind: "invocation" });
  });
});
