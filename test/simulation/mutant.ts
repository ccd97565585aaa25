/**
 * Copies of the source with a mistake in them. A mutation replaces one piece of one file; the copy is stripped of its types and loaded
 * beside the real thing, so that what is tested is the code as it would be with that very mistake.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Code, realCode } from "./code.ts";

/** `find` must stand in the file exactly once: a mutation that no longer fits its source fails loudly. */
export type Mutation = { readonly file: string; readonly find: string; readonly replace: string };

const root = fileURLToPath(new URL("../..", import.meta.url));
const entry = "test/simulation/code.ts";
const importPattern = /(from\s+")(\.{1,2}\/[^"]+)\.ts(")/g;

/** Loads the code under test with the mutations in it. Call `remove` when done. */
export async function loadMutant(name: string, mutations: readonly Mutation[]): Promise<{ readonly code: Code; remove(): void }> {
  const folder = join(root, "node_modules", ".cache", "onthedot-mutants", `${process.pid}-${name.replaceAll(/\W+/g, "-")}`);
  const unused = new Set(mutations);
  for (const [file, source] of graph(entry)) {
    let text = source;
    for (const mutation of mutations) {
      if (mutation.file !== file) continue;
      text = mutate(text, mutation);
      unused.delete(mutation);
    }
    const path = join(folder, file.replace(/\.ts$/, ".mjs"));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, strip(text));
  }
  const [lost] = unused;
  if (lost !== undefined) throw new Error(`expected ${lost.file} to be part of the code under test, got a mutation of it`);
  const loaded: unknown = await import(/* @vite-ignore */ pathToFileURL(join(folder, entry.replace(/\.ts$/, ".mjs"))).href);
  return { code: codeOf(loaded), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function mutate(text: string, { file, find, replace }: Mutation): string {
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`expected "${find}" once in ${file}, got it ${count} times`);
  return text.replace(find, () => replace);
}

const stripped = new Map<string, string>();

function strip(text: string): string {
  const known = stripped.get(text);
  if (known !== undefined) return known;
  const plain = stripTypeScriptTypes(text, { mode: "strip" }).replaceAll(importPattern, "$1$2.mjs$3");
  stripped.set(text, plain);
  return plain;
}

let known: ReadonlyMap<string, string> | undefined;

/** Every file that the entry needs, by its path below the root. */
function graph(from: string): ReadonlyMap<string, string> {
  if (known !== undefined) return known;
  const files = new Map<string, string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    const source = readFileSync(join(root, file), "utf8");
    files.set(file, source);
    for (const [, , path] of source.matchAll(importPattern)) visit(relative(root, join(root, dirname(file), `${path}.ts`)));
  };
  visit(from);
  known = files;
  return files;
}

function codeOf(loaded: unknown): Code {
  const code = typeof loaded === "object" && loaded !== null && "realCode" in loaded ? loaded.realCode : undefined;
  const isCode = (value: unknown): value is Code =>
    typeof value === "object" && value !== null && Object.keys(realCode).every((key) => key in value);
  if (!isCode(code)) throw new Error("expected the mutant to export the code under test");
  return code;
}
