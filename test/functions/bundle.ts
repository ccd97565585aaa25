/** The functions as the stack packs them: each one file of JavaScript, made as `infra/door.ts` has it made, but in memory. */

import { basename, join } from "node:path";
import { build } from "esbuild";
import { type DoorName, doorNames } from "./environment.ts";

const root = join(import.meta.dirname, "../..");

export type Bundle = {
  readonly code: Uint8Array;
  /** The files of which something is left, by their paths from the root. */
  readonly inside: readonly string[];
  /** What is left to be found where it runs. */
  readonly outside: readonly string[];
};

/** By the names that `infra/door.ts` gives them, for a test holds the two against each other. */
export const bundling = {
  target: "node24",
  mainFields: ["module", "main"],
  minify: false,
  sourceMap: false,
  esbuildArgs: { "--minify-whitespace": true, "--minify-syntax": true },
  externalModules: [] as string[],
} as const;

const requireBanner = 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

/** All at once, for they have most files in common. */
export async function bundleAll(): Promise<ReadonlyMap<DoorName, Bundle>> {
  const { target, minify, sourceMap, esbuildArgs } = bundling;
  const { outputFiles, metafile } = await build({
    ...{ absWorkingDir: root, entryPoints: doorNames.map((door) => `functions/${door}.ts`), outdir: root, write: false },
    ...{ bundle: true, platform: "node", format: "esm", target, minify, sourcemap: sourceMap },
    ...{ minifyWhitespace: esbuildArgs["--minify-whitespace"], minifySyntax: esbuildArgs["--minify-syntax"] },
    mainFields: [...bundling.mainFields],
    external: [...bundling.externalModules],
    banner: { js: requireBanner },
    ...{ metafile: true, logLevel: "silent", outExtension: { ".js": ".mjs" } },
  });
  const file = (name: string) => {
    const found = outputFiles.find(({ path }) => basename(path) === name);
    if (found === undefined) throw new Error(`expected esbuild to make ${name}`);
    return found.contents;
  };
  return new Map(
    doorNames.map((door) => {
      const output = metafile.outputs[`${door}.mjs`];
      if (output === undefined) throw new Error(`expected esbuild to tell what is inside ${door}.mjs`);
      const { inputs, imports } = output;
      return [
        door,
        {
          code: file(`${door}.mjs`),
          inside: Object.keys(inputs)
            .filter((path) => (inputs[path]?.bytesInOutput ?? 0) > 0)
            // Packages may lie elsewhere, behind a link.
            .map((path) => path.replace(/^(\.\.\/.*?\/)(?=node_modules\/)/, "")),
          outside: imports.filter(({ external }) => external === true).map(({ path }) => path),
        },
      ];
    }),
  );
}
