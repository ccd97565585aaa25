/** SIGKILL at random instants while schedules fire each second: every nominal instant has one fate, and its call comes once but where a kill met it. */

import { expect, it } from "vitest";
import { freshFolder } from "./folder.ts";
import { startHostReady, startTarget } from "./hostProcess.ts";

const kills = 8;
const schedules = 6;

type Entry = {
  readonly nominalAt: string;
  readonly lastNominalAt: string;
  readonly count: number;
  readonly state: string;
  readonly job: string | null;
};

async function put(base: string, name: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const { status } = await fetch(`${base}/v1/schedules/${name}`, { method: "PUT", headers, body: JSON.stringify(body) });
  expect(status).toBe(201);
}

async function occurrencesOf(base: string, name: string): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const path: string = `/v1/schedules/${name}/occurrences?limit=200${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = (await (await fetch(`${base}${path}`)).json()) as { data: Entry[]; nextCursor: string | null };
    found.push(...page.data);
    cursor = page.nextCursor;
  }
  return found.filter(({ state }) => state !== "pending").toReversed();
}

it("kills leave no instant of a schedule without a fate, and none with two", async () => {
  const data = await freshFolder();
  const target = await startTarget((call) => ({ status: 200, afterMs: (Number(call.job.charCodeAt(8)) * 7) % 60 }));
  const names = Array.from({ length: schedules }, (_, index) => `s${index}`);
  const policies = ["latest", "all", "skip"];
  let host = await startHostReady(data);
  for (const [index, name] of names.entries()) {
    const misfire = { policy: policies[index % policies.length], within: "1m", max: 3 };
    await put(host.url, name, { when: { cron: "* * * * * *" }, overlap: "allow", misfire, job: { target: { url: target.url } } });
  }
  const killedAt: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 1_200 + Math.random() * 1_500));
    killedAt.push(Date.now());
    await host.end("SIGKILL");
    host = await startHostReady(data);
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const name of names) {
    const { status } = await fetch(`${host.url}/v1/schedules/${name}/pause`, { method: "POST" });
    expect(status).toBe(200);
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const records = await Promise.all(names.map((name) => occurrencesOf(host.url, name)));
  await host.end("SIGTERM");
  await target.close();

  const calls = Map.groupBy(target.calls, (call) => call.job);
  for (const record of records) {
    // Each second once: a stretch begins a second after the one before it has ended.
    const gaps = record.slice(1).map((entry, index) => Date.parse(entry.nominalAt) - Date.parse(record[index]?.lastNominalAt ?? ""));
    expect(gaps.filter((gapMs) => gapMs !== 1_000)).toEqual([]);
    expect(
      record.filter(({ count, nominalAt, lastNominalAt }) => Date.parse(lastNominalAt) - Date.parse(nominalAt) !== (count - 1) * 1_000),
    ).toEqual([]);
    const fired = record.filter(({ state }) => state === "fired").map(({ job }) => job ?? "");
    expect(fired.length).toBeGreaterThan(kills);
    expect(fired.filter((job) => !calls.has(job))).toEqual([]);
    const twice = fired.flatMap((job) => (calls.get(job) ?? []).slice(1));
    // Only a call that was in flight at a kill is made once more.
    expect(
      twice.filter(({ job }) => !(calls.get(job) ?? []).some((call) => killedAt.some((at) => Math.abs(call.at - at) < 2_000))),
    ).toEqual([]);
  }
});
