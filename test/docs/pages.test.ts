/** What the pages say must be so: links lead somewhere, commands exist, and the README's example is what the API takes and answers. */

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllowList } from "../../src/core/address.ts";
import { openCaller } from "../api/caller.ts";

const root = join(import.meta.dirname, "../..");
const pages = ["README.md", "CHANGELOG.md", ...globSync("docs/**/*.md", { cwd: root })];
const read = (page: string) => readFileSync(join(root, page), "utf8");
const readme = read("README.md");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

describe("the pages", () => {
  it.each(pages)("%s links to files that exist", (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => join(root, dirname(page), link ?? ""));
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  it.each(pages)("%s names only npm scripts that exist", (page) => {
    const named = [...read(page).matchAll(/npm (?:run )?(start|test|(?<=run )[a-z0-9:]+)/g)].map(([, script]) => script ?? "");
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
  });

  it("the scripts run files that exist", () => {
    const files = Object.values(scripts).flatMap((script) => script.match(/\S+\.(?:ts|js)\b/g) ?? []);
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

describe("the README's first job", () => {
  const sent = /curl -d '(\{.*\})'/.exec(readme)?.[1] ?? "";
  const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? "null") as Record<string, unknown>;

  it("is taken as it is written, and answered with what is shown", async () => {
    const toThisMachine = parseAllowList("127.0.0.0/8");
    if ("wrong" in toThisMachine) throw new Error(toThisMachine.wrong);
    const body = await openCaller({ allow: toThisMachine.allow }).job(201, "POST", "/v1/jobs", { raw: sent });
    const answer: Record<string, unknown> = body;
    for (const [field, value] of Object.entries(shown)) {
      if (field === "id" || field === "dueAt") expect(typeof answer[field]).toBe("string");
      else if (field === "retry") expect(answer[field]).toMatchObject(value as object);
      else expect(answer[field]).toEqual(value);
    }
  });
});

describe("the README's schedule", () => {
  const requests = [...readme.matchAll(/`curl -X ([A-Z]+) (?:-d '(\{[^`]*\})' -H '[^']+' )?127\.0\.0\.1:4000(\/[^`\s]*)`/g)];

  it("is made, paused and deleted by the requests as they are written", async () => {
    const toThisMachine = parseAllowList("127.0.0.0/8");
    if ("wrong" in toThisMachine) throw new Error(toThisMachine.wrong);
    const caller = openCaller({ allow: toThisMachine.allow });
    const statuses: unknown[] = [];
    for (const [, method = "", raw, path = ""] of requests) {
      const { status } = await caller.send(method, path, raw === undefined ? {} : { raw });
      statuses.push([method, path, status]);
    }
    expect(statuses).toEqual([
      ["PUT", "/v1/schedules/hello", 201],
      ["POST", "/v1/schedules/hello/pause", 200],
      ["DELETE", "/v1/schedules/hello", 200],
    ]);
  });
});
