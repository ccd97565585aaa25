/** A function's instance as a test has it: started under the environment of the stack, and heard by what it writes. */

import { vi } from "vitest";
import { type DoorName, type Environment, environmentOf } from "./environment.ts";

/** Until `vi.unstubAllEnvs()`. A function reads its environment when its module is imported. */
export function stubEnvironment(door: DoorName, more: Environment = {}): void {
  for (const [name, value] of Object.entries({ ...environmentOf(door), ...more })) vi.stubEnv(name, value);
}

/** What is written to standard output while `work` runs, line by line: where a function's log and metrics go. */
export async function writtenBy(work: () => unknown): Promise<Record<string, unknown>[]> {
  let text = "";
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    }),
  );
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
