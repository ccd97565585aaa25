/** Lists of schedules, and of what became of one's occurrences. */

import { beforeAll, describe, expect, test } from "vitest";
import { soleTenant } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import { later, minuteMs, secondMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import { answerWith, openHome } from "../engine/home.ts";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

type Page = { data: { name: string; next: { nominalAt: string; local: unknown }[] }[]; nextCursor: string | null };
type Occurrences = {
  data: { nominalAt: string; lastNominalAt: string; count: number; state: string; because: string | null }[];
  nextCursor: string | null;
};

const job = { target };
const names = Array.from({ length: 12 }, (_, index) => `s${String(index).padStart(2, "0")}`);

describe("a list of schedules", () => {
  let caller: Caller;

  beforeAll(async () => {
    caller = openCaller();
    for (const [index, name] of names.entries()) {
      const labels = { parity: index % 2 === 0 ? "even" : "odd" };
      const body = { when: { cron: "@hourly" }, job, labels, paused: index % 3 === 0 };
      await caller.schedule(201, "PUT", `/v1/schedules/${name}`, { body });
    }
    await caller.answer(200, "PUT", "/v1/schedules", { body: { set: "billing", schedules: { zz: { when: { cron: "@daily" }, job } } } });
  });

  async function walk(query: string, limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const place: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: Page = await caller.answer<Page>(200, "GET", `/v1/schedules?limit=${limit}&${query}${place}`);
      found.push(...page.data.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    return found;
  }

  test.each([1, 5, 200])("is by name and complete in pages of %i", async (limit) => {
    expect(await walk("", limit)).toEqual([...names, "zz"]);
  });

  test.each([
    ["label=parity:even", names.filter((_, index) => index % 2 === 0)],
    ["label=parity:even&label=parity:odd", []],
    ["state=paused", ["s00", "s03", "s06", "s09"]],
    ["state=paused&state=finished&label=parity:odd", ["s03", "s09"]],
    ["state=finished", []],
    ["set=billing", ["zz"]],
    ["set=other", []],
  ])("filtered by %s is exactly that", async (query, expected) => {
    expect(await walk(query, 2)).toEqual(expected);
  });

  test("shows of what comes next what the record has", async () => {
    const { data } = await caller.answer<Page>(200, "GET", "/v1/schedules?limit=1");
    expect(data[0]?.next).toEqual([
      { ...{ nominalAt: "2027-01-01T00:00:00.000Z", dueAt: "2027-01-01T00:00:00.000Z" }, local: null, note: null },
    ]);
  });

  test.each([
    ["?limit=201", { limit: "invalid_value" }],
    ["?state=waiting", { "state[0]": "invalid_value" }],
    ["?label=billing", { "label[0]": "invalid_format" }],
    ["?set=a/b", { set: "invalid_format" }],
    ["?name=x", { name: "unknown_field" }],
    ["?cursor=x", { cursor: "invalid_value" }],
  ])("%s is refused as %j", async (query, expected) => {
    expect(wrongFields(await caller.problem(400, "GET", `/v1/schedules${query}`))).toEqual(expected);
  });

  test("takes a cursor for its own filter only", async () => {
    const { nextCursor } = await caller.answer<Page>(200, "GET", "/v1/schedules?limit=1&state=active");
    await caller.answer(200, "GET", `/v1/schedules?state=active&cursor=${nextCursor}`);
    for (const other of ["/v1/schedules?state=paused&", "/v1/schedules?", "/v1/calendars?", "/v1/jobs?"]) {
      await caller.problem(400, "GET", `${other}cursor=${nextCursor}`);
    }
  });
});

test("a page looks at a bounded number of schedules, and goes on where it is empty", async () => {
  const home = openHome();
  let looks = 0;
  const store = { ...home.engine.store };
  const one = await openCaller({ home }).schedule(201, "PUT", "/v1/schedules/a", { body: { when: { cron: "@daily" }, job } });
  const { items } = await store.listNamed({ tenant: soleTenant, kind: "schedule", after: null, limit: 1 });
  const endless = {
    ...store,
    listNamed: async ({ limit }: { limit: number }) => {
      looks += limit;
      return { items: Array.from({ length: limit }, () => items[0]), next: "a" };
    },
  };
  const caller = openCaller({ home: { ...home, engine: { ...home.engine, store: endless as never } } });
  const page = await caller.answer<Page>(200, "GET", "/v1/schedules?state=paused");
  expect([one.name, page.data, typeof page.nextCursor]).toEqual(["a", [], "string"]);
  expect(looks).toBe(limits.listScanMax);
});

describe("a list of occurrences", () => {
  let caller: Caller;
  const path = "/v1/schedules/each";

  beforeAll(async () => {
    caller = openCaller({ home: openHome({ answer: answerWith(200) }) });
    const body = { when: { cron: "* * * * *" }, except: [{ cron: "5-7 * * * *" }], job };
    await caller.schedule(201, "PUT", path, { body });
    await caller.home.runUntil(later(startAt, 40 * minuteMs + 30 * secondMs));
    await caller.schedule(200, "POST", `${path}/pause`);
    await caller.home.runUntil(later(startAt, 50 * minuteMs + 30 * secondMs));
    await caller.schedule(200, "POST", `${path}/resume`);
    await caller.home.runUntil(later(startAt, 52 * minuteMs + 30 * secondMs));
  });

  async function walk(query: string): Promise<Occurrences["data"]> {
    const found: Occurrences["data"] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const place: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: Occurrences = await caller.answer<Occurrences>(200, "GET", `${path}/occurrences?${query}${place}`);
      found.push(...page.data);
      cursor = page.nextCursor;
    }
    return found;
  }

  test.each([1, 7, 200])("is newest first and complete in pages of %i, a stretch as one", async (limit) => {
    const all = await walk(`limit=${limit}`);
    expect(all[0]).toMatchObject({ state: "pending", because: null, nominalAt: "2027-01-01T00:53:00.000Z" });
    expect(all.map(({ nominalAt }) => nominalAt)).toEqual(
      all
        .map(({ nominalAt }) => nominalAt)
        .toSorted()
        .reverse(),
    );
    // Minutes 0 to 52 are each on record once: the three that are excluded, and the ten of the pause, as one stretch.
    expect(all.slice(1).reduce((sum, { count }) => sum + count, 0)).toBe(53);
    const stretch = all.find(({ state }) => state === "skipped");
    expect(stretch).toMatchObject({
      ...{ because: "paused", count: 10, nominalAt: "2027-01-01T00:41:00.000Z" },
      lastNominalAt: "2027-01-01T00:50:00.000Z",
    });
  });

  test.each([
    ["state=fired", 40],
    ["state=excluded", 1],
    ["state=skipped&state=excluded", 2],
    ["state=missed", 0],
    ["state=pending", 1],
  ])("filtered by %s has %i entries, and each that fired its job", async (query, count) => {
    const found = await walk(`${query}&limit=3`);
    expect(found).toHaveLength(count);
    expect(found.every((one) => ("job" in one && one.job !== null) === (one.state === "fired"))).toBe(true);
  });

  test.each([
    ["?state=late", { "state[0]": "invalid_value" }],
    ["?limit=0", { limit: "invalid_value" }],
    ["?cursor=abc", { cursor: "invalid_value" }],
    ["?from=2027-01-01T00:00:00Z", { from: "unknown_field" }],
  ])("%s is refused as %j", async (query, expected) => {
    expect(wrongFields(await caller.problem(400, "GET", `${path}/occurrences${query}`))).toEqual(expected);
  });

  test("takes no cursor of a schedule that had its name before", async () => {
    const own = openCaller({ home: openHome({ answer: answerWith(200) }) });
    const body = { when: { cron: "* * * * *" }, job };
    const put = () => own.schedule(201, "PUT", path, { body });
    await put();
    await own.home.runUntil(later(startAt, 3 * minuteMs));
    const { nextCursor } = await own.answer<Occurrences>(200, "GET", `${path}/occurrences?limit=2`);
    await own.answer(200, "GET", `${path}/occurrences?cursor=${nextCursor}`);
    await own.answer(200, "DELETE", path);
    await put();
    await own.problem(400, "GET", `${path}/occurrences?cursor=${nextCursor}`);
  });

  test("the schedule's answer has the last ten, newest first", async () => {
    const { recent, counts } = await caller.schedule(200, "GET", path);
    expect(recent).toHaveLength(10);
    expect(recent[0]).toMatchObject({ state: "fired", nominalAt: "2027-01-01T00:52:00.000Z" });
    expect(counts).toEqual({ fired: 40, skipped: 10, missed: 0, dropped: 0, excluded: 3 });
  });
});
