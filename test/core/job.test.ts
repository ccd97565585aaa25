import { describe, expect, it } from "vitest";
import { becauses, isLive, priorities } from "../../src/core/job.ts";
import { cancelledJob, failedJob, markedJob, retriedJob, runningJob, succeededJob, waitingJob } from "../builders.ts";

describe("a job", () => {
  it("is live exactly while it stands on the wheel", () => {
    for (const job of [waitingJob(), retriedJob(), runningJob(), markedJob()]) {
      expect(isLive(job)).toBe(true);
      expect(job).toHaveProperty("wakeAt");
    }
    for (const job of [succeededJob(), failedJob(), cancelledJob()]) {
      expect(isLive(job)).toBe(false);
      expect(job).not.toHaveProperty("wakeAt");
    }
  });

  it("has priorities in the order of service, the most urgent first", () => {
    expect(priorities).toEqual(["critical", "high", "normal", "low"]);
  });

  it("names no reason twice", () => {
    expect(new Set(becauses).size).toBe(becauses.length);
  });
});
