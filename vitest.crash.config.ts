/** The lane that starts the real host, kills it, fills its disk, and looks from outside at what is left: `npm run crash`. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/crash/**/*.test.ts"], testTimeout: 240_000, hookTimeout: 60_000, fileParallelism: false },
});
