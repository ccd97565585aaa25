/** `onthedot start`: the host, the receiver beside it, and for a newcomer a first job that is seen to fire. */

import { type Host, startHost } from "../local/host.ts";
import { createLog, type Log } from "../local/log.ts";
import { startReceiver } from "../local/receiver.ts";
import { readSettings, type Settings } from "../local/settings.ts";

/** What the shell sees: 0 asked to end, 1 could not go on, 2 a wrong setting or a place that cannot be used. */
type ExitCode = 0 | 1 | 2;

export async function start(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): Promise<ExitCode> {
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
  const host = await startHost(settings, log, version);
  if (host.kind === "refused") {
    console.error(host.message);
    return 2;
  }
  const receiver = await receive(settings, log);
  console.log(`ready ${host.url}`);
  if (settings.firstTry && host.isFirstRun && receiver !== undefined) await greet(host, receiver.url, settings, log);
  const end = await ending(host, log);
  await Promise.all([host.stop(), receiver?.close()]);
  return end;
}

async function receive(settings: Settings, log: Log) {
  if (settings.receiverPort === 0) return undefined;
  const receiver = await startReceiver({ port: settings.receiverPort, log });
  if (receiver.kind === "listening") return receiver;
  log(
    "warn",
    `port ${settings.receiverPort} is in use: going on without the receiver; choose another with ONTHEDOT_RECEIVER_PORT, or 0 for none`,
  );
  return undefined;
}

/** A newcomer sees a call fire without typing anything: the same request that the printed line makes. */
async function greet(host: Host, receiverUrl: string, settings: Settings, log: Log): Promise<void> {
  const headers = {
    "content-type": "application/json",
    ...(settings.apiKey === null ? {} : { authorization: `Bearer ${settings.apiKey}` }),
  };
  const hello = { target: { url: `${receiverUrl}/` }, body: { hello: "world" }, delay: "2s", labels: { from: "first-run" } };
  const answer = await fetch(`${host.url}/v1/jobs`, { method: "POST", headers, body: JSON.stringify(hello) });
  if (answer.status !== 201) {
    log("warn", `the hello job of the first run was refused with ${answer.status}; it is not needed`, { status: answer.status });
    return;
  }
  console.log(`
A hello job is due in two seconds; watch it arrive below. Then try one of your own:

  curl -d '{"target":{"url":"${receiverUrl}/"},"body":{"hello":"again"},"delay":"2s"}' -H 'content-type: application/json' ${host.url}/v1/jobs
`);
}

/** A second signal this soon is the same one: a terminal and npm both send it. */
const sameSignalMs = 1_000;

/** Resolves when the program is to end. A second signal ends it at once: whatever runs is found on the wheel by the next start. */
function ending(host: Host, log: Log): Promise<0 | 1> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const ask = (signal: NodeJS.Signals) => {
      if (askedAt !== undefined && performance.now() - askedAt < sameSignalMs) return;
      if (askedAt !== undefined) process.exit(1);
      askedAt = performance.now();
      log("info", `${signal}: letting calls in flight end, for up to ten seconds; the same signal again ends at once`, { signal });
      resolve(0);
    };
    process.on("SIGINT", ask);
    process.on("SIGTERM", ask);
    void host.died.then((cause) => {
      log("error", "the store cannot write any more; ending, so that a new process can start afresh", { cause });
      resolve(1);
    });
  });
}
