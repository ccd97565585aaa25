/** What docs/recurrence.md shows is what the API answers. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PreviewAnswer } from "../../src/api/answers.ts";
import { parseCalendar, type WrittenCalendar } from "../../src/core/recurrence/calendar.ts";
import { occurrences } from "../../src/core/recurrence/occurrences.ts";
import { parseRule, type WrittenRule } from "../../src/core/recurrence/rule.ts";
import { parseInstant, toEpochMs } from "../../src/core/time.ts";
import { openCaller } from "../api/caller.ts";

const page = readFileSync(new URL("../../docs/recurrence.md", import.meta.url), "utf8");

async function preview(raw: string): Promise<PreviewAnswer["occurrences"]> {
  const { status, text } = await openCaller().send("POST", "/v1/schedules/preview", { raw });
  if (status !== 200) throw new Error(`${raw}: ${text}`);
  return PreviewAnswer.parse(JSON.parse(text)).occurrences;
}

const examples = [...page.matchAll(/```json\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g)].map(([, sent = "", shown]) => ({
  sent,
  shown,
}));
const rows = [...page.matchAll(/^\| `([^`]+)` \| .* \| (\d{4}-[^|]+) \|$/gm)].map(([, cron = "", dates = ""]) => ({ cron, dates }));
const rules = [...page.matchAll(/^\| `(\{ "(?:cron|every|at|expression)".*\})` \|/gm)].map(([, rule = ""]) => rule);

describe("docs/recurrence.md", () => {
  it("has examples of each kind", () => {
    expect([examples.length, rows.length, rules.length].map((count, index) => count >= ([9, 17, 4][index] ?? 0))).toEqual([
      true,
      true,
      true,
    ]);
    expect(examples.filter(({ shown }) => shown === undefined)).toEqual([]);
  });

  it.each(examples)("is answered as it says: $sent", async ({ sent, shown }) => {
    const answered = (await preview(sent)).map(({ local, note }) => (note === null ? local : `${local} ${note}`));
    expect(answered).toEqual(shown?.trim().split("\n"));
  });

  it.each(rows)("fires when it says: $cron", async ({ cron, dates }) => {
    const body = JSON.stringify({ when: { cron }, from: "2027-01-01T00:00:00Z", count: 3 });
    const shown = (await preview(body)).map(({ local }) => local.slice(0, 19).replace("T", " ").replace(/:00$/, ""));
    expect(shown.join(", ")).toBe(dates.trim());
  });

  it.each(rules)("names rules that are taken: %s", async (rule) => {
    expect((await preview(JSON.stringify({ when: JSON.parse(rule), count: 1 }))).length).toBe(1);
  });

  it("has a calendar that can be read, and a rule that fires with it when the page says", () => {
    const block = (kind: string) =>
      new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(page.slice(page.indexOf("## Calendars")))?.[1] ?? "";
    const calendar = JSON.parse(block("json calendar")) as WrittenCalendar;
    expect(parseCalendar(calendar).ok).toBe(true);
    const from = parseInstant("2026-12-31T00:00:00Z") ?? toEpochMs(0);
    const parsed = parseRule(JSON.parse(block("json rule")) as WrittenRule, from, new Map([["de-holidays", calendar]]));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
    const shown = block("text").trim().split("\n");
    expect(occurrences(parsed.rule, { from, count: shown.length }).found.map(({ local }) => local)).toEqual(shown);
  });
});
