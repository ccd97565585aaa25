import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../../src/core/time.ts";

describe("the limits", () => {
  it("are whole and above zero", () => {
    for (const [name, value] of Object.entries(limits)) expect(Number.isSafeInteger(value) && value > 0, name).toBe(true);
  });

  it("hold their own defaults", () => {
    const rows = [
      [limits.timeoutMsMin, limits.timeoutMsDefault, limits.timeoutMsMax],
      [1, limits.attemptMaxDefault, limits.attemptMax],
      [limits.backoffMsMin, limits.minBackoffMsDefault, limits.minBackoffMsMax],
      [limits.minBackoffMsDefault, limits.maxBackoffMsDefault, limits.maxBackoffMsMax],
      [0, limits.doublingsDefault, limits.doublingsMax],
      [limits.maxAgeMsMin, limits.maxAgeMsDefault, limits.maxAgeMsMax],
      [1, limits.listLimitDefault, limits.listLimitMax],
      [limits.retentionMsMin, limits.retentionMsDefault, Number.POSITIVE_INFINITY],
    ] as const;
    for (const [min, standard, max] of rows) expect([min, standard, max]).toEqual([min, standard, max].toSorted((a, b) => a - b));
  });

  it("are those that the contract promises", () => {
    expect(limits).toMatchObject({
      bodyBytesMax: 262_144,
      batchItemsMax: 1_000,
      batchBytesMax: 4_194_304,
      urlCharsMax: 2_048,
      headersMax: 64,
      headerBytesMax: 8_192,
      labelsMax: 16,
      labelKeyCharsMax: 63,
      labelValueCharsMax: 255,
      idempotencyKeyCharsMax: 255,
      timeoutMsMin: secondMs,
      timeoutMsMax: 15 * minuteMs,
      timeoutMsDefault: 30 * secondMs,
      attemptMax: 100,
      attemptMaxDefault: 4,
      backoffMsMin: 100,
      minBackoffMsMax: dayMs,
      minBackoffMsDefault: 10 * secondMs,
      maxBackoffMsMax: 7 * dayMs,
      maxBackoffMsDefault: hourMs,
      doublingsMax: 16,
      doublingsDefault: 5,
      maxAgeMsMin: secondMs,
      maxAgeMsMax: 30 * dayMs,
      maxAgeMsDefault: dayMs,
      retryAfterMsMax: dayMs,
      attemptsKept: 20,
      excerptBytesMax: 4_096,
      answerBytesRead: 65_536,
      listLimitDefault: 50,
      listLimitMax: 200,
      clockSkewMsMax: 3 * secondMs,
    });
  });

  it("leave room in a request for the largest body with each byte escaped", () => {
    expect(limits.requestBytesMax).toBeGreaterThan(limits.bodyBytesMax * 6 + limits.urlCharsMax + limits.headerBytesMax);
  });
});
