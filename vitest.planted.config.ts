/** The lane that plants bugs in copies of the engine and has the simulation catch each: `npm run planted`. */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/simulation/planted.test.ts"], testTimeout: 120_000 },
});
