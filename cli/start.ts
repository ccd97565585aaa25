/** `onthedot start`: the host, the receiver beside it, and for a newcomer a first job that is seen to fire. */

import { once } from "node:events";
import { type Host, startHost } from "../local/host.ts";
import { createLog } from "../local/log.ts";
import { type Receiver, startReceiver } from "../local/receiver.ts";
import { readSettings, type Settings } from "../local/settings.ts";
import type { Log } from "../src/system/log.ts";
import { greet } from "./greet.ts";

/** What the shell sees: 0 asked to end, 1 could not go on, 2 a wrong setting or a place that cannot be used. */
type ExitCode = 0 | 1 | 2;

export type Started = {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  /** Aborted when the program is to end; it may be before this is called. */
  readonly asked: AbortSignal;
};

export async function start({ argv, env, version, asked }: Started): Promise<ExitCode> {
  const read = readSettings({ argv, env });
  if ("wrong" in read) {
    for (const line of read.wrong) console.error(line);
    return 2;
  }
  const { settings, warnings, notices } = read;
  const isTerminal = settings.logFormat === "auto" ? process.stderr.isTTY === true : settings.logFormat === "text";
  const log = createLog({ stream: process.stderr, isTerminal, level: settings.logLevel });
  for (const warning of warnings) log("warn", warning);
  for (const notice of notices) log("info", notice);
  if (asked.aborted) return 0;
  const host = await startHost(settings, log, version);
  if (host.kind === "refused") {
    console.error(host.message);
    return 2;
  }
  const receiver = await receive(settings, log);
  // Whoever waits for this line would take a host that is ending for one that serves.
  if (!asked.aborted) announce(host, receiver, settings, log, asked);
  const end = await ending(host, asked, log);
  // In this order, or the receiver would cut the very calls that the host waits for.
  await host.stop();
  await receiver?.close();
  return end;
}

async function receive(settings: Settings, log: Log): Promise<Receiver | undefined> {
  if (settings.receiverPort === 0) return undefined;
  const receiver = await startReceiver({ port: settings.receiverPort, log });
  if (receiver.kind === "listening") return receiver;
  log(
    "warn",
    `port ${settings.receiverPort} is in use: going on without the receiver; choose another with ONTHEDOT_RECEIVER_PORT, or 0 for none`,
  );
  return undefined;
}

function announce(host: Host, receiver: Receiver | undefined, settings: Settings, log: Log, asked: AbortSignal): void {
  console.log(`ready ${host.url}`);
  if (!settings.firstTry || !host.isFirstRun || receiver === undefined) return;
  // Not waited for: the host serves, and ends when asked, whatever becomes of the greeting.
  void greet({ hostUrl: host.url, receiverUrl: receiver.url, apiKey: settings.apiKey, asked, log });
}

/** Resolves when the program is to end. */
async function ending(host: Host, asked: AbortSignal, log: Log): Promise<0 | 1> {
  const died = host.died.then((cause) => ({ cause }));
  const end = await (asked.aborted ? undefined : Promise.race([once(asked, "abort").then(() => undefined), died]));
  if (end !== undefined) {
    log("error", "the store cannot write any more; ending, so that a new process can start afresh", { cause: end.cause });
    return 1;
  }
  const signal = String(asked.reason);
  log("info", `${signal}: letting calls in flight end, for up to ten seconds; the same signal again ends at once`, { signal });
  return 0;
}
