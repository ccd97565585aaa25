import { beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { answerWith, openHome } from "../engine/home.ts";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

type Page = { data: { id: string; labels: Record<string, string> }[]; nextCursor: string | null };

let caller: Caller;
/** Names in the label "n", in the order of creation. */
const names = Array.from({ length: 23 }, (_, index) => `n${index}`);

beforeAll(async () => {
  caller = openCaller({ home: openHome({ answer: answerWith(200) }) });
  for (const [index, name] of names.entries()) {
    await caller.create({
      delay: index < 3 ? "0s" : `${index}h`,
      labels: { n: name, parity: index % 2 === 0 ? "even" : "odd", "a.b": "x:y" },
    });
  }
  await caller.home.runUntil(later(startAt, 2 * secondMs));
});

async function page(query: string): Promise<Page> {
  const answered = await caller.send("GET", `/v1/jobs${query}`);
  expect(answered.status).toBe(200);
  return JSON.parse(answered.text);
}

async function walk(query: string, limits: readonly number[]): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = "";
  for (let index = 0; cursor !== null; index++) {
    const got: Page = await page(`?${query}&limit=${limits[index % limits.length]}${cursor === "" ? "" : `&cursor=${cursor}`}`);
    found.push(...got.data.map(({ labels }) => labels["n"] ?? ""));
    cursor = got.nextCursor;
  }
  return found;
}

describe("a list", () => {
  test.each([[[1]], [[5]], [[200]], [[3, 7, 1]]])("is newest first and complete in pages of %j", async (sizes) => {
    expect(await walk("", sizes)).toEqual(names.toReversed());
  });

  test.each([
    ["state=succeeded", ["n2", "n1", "n0"]],
    ["state=succeeded&state=cancelled", ["n2", "n1", "n0"]],
    ["state=failed", []],
    ["label=n:n7", ["n7"]],
    ["label=a.b:x:y&label=n:n7", ["n7"]],
    ["label=n:n7&label=parity:even", []],
    ["dueFrom=2027-01-01T20:00:00Z", ["n22", "n21", "n20"]],
    ["dueFrom=2027-01-01T21:00:00%2B01:00&dueTo=2027-01-01T22:00:00Z", ["n21", "n20"]],
    ["dueTo=2027-01-01T00:00:00Z", []],
    ["schedule=nightly", []],
  ])("filtered by %s is exactly that", async (query, expected) => {
    expect(await walk(query, [2])).toEqual(expected);
  });

  test("defaults to pages of 50, and the last page has no cursor", async () => {
    const { data, nextCursor } = await page("");
    expect([data.length, nextCursor]).toEqual([23, null]);
    expect(limits.listLimitDefault).toBe(50);
  });

  test.each([
    ["?limit=0", { limit: "invalid_value" }],
    ["?limit=201", { limit: "invalid_value" }],
    ["?limit=-1", { limit: "invalid_value" }],
    ["?limit=1.5", { limit: "invalid_value" }],
    ["?limit=", { limit: "invalid_value" }],
    ["?limit=1&limit=2", { limit: "duplicate" }],
    ["?state=done", { "state[0]": "invalid_value" }],
    ["?state=", { "state[0]": "invalid_value" }],
    ["?label=billing", { "label[0]": "invalid_format" }],
    ["?label=:x", { "label[0]": "invalid_format" }],
    ["?dueFrom=yesterday", { dueFrom: "invalid_format" }],
    ["?dueFrom=2027-01-01T00:00:00+01:00", { dueFrom: "invalid_format" }],
    ["?offset=3", { offset: "unknown_field" }],
    ["?schedule=a/b", { schedule: "invalid_format" }],
    ["?schedule=", { schedule: "invalid_format" }],
    ["?destination=billing", { destination: "unknown_field" }],
    ["?__proto__=1", { ["__proto__"]: "unknown_field" }],
    ["?lim=3&state=x", { "state[0]": "invalid_value", lim: "unknown_field" }],
  ])("%s is refused as %j", async (query, expected) => {
    expect(wrongFields(await caller.problem(400, "GET", `/v1/jobs${query}`))).toEqual(expected);
  });
});

describe("a cursor", () => {
  async function cursorOf(query: string): Promise<string> {
    const { nextCursor } = await page(`?limit=2${query}`);
    if (nextCursor === null) throw new Error("expected a cursor");
    return nextCursor;
  }

  test("is good for its filter in any order, and for no other", async () => {
    const cursor = await cursorOf("&label=parity:even&label=a.b:x:y");
    expect((await page(`?label=a.b:x:y&label=parity:even&cursor=${cursor}`)).data.map(({ labels }) => labels["n"]).slice(0, 2)).toEqual([
      "n18",
      "n16",
    ]);
    for (const filter of ["", "&label=parity:odd", "&label=parity:even", "&state=waiting"]) {
      expect(wrongFields(await caller.problem(400, "GET", `/v1/jobs?cursor=${cursor}${filter}`))).toEqual({ cursor: "invalid_value" });
    }
  });

  test("altered in any character is refused", async () => {
    const cursor = await cursorOf("");
    for (let index = 0; index < cursor.length; index++) {
      const altered = `${cursor.slice(0, index)}${cursor[index] === "A" ? "B" : "A"}${cursor.slice(index + 1)}`;
      await caller.problem(400, "GET", `/v1/jobs?cursor=${altered}`);
    }
  });

  test.each(["", "x", "AAAA", "e30", "%00", "a".repeat(5_000)])("%s is no cursor", async (cursor) => {
    expect(wrongFields(await caller.problem(400, "GET", `/v1/jobs?cursor=${cursor}`))).toEqual({ cursor: "invalid_value" });
  });

  test("tells nothing of the tenant's key, and is cut or lengthened in vain", async () => {
    const cursor = await cursorOf("");
    await caller.problem(400, "GET", `/v1/jobs?cursor=${cursor.slice(0, -1)}`);
    await caller.problem(400, "GET", `/v1/jobs?cursor=${cursor}A`);
    await caller.problem(400, "GET", `/v1/jobs?cursor=${cursor}=`);
  });
});

test("a list shows no excerpt, whose reading would cost one look-up for each attempt", async () => {
  const { data } = (await page("?state=succeeded&limit=1")) as unknown as { data: { attempts: { response: unknown }[] }[] };
  expect(data[0]?.attempts[0]?.response).toMatchObject({ status: 200, headers: null, body: null });
});

test("a job made during a walk changes nothing of what the walk finds", async () => {
  const own = openCaller();
  for (const n of ["a", "b", "c", "d"]) await own.create({ delay: "1h", labels: { n } });
  const first = JSON.parse((await own.send("GET", "/v1/jobs?limit=2")).text);
  await own.create({ delay: "1h", labels: { n: "e" }, target });
  const second = JSON.parse((await own.send("GET", `/v1/jobs?limit=2&cursor=${first.nextCursor}`)).text);
  expect([...first.data, ...second.data].map(({ labels }) => labels.n)).toEqual(["d", "c", "b", "a"]);
});
