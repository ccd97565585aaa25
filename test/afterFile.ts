/** What makes it safe that test files share a process: each finds it as the first one did, whatever the file before has left there. */

import { afterAll, vi } from "vitest";

const environment = { ...process.env };

// Registered before a file's own, and so run after them.
afterAll(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  // Ours alone: those of packages, which are most of the loading, stay.
  vi.resetModules();
});
