/**
 * An SQS within this process, on loopback alone. Its own start listens on every interface, so its application is built and given an
 * address here. It takes the time from `Date`, which the tests turn by hand: nothing waits.
 */

import { SQSClient } from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import { vi } from "vitest";
import { toEpochMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";
import type { Sqs } from "./conformance.ts";

export async function openFauxqs(): Promise<Sqs & { close(): Promise<void> }> {
  vi.useFakeTimers({ toFake: ["Date"], now: startAt });
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const client = new SQSClient({
    ...{ endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } },
    // The queues' URLs have names that only some machines resolve to loopback.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });
  const now = () => toEpochMs(Date.now());
  const turn = async (ms: number) => void vi.setSystemTime(Date.now() + ms);
  return {
    client,
    clock: { now, until: (at) => turn(Math.max(0, at - now())) },
    pass: turn,
    async close() {
      client.destroy();
      await app.close();
      vi.useRealTimers();
    },
  };
}
