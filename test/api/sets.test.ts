/** Schedules as code: a whole set in one request. */

import { describe, expect, test } from "vitest";
import { soleTenant } from "../../src/core/ids.ts";
import { openHome } from "../engine/home.ts";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

type Results = { set: string; dryRun: boolean; results: { name: string; did: string; problem?: { code: string; detail: string } }[] };

const job = { target };
const daily = { when: { cron: "@daily" }, job };
const path = "/v1/schedules";

async function apply(caller: Caller, schedules: object, more: object = {}): Promise<Record<string, string>> {
  const { results } = await caller.answer<Results>(200, "PUT", path, { body: { set: "billing", schedules, ...more } });
  return Object.fromEntries(results.map(({ name, did }) => [name, did]));
}

describe("a set", () => {
  test("makes, replaces, leaves and deletes, and says what of each", async () => {
    const caller = openCaller();
    expect(await apply(caller, { a: daily, b: daily, c: daily })).toEqual({ a: "created", b: "created", c: "created" });
    const next = { a: daily, b: { ...daily, overlap: "allow" }, d: daily };
    expect(await apply(caller, next, { dryRun: true })).toEqual({ a: "unchanged", b: "replaced", d: "created", c: "deleted" });
    expect((await caller.schedule(200, "GET", `${path}/b`)).overlap).toBe("skip");
    expect(await apply(caller, next)).toEqual({ a: "unchanged", b: "replaced", d: "created", c: "deleted" });
    await caller.problem(404, "GET", `${path}/c`);
    expect(await caller.schedule(200, "GET", `${path}/d`)).toMatchObject({ set: "billing", version: 1 });
    expect(await apply(caller, next)).toEqual({ a: "unchanged", b: "unchanged", d: "unchanged" });
    expect(await apply(caller, {})).toEqual({ a: "deleted", b: "deleted", d: "deleted" });
  });

  test("leaves alone what stands outside it, and says so", async () => {
    const caller = openCaller();
    await caller.schedule(201, "PUT", `${path}/own`, { body: daily });
    const body = { set: "billing", schedules: { own: { ...daily, overlap: "allow" }, a: daily } };
    for (const dryRun of [true, false]) {
      const { results } = await caller.answer<Results>(200, "PUT", path, { body: { ...body, dryRun } });
      expect(results).toMatchObject([
        { name: "own", did: "foreign", problem: { code: "exists", status: 409, detail: expect.stringContaining("outside the set") } },
        { name: "a", did: "created" },
      ]);
    }
    expect(await caller.schedule(200, "GET", `${path}/own`)).toMatchObject({ set: null, overlap: "skip" });
  });

  test("keeps what a caller writes by hand in it", async () => {
    const caller = openCaller();
    await apply(caller, { a: daily });
    expect((await caller.schedule(200, "PUT", `${path}/a`, { body: { ...daily, overlap: "allow" } })).set).toBe("billing");
    expect((await caller.schedule(200, "PATCH", `${path}/a`, { body: { overlap: "replace" } })).set).toBe("billing");
    expect(await apply(caller, { a: daily })).toEqual({ a: "replaced" });
  });

  test("leaves a pause as it is where it does not speak of it", async () => {
    const caller = openCaller();
    await apply(caller, { a: daily });
    await caller.schedule(200, "POST", `${path}/a/pause`);
    expect(await apply(caller, { a: daily })).toEqual({ a: "unchanged" });
    expect((await caller.schedule(200, "GET", `${path}/a`)).state).toBe("paused");
  });

  test("says of a pause that it asks for, dry or not, the same", async () => {
    const caller = openCaller();
    await apply(caller, { a: daily });
    const paused = { a: { ...daily, paused: true } };
    expect(await apply(caller, paused, { dryRun: true })).toEqual({ a: "replaced" });
    expect(await apply(caller, paused)).toEqual({ a: "replaced" });
    expect(await apply(caller, paused, { dryRun: true })).toEqual({ a: "unchanged" });
    expect(await apply(caller, paused)).toEqual({ a: "unchanged" });
  });

  test("deletes nothing that was made anew outside it while a list of it was old", async () => {
    const home = openHome();
    const { store } = home.engine;
    const before = openCaller({ home });
    await apply(before, { a: daily });
    const old = await store.listNamed({ tenant: soleTenant, kind: "schedule", after: null, limit: 10 });
    await before.answer(200, "DELETE", `${path}/a`);
    await before.schedule(201, "PUT", `${path}/a`, { body: daily });
    const late = openCaller({ home: { ...home, engine: { ...home.engine, store: { ...store, listNamed: async () => old as never } } } });
    expect(await apply(late, {})).toEqual({});
    expect((await before.schedule(200, "GET", `${path}/a`)).set).toBeNull();
  });

  test("sent from two places at once comes out as either", async () => {
    const caller = openCaller();
    const sets = [
      { a: daily, b: daily },
      { b: { ...daily, overlap: "allow" }, c: daily },
    ];
    await Promise.all(sets.map((schedules) => apply(caller, schedules)));
    expect(await apply(caller, sets[1] ?? {})).toMatchObject({ b: expect.any(String), c: expect.any(String) });
    const { data } = await caller.answer<{ data: { name: string }[] }>(200, "GET", `${path}?set=billing`);
    expect(data.map(({ name }) => name)).toEqual(["b", "c"]);
  });

  test("with anything wrong does nothing, and names every wrong field of every schedule by its full path", async () => {
    const caller = openCaller();
    const schedules = {
      nightly: { when: { cron: "61 * * * * *", timezone: "Mars/Phobos" }, job: { target: { url: "x" } } },
      "a.b": { when: [{ cron: "@daily" }, { every: "1ms" }], job, windw: "1m" },
      good: daily,
      empty: {},
      list: [],
      "a/b": daily,
      preview: daily,
    };
    const refusal = await caller.problem(400, "PUT", path, { body: { set: "billing", schedules } });
    expect(wrongFields(refusal)).toEqual({
      "schedules.nightly.when.cron": "invalid_format",
      "schedules.nightly.when.timezone": "invalid_value",
      "schedules.nightly.job.target.url": "invalid_format",
      'schedules["a.b"].when[1].every': "too_small",
      'schedules["a.b"].windw': "unknown_field",
      "schedules.empty.when": "required",
      "schedules.empty.job": "required",
      "schedules.list": "invalid_type",
      'schedules["a/b"]': "invalid_format",
      "schedules.preview": "forbidden",
    });
    expect((await caller.answer<{ data: unknown[] }>(200, "GET", path)).data).toEqual([]);
  });

  test("with a denied target, or a body that is too large, does nothing either", async () => {
    const caller = openCaller();
    const denied = { ...daily, job: { target: { url: "http://10.0.0.1/" } } };
    const heavy = { ...daily, job: { ...job, bodyText: "x".repeat(262_145) } };
    const refused = async (status: number, schedules: object) =>
      wrongFields(await caller.problem(status, "PUT", path, { body: { set: "billing", schedules } }));
    expect(await refused(422, { a: daily, b: denied })).toEqual({ "schedules.b.job.target.url": "target_denied" });
    expect(await refused(413, { a: denied, b: heavy })).toEqual({ "schedules.b.job.body": "too_large" });
    expect((await caller.answer<{ data: unknown[] }>(200, "GET", path)).data).toEqual([]);
  });

  test.each([
    [{}, { set: "required", schedules: "required" }],
    [{ set: "a/b", schedules: {} }, { set: "invalid_format" }],
    [
      { set: "", schedules: [] },
      { set: "invalid_format", schedules: "invalid_type" },
    ],
    [{ set: "x", schedules: {}, dryrun: true }, { dryrun: "unknown_field" }],
    [
      { set: "x", schedules: null, dryRun: 1 },
      { schedules: "invalid_type", dryRun: "invalid_type" },
    ],
    [
      { set: "x", schedules: Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`s${index}`, daily])) },
      { schedules: "too_large" },
    ],
  ])("of %.80j is refused", async (body, known) => {
    expect(wrongFields(await openCaller().problem(400, "PUT", path, { body }))).toEqual(known);
  });

  test("has up to 500 schedules, and many mistakes are named soon", async () => {
    const caller = openCaller();
    const many = (each: object) => Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`s${index}`, each]));
    expect(Object.values(await apply(caller, many(daily)))).toEqual(Array.from({ length: 500 }, () => "created"));
    const { errors } = await caller.problem(400, "PUT", path, { body: { set: "x", schedules: many({ a: 1, b: 2, when: {}, job: 3 }) } });
    expect(errors).toHaveLength(500);
  });
});
