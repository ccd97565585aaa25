/** The main paths once more with IAM enforced by the emulator: every function has the rights it needs, and no other. */

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { besideRules } from "./besideRules.ts";
import { changing } from "./changing.ts";
import { firing } from "./firing.ts";
import { undertaken } from "./guarded.ts";
import { listing } from "./listing.ts";
import { resized } from "./planned.ts";
import { beyondQueues } from "./rescue.ts";
import { type ActionName, actionsAs, judged } from "./roles.ts";
import { closeStack, type DoorName, deployed, openStack, stack, warm } from "./stack.ts";
import { until } from "./subject.ts";

/** By the launcher, which says in its log when it is done. */
async function enforceIam(isEnforced: boolean): Promise<void> {
  const { emulator } = deployed;
  if (emulator === null) throw new Error("expected an emulator of ours, whose IAM can be switched");
  const said = async () =>
    ((await readFile(emulator.logFile, "utf8")).match(new RegExp(`^iam ${isEnforced ? "enforced" : "open"}$`, "gm")) ?? []).length;
  const before = await said();
  process.kill(emulator.pid, isEnforced ? "SIGUSR1" : "SIGUSR2");
  await until("the emulator's IAM to be switched", async () => ((await said()) > before ? true : undefined), stack);
}

const may: Readonly<Record<DoorName, readonly ActionName[]>> = {
  api: [
    "read a job",
    "read many jobs",
    "write a job",
    "read the list",
    "read the failures",
    "send a hint",
    "read the admin key",
    "wake the reconciler",
    "read the plan of the ticks",
  ],
  dispatcher: ["read the wheel", "write a cursor", "send a hint"],
  executor: [
    "read a job",
    "read many jobs",
    "write a job",
    "read the wheel",
    "send a hint",
    "receive hints",
    "show a hint again",
    "look at a queue",
    "read the plan of the ticks",
  ],
  undertaker: ["record a dead letter"],
  reconcile: ["read the plan of the ticks", "read the wheel", "list the schedules", "look for a further tick"],
};

if (deployed.place.switchesIam)
  describe("with IAM enforced", () => {
    beforeAll(async () => {
      await openStack();
      await enforceIam(true);
      await warm();
    });
    afterAll(async () => {
      await enforceIam(false);
      await closeStack();
    });

    for (const part of [firing, changing, listing, besideRules]) part(stack);
    beyondQueues();
    undertaken();
    resized();

    describe.each(Object.entries(may) as [DoorName, readonly ActionName[]][])("the role of %s", (name, allowed) => {
      it(`may do what it is there for, and nothing else`, async () => {
        const actions = await actionsAs(name);
        const told: Record<string, string> = {};
        for (const [action, act] of Object.entries(actions)) told[action] = await judged(act);
        const expected = Object.keys(actions).map((action) => [action, allowed.includes(action as ActionName) ? "allowed" : "refused"]);
        expect(told).toEqual(Object.fromEntries(expected));
      });
    });
  });
else
  it("has no IAM that could be switched on from here, as its place says", () => {
    expect(deployed.place.switchesIam).toBe(false);
  });
