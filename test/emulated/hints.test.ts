/**
 * Hints on an SQS that is not ours: the emulator that the end-to-end suite deploys to, or whatever answers at AWS_ENDPOINT_URL. Time is
 * real here.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe } from "vitest";
import { later } from "../../src/core/time.ts";
import { createNodeClock } from "../../src/system/clock.ts";
import { type Emulator, installEmulator, startEmulator } from "../aws/emulator.ts";
import { conformSqs } from "../hints/conformance.ts";

const clock = createNodeClock();
const given = process.env["AWS_ENDPOINT_URL"];
let emulator: Emulator | undefined;
let logs: string | undefined;
let client: SQSClient;

beforeAll(async () => {
  const endpoint = given ?? (await startOwn());
  client = new SQSClient({
    ...{ endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } },
    // The queues' URLs have names that only some machines resolve to the emulator.
    useQueueUrlAsEndpoint: false,
  });
}, 300_000);

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  if (logs !== undefined) await rm(logs, { recursive: true, force: true });
});

async function startOwn(): Promise<string> {
  const installed = await installEmulator();
  if (installed !== "installed") throw new Error(installed.missing);
  logs = await mkdtemp(join(tmpdir(), "onthedot-hints-"));
  emulator = await startEmulator({ minuteSeconds: 60, executorsMax: 1, logFile: join(logs, "emulator.log") });
  return emulator.endpoint;
}

describe(`hints by SQS, at ${given ?? "an emulator"}`, () => {
  conformSqs(() => ({ client, clock, pass: (ms) => clock.until(later(clock.now(), ms)) }));
});
