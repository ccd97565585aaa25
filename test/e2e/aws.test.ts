/** The suite against a deployed stack, and what only this home has: queues, ticks and executors that can be lost, keys, dead letters. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foreign } from "./foreign.ts";
import { deadLetters, guarded } from "./guarded.ts";
import { planned, resized } from "./planned.ts";
import { beyondQueues, killed, rescue } from "./rescue.ts";
import { closeStack, doors, errorLines, openStack, stack, warm } from "./stack.ts";
import { suite } from "./suite.ts";

beforeAll(openStack);
afterAll(closeStack);

const { rescued } = killed();

describe("the AWS home", () => {
  // After those that were killed.
  beforeAll(warm);

  suite(stack);
  guarded();
  foreign();
  deadLetters();
  beyondQueues();
  rescue();
  planned();
  resized();
  rescued();

  it("met no bug, whatever was done to it", async () => {
    for (const door of doors) expect([door, await errorLines(door)]).toEqual([door, []]);
  });
});
