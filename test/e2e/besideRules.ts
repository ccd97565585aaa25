/** What goes beside a schedule's rule: calls now and of the past, calendars, sets, deletions, and schedules that cannot be. */

import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { JobAnswer } from "../../src/api/answers.ts";
import { inMs, scheduleClientOf } from "./scheduleClient.ts";
import { type Subject, until } from "./subject.ts";

export function besideRules(subject: Subject): void {
  const { send, ended, problem, walk, nameOf, put, get, act, record, becomes, seconds, slow } = scheduleClientOf(subject);

  describe.concurrent("beside the rule", () => {
    it("a trigger makes a job now, also of a paused schedule", async () => {
      const name = nameOf("trigger");
      await put(name, { when: { every: "1d", from: "2040-01-01T00:00:00Z" }, paused: true });
      const { status, json } = await send<JobAnswer>("POST", `/v1/schedules/${name}/trigger`);
      expect(status).toBe(201);
      expect(await ended(json.id)).toMatchObject({ state: "succeeded", schedule: { name } });
      await problem(400, "invalid_request", "POST", `/v1/schedules/${name}/trigger`, { overlap: "buffer_one" });
    });

    it("a backfill is counted first, fires each instant once, and none again", async () => {
      const name = nameOf("backfill");
      await put(name, { when: { every: "1m", from: "2026-01-01T00:00:00Z" }, overlap: "allow", endAt: inMs(3_600_000) });
      const range = { from: "2026-02-01T00:00:00Z", to: "2026-02-01T00:05:00Z" };
      expect((await act(name, "backfill", { ...range, dryRun: true })).status).toBe(200);
      expect((await act(name, "backfill", range)).status).toBe(202);
      await becomes(name, "to end its backfill", ({ backfill }) => backfill === null);
      const fired = async () => (await record(name, "&state=fired")).filter(({ because }) => because === "backfilled");
      expect((await fired()).map(({ nominalAt }) => nominalAt.slice(14, 16))).toEqual(["00", "01", "02", "03", "04"]);
      for (const { job } of await fired()) expect(await ended(job ?? "")).toMatchObject({ state: "succeeded" });
      await act(name, "backfill", range);
      await becomes(name, "to end its backfill", ({ backfill }) => backfill === null);
      expect(await fired()).toHaveLength(5);
      const refused = await problem(400, "invalid_request", "POST", `/v1/schedules/${name}/backfill`, {
        from: "2026-01-01T00:00:00Z",
        to: "2026-11-01T00:00:00Z",
      });
      expect(JSON.stringify(refused)).toMatch(/10,?000/);
    });

    it("a calendar's days are left out, a change of it moves what is next, and in use it stays", async () => {
      const [name, calendar] = [nameOf("calendar"), `days-${randomUUID().slice(0, 8)}`];
      const days = (...dates: string[]) => send("PUT", `/v1/calendars/${calendar}`, { dates });
      expect((await days("2040-01-01")).status).toBe(201);
      const { json } = await put(name, { when: { cron: "0 9 * * *" }, startAt: "2040-01-01T00:00:00Z", except: [{ calendar }] });
      expect(json.next[0]?.nominalAt).toBe("2040-01-02T09:00:00.000Z");
      const moved = async () => {
        await days("2040-01-01", "2040-01-02");
        await days("2040-01-02");
        return (await get(name)).next[0]?.nominalAt === "2040-01-01T09:00:00.000Z" ? true : undefined;
      };
      await until("the change in force", moved, subject);
      await problem(409, "state_conflict", "DELETE", `/v1/calendars/${calendar}`);
      await send("DELETE", `/v1/schedules/${name}`);
      const gone = async () => ((await send("DELETE", `/v1/calendars/${calendar}`)).status === 200 ? true : undefined);
      await until("the calendar to be free", gone, subject);
    });

    it("a set is shown, made, left as it is, and shrunk", async () => {
      const set = `set-${randomUUID().slice(0, 8)}`;
      const [a, b] = [nameOf("a"), nameOf("b")];
      const rule = { when: { every: "1d", from: "2040-01-01T00:00:00Z" }, job: slow(0) };
      const apply = async (names: readonly string[], dryRun = false) => {
        const body = { set, schedules: Object.fromEntries(names.map((name) => [name, rule])), ...(dryRun && { dryRun }) };
        const { status, json } = await send<{ results: { name: string; did: string }[] }>("PUT", "/v1/schedules", body);
        expect(status).toBe(200);
        return Object.fromEntries(json.results.map(({ name, did }) => [name, did]));
      };
      expect(await apply([a, b], true)).toEqual({ [a]: "created", [b]: "created" });
      expect(await apply([a, b])).toEqual({ [a]: "created", [b]: "created" });
      expect(await apply([a, b])).toEqual({ [a]: "unchanged", [b]: "unchanged" });
      const shrunk = async () => ((await apply([a]))[b] === "deleted" ? true : undefined);
      await until("the set to be shrunk", shrunk, subject);
      await problem(404, "not_found", "GET", `/v1/schedules/${b}`);
    });

    it("a deletion cancels the jobs that wait where it is asked to", async () => {
      const name = nameOf("gone");
      const retry = { minBackoff: "1h", maxBackoff: "1h", jitter: false };
      await put(name, { when: { at: seconds(1, 0) }, job: { target: { url: `${subject.targetUrl()}/status/503` }, retry } });
      const [job] = await until(
        "a job that waits",
        async () => {
          const jobs = await walk(`schedule=${name}`, 10);
          return jobs[0]?.attemptCount === 1 && jobs[0].state === "waiting" ? jobs : undefined;
        },
        subject,
      );
      expect((await send("DELETE", `/v1/schedules/${name}?jobs=cancel`)).json).toMatchObject({ cancelled: 1 });
      expect(await ended(job?.id ?? "")).toMatchObject({ state: "cancelled", because: "schedule_deleted" });
    });
  });

  describe.concurrent("a schedule that cannot be", () => {
    const good = { when: { every: "1h" }, job: { target: { url: "https://example.com/" } } };
    it.each([
      [{ ...good, when: { cron: "0 9 * * *", timezone: "Europe/Berln" } }, "when.timezone", "Europe/Berlin"],
      [{ ...good, when: { cron: "0 9 * * *" }, except: [{ cron: "* * * * *" }] }, "when", "never"],
      [{ ...good, job: { target: { url: "https://example.com/", headers: { host: "x" } } } }, "job.target.headers.host", ""],
      [{ ...good, job: { ...good.job, dueAt: "2040-01-01T00:00:00Z" } }, "job.dueAt", ""],
      [{ ...good, overlap: "queue" }, "overlap", "buffer_one"],
    ])("is refused with its field: %j", async (body, field, text) => {
      const refused = await problem(400, "invalid_request", "PUT", `/v1/schedules/${nameOf("bad")}`, body);
      expect(refused.errors?.map((error) => error.field)).toEqual([field]);
      expect(JSON.stringify(refused.errors)).toContain(text);
    });

    it("for its target's address is refused as a job is", async () => {
      const body = { ...good, job: { target: { url: "http://169.254.169.254/" } } };
      const refused = await problem(422, "target_denied", "PUT", `/v1/schedules/${nameOf("denied")}`, body);
      expect(refused.errors?.map((error) => error.field)).toEqual(["job.target.url"]);
    });
  });
}
