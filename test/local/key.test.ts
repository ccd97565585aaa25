/** A key lasts, is its owner's alone, and is never a torn one. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeyRefusedError, readKey } from "../../local/key.ts";
import { type Folder, freshFolder } from "../store/folder.ts";

let folder: Folder;
beforeEach(async () => {
  folder = await freshFolder();
});
afterEach(() => folder.remove());

const read = () => readKey(folder.file(""), "cursor.key");
const kept = () => folder.file("cursor.key");
const modeOf = (path: string) => statSync(path).mode & 0o777;

test("the key of the first use is the key of every later one", () => {
  const made = read();
  expect(made.byteLength).toBe(32);
  expect(Buffer.from(read())).toEqual(Buffer.from(made));
  expect(Buffer.from(readFileSync(kept()))).toEqual(Buffer.from(made));
});

test("two folders, and two names, have two keys", () => {
  const keys = [read(), readKey(folder.file(""), "other.key")].map((key) => Buffer.from(key).toString("hex"));
  expect(new Set(keys).size).toBe(2);
});

test("only its owner can read the file, however open the user's files are made", () => {
  const before = process.umask(0);
  try {
    read();
  } finally {
    process.umask(before);
  }
  expect(modeOf(kept())).toBe(0o600);
});

test.each([
  ["empty", ""],
  ["half", "x".repeat(16)],
  ["too long", "x".repeat(33)],
])("a file that is %s is replaced by a key, which stays", (_name, torn) => {
  writeFileSync(kept(), torn, { mode: 0o644 });
  const made = Buffer.from(read());
  expect(made.byteLength).toBe(32);
  expect(made.toString()).not.toContain("xxxx");
  expect(Buffer.from(read())).toEqual(made);
  expect(modeOf(kept())).toBe(0o600);
});

test.each(["cursor.key", "cursor.key.new"])("a folder that lies at %s is refused in one line that names the file", (name) => {
  mkdirSync(folder.file(name));
  const refused = () => read();
  expect(refused).toThrow(KeyRefusedError);
  expect(refused).toThrow(/^the key \S+cursor\.key can be neither read nor made \(.+\): [^\n]+$/);
});

test("what a crash left of the file in the making is neither used nor kept, nor is its mode", () => {
  writeFileSync(`${kept()}.new`, "x".repeat(32));
  chmodSync(`${kept()}.new`, 0o666);
  expect(Buffer.from(read()).toString()).not.toContain("x".repeat(32));
  expect(modeOf(kept())).toBe(0o600);
  expect(readdirSync(folder.file(""))).toEqual(["cursor.key"]);
});
