/** Hands writes to the writer's thread and gives each its answer. The writes of one turn of the event loop travel together. */

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { OutageError } from "../engine/ports.ts";
import type { GroupAnswer, Write, WriteAnswer } from "./group.ts";
import type { FromThread, ToThread } from "./thread.ts";

export type Writer = {
  /** Resolves after the write is durable. Rejects with an `OutageError` where nothing was written, or nobody knows. */
  write(write: Write): Promise<WriteAnswer>;
  /** Resolves when the thread has died, and every later write is an outage. Not when it was closed. */
  readonly died: Promise<OutageError>;
  /** Writes what is owed, and ends the thread. */
  close(): Promise<void>;
};

type Waiter = { readonly resolve: (answer: WriteAnswer) => void; readonly reject: (error: Error) => void };

/** Resolves when the thread is ready to write. */
export async function startWriter(path: string): Promise<Writer> {
  const worker = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), { workerData: path });
  const post = (message: ToThread) => worker.postMessage(message);
  const ready = Promise.withResolvers<void>();
  const died = Promise.withResolvers<OutageError>();
  const ended = Promise.withResolvers<void>();
  const waiters: Waiter[] = [];
  let unsent: Write[] = [];
  let stopped: OutageError | undefined;

  function stop(error: OutageError): void {
    stopped ??= error;
    for (const waiter of waiters.splice(0)) waiter.reject(error);
    ready.reject(error);
  }
  function die(cause: unknown): void {
    const error = new OutageError("the store's writer has stopped", { cause });
    if (stopped === undefined) died.resolve(error);
    stop(error);
  }
  function flush(): void {
    if (unsent.length > 0) post({ kind: "writes", writes: unsent });
    unsent = [];
  }

  worker.on("message", (message: FromThread) => {
    if (message.kind === "ready") ready.resolve();
    else answerAll(waiters.splice(0, message.size), message.answer);
  });
  worker.on("error", die);
  worker.on("exit", (code) => {
    die(new Error(`the thread ended with code ${code}`));
    ended.resolve();
  });
  await ready.promise;

  return {
    write(write) {
      if (stopped !== undefined) return Promise.reject(stopped);
      if (unsent.length === 0) setImmediate(flush);
      unsent.push(write);
      return new Promise((resolve, reject) => waiters.push({ resolve, reject }));
    },
    died: died.promise,
    async close() {
      if (stopped === undefined) {
        flush();
        post({ kind: "close" });
        stopped = new OutageError("the store is closed");
      }
      await ended.promise;
    },
  };
}

function answerAll(waiters: readonly Waiter[], answer: GroupAnswer): void {
  for (const [index, waiter] of waiters.entries()) {
    if (answer.kind === "outage") {
      waiter.reject(new OutageError("the store could not write", { cause: new Error(answer.message) }));
      continue;
    }
    const own = answer.answers[index];
    if (own === undefined) waiter.reject(new Error("expected an answer for each write of a group, got fewer"));
    else if (typeof own === "object" && "bug" in own) waiter.reject(new Error(own.bug));
    else waiter.resolve(own);
  }
}
