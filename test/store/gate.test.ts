/** The bound on what is under way at once: whatever comes and goes, in whatever order. */

import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createGate } from "../../src/store/dynamo/gate.ts";

/** A gate that counts who is inside. Each work lasts until it is let go, or fails then. */
function openGate(capacity: number) {
  const gate = createGate(capacity);
  const entered: number[] = [];
  const leave = new Map<number, (outcome: "done" | "failed") => void>();
  let most = 0;
  const enter = (name: number) =>
    gate(async () => {
      entered.push(name);
      const outcome = new Promise<"done" | "failed">((resolve) => leave.set(name, resolve));
      most = Math.max(most, leave.size);
      try {
        if ((await outcome) === "failed") throw new Error("as told");
        return name;
      } finally {
        leave.delete(name);
      }
    });
  return { enter, entered, leave, most: () => most };
}

it("who comes in the moment in which another leaves does not slip in beside the one who is let in", async () => {
  const { enter, entered, leave, most } = openGate(1);
  const answers = [enter(0), enter(1)];
  leave.get(0)?.("done");
  // In every step between the one's leaving and the next one's entering.
  for (let name = 2; name < 12; name++) {
    answers.push(enter(name));
    await Promise.resolve();
  }
  while (entered.length < 12 || leave.size > 0) {
    for (const letGo of [...leave.values()]) letGo("done");
    await nextTurn();
  }
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 12 }, (_, name) => name));
  expect([most(), entered]).toEqual([1, Array.from({ length: 12 }, (_, name) => name)]);
});

it("never more than the bound are inside, all come in, in their order, and none leaves for another", async () => {
  const step = fc.record({ kind: fc.constantFrom("comes", "comes", "leaves", "fails", "microtask", "turn"), which: fc.nat(9) });
  const claim = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const { enter, entered, leave, most } = openGate(3);
    const answers: Promise<number | string>[] = [];
    const letGo = (which: number, outcome: "done" | "failed") => [...leave.values()].at(which % Math.max(1, leave.size))?.(outcome);
    for (const { kind, which } of steps) {
      if (kind === "comes") answers.push(enter(answers.length).catch((error: Error) => error.message));
      else if (kind === "leaves") letGo(which, "done");
      else if (kind === "fails") letGo(which, "failed");
      else if (kind === "microtask") await Promise.resolve();
      else await nextTurn();
      expect(leave.size).toBeLessThanOrEqual(3);
    }
    for (let turn = 0; turn < answers.length + 1; turn++) {
      for (const one of [...leave.values()]) one("done");
      await nextTurn();
    }
    const outcomes = await Promise.all(answers);
    expect(outcomes.every((outcome, name) => outcome === name || outcome === "as told")).toBe(true);
    expect(entered).toEqual(Array.from({ length: answers.length }, (_, name) => name));
    expect(most()).toBeLessThanOrEqual(3);
    // And it is as wide as it was, whoever came and went.
    const later = [0, 1, 2, 3].map((place) => enter(answers.length + place));
    await nextTurn();
    expect(leave.size).toBe(3);
    for (const one of [...leave.values()]) one("done");
    await nextTurn();
    for (const one of [...leave.values()]) one("done");
    expect(await Promise.all(later)).toHaveLength(4);
  });
  await fc.assert(claim);
});
