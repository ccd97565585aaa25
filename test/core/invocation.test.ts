/** The spans of the AWS home: whatever the longest call, the guarantees' inequalities hold, and a deploy that breaks one is told. */

import { integer } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  apiTimeoutMs,
  brokenSpans,
  dispatcherTimeoutMs,
  maxTimeoutMsMax,
  reconcileTimeoutMs,
  spansFor,
  undertakerTimeoutMs,
} from "../../src/core/invocation.ts";
import { limits } from "../../src/core/limits.ts";
import { minuteMs, secondMs } from "../../src/core/time.ts";
import { always } from "../always.ts";

/** What AWS sets: the longest that a function runs, and the longest that a message can be hidden. */
const functionMsMax = 15 * minuteMs;
const visibilityMsMax = 12 * 60 * minuteMs;

const longestCalls = integer({ min: secondMs, max: maxTimeoutMsMax });

describe("for any longest call from a second to fourteen minutes", () => {
  it("D + ε < F: a call that begins with the invocation ends before it, by any clock of the system", () => {
    always(longestCalls, (ms) => {
      const { maxTimeoutMs, executorTimeoutMs } = spansFor(ms);
      expect(maxTimeoutMs).toBe(ms);
      expect(maxTimeoutMs + limits.clockSkewMsMax).toBeLessThan(executorTimeoutMs);
    });
  });

  it("F is a timeout that AWS takes", () => {
    always(longestCalls, (ms) => {
      expect(spansFor(ms).executorTimeoutMs).toBeLessThanOrEqual(functionMsMax);
    });
  });

  it("V ≥ 6F, and SQS can hide a message so long", () => {
    always(longestCalls, (ms) => {
      const { executorTimeoutMs, visibilityMs } = spansFor(ms);
      expect(visibilityMs).toBeGreaterThanOrEqual(6 * executorTimeoutMs);
      expect(visibilityMs).toBeLessThanOrEqual(visibilityMsMax);
    });
  });

  it("a lease that ends with the invocation and ε is over before the message shows again", () => {
    always(longestCalls, (ms) => {
      const { executorTimeoutMs, visibilityMs } = spansFor(ms);
      expect(executorTimeoutMs + limits.clockSkewMsMax).toBeLessThan(visibilityMs);
    });
  });

  it("nothing is told, and whatever is a millisecond too short or too long is", () => {
    always(longestCalls, (ms) => {
      const spans = spansFor(ms);
      const { executorTimeoutMs, visibilityMs } = spans;
      expect(brokenSpans(spans)).toEqual([]);
      // At the edges: the shortest function that fits the call, and the longest call that fits the function.
      const shortest = ms + limits.clockSkewMsMax + 1;
      expect(brokenSpans({ ...spans, executorTimeoutMs: shortest })).toEqual([]);
      expect(brokenSpans({ ...spans, executorTimeoutMs: shortest - 1 })).toEqual([expect.stringMatching(/^the longest call \(/)]);
      expect(brokenSpans({ ...spans, visibilityMs: visibilityMs - 1 })).toEqual([expect.stringMatching(/^a message is hidden for /)]);
      expect(brokenSpans({ ...spans, visibilityMs: 6 * executorTimeoutMs + 1 })).toEqual([]);
    });
  });
});

describe("a function", () => {
  it("of fifteen minutes is the longest there is", () => {
    const spans = { maxTimeoutMs: minuteMs, executorTimeoutMs: functionMsMax, visibilityMs: 6 * functionMsMax };
    expect(brokenSpans(spans)).toEqual([]);
    expect(brokenSpans({ ...spans, executorTimeoutMs: functionMsMax + 1, visibilityMs: 6 * (functionMsMax + 1) })).toEqual([
      "AWS runs no function for 15m1ms; the longest is 15m",
    ]);
  });

  it("of that length has room for the longest call that is allowed, and for none that is longer", () => {
    expect(maxTimeoutMsMax).toBe(14 * minuteMs);
    expect(brokenSpans(spansFor(maxTimeoutMsMax + 1))).toHaveLength(1);
  });

  it("of the other doors ends before whoever asks it gives up, and a turn before the next tick", () => {
    // API Gateway waits thirty seconds at most.
    expect(apiTimeoutMs).toBeLessThan(30 * secondMs);
    expect(dispatcherTimeoutMs).toBeLessThan(minuteMs);
    for (const ms of [apiTimeoutMs, dispatcherTimeoutMs, undertakerTimeoutMs, reconcileTimeoutMs])
      expect(ms).toBeLessThanOrEqual(functionMsMax);
  });
});
