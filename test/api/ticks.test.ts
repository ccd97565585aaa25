import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import type { Ticks } from "../../src/api/ticks.ts";
import type { TickPlan } from "../../src/core/tickPlan.ts";
import { later } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { wantByHand } from "../../src/ticks/wants.ts";
import { startAt } from "../builders.ts";
import { memoryTickPlans } from "../ticks/memoryTickPlans.ts";
import { openCaller, wrongFields } from "./caller.ts";

/** A home whose ticks are at once as they are wanted, and each change that it was asked for. */
function openTicks(given: Partial<Ticks> = {}) {
  const plans = memoryTickPlans(8);
  const asked: object[] = [];
  const ticks: Ticks = {
    read: () => plans.read(),
    async want(change) {
      asked.push(change);
      const wanted = await wantByHand(plans, change);
      if (wanted.kind === "refused") return wanted;
      const plan = await plans.hold("test", { now: startAt, until: startAt });
      if (plan !== "held") await plans.setRanges(plan.paused ? 1 : plan.wantedRanges, "test", startAt);
      return { kind: "wanted", plan: await plans.read() };
    },
    ...given,
  };
  return { plans, asked, caller: openCaller({ ticks }) };
}

describe("the ticks of a home that has them", () => {
  test("are shown range by range", async () => {
    const { plans, caller } = openTicks();
    await plans.signIn(0, startAt);
    await plans.write({ wantedRanges: 2 }, await plans.read());
    expect(JSON.parse((await caller.send("GET", "/v1/ticks")).text)).toEqual({
      ranges: 2,
      paused: false,
      shards: 8,
      ticks: [
        { range: 0, shards: 8, lastTickAt: "2027-01-01T00:00:00.000Z", scheduled: true },
        { range: 1, shards: 0, lastTickAt: null, scheduled: false },
      ],
    });
  });

  test.each([
    [{ ranges: 3 }, { ranges: 3, paused: false }, [3, 3, 2]],
    [{ paused: true }, { ranges: 1, paused: true }, [8]],
    [{ ranges: 2, paused: false }, { ranges: 2, paused: false }, [4, 4]],
    [{ ranges: 8 }, { ranges: 8 }, [1, 1, 1, 1, 1, 1, 1, 1]],
  ])("are changed by %j, which is answered as it stands then", async (body, state, shards) => {
    const { asked, caller } = openTicks();
    const { status, text } = await caller.send("PATCH", "/v1/ticks", { body });
    const answer = JSON.parse(text) as { ticks: { shards: number }[] };
    expect([status, answer.ticks.map((tick) => tick.shards)]).toEqual([200, shards]);
    expect(answer).toMatchObject(state);
    expect(asked).toEqual([body]);
    expect(JSON.parse((await caller.send("GET", "/v1/ticks")).text)).toEqual(answer);
  });

  test.each([
    [{}, { "": "required" }],
    [{ ranges: 0 }, { ranges: "too_small" }],
    [{ ranges: 9 }, { ranges: "too_large" }],
    [{ ranges: 1.5 }, { ranges: "invalid_type" }],
    [{ ranges: "2" }, { ranges: "invalid_type" }],
    [
      { ranges: null, paused: null },
      { ranges: "invalid_type", paused: "invalid_type" },
    ],
    [{ paused: "yes" }, { paused: "invalid_type" }],
    [
      { rangs: 2, shards: 3 },
      { rangs: "unknown_field", shards: "unknown_field" },
    ],
    [[], { "": "invalid_type" }],
  ])("are not changed by %j", async (body, wrong) => {
    const { plans, caller } = openTicks();
    const before: TickPlan = await plans.read();
    expect(wrongFields(await caller.problem(400, "PATCH", "/v1/ticks", { body }))).toEqual(wrong);
    expect(await plans.read()).toEqual(before);
  });

  test("say how many ranges there can be", async () => {
    const { detail } = await openTicks().caller.problem(400, "PATCH", "/v1/ticks", { body: { ranges: 9, paused: true } });
    expect(detail).toBe("ranges: expected ranges from 1 to 8, the number of shards, got 9");
  });

  test.each([
    ["no JSON", 400, '{"ranges":2'],
    ["one field twice", 400, '{"ranges":2,"ranges":3}'],
    ["an empty body", 400, ""],
    ["more than two fields can be", 413, JSON.stringify({ ranges: 2, filler: "x".repeat(5_000) })],
  ])("refuse %s", async (_, status, raw) => {
    const { asked, caller } = openTicks();
    await caller.problem(status, "PATCH", "/v1/ticks", { raw });
    expect(asked).toEqual([]);
  });

  test("take no other method, and no query", async () => {
    const { caller } = openTicks();
    expect((await caller.send("POST", "/v1/ticks", { body: { paused: true } })).headers.get("allow")).toBe("GET, HEAD, PATCH");
    await caller.problem(400, "GET", "/v1/ticks?range=1");
    await caller.problem(400, "PATCH", "/v1/ticks?paused=true", { body: { paused: true } });
  });

  test("are for who has the key", async () => {
    const { plans } = openTicks();
    const ticks: Ticks = { read: () => plans.read(), want: () => Promise.reject(new Error("expected no such call")) };
    const caller = openCaller({ ticks, key: "otd_an-admin-key-of-24-chars" });
    await caller.problem(401, "GET", "/v1/ticks");
    await caller.problem(401, "PATCH", "/v1/ticks", { body: { paused: true } });
  });

  test("are unavailable while the plan does not answer", async () => {
    const outage = () => Promise.reject(new OutageError("dynamodb:GetItem did not succeed"));
    const { caller } = openTicks({ read: outage, want: outage });
    await caller.problem(503, "GET", "/v1/ticks");
    await caller.problem(503, "PATCH", "/v1/ticks", { body: { paused: true } });
  });

  test("stand in the OpenAPI document, with an example that is taken", async () => {
    const { caller } = openTicks();
    const document = JSON.parse((await caller.send("GET", "/openapi.json")).text);
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    const { get, patch } = document.paths["/v1/ticks"];
    expect([get.operationId, patch.operationId]).toEqual(["getTicks", "changeTicks"]);
    const { example } = patch.requestBody.content["application/json"];
    expect((await caller.send("PATCH", "/v1/ticks", { body: example })).status).toBe(200);
  });
});

test("a home without ticks of this kind has no such path, in the document neither", async () => {
  const caller = openCaller();
  await caller.problem(404, "GET", "/v1/ticks");
  await caller.problem(404, "PATCH", "/v1/ticks", { body: { paused: true } });
  expect(JSON.parse((await caller.send("GET", "/openapi.json")).text).paths["/v1/ticks"]).toBeUndefined();
});

test("the instant of a last tick is the range's own", async () => {
  const { plans, caller } = openTicks();
  await plans.signIn(1, later(startAt, 1_500));
  await caller.send("PATCH", "/v1/ticks", { body: { ranges: 2 } });
  const { ticks } = JSON.parse((await caller.send("GET", "/v1/ticks")).text);
  expect(ticks.map(({ lastTickAt }: { lastTickAt: string | null }) => lastTickAt)).toEqual([null, "2027-01-01T00:00:01.500Z"]);
});
