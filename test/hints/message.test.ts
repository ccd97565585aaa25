import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, type NamesHint, type StretchHint, startOf } from "../../src/core/hint.ts";
import { calendarIdOf, soleTenant } from "../../src/core/ids.ts";
import { messageBytesMax, namesMax, readHint, writeHint } from "../../src/hints/message.ts";
import { always } from "../always.ts";
import { nextJobId, startAt } from "../builders.ts";
import { anyHint } from "./arbitrary.ts";

const id = nextJobId();
const names: NamesHint = { kind: "names", priority: "high", startAt, names: [{ tenant: soleTenant, id, wakeAt: startAt }] };
const stretch: StretchHint = {
  ...{ kind: "stretch", shard: 3, priority: "low", after: startOf(startAt), until: endOf(startAt), cutAt: startAt, startAt },
};

/** The text with one field replaced; `undefined` takes it away. */
function altered(hint: NamesHint | StretchHint, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...JSON.parse(writeHint(hint)), ...fields });
}

describe("a hint's text", () => {
  it("is pinned, for messages of one release are read by the next", () => {
    expect(writeHint(names)).toBe(
      `{"v":1,"kind":"names","priority":"high","startAt":1798761600000,"names":[["main","${id}",1798761600000]]}`,
    );
    expect(writeHint(stretch)).toBe(
      '{"v":1,"kind":"stretch","shard":3,"priority":"low","after":[1798761600000,""],"until":[1798761600000,"~"],"cutAt":1798761600000,"startAt":1798761600000}',
    );
  });

  it("is shown in the docs as it is", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/hints.md"), "utf8");
    const shown = /```json\n([\s\S]*?)```/.exec(page)?.[1]?.trim().split("\n") ?? [];
    expect(shown.map((text) => readHint(text)?.kind)).toEqual(["names", "stretch"]);
  });

  it("reads back as the hint that was written", () => {
    always(anyHint, (hint) => {
      expect(readHint(writeHint(hint))).toEqual(hint);
    });
  });

  it("holds the most names that it may within a message", () => {
    const tenant = "t".repeat(64) as typeof soleTenant;
    const most = { ...names, names: Array.from({ length: namesMax }, () => ({ tenant, id, wakeAt: startAt })) };
    const text = writeHint(most);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(messageBytesMax);
    expect(readHint(text)).toEqual(most);
  });
});

describe("a text that is no hint", () => {
  it("is told from one, whatever it is, and never throws", () => {
    always(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json({ maxDepth: 2 })), (text) => {
      expect(readHint(text)).toBeUndefined();
    });
  });

  it("is any hint that lacks one bracket, quote, comma or colon, or is cut short", () => {
    always(anyHint, fc.nat(), (hint, place) => {
      const text = writeHint(hint);
      const marks = [...text.matchAll(/[{}[\]",:]/g)].map(({ index }) => index);
      const at = marks[place % marks.length] ?? 0;
      expect(readHint(text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
      expect(readHint(text.slice(0, at))).toBeUndefined();
    });
  });

  it("is any hint with a field more, a field less or a field of another kind", () => {
    const other = fc.oneof(fc.constant(null), fc.string(), fc.double(), fc.boolean(), fc.array(fc.jsonValue()), fc.object());
    always(anyHint, other, fc.nat(), (hint, value, place) => {
      const written = JSON.parse(writeHint(hint)) as Record<string, unknown>;
      const fields = Object.keys(written);
      const field = fields[place % fields.length] ?? "";
      const { [field]: taken, ...rest } = written;
      expect(readHint(JSON.stringify(rest))).toBeUndefined();
      expect(readHint(JSON.stringify({ ...written, more: value }))).toBeUndefined();
      if (typeof value !== typeof taken) expect(readHint(JSON.stringify({ ...rest, [field]: value }))).toBeUndefined();
    });
  });

  it.each([
    ["nothing", ""],
    ["null", "null"],
    ["an array", "[1]"],
    ["a tick", '{"range":0}'],
    ["a hint of another version", altered(names, { v: 2 })],
    ["a hint of another kind", altered(names, { kind: "schedule" })],
    ["a hint of a priority that there is not", altered(names, { priority: "urgent" })],
    ["a hint of a priority that every object has", altered(names, { priority: "constructor" })],
    ["names of nobody", altered(names, { names: [] })],
    ["too many names", altered(names, { names: new Array(namesMax + 1).fill([soleTenant, id, startAt]) })],
    ["a calendar's name, which stands on no wheel", altered(names, { names: [[soleTenant, calendarIdOf(soleTenant, "a"), startAt]] })],
    ["a stretch that begins at a calendar", altered(stretch, { after: [startAt, calendarIdOf(soleTenant, "a")] })],
    ["a name that is no id", altered(names, { names: [[soleTenant, "job_1", startAt]] })],
    ["an id in lower case", altered(names, { names: [[soleTenant, id.toLowerCase(), startAt]] })],
    ["a name with more than three parts", altered(names, { names: [[soleTenant, id, startAt, 1]] })],
    ["a good name beside a bad one", altered(names, { names: [[soleTenant, id, startAt], null] })],
    ["an item of the house", altered(names, { names: [["~cursor#0", id, startAt]] })],
    ["a tenant of no name", altered(names, { names: [["", id, startAt]] })],
    ["a fraction of a millisecond", altered(names, { names: [[soleTenant, id, startAt + 0.5]] })],
    ["an instant beyond all numbers", writeHint(names).replaceAll(String(startAt), "1e16")],
    ["an instant that no date can hold", altered(names, { startAt: 8.64e15 + 1 })],
    ["an instant as text", altered(names, { startAt: String(startAt) })],
    ["a shard below zero", altered(stretch, { shard: -1 })],
    ["a shard that no wheel has", altered(stretch, { shard: 65_536 })],
    ["a half shard", altered(stretch, { shard: 0.5 })],
    ["a stretch that begins at no place", altered(stretch, { after: [startAt, "a"] })],
    ["a stretch whose end is longer than a place", altered(stretch, { until: [startAt, "~", 1] })],
    ["a stretch cut at no instant", altered(stretch, { cutAt: null })],
    ["a hint and more", `${writeHint(names)} x`],
    ["a hint longer than a message", `${writeHint(names)}${" ".repeat(messageBytesMax)}`],
    ["JSON nested deeper than a stack", "[".repeat(100_000)],
  ])("is %s", (_, text) => {
    expect(readHint(text)).toBeUndefined();
  });
});
