import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Priority, priorities } from "../../src/core/job.ts";
import { createSlots, type Release, type Slots } from "../../src/engine/slots.ts";
import { always } from "../always.ts";

function takeAll(slots: Slots, priority: Priority): Release[] {
  const releases: Release[] = [];
  for (let slot = slots.tryTake(priority); slot !== undefined; slot = slots.tryTake(priority)) releases.push(slot);
  return releases;
}

/** Waits like an executor does: woken, it may find the slot gone, and waits again. */
async function takeWhenFree(slots: Slots, priority: Priority): Promise<Release> {
  for (;;) {
    await slots.whenFree(priority);
    const slot = slots.tryTake(priority);
    if (slot !== undefined) return slot;
  }
}

const rest = () => new Promise((resolve) => setImmediate(resolve));

describe("slots", () => {
  it.each(priorities)("keep a sixteenth for each other priority from a flood of %s", (flood) => {
    const slots = createSlots(256);
    expect(takeAll(slots, flood)).toHaveLength(256 - 3 * 16);
    for (const other of priorities.filter((priority) => priority !== flood)) expect(takeAll(slots, other), other).toHaveLength(16);
    expect(slots.taken()).toBe(256);
  });

  it("of a capacity of one are one, for whichever priority comes first", () => {
    const slots = createSlots(1);
    const release = slots.tryTake("low");
    expect(slots.tryTake("critical")).toBeUndefined();
    release?.();
    expect(slots.tryTake("critical")).toBeDefined();
  });

  it("stay as many when one is released twice", () => {
    const slots = createSlots(2);
    const [first] = takeAll(slots, "normal");
    first?.();
    first?.();
    expect(slots.taken()).toBe(1);
    expect(takeAll(slots, "normal")).toHaveLength(1);
  });

  it("go to the most urgent of those who wait, and to equals in their order", async () => {
    const slots = createSlots(1);
    let release = slots.tryTake("normal");
    const served: string[] = [];
    for (const name of ["low 1", "normal 1", "normal 2", "critical 1", "high 1"]) {
      void takeWhenFree(slots, name.split(" ")[0] as Priority).then((slot) => {
        served.push(name);
        release = slot;
      });
    }
    for (let count = 1; count <= 5; count++) {
      release?.();
      await rest();
      expect(served).toHaveLength(count);
    }
    expect(served.slice(0, 3)).toEqual(["critical 1", "high 1", "normal 1"]);
    expect(served.indexOf("low 1")).toBe(4);
  });

  it("wake nobody while none is free for him", async () => {
    const slots = createSlots(16);
    takeAll(slots, "low");
    let woken = false;
    void slots.whenFree("low").then(() => {
      woken = true;
    });
    slots.tryTake("critical")?.();
    await rest();
    expect(woken).toBe(false);
  });

  it("are not all taken by a walk over the past: one in eight is left to jobs named for their instant, of each pool", async () => {
    const slots = createSlots(64);
    let walked = 0;
    while (slots.tryTake("normal", "past") !== undefined) walked += 1;
    expect(walked).toBe(4 + 48 - 6);
    expect(slots.free("normal")).toBe(6);
    let woken = false;
    void slots.whenFree("normal", "past").then(() => {
      woken = true;
    });
    const named = slots.tryTake("normal", "named");
    named?.();
    await rest();
    expect(woken).toBe(false);
    expect(createSlots(1).free("low", "past")).toBe(1);
  });

  it("never exceed their capacity, and `free` says how many there are to take", () => {
    const step = fc.record({ priority: fc.constantFrom(...priorities), take: fc.boolean() });
    always(fc.integer({ min: 1, max: 70 }), fc.array(step, { maxLength: 150 }), (capacity, steps) => {
      const slots = createSlots(capacity);
      const held: Release[] = [];
      for (const { priority, take } of steps) {
        const free = slots.free(priority);
        const slot = take ? slots.tryTake(priority) : undefined;
        if (take) expect(slot !== undefined).toBe(free > 0);
        if (slot !== undefined) {
          held.push(slot);
          expect(slots.free(priority)).toBe(free - 1);
        } else if (!take) held.shift()?.();
        expect(slots.taken()).toBe(held.length);
        expect(slots.taken()).toBeLessThanOrEqual(capacity);
      }
      for (const release of held) release();
      expect(takeAll(slots, "normal").length).toBe(capacity - 3 * Math.floor(capacity / 16));
    });
  });

  it.each([1, 2, 17, 64])("of a capacity of %d serve everyone who waits", async (capacity) => {
    const slots = createSlots(capacity);
    let served = 0;
    const visits = Array.from({ length: 300 }, async (_, index) => {
      const release = await takeWhenFree(slots, priorities[index % priorities.length] ?? "normal");
      await rest();
      served += 1;
      release();
    });
    await Promise.all(visits);
    expect([served, slots.taken()]).toEqual([300, 0]);
  });
});
