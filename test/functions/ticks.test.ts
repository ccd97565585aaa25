/** What the API asks of the function that manages schedules, and what it answers while that one cannot. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { describe, expect, it } from "vitest";
import { createTicks, ticksClientConfig } from "../../functions/ticks.ts";
import { refusal } from "../ticks/fakeScheduler.ts";
import { memoryTickPlans } from "../ticks/memoryTickPlans.ts";

type Reply = { FunctionError?: string; Payload?: { transformToString(): string } };

function open(reply: () => Reply | Promise<Reply>) {
  const plans = memoryTickPlans(8);
  const asked: { name: string | undefined; payload: unknown }[] = [];
  const logged: string[] = [];
  const send = async ({ input }: InvokeCommand) => {
    asked.push({ name: input.FunctionName, payload: JSON.parse(Buffer.from(input.Payload as Uint8Array).toString()) });
    return reply();
  };
  const ticks = createTicks({
    ...{ plans, reconcile: "onthedot-test-reconcile" },
    lambda: { send } as never,
    log: Object.assign((level: string, message: string) => logged.push(`${level} ${message}`), { isOn: () => true }),
  });
  return { plans, asked, logged, ticks };
}

const failed = (payload: string): Reply => ({ FunctionError: "Unhandled", Payload: { transformToString: () => payload } });

describe("what is wanted of the ticks", () => {
  it("is written, then carried out, then answered as it stands", async () => {
    const { plans, asked, ticks, logged } = open(async () => {
      expect(await plans.read()).toMatchObject({ wantedRanges: 4, paused: true });
      await plans.signIn(0, 5 as never);
      return {};
    });
    expect(await ticks.want({ ranges: 4, paused: true })).toEqual({ kind: "wanted", plan: await plans.read() });
    expect(await ticks.read()).toMatchObject({ tickedAt: { 0: 5 } });
    expect([asked, logged]).toEqual([[{ name: "onthedot-test-reconcile", payload: { reconcile: true } }], []]);
  });

  it("and cannot be is refused, and nobody is asked", async () => {
    const { asked, ticks } = open(() => ({}));
    expect(await ticks.want({ ranges: 9 })).toEqual({
      kind: "refused",
      message: "expected ranges from 1 to 8, the number of shards, got 9",
    });
    expect(asked).toEqual([]);
  });

  it.each([
    ["is throttled", () => Promise.reject(refusal("TooManyRequestsException", 429))],
    ["is being deployed", () => Promise.reject(refusal("ResourceConflictException", 409))],
    ["takes longer than a request can wait", () => Promise.reject(Object.assign(new Error("timeout"), { name: "TimeoutError" }))],
    ["fails", () => failed('{"errorType":"OutageError","errorMessage":"x"}')],
    ["is killed", () => failed("")],
  ])("is written and shown as not in effect where the function %s", async (_, reply) => {
    const { plans, ticks, logged } = open(reply);
    expect(await ticks.want({ ranges: 2 })).toMatchObject({ kind: "wanted", plan: { wantedRanges: 2, ranges: 1 } });
    expect(logged).toEqual(["warn the ticks are not as wanted yet; the hourly run goes on"]);
    expect(await plans.read()).toMatchObject({ wantedRanges: 2 });
  });

  it("fails in one line where the right to ask is missing", async () => {
    const { ticks } = open(() => Promise.reject(refusal("AccessDeniedException", 403)));
    await expect(ticks.want({ paused: true })).rejects.toThrow(
      /^expected the right to lambda:InvokeFunction on onthedot-test-reconcile, and the role of this function lacks it$/,
    );
  });

  it("fails as it is where the function is not there", async () => {
    const missing = refusal("ResourceNotFoundException", 404);
    await expect(open(() => Promise.reject(missing)).ticks.want({ paused: true })).rejects.toBe(missing);
  });
});

describe("the client", () => {
  it("asks once, and waits shorter than API Gateway does", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.writeHead(503).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const lambda = new LambdaClient({ ...ticksClientConfig, endpoint: `http://127.0.0.1:${port}`, region: "eu-central-1", credentials });
    const ticks = createTicks({
      ...{ plans: memoryTickPlans(8), reconcile: "onthedot-test-reconcile", lambda },
      log: Object.assign(() => {}, { isOn: () => false }),
    });
    await ticks.want({ ranges: 2 });
    lambda.destroy();
    server.close();
    expect([requests, ticksClientConfig.requestHandler.requestTimeout]).toEqual([1, 22_000]);
  });
});
