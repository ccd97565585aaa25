/** The pictures, records and tables of docs/schedules.md are what the engine does now, and what the page sends is accepted. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readBlock } from "../../docs/blocks.ts";
import { sections } from "../../docs/timelineCases.ts";
import { type Case, run, type Written } from "../../docs/timelineRun.ts";
import { page, timelines } from "../../docs/timelines.ts";
import { happenings, occurrenceBecauses } from "../../src/core/occurrence.ts";
import { misfirePolicies, overlaps, recoveries } from "../../src/core/schedule.ts";
import { later, minuteMs } from "../../src/core/time.ts";
import { openCaller } from "../api/caller.ts";
import { startAt } from "../builders.ts";

const folder = new URL("../../docs/timelines/", import.meta.url);
const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
const drawn = await timelines();

describe("the pictures", () => {
  it.each([...drawn.pictures])("%s is what the engine does (else: npm run docs)", (file, svg) => {
    expect(readFileSync(new URL(file, folder), "utf8")).toBe(svg);
  });

  it("are all on the page, and no other lies beside them", () => {
    expect(readdirSync(folder).toSorted()).toEqual([...drawn.pictures.keys()].toSorted());
    for (const file of drawn.pictures.keys()) expect(text).toContain(`](timelines/${file})`);
  });

  it("are small, and say in words what they show", () => {
    for (const svg of drawn.pictures.values()) {
      expect(svg.length).toBeLessThan(9_000);
      expect(svg).toMatch(/<title id="t">[^<]+<\/title>\n<desc id="d">[^<]+<\/desc>/);
    }
  });

  it("come out the same a second time", async () => {
    expect((await timelines()).pictures).toEqual(drawn.pictures);
  });
});

describe("the page", () => {
  it.each([...drawn.blocks])("says of %s what the code says (else: npm run docs)", (name, block) => {
    expect(readBlock(page, name)).toBe(block);
  });

  it("has every state, reason and policy", () => {
    for (const name of [...happenings, ...occurrenceBecauses]) expect(text).toContain(`| \`${name}\` |`);
    for (const name of [...overlaps, ...misfirePolicies, ...recoveries]) expect(text).toMatch(new RegExp(`^### \`${name}\``, "m"));
  });

  it("names a source for each note of the comparison, and each source is used", () => {
    const used = new Set([...text.matchAll(/\[\^(\w+)\](?!:)/g)].map(([, note]) => note));
    const given = new Set([...text.matchAll(/^\[\^(\w+)\]: .*<https:/gm)].map(([, note]) => note));
    expect([...used].toSorted()).toEqual([...given].toSorted());
  });
});

const sent = [...text.matchAll(/^`(PUT|POST|PATCH) (\/v1\/[^`]+)`.*\n\n```json\n([\s\S]*?)```/gm)];
const curl = /^curl -X (PUT) -d '(\{.*\})' \\\n.* 127\.0\.0\.1:4000(\S+)$/m.exec(text) ?? [];

describe("what the page sends", () => {
  it("is said of every JSON on it", () => {
    expect(sent.length).toBe([...text.matchAll(/^```json$/gm)].length);
    expect(sent.length).toBeGreaterThan(25);
  });

  it("is taken, one after the other", async () => {
    const caller = openCaller();
    const first = await caller.send(curl[1] ?? "", curl[3] ?? "", { raw: curl[2] ?? "" });
    expect(first.status).toBe(201);
    for (const [, method = "", path = "", raw = ""] of sent) {
      const { status, text: answered } = await caller.send(method, path, { raw });
      expect([200, 201], `${method} ${path} ${raw}: ${answered}`).toContain(status);
    }
  });

  it("is refused where the page says so", async () => {
    const caller = openCaller();
    for (const [, method = "", path = "", raw = ""] of sent.filter(([, , path]) => /de-holidays|nightly/.test(path ?? ""))) {
      await caller.send(method, path, { raw });
    }
    await caller.problem(409, "DELETE", "/v1/calendars/de-holidays");
    await caller.send("POST", "/v1/schedules/nightly/pause");
    const body = { from: "2026-12-01T00:00:00Z", to: "2026-12-02T00:00:00Z" };
    await caller.problem(409, "POST", "/v1/schedules/nightly/backfill", { body });
  });
});

/** States and reasons of a case that is run with something else than its picture has. */
async function recordOf(one: Case | undefined, given: Partial<Case>, written: Partial<Written> = {}): Promise<readonly string[]> {
  const report = one?.schedules["report"];
  if (one === undefined || report === undefined) throw new Error("expected a case of the schedule report, got none");
  const { lines } = await run({ ...one, ...given, schedules: { report: { ...report, ...written } } });
  return lines.flatMap(({ logged }) =>
    logged.map(({ state, because, count }) => (count === 1 ? `${state} ${because}` : `${state} ${because} ${count}`)),
  );
}

describe("what the page says without a picture", () => {
  const [skip, bufferOne] = sections["overlap"] ?? [];
  const brief = { callMs: 118_500, until: later(skip?.from ?? startAt, 7 * minuteMs) };

  it("a call that ends a second before the next does not overlap it", async () => {
    expect(await recordOf(skip, brief)).toEqual(["fired due", "fired due", "fired due", "fired due"]);
    const { lines } = await run({ ...(bufferOne as Case), ...brief });
    expect(lines[0]?.fates.map(({ called, nominalAt }) => (called?.startedAt ?? 0) - nominalAt)).toEqual([0, 0, 0, 0]);
  });

  it("overlap has its say about those that fire late together", async () => {
    const [, all] = sections["misfire"] ?? [];
    const late = (record: readonly string[]) => record.filter((line) => !/fired due/.test(line));
    expect(late(await recordOf(all, {}, { overlap: "skip" }))).toEqual(["missed too_late 2", "fired late", "skipped overlap 2"]);
    expect(late(await recordOf(all, {}, { overlap: "buffer_all" })).slice(0, 4)).toEqual([
      "missed too_late 2",
      "fired late",
      "fired buffered",
      "fired buffered",
    ]);
  });
});
