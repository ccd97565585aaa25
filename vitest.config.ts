/** The tests that need nothing but Node: `npm test`. Those that start and kill real processes, or plant bugs, have lanes of their own. */

import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/crash/**", "test/e2e/**", "test/emulated/**", "test/simulation/planted.test.ts"],
    // Left to itself it keeps one core free, which of two is half.
    maxWorkers: "100%",
    // One process for many files, so that packages are loaded once and not once a file, which was a third of the time.
    isolate: false,
    setupFiles: ["test/afterFile.ts"],
    testTimeout: 30_000,
  },
});
