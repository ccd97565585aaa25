/** The lane that looks from outside at a stack that `test/aws/main.ts` has deployed: the suite of the other home, and what only this one has. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  // A case may wait for several ticks, or for an executor's time to be over.
  test: { include: ["test/e2e/aws*.test.ts"], testTimeout: 600_000, hookTimeout: 120_000, fileParallelism: false, maxConcurrency: 20 },
});
