import { Validator } from "@seriousme/openapi-schema-validator";
import { beforeAll, describe, expect, test } from "vitest";
import type { DeadLetters } from "../../src/core/deadLetter.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { handClock } from "../builders.ts";
import { memoryDeadLetters } from "../store/memoryDeadLetters.ts";
import { type Caller, openCaller, wrongFields } from "./caller.ts";

type Page = { data: { id: string }[]; nextCursor: string | null };

const clock = handClock();
const letters: DeadLetters = memoryDeadLetters(clock);
const ids = Array.from({ length: 7 }, (_, index) => `059f36b4-87a3-44ab-83d2-66197583000${index}`);
let caller: Caller;

beforeAll(async () => {
  caller = openCaller({ deadLetters: letters, key: "otd_an-admin-key-of-24-chars" });
  for (const id of ids) {
    await letters.record({
      ...{ id, receivedAt: clock.now(), queue: "onthedot-dev-low-dead", reason: "not_a_hint", body: "hello", bodyBytes: 5, receives: 6 },
    });
    clock.turn(1);
  }
});

const authorized = { headers: { authorization: "Bearer otd_an-admin-key-of-24-chars" } };

async function page(query = ""): Promise<Page> {
  const answered = await caller.send("GET", `/v1/dead-letters${query}`, authorized);
  expect(answered.status).toBe(200);
  return JSON.parse(answered.text);
}

describe("the list of dead letters", () => {
  test("shows each as it was recorded", async () => {
    expect((await page("?limit=1")).data).toEqual([
      {
        ...{ id: ids[6], receivedAt: "2027-01-01T00:00:00.006Z", queue: "onthedot-dev-low-dead", reason: "not_a_hint" },
        ...{ body: "hello", bodyBytes: 5, receives: 6 },
      },
    ]);
  });

  test.each([1, 2, 7, 200])("is newest first and complete in pages of %d", async (limit) => {
    const found: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const got: Page = await page(`?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(got.data.length).toBeLessThanOrEqual(limit);
      found.push(...got.data.map(({ id }) => id));
      cursor = got.nextCursor;
    }
    expect(found).toEqual(ids.toReversed());
  });

  test("is for who has the key", async () => {
    await caller.problem(401, "GET", "/v1/dead-letters");
  });

  test("takes GET alone", async () => {
    expect((await caller.send("POST", "/v1/dead-letters", authorized)).headers.get("allow")).toBe("GET, HEAD");
    await caller.problem(405, "POST", "/v1/dead-letters", authorized);
  });

  test.each([
    ["?limit=0", { limit: "invalid_value" }],
    ["?limit=201", { limit: "invalid_value" }],
    ["?limit=1&limit=2", { limit: "duplicate" }],
    ["?cursor=x", { cursor: "invalid_value" }],
    ["?state=failed", { state: "unknown_field" }],
  ])("%s is refused as %j", async (query, expected) => {
    expect(wrongFields(await caller.problem(400, "GET", `/v1/dead-letters${query}`, authorized))).toEqual(expected);
  });

  test("takes no cursor of another list, and no other list takes its own", async () => {
    for (let index = 0; index < 3; index++)
      await caller.send("POST", "/v1/jobs", { ...authorized, body: { target: { url: "https://example.com/" } } });
    const jobs = JSON.parse((await caller.send("GET", "/v1/jobs?limit=1", authorized)).text) as Page;
    const { nextCursor } = await page("?limit=1");
    expect(jobs.nextCursor).not.toBeNull();
    await caller.problem(400, "GET", `/v1/dead-letters?cursor=${jobs.nextCursor}`, authorized);
    await caller.problem(400, "GET", `/v1/jobs?cursor=${nextCursor}`, authorized);
  });

  test("during an outage is unavailable", async () => {
    const out = openCaller({
      deadLetters: {
        list: async () => {
          throw new OutageError("expected an answer of the table");
        },
      },
    });
    expect(await out.problem(503, "GET", "/v1/dead-letters")).toMatchObject({ code: "unavailable" });
  });
});

describe("a home without dead letters", () => {
  test("has no such path, nor its description", async () => {
    const none = openCaller();
    expect(await none.problem(404, "GET", "/v1/dead-letters")).toMatchObject(
      await none.problem(404, "GET", "/v1/nowhere").then(({ detail }) => ({ detail })),
    );
    expect(JSON.parse((await none.send("GET", "/openapi.json")).text).paths).not.toHaveProperty(["/v1/dead-letters"]);
  });
});

test("the OpenAPI document of a home with dead letters names their path, and is valid", async () => {
  const document = JSON.parse((await caller.send("GET", "/openapi.json")).text);
  const validator = new Validator();
  expect((await validator.validate(document)).errors ?? []).toEqual([]);
  const { get } = document.paths["/v1/dead-letters"];
  expect(get.parameters.map(({ name }: { name: string }) => name)).toEqual(["limit", "cursor", "X-Request-Id"]);
});
