import { describe, expect, it } from "vitest";
import { soleTenant } from "../../src/core/ids.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { cancel } from "../../src/engine/cancel.ts";
import { replay } from "../../src/engine/replay.ts";
import { nextJobId, startAt } from "../builders.ts";
import { answerWith, openHome, silence } from "./home.ts";

const soon = later(startAt, secondMs);

describe("a replay", () => {
  it.each([10, 1_000])(
    "of a failed job makes a new one that calls the same with the same %d bytes, and leaves the old",
    async (byteCount) => {
      const home = openHome({ answer: answerWith(400) });
      const bytes = new Uint8Array(byteCount).fill(7);
      const old = await home.submit({ body: { contentType: "text/plain", bytes }, labels: { a: "b" }, deadline: soon });
      await home.runUntil(soon);
      const ended = await home.engine.store.load(old);
      const answer = await replay(home.engine, old);
      expect(answer).toMatchObject({
        kind: "created",
        job: { replayOf: old.id, dueAt: soon, labels: { a: "b" }, deadline: null, attemptCount: 0 },
      });
      await home.runUntil(later(soon, secondMs));
      expect(home.calls).toMatchObject([{ startedAt: startAt }, { startedAt: soon }]);
      expect(Uint8Array.from(home.calls[1]?.request.body ?? [])).toEqual(bytes);
      expect(home.calls[1]?.request.headers["webhook-id"]).not.toBe(home.calls[0]?.request.headers["webhook-id"]);
      expect(await home.engine.store.load(old)).toEqual(ended);
    },
  );

  it("keeps a copy of a large body of its own, so that neither job's end takes the other's", async () => {
    const home = openHome();
    const old = await home.submit({ body: { contentType: "text/plain", bytes: new Uint8Array(1_000) } });
    await home.runUntil(soon);
    const answer = await replay(home.engine, old);
    if (answer.kind !== "created" || answer.job.body?.kept !== "beside" || old.body?.kept !== "beside") throw new Error(answer.kind);
    expect(answer.job.body.payloadId).not.toBe(old.body.payloadId);
  });

  it("of a cancelled job calls after all", async () => {
    const home = openHome();
    const old = await home.submit({ dueAt: later(startAt, 60 * secondMs) });
    await cancel(home.engine, old);
    await replay(home.engine, old);
    await home.runUntil(soon);
    expect(home.calls).toHaveLength(1);
  });

  it("twice makes two", async () => {
    const home = openHome();
    const old = await home.submit();
    await home.runUntil(soon);
    const [a, b] = [await replay(home.engine, old), await replay(home.engine, old)];
    expect(a.kind === "created" && b.kind === "created" && a.job.id !== b.job.id).toBe(true);
  });

  it.each([
    ["waiting", 60_000, 0],
    ["running", 0, 100],
  ])("of a %s job is a conflict that shows it", async (state, dueMs, atMs) => {
    const home = openHome({ answer: silence });
    const job = await home.submit({ dueAt: later(startAt, dueMs) });
    await home.runUntil(later(startAt, atMs));
    expect(await replay(home.engine, job)).toMatchObject({ kind: "state_conflict", job: { state } });
  });

  it("of a job whose large body is no longer kept says so", async () => {
    const home = openHome();
    const job = await home.submit({ body: { contentType: "text/plain", bytes: new Uint8Array(1_000) } });
    await home.runUntil(soon);
    const store = { ...home.engine.store, readPayloads: async () => [undefined] };
    expect(await replay({ ...home.engine, store }, job)).toEqual({ kind: "body_gone" });
  });

  it("of a job that is not there says so", async () => {
    expect(await replay(openHome().engine, { tenant: soleTenant, id: nextJobId() })).toEqual({ kind: "not_found" });
  });
});
