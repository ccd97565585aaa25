/**
 * `npm run e2e:aws` and `npm run e2e:localstack`: deploys the app of this checkout, runs the end-to-end suite against it, and takes it
 * down again, whatever became of the suite. Arguments are handed on to vitest.
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRun, type Env, say } from "./command.ts";
import { deploy, destroy, mendExpiry, type Stack, synthesize } from "./deploy.ts";
import { type Emulator, installEmulator, startEmulator } from "./emulator.ts";
import { type Deployed, emulatorMinuteSeconds, lacking, miniStack, type Place, placeOf, receiverHost } from "./place.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const stage = "e2e";
/** Few, for one machine plays all of AWS: a turn reads each of them at each priority. */
const shards = 4;

/** Kept after the run: whoever asks why a case failed finds what the functions said. */
const cache = join(root, "node_modules/.cache/onthedot-e2e");

const [where, ...vitestArgs] = process.argv.slice(2);
const run = createRun(root);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => run.interrupt());
process.exitCode = await (where === "ministack" ? onMiniStack() : onEndpoint(process.env["AWS_ENDPOINT_URL"])).catch(failed);

async function onMiniStack(): Promise<number> {
  const installed = await installEmulator();
  if (installed !== "installed") return refuse(installed.missing);
  const logFile = join(cache, "emulator.log");
  await mkdir(cache, { recursive: true });
  const emulator = await startEmulator({ minuteSeconds: emulatorMinuteSeconds, executorsMax: miniStack.executorsMax, logFile });
  say(`MiniStack serves at ${emulator.endpoint}; what it and its functions write is in ${logFile}`);
  try {
    return await inFolder((folder) => suite(miniStack, emulator.endpoint, folder, { ...emulator, logFile }));
  } finally {
    await emulator.stop();
    say("MiniStack is stopped");
  }
}

async function onEndpoint(endpoint: string | undefined): Promise<number> {
  if (endpoint === undefined || endpoint === "")
    return refuse(
      "expected AWS_ENDPOINT_URL to name where to deploy, such as http://127.0.0.1:4566, or aws for the account of your profile",
    );
  const place = placeOf(endpoint);
  if (!place.servesApiByPath && receiverHost(process.env) === null)
    return refuse("expected ONTHEDOT_E2E_HOST to say how AWS reaches this machine, as name:port; that port and the next are listened on");
  return inFolder((folder) => suite(place, endpoint === "aws" ? null : endpoint, folder, null));
}

/** Nothing was begun. */
function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 2;
}

function failed(cause: unknown): number {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
  return 1;
}

async function inFolder(act: (folder: string) => Promise<number>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "onthedot-e2e-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function suite(
  place: Place,
  endpoint: string | null,
  folder: string,
  emulator: (Emulator & { readonly logFile: string }) | null,
): Promise<number> {
  const stack: Stack = { name: `onthedot-${stage}`, folder, env: environment(place, endpoint) };
  for (const sentence of lacking(place)) say(`not looked at here: ${sentence}`);
  await synthesize(run, stack);
  say("synthesized");
  try {
    const outputs = await deploy(run, stack);
    Object.assign(process.env, stack.env);
    await mendExpiry(place, outputs["TableName"] ?? "");
    say(`deployed ${stack.name} to ${place.name}`);
    const deployed: Deployed = { place, stage, shards, endpoint, outputs, emulator };
    const args = ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.e2e.aws.config.ts", ...vitestArgs];
    const receiver = { ONTHEDOT_E2E_HOST: process.env["ONTHEDOT_E2E_HOST"] };
    const code = await run.shown(args, { ...stack.env, ...receiver, ONTHEDOT_E2E: JSON.stringify(deployed) });
    say(`the suite ended with ${code}`);
    return code;
  } finally {
    // Also after an interruption: a stack that nobody looks after costs money.
    await destroy(createRun(root), stack);
    say(`destroyed ${stack.name}`);
  }
}

/** Of an emulator nothing of this shell's account is used, and the app is told nothing but what stands here. */
function environment(place: Place, endpoint: string | null): Env {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("ONTHEDOT_") && (endpoint === null || !name.startsWith("AWS_")),
  );
  const region = { AWS_REGION: process.env["AWS_REGION"] ?? "us-east-1" };
  const dummy = {
    AWS_ENDPOINT_URL: endpoint ?? "",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_DEFAULT_REGION: region.AWS_REGION,
  };
  return {
    ...Object.fromEntries(own),
    ...region,
    ...(endpoint === null
      ? {}
      : { ...dummy, AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" }),
    CDK_DISABLE_CLI_TELEMETRY: "true",
    CDK_DISABLE_VERSION_CHECK: "1",
    ONTHEDOT_STAGE: stage,
    ONTHEDOT_SHARDS: String(shards),
    ONTHEDOT_TICK: place.tick,
    ONTHEDOT_LOOKAHEAD: place.lookahead,
    ONTHEDOT_MAX_TIMEOUT: "30s",
    ONTHEDOT_KEEP_RESPONSES: "all",
    ONTHEDOT_ALLOW_TARGETS: receiverHost(process.env)?.name ?? "127.0.0.0/8",
  };
}
