import { describe, expect, it } from "vitest";
import { headersOf } from "../../src/core/request.ts";
import { later } from "../../src/core/time.ts";
import { settle } from "../../src/core/transition.ts";
import { againEnd, claimed, expectState, factsAt, inlineBody, runningJob, startAt } from "../builders.ts";

const trace = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
const call = { now: later(startAt, 1_999), trace, userAgent: "onthedot/0.1.0" };

describe("the headers of a call", () => {
  it("say who calls, for which job, and which attempt it is", () => {
    const job = runningJob();
    expect(headersOf(job, call)).toEqual({
      "webhook-id": job.id,
      "webhook-timestamp": "1798761601",
      "onthedot-job": job.id,
      "onthedot-attempt": "1",
      "onthedot-due-at": "2027-01-01T00:00:00.000Z",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "user-agent": "onthedot/0.1.0",
    });
  });

  it("keep webhook-id and due instant over the attempts, and count them", () => {
    const first = runningJob();
    const waiting = expectState(settle(first, againEnd(), 0, factsAt(startAt)).to, "waiting");
    const second = claimed(waiting);
    const [before, after] = [headersOf(first, call), headersOf(second, call)];
    expect(after["webhook-id"]).toBe(before["webhook-id"]);
    expect(after["onthedot-due-at"]).toBe(before["onthedot-due-at"]);
    expect(after["onthedot-attempt"]).toBe("2");
  });

  it("carry the body's content type unless the job names its own", () => {
    const target = { url: "https://example.com/", method: "POST", headers: { "content-type": "application/vnd.acme+json" } } as const;
    const body = inlineBody("{}");
    expect(headersOf(runningJob({ body }), call)["content-type"]).toBe("application/json");
    expect(headersOf(runningJob({ body, target }), call)["content-type"]).toBe("application/vnd.acme+json");
    expect(headersOf(runningJob(), call)).not.toHaveProperty("content-type");
  });

  it("carry the job's own, but cannot be forged by them", () => {
    const headers = { "x-a": "b", "webhook-id": "forged", "onthedot-attempt": "99" };
    const job = runningJob({ target: { url: "https://example.com/", method: "POST", headers } });
    expect(headersOf(job, call)).toMatchObject({ "x-a": "b", "webhook-id": job.id, "onthedot-attempt": "1" });
  });
});
