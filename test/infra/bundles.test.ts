import { isBuiltin } from "node:module";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { root } from "./root.ts";

const doors = ["api", "dispatcher", "executor", "reconcile", "undertaker"];

/** What esbuild packs for a function: files of the repository by their path, packages by their name; and what it leaves outside. */
async function bundle(door: string): Promise<{ readonly inside: ReadonlySet<string>; readonly outside: readonly string[] }> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`functions/${door}.ts`],
    ...({ bundle: true, write: false, metafile: true, platform: "node", format: "esm", target: "node24", logLevel: "silent" } as const),
    mainFields: ["module", "main"],
  });
  const packageOf = (path: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1];
  const [output] = Object.values(metafile.outputs);
  // What was packed: a file that was read and shaken off is not in it.
  const packed = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return {
    inside: new Set(packed.map(([path]) => packageOf(path) ?? path)),
    outside: (output?.imports ?? []).filter(({ external }) => external).map(({ path }) => path),
  };
}

const bundles = new Map(await Promise.all(doors.map(async (door) => [door, await bundle(door)] as const)));
const inside = (door: string) => [...(bundles.get(door)?.inside ?? [])];
const of = (door: string, pattern: RegExp) => inside(door).filter((name) => pattern.test(name));

describe("the bundle of a function", () => {
  test.each(doors)("%s holds its own code and the SDK, and leaves nothing outside but Node itself", (door) => {
    const { outside = [] } = bundles.get(door) ?? {};
    expect(inside(door)).toEqual(expect.arrayContaining([`functions/${door}.ts`, "@aws-sdk/client-dynamodb"]));
    expect(outside.filter((name) => !isBuiltin(name))).toEqual([]);
  });

  test.each(doors)("only the executor's, and not that of %s, can call a target", (door) => {
    const calling = of(door, /^(?:src\/deliver\/|undici$)/);
    if (door === "executor") expect(calling.length).toBeGreaterThan(3);
    else expect(calling).toEqual([]);
  });

  test.each(doors)("%s has no client of a service that it has no business with", (door) => {
    const clients: Record<string, readonly string[]> = {
      api: ["dynamodb", "lambda", "secrets-manager", "sqs"],
      dispatcher: ["dynamodb", "sqs"],
      executor: ["dynamodb", "sqs"],
      reconcile: ["dynamodb", "scheduler"],
      undertaker: ["dynamodb"],
    };
    const found = of(door, /^@aws-sdk\/client-/).map((name) => name.replace("@aws-sdk/client-", ""));
    expect(found.toSorted()).toEqual(clients[door]);
  });

  test.each(doors)("%s knows neither the building nor the other home", (door) => {
    expect(of(door, /^(?:infra|local|cli|test)\/|^(?:aws-cdk|constructs|cdk-nag)/)).toEqual([]);
  });
});
