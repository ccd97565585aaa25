/** The targets of a suite whose calls come from elsewhere: the receiver and the recorder of this process, under a name that functions reach. */

import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { PassThrough } from "node:stream";
import { createLog } from "../../local/log.ts";
import { type ReceivedCall, startReceiver } from "../../local/receiver.ts";
import { startRecorder } from "./recorder.ts";

export type Targets = Awaited<ReturnType<typeof startTargets>>;

/** `reachedAs`: null where whoever calls runs on this machine. */
export async function startTargets(reachedAs: { readonly name: string; readonly port: number } | null) {
  const calls = new Map<string, ReceivedCall[]>();
  const log = createLog({ stream: new PassThrough(), isTerminal: false, level: "error" });
  const onCall = (call: ReceivedCall) => {
    const id = call.jobId ?? "";
    calls.set(id, [...(calls.get(id) ?? []), call]);
  };
  const receiver = await startReceiver({ port: 0, log, onCall });
  if (receiver.kind !== "listening") throw new Error("expected a free port");
  const recorder = await startRecorder();
  const relays: Server[] = [];
  const urlOf = async (url: string, index: number) => {
    if (reachedAs === null) return url;
    const port = reachedAs.port + index;
    relays.push(await relay(port, Number(new URL(url).port)));
    return `http://${reachedAs.name}:${port}`;
  };
  return {
    targetUrl: await urlOf(receiver.url, 0),
    recorderUrl: await urlOf(recorder.url, 1),
    calls: (jobId: string): readonly ReceivedCall[] => calls.get(jobId) ?? [],
    recorded: recorder.recorded,
    async close(): Promise<void> {
      await Promise.all([receiver.close(), recorder.close()]);
      for (const each of relays) each.close();
    },
  };
}

/** The targets listen on loopback alone; this lets others in, for as long as the suite runs. */
async function relay(from: number, to: number): Promise<Server> {
  const server = createServer((outer) => {
    const inner = connect(to, "127.0.0.1");
    outer.pipe(inner).pipe(outer);
    // Either side may break off; the other learns of it by the end of its connection.
    outer.on("error", () => inner.destroy());
    inner.on("error", () => outer.destroy());
  });
  server.listen(from);
  await once(server, "listening");
  return server;
}
