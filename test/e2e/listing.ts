/** That a list shows what there is: each job once, in order, and only what was asked for. */

import { describe, expect, it } from "vitest";
import type { JobAnswer } from "../../src/api/answers.ts";
import { clientOf, type Subject } from "./subject.ts";

export function listing(subject: Subject): void {
  const { create, ended, send, list, walk, problem } = clientOf(subject);
  /** One for each test and run: other jobs of the installation are none of its business. */
  const labelOf = (name: string) => `${name}-${process.pid}-${Date.now()}`;

  const cancelAll = (jobs: readonly { id: string }[]) => Promise.all(jobs.map(({ id }) => send("POST", `/v1/jobs/${id}/cancel`)));

  describe.concurrent("a list", () => {
    it("walked in pages of seven shows each job exactly once, newest first, while others come", async () => {
      const walked = labelOf("walk");
      const jobs = [];
      for (let index = 0; index < 40; index++) jobs.push(await create("/", { delay: "1h", labels: { walked } }));
      const others: JobAnswer[] = [];
      const found = await walk(`label=walked:${walked}`, 7, async () =>
        others.push(await create("/", { delay: "1h", labels: { walked } })),
      );
      expect(found.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).toReversed());
      await cancelAll([...jobs, ...others]);
    });

    it("filtered by state, labels and instants shows those and no others", async () => {
      const filtered = labelOf("filter");
      const at = (hour: number) => `2030-01-01T0${hour}:00:00.000Z`;
      const waiting = [];
      for (const hour of [1, 2, 3]) waiting.push(await create("/", { dueAt: at(hour), labels: { filtered, hour: String(hour) } }));
      const done = await create("/", { labels: { filtered, hour: "0" } });
      const failed = await create("/status/404", { labels: { filtered, hour: "0" } });
      await Promise.all([ended(done.id), ended(failed.id)]);
      const ids = async (query: string) => (await walk(`label=filtered:${filtered}&${query}`, 2)).map(({ id }) => id);
      const [one, two, three] = waiting.map(({ id }) => id);
      expect(await ids("state=waiting")).toEqual([three, two, one]);
      expect(await ids("state=succeeded&state=failed")).toEqual([failed.id, done.id]);
      expect(await ids("label=hour:0")).toEqual([failed.id, done.id]);
      expect(await ids("label=hour:0&state=failed")).toEqual([failed.id]);
      expect(await ids(`dueFrom=${at(1)}&dueTo=${at(3)}`)).toEqual([two, one]);
      expect(await ids("label=hour:9")).toEqual([]);
      await cancelAll(waiting);
    });

    it("refuses a cursor of another filter, one that was tampered with, and parameters that are none", async () => {
      const labelled = labelOf("cursor");
      const jobs = [await create("/", { delay: "1h", labels: { labelled } }), await create("/", { delay: "1h", labels: { labelled } })];
      const cursor = (await list(`label=labelled:${labelled}&limit=1`)).json.nextCursor ?? "";
      expect(cursor).not.toBe("");
      const tampered = `${cursor.slice(0, -2)}${cursor.endsWith("A") ? "BB" : "AA"}`;
      for (const query of [
        `cursor=${cursor}`,
        `label=labelled:${labelled}&cursor=${tampered}`,
        "limit=0",
        "limit=201",
        "limit=ten",
        "state=done",
        "label=team",
        "dueFrom=yesterday",
        "colour=red",
      ])
        await problem(400, "invalid_request", "GET", `/v1/jobs?${query}`);
      await cancelAll(jobs);
    });
  });
}
