/** The lane that runs the store on DynamoDB Local (Java), and the store and the queues on the emulator of AWS (Python): `npm run stores`. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/emulated/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 300_000, fileParallelism: false },
});
