/** The tests that need nothing but Node: `npm test`. Those that start and kill real processes have a lane of their own. */

import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/crash/**", "test/e2e/**"],
    testTimeout: 30_000,
  },
});
