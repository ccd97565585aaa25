import { describe, expect, it } from "vitest";
import { type Answer, type FailureReason, outcomeOf } from "../../src/core/outcome.ts";
import { type RetryOn, retryDefault } from "../../src/core/retry.ts";
import { dayMs, later, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";

function response(status: number, headers: Record<string, string> = {}): Answer {
  const body = { excerpt: new Uint8Array(), byteCount: 0, body: "complete" } as const;
  return { kind: "response", sentAt: startAt, endedAt: later(startAt, 80), status, headers, ...body };
}

function failure(reason: FailureReason): Answer {
  return { kind: "failure", sentAt: startAt, endedAt: later(startAt, 80), reason, code: null, message: "", status: null, retryAfter: null };
}

const statuses = Array.from({ length: 500 }, (_, index) => index + 100);
const kindsOf = (retryOn: readonly RetryOn[], kind: string) =>
  statuses.filter((status) => outcomeOf(response(status), retryOn).kind === kind);

describe("a status", () => {
  it("is done from 200 to 299 and nowhere else, whatever is retried", () => {
    const every2xx = statuses.filter((status) => status >= 200 && status < 300);
    for (const retryOn of [[], retryDefault.retryOn, ["4xx", "5xx"], statuses] as const) expect(kindsOf(retryOn, "done")).toEqual(every2xx);
  });

  it("is tried again by default for 408, 425, 429 and every 5xx, and is final for the rest", () => {
    const every5xx = statuses.filter((status) => status >= 500);
    expect(kindsOf(retryDefault.retryOn, "again")).toEqual([408, 425, 429, ...every5xx]);
    expect(kindsOf(retryDefault.retryOn, "never")).toHaveLength(500 - 100 - 3 - 100);
  });

  it("is tried again as a class, and no other class with it", () => {
    expect(kindsOf(["4xx"], "again")).toEqual(statuses.filter((status) => status >= 400 && status < 500));
    expect(kindsOf(["5xx"], "again")).toEqual(statuses.filter((status) => status >= 500));
  });

  it("below 400 is never tried again, also where it is named: redirects are not followed", () => {
    expect(kindsOf(statuses, "again")).toEqual(statuses.filter((status) => status >= 400));
  });

  it.each([0, 99, 600, 700, 999])("of %d is final, for nobody knows what it means", (status) => {
    expect(outcomeOf(response(status), ["4xx", "5xx", status]).kind).toBe("never");
  });

  it("names itself in the reason", () => {
    for (const status of statuses) expect(outcomeOf(response(status), retryDefault.retryOn).because).toBe(`status_${status}`);
  });

  it("whose body broke off is tried again no earlier than its head asked for", () => {
    const cut = { ...failure("truncated"), status: 503, retryAfter: "60" } as Answer;
    expect(outcomeOf(cut, retryDefault.retryOn)).toEqual({ kind: "again", because: "truncated", waitMs: 60 * secondMs });
  });

  it("that is tried again brings the wait that the target asked for, counted from its answer", () => {
    const date = new Date(startAt + 80 + 5_000).toUTCString();
    expect(outcomeOf(response(503, { "retry-after": "7" }), retryDefault.retryOn)).toMatchObject({ kind: "again", waitMs: 7 * secondMs });
    expect(outcomeOf(response(503, { "retry-after": date }), retryDefault.retryOn)).toMatchObject({ waitMs: 4_920 });
    expect(outcomeOf(response(503, { "retry-after": "soon" }), retryDefault.retryOn)).toMatchObject({ waitMs: null });
    expect(outcomeOf(response(503, { "retry-after": "9999999" }), retryDefault.retryOn)).toMatchObject({ waitMs: dayMs });
    expect(outcomeOf(response(503), retryDefault.retryOn)).toMatchObject({ waitMs: null });
  });
});

describe("a failure", () => {
  const choices: readonly (readonly RetryOn[])[] = [[], ["network"], ["timeout"], ["4xx", "5xx"], retryDefault.retryOn];
  const again: Record<FailureReason, readonly (readonly RetryOn[])[]> = {
    target_denied: [],
    aborted: choices,
    timeout: [["timeout"], retryDefault.retryOn],
    network: [["network"], retryDefault.retryOn],
    dns: [["network"], retryDefault.retryOn],
    tls: [["network"], retryDefault.retryOn],
    truncated: [["network"], retryDefault.retryOn],
    too_large: [["network"], retryDefault.retryOn],
  };

  it.each(Object.keys(again) as FailureReason[])("by %s is tried again exactly where its class is named", (reason) => {
    for (const retryOn of choices) {
      const outcome = outcomeOf(failure(reason), retryOn);
      expect(outcome.because).toBe(reason);
      const expected = again[reason].some((wanted) => wanted.join() === retryOn.join()) ? "again" : "never";
      expect(outcome.kind, `retryOn ${JSON.stringify(retryOn)}`).toBe(expected);
    }
  });
});
