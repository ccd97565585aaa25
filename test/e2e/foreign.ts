/** That each function refuses what is not meant for it in one line, and a deploy that cannot be, with its reason. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { describe, expect, it } from "vitest";
import { clients, type DoorName, deployed, doors, functionName, keysOfShard, stack } from "./stack.ts";
import { clientOf } from "./subject.ts";

const { create, send } = clientOf(stack);

async function invoke(name: DoorName, event: unknown) {
  const Payload = new TextEncoder().encode(JSON.stringify(event));
  const { FunctionError, Payload: answer } = await clients.lambda.send(new InvokeCommand({ FunctionName: functionName(name), Payload }));
  return { failed: FunctionError !== undefined, answer: JSON.parse(answer?.transformToString() || "null") as unknown };
}

/** Asks as CloudFormation does, and answers what it would be told. */
async function deployWith(properties: { readonly Shards: string; readonly Ranges: string }) {
  const told = Promise.withResolvers<{ readonly Status: string; readonly Reason: string }>();
  const server = createServer(async (request, response) => {
    told.resolve(JSON.parse(await text(request)));
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const event = {
    ...{ RequestType: "Update", RequestId: randomUUID(), StackId: "arn:aws:cloudformation:e2e", LogicalResourceId: "e2e" },
    ...{ ResourceType: "Custom::OnTheDotTicks", PhysicalResourceId: "e2e", ResourceProperties: properties },
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  };
  const { failed } = await invoke("reconcile", event);
  if (failed) throw new Error("expected the function to answer CloudFormation, and it failed");
  const answer = await told.promise;
  server.close();
  return answer;
}

export function foreign(): void {
  describe.concurrent("an event of another shape", () => {
    it.each(doors)("fails %s, which says in one line what it expected", async (name) => {
      const { failed, answer } = await invoke(name, { detail: { foreign: true } });
      expect(failed).toBe(true);
      expect(answer).toMatchObject({ errorMessage: expect.stringMatching(/^expected [^\n]+$/) });
    });
  });

  if (deployed.place.runsFunctionsHere)
    describe("a deploy", () => {
      it("with the same numbers changes nothing, and with fewer shards than are in use is refused with the reason", async () => {
        const asDeployed = { Shards: String(deployed.shards), Ranges: "1" };
        expect(await deployWith(asDeployed)).toMatchObject({ Status: "SUCCESS" });
        const [key] = keysOfShard(deployed.shards - 1, 1);
        const { id } = await create("/", { delay: "1h", key });
        expect(await deployWith({ ...asDeployed, Shards: String(deployed.shards - 1) })).toMatchObject({
          Status: "FAILED",
          Reason: expect.stringMatching(
            new RegExp(`^expected at least the ${deployed.shards} shards in use, got ${deployed.shards - 1}: `),
          ),
        });
        await send("POST", `/v1/jobs/${id}/cancel`);
        expect(await deployWith(asDeployed)).toMatchObject({ Status: "SUCCESS" });
      });
    });
}
