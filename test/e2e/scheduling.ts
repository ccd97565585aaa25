/** That schedules fire at their instants and no other, do what their policies say, and have everything on record. */

import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { inMs, type ScheduleAnswer, scheduleClientOf, secondIn } from "./scheduleClient.ts";
import { pause, type Subject, until } from "./subject.ts";

export function scheduling(subject: Subject): void {
  const { send, ended, problem, walk, nameOf, put, get, act, record, becomes, seconds, slow } = scheduleClientOf(subject);

  describe.concurrent("a schedule", () => {
    it("is called at each instant of its rule, on the dot and once, and says of each call which it is", async () => {
      const name = nameOf("each");
      const at = seconds(4, 1_000);
      await put(name, { when: { at }, overlap: "allow", job: { target: { url: subject.recorderUrl() } } });
      await becomes(name, "to be finished", ({ state }) => state === "finished");
      const fired = await record(name, "&state=fired");
      expect(fired.map(({ nominalAt, because }) => [nominalAt, because])).toEqual(at.map((instant) => [instant, "due"]));
      for (const [index, { job }] of fired.entries()) {
        const done = await ended(job ?? "");
        expect(done).toMatchObject({ state: "succeeded", dueAt: at[index], schedule: { name, nominalAt: at[index] } });
        expect(done.attempts[0]?.latenessMs).toBeGreaterThanOrEqual(0);
        expect(done.attempts[0]?.latenessMs).toBeLessThanOrEqual(subject.latenessMsMax);
        expect(subject.recorded(job ?? "")?.headers).toMatchObject({
          "onthedot-schedule": name,
          "onthedot-nominal-at": at[index],
          "onthedot-due-at": at[index],
        });
      }
      const jobs = await walk(`schedule=${name}`, 50);
      expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set(fired.map(({ job }) => job)));
    });

    it("with a window is called at its place in it, and never past the next occurrence", async () => {
      const name = nameOf("window");
      const at = seconds(3, 3_000);
      await put(name, { when: { at }, window: "100%", overlap: "allow" });
      await becomes(name, "to be finished", ({ state }) => state === "finished");
      const fired = await record(name, "&state=fired");
      expect(fired.map(({ nominalAt }) => nominalAt)).toEqual(at);
      const offsets = fired.slice(0, 2).map(({ nominalAt, dueAt }) => Date.parse(dueAt) - Date.parse(nominalAt));
      expect(new Set(offsets).size).toBe(1);
      expect(offsets[0]).toBeGreaterThanOrEqual(0);
      expect(offsets[0]).toBeLessThanOrEqual(3_000);
      for (const { job, dueAt } of fired) expect((await ended(job ?? "")).dueAt).toBe(dueAt);
    });

    it("is changed only at the version that was seen, whatever fires meanwhile, and by one of two", async () => {
      const name = nameOf("versions");
      const created = await put(name, { when: { every: "1s", from: secondIn(0) } }, { "if-none-match": "*" });
      expect(created.status).toBe(201);
      await problem(409, "exists", "PUT", `/v1/schedules/${name}`, { when: { every: "1h" }, job: slow(0) }, { "if-none-match": "*" });
      await becomes(name, "to fire", ({ counts }) => (counts["fired"] ?? 0) > 1);
      const etag = created.headers.get("etag") ?? "";
      const patches = await Promise.all(
        ["1h", "2h"].map((every) => send("PATCH", `/v1/schedules/${name}`, { when: { every } }, { "if-match": etag })),
      );
      expect(patches.map(({ status }) => status).toSorted()).toEqual([200, 412]);
      expect((await send("DELETE", `/v1/schedules/${name}`, undefined, { "if-match": etag })).status).toBe(412);
      expect((await send("DELETE", `/v1/schedules/${name}`)).status).toBe(200);
      await problem(404, "not_found", "GET", `/v1/schedules/${name}`);
    });

    it("is found by its label, its state and its set", async () => {
      const [name, set] = [nameOf("listed"), `set-${randomUUID().slice(0, 8)}`];
      await put(name, { when: { every: "1d", from: "2040-01-01T00:00:00Z" }, labels: { run: set }, paused: true });
      const names = async (query: string) =>
        (await send<{ data: ScheduleAnswer[] }>("GET", `/v1/schedules?${query}`)).json.data.map((one) => one.name);
      const list = async () => ((await names(`label=run:${set}&state=paused`)).includes(name) ? true : undefined);
      await until("the schedule in the list", list, subject);
      expect(await names(`label=run:${set}&state=active`)).toEqual([]);
    });

    it("with maxRuns is finished after so many", async () => {
      const name = nameOf("runs");
      await put(name, { when: { every: "1s", from: secondIn(subject.soonMs) }, maxRuns: 2, overlap: "allow" });
      expect((await becomes(name, "to be finished", ({ state }) => state === "finished")).counts).toMatchObject({ fired: 2 });
      expect(await record(name, "&state=fired")).toHaveLength(2);
    });

    it("pauses itself after failures in a row, and says so", async () => {
      const name = nameOf("failing");
      const job = { target: { url: `${subject.targetUrl()}/status/404` } };
      await put(name, { when: { every: "2s", from: secondIn(subject.soonMs) }, pauseAfterFailures: 2, job });
      const paused = await becomes(name, "to pause itself", ({ state }) => state === "paused");
      expect(paused.pause).toMatchObject({ because: "failures" });
      expect(paused.counts["fired"]).toBe(2);
    });
  });

  describe.concurrent("a pause", () => {
    it("lets nothing be called but what its answer names, and a resume brings back what is asked for", async () => {
      const [name, latest] = [nameOf("paused"), nameOf("latest")];
      for (const one of [name, latest]) await put(one, { when: { every: "1s", from: secondIn(0) }, overlap: "allow" });
      await Promise.all([name, latest].map((one) => becomes(one, "to fire", ({ counts }) => (counts["fired"] ?? 0) > 0)));
      const answers = await Promise.all([name, latest].map((one) => act(one, "pause", { reason: "a test" })));
      const lastNamed = Math.max(...answers.flatMap(({ json }) => json.taken.map(({ nominalAt }) => Date.parse(nominalAt))), Date.now());
      // Two seconds of it may be taken already.
      await pause(6_000);
      for (const one of [name, latest]) {
        const late = (await record(one, "&state=fired")).filter(({ nominalAt }) => Date.parse(nominalAt) > lastNamed);
        expect(late).toEqual([]);
      }
      await act(name, "resume");
      await act(latest, "resume", { recover: "latest" });
      const skipped = async (one: string) => {
        const found = (await record(one)).filter(({ state, because }) => state === "skipped" && because === "paused");
        return found.length > 0 ? found : undefined;
      };
      await until("the pause on record", () => skipped(name), subject);
      await until("the pause on record", () => skipped(latest), subject);
      await becomes(latest, "to go on", ({ counts }) => (counts["fired"] ?? 0) > 2);
      const [none, one] = await Promise.all([record(name, "&state=fired"), record(latest, "&state=fired")]);
      expect(none.filter(({ because }) => because === "late")).toEqual([]);
      expect(one.filter(({ because }) => because === "late")).toHaveLength(1);
    });

    it("with an end is over by itself", async () => {
      const name = nameOf("until");
      await put(name, { when: { every: "1s", from: secondIn(0) }, overlap: "allow" });
      await act(name, "pause", { until: inMs(3_000) });
      expect((await get(name)).state).toBe("paused");
      await becomes(name, "to be active", ({ state, counts }) => state === "active" && (counts["fired"] ?? 0) > 0);
    });
  });

  describe.concurrent("overlap", () => {
    const fates = async (name: string) => {
      await becomes(name, "to be finished", ({ state }) => state === "finished");
      return (await record(name)).map(({ state, because }) => `${state} ${because}`);
    };

    it("skip leaves out what comes while the call runs", async () => {
      const name = nameOf("skip");
      await put(name, { when: { at: seconds(2, 2_000) }, overlap: "skip", job: slow(4_000) });
      expect(await fates(name)).toEqual(["fired due", "skipped overlap"]);
    });

    it("buffer_one calls when the call before has ended", async () => {
      const name = nameOf("buffer");
      await put(name, { when: { at: seconds(3, 1_000) }, overlap: "buffer_one", job: slow(4_000) });
      expect(await fates(name)).toEqual(["fired due", "dropped buffer_full", "fired buffered"]);
      const [first, , second] = await Promise.all((await record(name)).map(({ job }) => (job === null ? undefined : ended(job))));
      expect(Date.parse(second?.startedAt ?? "") - Date.parse(first?.endedAt ?? "")).toBeGreaterThanOrEqual(-50);
    });

    it("replace calls the one before off", async () => {
      const name = nameOf("replace");
      await put(name, { when: { at: seconds(2, 3_000) }, overlap: "replace", job: slow(9_000) });
      expect(await fates(name)).toEqual(["fired due", "fired due"]);
      const [first, second] = await Promise.all((await record(name)).map(({ job }) => ended(job ?? "")));
      expect([first?.state, second?.state]).toEqual(["cancelled", "succeeded"]);
    });
  });
}
