/** The lane that looks at the whole program from outside, as a caller and as a target: `npm run e2e`. */

import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  // The cases wait for real time, mostly side by side.
  test: {
    include: ["test/e2e/**/*.test.ts"],
    // Those need a deployed stack: `npm run e2e:aws`.
    exclude: [...configDefaults.exclude, "test/e2e/aws*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    maxConcurrency: 40,
  },
});
