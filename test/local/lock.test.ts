import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFile, lockFolder } from "../../local/lock.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "onthedot-lock-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** Another process that locks the folder, says how that went, and stays. */
async function lockElsewhere(path: string): Promise<{ child: ChildProcess; said: string }> {
  const lock = new URL("../../local/lock.ts", import.meta.url).href;
  const script = `const { lockFolder } = await import(${JSON.stringify(lock)}); process.stdout.write(lockFolder(${JSON.stringify(path)}).kind); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  return { child, said: String(said) };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

test("a folder that another process holds is taken, and free once that process was killed without a chance to clean up", async () => {
  const folder = join(root, "data");
  const { child, said } = await lockElsewhere(folder);
  try {
    expect(said).toBe("locked");
    expect(lockFolder(folder)).toEqual({ kind: "taken" });
  } finally {
    await kill(child);
  }
  const lock = lockFolder(folder);
  expect(lock.kind).toBe("locked");
  if (lock.kind === "locked") lock.release();
});

test("another process finds a folder taken that this one holds, also after this one's own second try", async () => {
  const lock = lockFolder(root);
  expect(lockFolder(root)).toEqual({ kind: "taken" });
  const { child, said } = await lockElsewhere(root);
  await kill(child);
  expect(said).toBe("taken");
  if (lock.kind === "locked") lock.release();
});

test("a released folder can be locked again, and releasing twice does not free the next holder's lock", () => {
  const first = lockFolder(root);
  if (first.kind !== "locked") throw new Error(first.kind);
  first.release();
  const second = lockFolder(root);
  first.release();
  expect(second.kind).toBe("locked");
  expect(lockFolder(root).kind).toBe("taken");
  if (second.kind === "locked") second.release();
});

test("the folder and the parents made for it are closed to other users", () => {
  const lock = lockFolder(join(root, "a", "b"));
  expect([join(root, "a"), join(root, "a", "b")].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  if (lock.kind === "locked") lock.release();
});

test("a folder that stands already keeps its mode", () => {
  const folder = join(root, "open");
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const lock = lockFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o755);
  if (lock.kind === "locked") lock.release();
});

test("a file in the folder's place, a file among its parents, a lock file that is none: each is one line with the path and the remedy", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  const spoiled = join(root, "spoiled");
  mkdirSync(spoiled);
  writeFileSync(join(spoiled, lockFile), "not a database".repeat(100));
  for (const path of [file, join(file, "below"), spoiled]) {
    const lock = lockFolder(path);
    if (lock.kind !== "unwritable") throw new Error(lock.kind);
    expect(lock.message).toContain(path);
    expect(lock.message).toContain("ONTHEDOT_DATA");
    expect(lock.message).not.toContain("\n");
  }
});

test.runIf(process.platform === "linux")("a place where the system makes no folders is an answer, not an endless loop", () => {
  expect(lockFolder("/proc/onthedot/data").kind).toBe("unwritable");
});
