import { describe, expect, test } from "vitest";
import { isJob } from "../../src/core/item.ts";
import { limits } from "../../src/core/limits.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { openHome } from "../engine/home.ts";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

type Result = { status: number; job?: { id: string }; problem?: Parameters<typeof wrongFields>[0] };

async function resultsOf(caller: Caller, sent: Parameters<Caller["send"]>[2]): Promise<Result[]> {
  const answered = await caller.send("POST", "/v1/jobs/batch", sent);
  expect(answered.status).toBe(200);
  return JSON.parse(answered.text).results;
}

describe("a batch", () => {
  test("answers each item at its place, and no bad item spoils another", async () => {
    const caller = openCaller();
    await caller.create({ key: "taken" });
    const results = await resultsOf(caller, {
      body: {
        jobs: [
          { target },
          { target, dueAt: "never" },
          { target, key: "k" },
          { target, key: "k" },
          { target, key: "taken", body: 1 },
          { target, bodyText: "x".repeat(limits.bodyBytesMax + 1) },
          { target: { url: "http://127.0.0.1/" } },
          7,
          null,
          { target },
        ],
      },
    });
    expect(results.map(({ status }) => status)).toEqual([201, 400, 201, 200, 409, 413, 422, 400, 400, 201]);
    expect(wrongFields(results[1]?.problem as never)).toEqual({ dueAt: "invalid_format" });
    expect(results[3]?.job?.id).toBe(results[2]?.job?.id);
    expect(JSON.parse((await caller.send("GET", "/v1/jobs")).text).data).toHaveLength(4);
  });

  test("names an item's field from the item on, also where the JSON itself was at fault", async () => {
    const good = '{"target":{"url":"https://example.com/"}}';
    const results = await resultsOf(openCaller(), {
      raw: `{"jobs":[${good},{"target":{"url":"https://example.com/"},"body":{"n":[1e400]}},{"target":{"url":"https://example.com/"},"key":"a","key":"b"},{"body":${"[".repeat(80)}${"]".repeat(80)}},${good}]}`,
    });
    expect(results.map(({ status, problem }) => [status, problem?.code])).toEqual([
      [201, undefined],
      [400, "invalid_request"],
      [400, "invalid_json"],
      [400, "invalid_json"],
      [201, undefined],
    ]);
    expect(wrongFields(results[1]?.problem as never)).toEqual({ "body.n[0]": "inexact_number" });
  });

  test("lets an item nest as deep as a request of its own", async () => {
    const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
    const job = { target, body: deep(limits.jsonDepthMax - 1) };
    const caller = openCaller();
    await caller.job(201, "POST", "/v1/jobs", { body: job });
    expect((await resultsOf(caller, { body: { jobs: [job] } }))[0]?.status).toBe(201);
  });

  test("takes 1,000 jobs, and refuses 1,001", async () => {
    const jobs = Array.from({ length: limits.batchItemsMax }, () => ({ target, delay: "1h" }));
    const results = await resultsOf(openCaller(), { body: { jobs } });
    expect(new Set(results.map(({ job }) => job?.id)).size).toBe(limits.batchItemsMax);
    expect(wrongFields(await openCaller().problem(400, "POST", "/v1/jobs/batch", { body: { jobs: [...jobs, jobs[0]] } }))).toEqual({
      jobs: "too_large",
    });
  });

  test.each([
    [{ jobs: [] }, { jobs: "too_small" }],
    [{}, { jobs: "required" }],
    [{ jobs: {} }, { jobs: "invalid_type" }],
    [{ jobs: [{ target }], job: 1 }, { job: "unknown_field" }],
    [[{ target }], { "": "invalid_type" }],
  ])("%j is refused as a whole", async (body, expected) => {
    expect(wrongFields(await openCaller().problem(400, "POST", "/v1/jobs/batch", { body }))).toEqual(expected);
  });

  test("a key in the header is refused: it could stand for one job only", async () => {
    await openCaller().problem(400, "POST", "/v1/jobs/batch", { body: { jobs: [{ target }] }, headers: { "idempotency-key": "k" } });
  });

  test("an outage for one item is that item's 503, and a bug its 500, each with one line in the log", async () => {
    const home = openHome();
    const { store } = home.engine;
    const insert: typeof store.insert = async (job) => {
      if (isJob(job) && job.labels["fail"] === "outage") throw new OutageError("the store is away");
      if (isJob(job) && job.labels["fail"] === "bug") throw new Error("secret internals");
      return store.insert(job);
    };
    const caller = openCaller({ home: { ...home, engine: { ...home.engine, store: { ...store, insert } } } });
    const results = await resultsOf(caller, {
      body: { jobs: ["no", "outage", "bug", "no"].map((fail) => ({ target, labels: { fail } })) },
    });
    expect(results.map(({ status }) => status)).toEqual([201, 503, 500, 201]);
    expect(JSON.stringify(results)).not.toContain("secret");
    expect(caller.logged.map(({ level }) => level)).toEqual(["warn", "error"]);
  });
});
