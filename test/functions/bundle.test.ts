/** What is inside each function's bundle, and what is not: a function holds no code for what it must not do. */

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundleAll, bundling } from "./bundle.ts";
import { type DoorName, doorNames } from "./environment.ts";

const kib = 1_024;

/** A cold start reads all of it. Beyond these somebody has let in a package, or the whole of one, and looks at the metafile. */
const codeBytesMax: Readonly<Record<DoorName, number>> = {
  api: 1_344 * kib,
  dispatcher: 930 * kib,
  // undici is most of it.
  executor: 2_020 * kib,
  undertaker: 880 * kib,
  reconcile: 940 * kib,
};

let bundles: ReadonlyMap<DoorName, Bundle>;
beforeAll(async () => {
  bundles = await bundleAll();
}, 60_000);

function bundled(door: DoorName): Bundle {
  const found = bundles.get(door);
  if (found === undefined) throw new Error(`expected a bundle of ${door}`);
  return found;
}

/** Whether a part of ours or a package is inside. */
const holds = (door: DoorName, part: string) => bundled(door).inside.filter((path) => path.startsWith(part));

describe.each(doorNames)("the bundle of %s", (door) => {
  it("is below its size", () => {
    const { byteLength } = bundled(door).code;
    expect(byteLength).toBeLessThan(codeBytesMax[door]);
    // A bound far above is none.
    expect(byteLength).toBeGreaterThan(0.8 * codeBytesMax[door]);
  });

  it("finds all that it needs in itself and in Node", () => {
    expect(bundled(door).outside.filter((name) => !isBuiltin(name))).toEqual([]);
    expect(holds(door, "node_modules/@aws-sdk/client-dynamodb/")).not.toEqual([]);
  });

  it("carries the names of its functions, for the stack traces, and no map", () => {
    const code = Buffer.from(bundled(door).code).toString();
    expect(code).toContain("function readSettings(");
    expect(code).not.toContain("sourceMappingURL");
  });

  it("carries nothing of tests, infra, the other home or the command line", () => {
    for (const part of [
      "test/",
      "infra/",
      "local/",
      "cli/",
      "node_modules/aws-cdk",
      "node_modules/@hono/node-server/",
      "node_modules/prom-client/",
    ])
      expect(holds(door, part)).toEqual([]);
  });

  it("holds the small build of zod, without its languages", () => {
    expect(holds(door, "node_modules/zod/").filter((path) => /\/locales\/(?!en\.)/.test(path))).toEqual([]);
  });
});

describe("a function holds no code for what it must not do:", () => {
  it("only the executor calls targets", () => {
    const callers = doorNames.filter((door) => holds(door, "src/deliver/").length + holds(door, "node_modules/undici/").length > 0);
    expect(callers).toEqual(["executor"]);
  });

  it("only the api answers requests", () => {
    for (const part of ["src/api/", "node_modules/hono/"])
      expect(doorNames.filter((door) => holds(door, part).length > 0)).toEqual(["api"]);
  });

  it("each asks the services that it has business with, and no other", () => {
    const clients = doorNames.map((door) => {
      const files = holds(door, "node_modules/@aws-sdk/client-").map((path) => /client-([^/]+)/.exec(path)?.[1]);
      return [door, [...new Set(files)].toSorted().join(" ")];
    });
    expect(Object.fromEntries(clients)).toEqual({
      api: "dynamodb lambda secrets-manager sqs",
      dispatcher: "dynamodb sqs",
      executor: "dynamodb sqs",
      undertaker: "dynamodb",
      reconcile: "dynamodb scheduler",
    });
  });

  it("only the dispatcher turns the wheel", () => {
    expect(doorNames.filter((door) => holds(door, "src/engine/turn.ts").length > 0)).toEqual(["dispatcher"]);
  });

  it("only the executor makes attempts", () => {
    expect(doorNames.filter((door) => holds(door, "src/engine/attempt.ts").length > 0)).toEqual(["executor"]);
  });

  it("the undertaker and reconcile know of the engine nothing but its ports, and send no hint", () => {
    for (const door of ["undertaker", "reconcile"] as const) {
      expect(holds(door, "src/engine/")).toEqual(["src/engine/ports.ts"]);
      expect([...holds(door, "src/hints/sqs.ts"), ...holds(door, "node_modules/@aws-sdk/client-sqs/")]).toEqual([]);
    }
  });
});

describe("these bundles", () => {
  it("are made as the stack makes its own", () => {
    const door = readFileSync(join(import.meta.dirname, "../../infra/door.ts"), "utf8");
    const [, options = ""] = /^ {6}bundling: \{\n([\s\S]*?)\n {6}\},$/m.exec(door) ?? [];
    const spelled = (value: unknown) =>
      JSON.stringify(value)
        .replaceAll(",", ", ")
        .replaceAll(":", ": ")
        .replace(/^\{(.*)\}$/, "{ $1 }");
    for (const [name, value] of Object.entries(bundling)) expect(options).toContain(`${name}: ${spelled(value)},`);
    expect(options).toContain("format: OutputFormat.ESM,");
    expect(options).toContain("banner: requireBanner,");
  });
});
