/**
 * The rules of the house that no linter knows, as functions from files to findings. They read text, not syntax trees: Biome formats
 * every file the same way, so that a line says enough.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

export type SourceFile = { readonly path: string; readonly text: string };
type Finding = string;

/** Every TypeScript file of the folders, by its path from the root. */
export function readTree(root: string, folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => posix.join(folder, name))
      .toSorted()
      .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") })),
  );
}

const layerOf = (path: string) => (path.startsWith("src/") ? path.split("/").slice(0, 2).join("/") : (path.split("/")[0] ?? ""));
const isTest = (file: SourceFile) => file.path.startsWith("test/");

/** What each part of src, and the building, may import beside itself: parts, single files, and `packages` where it is bound to some. */
type Allowed = { readonly parts: readonly string[]; readonly files?: readonly string[]; readonly packages?: readonly string[] };
const imports: Record<string, Allowed> = {
  "src/core": { parts: [], packages: ["ipaddr.js", "node:crypto"] },
  "src/engine": { parts: ["src/core"], packages: ["node:crypto"] },
  "src/store": { parts: ["src/core", "src/engine"] },
  "src/hints": { parts: ["src/core", "src/engine"] },
  "src/ticks": { parts: ["src/core", "src/engine"] },
  "src/deliver": { parts: ["src/core", "src/engine"] },
  "src/system": { parts: ["src/core", "src/engine"] },
  "src/api": { parts: ["src/core", "src/engine"] },
  infra: { parts: ["src/core"], files: ["src/store/keys.ts"] },
};

type Import = { readonly specifier: string; readonly names: readonly string[]; readonly namespace: string | undefined };

/** Statements, dynamic imports, and files that are started as threads. */
function importsOf(text: string): Import[] {
  const statement = /^(?:import|export)\s+(?:type\s+)?(?:\{([^}]*)\}\s+from\s+|\*\s+as\s+(\w+)\s+from\s+|[^"'{;]*?from\s+)?"([^"]+)"/gm;
  const started = /(?:\bimport\(|new URL\()"([^"]+)"/g;
  const found: Import[] = [];
  for (const [, names, namespace, specifier] of text.matchAll(statement)) {
    const listed = (names ?? "").split(",").map((name) =>
      name
        .trim()
        .replace(/^type /, "")
        .replace(/ as .*/, ""),
    );
    found.push({ specifier: specifier ?? "", names: listed.filter((name) => name !== ""), namespace });
  }
  for (const [, specifier] of withoutComments(text).matchAll(started))
    found.push({ specifier: specifier ?? "", names: [], namespace: undefined });
  return found;
}

const resolve = (from: string, specifier: string) => (specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined);

export function wrongImports(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const layer = layerOf(path);
    const allowed = imports[layer];
    return importsOf(text).flatMap(({ specifier, names }) => {
      const target = resolve(path, specifier);
      if (target !== undefined) {
        const other = layerOf(target);
        const seen = [...(allowed?.parts ?? []), ...(allowed?.files ?? [])];
        const isBound = allowed !== undefined || path.startsWith("src/");
        const wrong = isBound && other !== layer && !seen.includes(other) && !seen.includes(target);
        return wrong ? [`${path}: imports ${target}; expected ${layer} to see only ${seen.join(", ") || "itself"}`] : [];
      }
      if (specifier === "undici" && path.startsWith("src/") && layer !== "src/deliver")
        return [`${path}: imports undici; only src/deliver sends`];
      if (allowed?.packages === undefined) return [];
      if (!allowed.packages.includes(specifier)) return [`${path}: imports ${specifier}; expected ${layer} to be free of it`];
      const chance = specifier === "node:crypto" ? names.filter((name) => name !== "createHash" && name !== "createHmac") : [];
      return chance.map((name) => `${path}: imports ${name} of node:crypto; expected only createHash and createHmac`);
    });
  });
}

const ambient =
  /\bDate\.now\b|\bnew Date\(\s*\)|(?<![\w.]|new )\bDate\(\s*\)|\bMath\.random\b|\b(?:randomBytes|randomUUID|randomInt|getRandomValues)\b|\bcrypto\.random|\b(?:setTimeout|setInterval|setImmediate)\b|\bperformance\.now\b|\bprocess\.(?:hrtime|uptime)\b/;

/** Time and chance are arguments in core and engine. */
export function ambientFacts(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ path }) => /^src\/(?:core|engine)\//.test(path))
    .flatMap((file) => linesThat(file, ambient, "takes time or chance from the air"));
}

const bucketNames = new Set(["util", "utils", "helper", "helpers", "common", "shared", "misc", "types", "manager", "service"]);

export function bannedNames(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path }) => {
    const words = path.replace(/\.\w+$/, "").split(/[/.\-_]|(?=[A-Z])/);
    const banned = words.filter((word) => bucketNames.has(word.toLowerCase()));
    return banned.map((word) => `${path}: is named "${word}"; expected the one word that it holds`);
  });
}

export function longFiles(files: readonly SourceFile[], linesMax: number, exceptions: Readonly<Record<string, string>>): Finding[] {
  const tooLong = files.filter(({ text }) => lineCount(text) > linesMax);
  return [
    ...tooLong
      .filter(({ path }) => exceptions[path] === undefined)
      .map(({ path, text }) => `${path}: has ${lineCount(text)} lines; expected at most ${linesMax}`),
    ...Object.keys(exceptions)
      .filter((path) => !tooLong.some((file) => file.path === path))
      .map((path) => `${path}: is excused for its length and is not long`),
  ];
}

const lineCount = (text: string) => text.trimEnd().split("\n").length;

type Block = { readonly name: string; readonly indent: number; readonly start: number; end: number };

/** A function's lines without those of the functions inside it: a function that only returns others is not long. */
export function longFunctions(
  files: readonly SourceFile[],
  linesMax: number,
  exceptions: Readonly<Record<string, string>> = {},
): Finding[] {
  return files.flatMap(({ path, text }) => {
    const blocks = blocksOf(text);
    return blocks.flatMap((block) => {
      const inside = blocks.filter((other) => other !== block && other.start > block.start && other.end <= block.end);
      const direct = inside.filter((one) => !inside.some((other) => other !== one && other.start < one.start && other.end >= one.end));
      const own = block.end - block.start + 1 - direct.reduce((sum, one) => sum + one.end - one.start + 1, 0);
      return own > linesMax && exceptions[`${path} ${block.name}`] === undefined
        ? [`${path}:${block.start + 1}: ${block.name} has ${own} lines; expected at most ${linesMax}`]
        : [];
    });
  });
}

function blocksOf(text: string): Block[] {
  const opening =
    /^( *)(?:export )?(?:(?:async )?function\*? (\w+)|const (\w+) = (?:async )?(?:\(|\w+ =>)|(?:async )?\*?(?!if|for|while|switch|catch|return|else)(\w+)(?:<.*>)?\()/;
  const lines = text.split("\n");
  const blocks: Block[] = [];
  for (const [start, line] of lines.entries()) {
    const match = opening.exec(line);
    if (match === null) continue;
    const indent = match[1]?.length ?? 0;
    const closes = (other: string) => other.startsWith(`${" ".repeat(indent)}}`) && other[indent] === "}";
    const end =
      line.endsWith("{") || line.endsWith("(")
        ? lines.findIndex((other, index) => index > start && closes(other) && !other.endsWith("{"))
        : -1;
    if (end > start) blocks.push({ name: match[2] ?? match[3] ?? match[4] ?? "", indent, start, end });
  }
  return blocks;
}

const marks = /\b(?:TODO|FIXME|XXX|HACK)\b/;
const suppressions = /@ts-(?:ignore|expect-error|nocheck)/;

export function leftoverMarks(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => (marks.test(line) ? [`${path}:${index + 1}: says what is still to be done`] : [])),
  );
}

export function suppressedTypes(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => [
    ...file.text
      .split("\n")
      .flatMap((line, index) => (suppressions.test(line) ? [`${file.path}:${index + 1}: silences the compiler`] : [])),
    ...linesThat(file, /\bas any\b/, "silences the compiler"),
  ]);
}

export function defaultExports(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => linesThat(file, /^export default\b/, "exports a default; expected a name"));
}

/** Files of `src` that nothing but tests imports. */
export function unusedFiles(files: readonly SourceFile[], exceptions: Readonly<Record<string, string>>): Finding[] {
  const imported = new Set(
    files.filter((file) => !isTest(file)).flatMap((file) => importsOf(file.text).map((one) => resolve(file.path, one.specifier))),
  );
  return files
    .filter(({ path }) => path.startsWith("src/") && !imported.has(path) && exceptions[path] === undefined)
    .map(({ path }) => `${path}: is imported by nothing but tests`);
}

/**
 * Exported names that no other file uses, tests aside; a type may also describe what its own file takes or answers. `exceptions`: "path
 * name" with its reason; one that is used is a finding too.
 */
export function unusedExports(files: readonly SourceFile[], exceptions: Readonly<Record<string, string>>): Finding[] {
  const used = usedNames(files);
  const unused = files
    .filter(({ path }) => /^(?:src|local|infra)\//.test(path))
    .flatMap(({ path, text }) => exportedNames(text).map((name) => `${path} ${name}`))
    .filter((name) => !used.has(name));
  return [
    ...unused.filter((name) => exceptions[name] === undefined).map((name) => `${name}: is exported, and used by tests at most`),
    ...Object.keys(exceptions)
      .filter((name) => !unused.includes(name))
      .map((name) => `${name}: is excused as unused, and is used or gone`),
  ];
}

function usedNames(files: readonly SourceFile[]): Set<string> {
  const used = new Set<string>();
  for (const file of files.filter((one) => !isTest(one))) {
    for (const { specifier, names, namespace } of importsOf(file.text)) {
      const target = resolve(file.path, specifier);
      for (const name of names) used.add(`${target} ${name}`);
      if (namespace === undefined) continue;
      for (const [, name] of file.text.matchAll(new RegExp(`\\b${namespace}\\.(\\w+)`, "g"))) used.add(`${target} ${name}`);
    }
  }
  return used;
}

function exportedNames(text: string): string[] {
  const declaration = /^export (?:declare )?(?:abstract )?(?:async )?(const|let|function\*?|class|type|interface) (\w+)/gm;
  const code = withoutComments(text);
  const describes = (name: string) => (code.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0) > 1;
  return [...text.matchAll(declaration)].flatMap(([, kind, name = ""]) => (kind === "type" && describes(name) ? [] : [name]));
}

/** Words that would name a second time what has a name already. */
const bannedWords: readonly { readonly word: string; readonly where: RegExp; readonly instead: string }[] = [
  { word: "task", where: /^src\//, instead: "job" },
  { word: "execution", where: /^src\//, instead: "attempt" },
  { word: "worker", where: /^src\/(?:core|engine|hints)\//, instead: "executor" },
  // A caller triggers a schedule: the contract's own verb. What starts our own work wakes it.
  { word: "trigger", where: /^src\/(?!api\/|core\/scheduleChange|engine\/schedules\/)/, instead: "wake" },
];

export function bannedIdentifiers(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => {
    const code = withoutStrings(withoutComments(file.text));
    const words = new Set(
      (code.match(/[A-Za-z]\w*/g) ?? []).flatMap((name) => name.split(/(?=[A-Z])|_/)).map((word) => word.toLowerCase()),
    );
    return bannedWords
      .filter(({ word, where }) => where.test(file.path) && (words.has(word) || words.has(`${word}s`)))
      .map(({ word, instead }) => `${file.path}: says "${word}" in a name; expected "${instead}"`);
  });
}

/** Each file opens with what it is responsible for. */
export function silentFiles(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text))
    .map(({ path }) => `${path}: does not open with what it is responsible for`);
}

function linesThat({ path, text }: SourceFile, pattern: RegExp, what: string): Finding[] {
  return withoutComments(text)
    .split("\n")
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${what}`] : []));
}

/** Comments become blank, and lines keep their numbers. Strings are left, "//" inside them too. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|(?<![\\/:])\/\/[^\n]*/g,
    (all, string) => (string === undefined ? all.replace(/[^\n]/g, " ") : all),
  );
}

function withoutStrings(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}
