/**
 * The writer's thread: the only connection that writes. It takes whatever writes have arrived by the time it is free, so a group grows
 * with the load, and answers them in order. Whatever it does not expect ends it, and with it every write that waits.
 */

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { openForWrites } from "./database.ts";
import { type GroupAnswer, groupWriter, type Write } from "./group.ts";

export type ToThread = { readonly kind: "writes"; readonly writes: readonly Write[] } | { readonly kind: "close" };
export type FromThread = { readonly kind: "ready" } | { readonly kind: "group"; readonly size: number; readonly answer: GroupAnswer };

/** A group of so many writes takes no further message: the first of them would wait too long for the last. */
const groupWritesMax = 512;

if (parentPort === null) throw new Error("expected to be started as a worker thread");
serve(parentPort, String(workerData));

function serve(port: NonNullable<typeof parentPort>, path: string): void {
  const database = openForWrites(path);
  const writeGroup = groupWriter(database);
  const post = (message: FromThread) => port.postMessage(message);

  port.on("message", (message: ToThread) => {
    const writes: Write[] = [];
    let next: ToThread | undefined = message;
    while (next?.kind === "writes") {
      writes.push(...next.writes);
      if (writes.length >= groupWritesMax) break;
      next = receiveMessageOnPort(port)?.message;
    }
    if (writes.length > 0) post({ kind: "group", size: writes.length, answer: writeGroup(writes) });
    if (next?.kind !== "close") return;
    // The last connection to close writes the log back and removes it.
    database.close();
    port.close();
  });
  post({ kind: "ready" });
}
