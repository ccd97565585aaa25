/** Calendars: days that schedules leave out, kept under a name. */

import { describe, expect, test } from "vitest";
import { type Caller, openCaller, target, wrongFields } from "./caller.ts";

type Calendar = { version: number; schedules: number; timezone: string | null; dates: unknown[]; weekly: string[] };

const path = "/v1/calendars/de-holidays";
const days = { timezone: "Europe/Berlin", dates: ["2027-01-01", { from: "2027-12-24", to: "2027-12-26" }], weekly: ["sat", "SUN"] };
const daily = { when: { cron: "0 9 * * *" }, except: [{ calendar: "de-holidays" }], job: { target } };

const put = (caller: Caller, status: number, body: object, headers = {}) => caller.answer<Calendar>(status, "PUT", path, { body, headers });

describe("a calendar", () => {
  test("is made, shown, written anew and deleted", async () => {
    const caller = openCaller();
    const { status, headers, text } = await caller.send("PUT", path, { body: days });
    expect([status, headers.get("location"), headers.get("etag")]).toEqual([201, path, '"1"']);
    const { schedules: _schedules, ...made } = JSON.parse(text);
    expect(made).toMatchObject({ name: "de-holidays", timezone: "Europe/Berlin", dates: days.dates, weekly: ["SAT", "SUN"] });
    expect(await caller.answer(200, "GET", path)).toEqual(made);
    expect(await put(caller, 200, { weekly: ["MON"] })).toMatchObject({
      version: 2,
      timezone: null,
      dates: [],
      weekly: ["MON"],
      schedules: 0,
    });
    expect(await caller.answer(200, "DELETE", path)).toEqual({ name: "de-holidays", deleted: true });
    await caller.problem(404, "GET", path);
    await caller.problem(404, "DELETE", path);
  });

  test("honours If-Match and If-None-Match", async () => {
    const caller = openCaller();
    await caller.problem(412, "PUT", path, { body: days, headers: { "if-match": "*" } });
    await caller.problem(412, "PUT", path, { body: days, headers: { "if-match": '"1"' } });
    await put(caller, 201, days, { "if-none-match": "*" });
    expect((await caller.problem(409, "PUT", path, { body: days, headers: { "if-none-match": "*" } })).code).toBe("exists");
    await put(caller, 200, { dates: ["2027-12-24"] }, { "if-match": '"1"' });
    await caller.problem(412, "DELETE", path, { headers: { "if-match": '"1"' } });
    await caller.answer(200, "DELETE", path, { headers: { "if-match": '"2"' } });
  });

  test("takes effect on the next occurrence of the schedules that name it", async () => {
    const caller = openCaller();
    await put(caller, 201, { dates: ["2027-01-01"] });
    const { next } = await caller.schedule(201, "PUT", "/v1/schedules/a", { body: daily });
    expect(next[0]?.nominalAt).toBe("2027-01-02T09:00:00.000Z");
    await caller.schedule(201, "PUT", "/v1/schedules/b", { body: { ...daily, except: [] } });
    expect((await put(caller, 200, { dates: [{ from: "2027-01-01", to: "2027-01-05" }] })).schedules).toBe(1);
    expect((await caller.schedule(200, "GET", "/v1/schedules/a")).next[0]?.nominalAt).toBe("2027-01-06T09:00:00.000Z");
    const { data } = await caller.answer<{ data: { next: { nominalAt: string }[] }[] }>(200, "GET", "/v1/schedules");
    expect(data.map(({ next: [first] }) => first?.nominalAt)).toEqual(["2027-01-06T09:00:00.000Z", "2027-01-01T09:00:00.000Z"]);
  });

  test("in use is not deleted, and the answer says by which", async () => {
    const caller = openCaller();
    await put(caller, 201, days);
    await caller.schedule(201, "PUT", "/v1/schedules/a", { body: daily });
    const refusal = await caller.problem(409, "DELETE", path);
    expect([refusal.code, refusal.detail]).toEqual(["state_conflict", expect.stringContaining("in use by a")]);
    await caller.schedule(200, "PATCH", "/v1/schedules/a", { body: { except: [] } });
    await caller.answer(200, "DELETE", path);
  });

  test("that leaves nothing of a rule makes it one that never fires", async () => {
    const caller = openCaller();
    await put(caller, 201, { weekly: ["SAT", "SUN", "MON", "TUE", "WED", "THU"] });
    const body = { ...daily, when: { cron: "0 9 * * MON" } };
    const refusal = await caller.problem(400, "PUT", "/v1/schedules/a", { body });
    expect([wrongFields(refusal), refusal.detail]).toEqual([{ when: "invalid_value" }, expect.stringContaining("never fires")]);
  });

  test("is known to the preview of an unsaved rule", async () => {
    const caller = openCaller();
    await put(caller, 201, { dates: ["2027-01-01"] });
    const { when, except } = daily;
    const shown = await caller.answer<{ occurrences: { nominalAt: string }[] }>(200, "POST", "/v1/schedules/preview", {
      body: { when, except, count: 1 },
    });
    expect(shown.occurrences[0]?.nominalAt).toBe("2027-01-02T09:00:00.000Z");
    const other = await caller.problem(400, "POST", "/v1/schedules/preview", { body: { when, except: [{ calendar: "de-holiday" }] } });
    expect(wrongFields(other)).toEqual({ "except[0].calendar": "invalid_value" });
  });

  test("lists are by name, page by page", async () => {
    const caller = openCaller();
    for (const name of ["c", "a", "b"]) await caller.answer(201, "PUT", `/v1/calendars/${name}`, { body: days });
    type Page = { data: { name: string }[]; nextCursor: string | null };
    const first = await caller.answer<Page>(200, "GET", "/v1/calendars?limit=2");
    const second = await caller.answer<Page>(200, "GET", `/v1/calendars?limit=2&cursor=${first.nextCursor}`);
    expect([...first.data, ...second.data].map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(second.nextCursor).toBeNull();
    expect(wrongFields(await caller.problem(400, "GET", "/v1/calendars?label=a:b"))).toEqual({ label: "unknown_field" });
  });

  test.each([
    [{}, { dates: "too_small" }],
    [{ dates: [], weekly: [] }, { dates: "too_small" }],
    [{ dates: ["2027-02-29"] }, { "dates[0]": "invalid_format" }],
    [{ dates: [{ from: "2027-02-02", to: "2027-02-01" }] }, { "dates[0].to": "too_small" }],
    [{ dates: [5, { from: "2027-02-02" }] }, { "dates[0]": "invalid_value", "dates[1]": "invalid_value" }],
    [{ dates: Array.from({ length: 367 }, () => "2027-01-01") }, { dates: "too_large" }],
    [{ weekly: ["SAT", "SON"] }, { "weekly[1]": "invalid_value" }],
    [{ weekly: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] }, { weekly: "too_large" }],
    [
      { weekly: [1], dates: null },
      { "weekly[0]": "invalid_type", dates: "invalid_type" },
    ],
    [{ timezone: "Europe/Berln", dates: ["2027-01-01"] }, { timezone: "invalid_value" }],
    [{ ...days, name: "x" }, { name: "unknown_field" }],
    [[], { "": "invalid_type" }],
  ])("of %.80j is refused", async (body, known) => {
    const caller = openCaller();
    expect(wrongFields(await caller.problem(400, "PUT", path, { body }))).toEqual(known);
    await caller.problem(404, "GET", path);
  });

  test("has a name as a schedule has, preview too", async () => {
    const caller = openCaller();
    expect(wrongFields(await caller.problem(400, "PUT", "/v1/calendars/a%2Fb", { body: days }))).toEqual({ name: "invalid_format" });
    await caller.problem(404, "GET", "/v1/calendars/a%2Fb");
    await caller.answer(201, "PUT", "/v1/calendars/preview", { body: days });
  });
});
