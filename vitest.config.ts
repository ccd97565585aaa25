/** The tests that need nothing but Node: `npm test`. Those that start and kill real processes, or plant bugs, have lanes of their own. */

import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/crash/**", "test/e2e/**", "test/emulated/**", "test/simulation/planted.test.ts"],
    // Left to itself it keeps one core free, which of two is half.
    maxWorkers: "100%",
    testTimeout: 30_000,
  },
});
