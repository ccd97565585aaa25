/**
 * Reads one answer off the wire into bounded memory. The bytes are taken as they come: nothing is decompressed, so a small body cannot
 * become a large one.
 */

import type { Dispatcher } from "undici";
import { limits } from "../core/limits.ts";
import type { Answer } from "../core/outcome.ts";
import type { EpochMs } from "../core/time.ts";
import { type Failure, failureOf } from "./failure.ts";

/** More interim answers than this (RFC 9110, 15.2) are a way to never answer; HTTP knows three kinds of them. */
const interimMax = 16;
const nothing = new Uint8Array(0);

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];
type Response = Extract<Answer, { kind: "response" }>;

/** How the reading ended. "cut": enough was read, and more may follow: the connection must be closed. */
export type End = "complete" | "cut" | Failure;

export type AnswerOwner = {
  /** Called once, unless the reader was stopped before. */
  ended(end: End, reader: AnswerReader): void;
};

/** A class and not closures: undici wants an object of functions, and there is one for each call. */
export class AnswerReader implements Dispatcher.DispatchHandler {
  /** When the first byte of the request was handed to the socket. */
  sentAt: EpochMs | null = null;
  /** Known as soon as the head is complete. */
  status: number | null = null;
  #headers: Readonly<Record<string, string>> = {};
  #excerpt: Uint8Array = nothing;
  #byteCount = 0;
  #lengthTold: string | undefined;
  #interimCount = 0;
  #over = false;
  readonly #now: () => EpochMs;
  readonly #owner: AnswerOwner;

  constructor(now: () => EpochMs, owner: AnswerOwner) {
    this.#now = now;
    this.#owner = owner;
  }

  /** What the head asked for, also where the body never came to its end. */
  get retryAfter(): string | null {
    return this.#headers["retry-after"] ?? null;
  }

  /** Nothing that happens from now on is told. */
  stop(): void {
    this.#over = true;
  }

  /** What was read, as an answer. Only after "complete" or "cut". */
  response(body: Response["body"], endedAt: EpochMs): Answer {
    return {
      kind: "response",
      status: this.status ?? 0,
      headers: this.#headers,
      excerpt: this.#excerpt,
      byteCount: this.#byteCount,
      body,
      sentAt: this.sentAt,
      endedAt,
    };
  }

  /** undici calls it right before it writes the head to the socket, in the same turn. */
  onRequestStart(): void {
    this.sentAt = this.#now();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (this.#over) return;
    if (status < 200) {
      this.#interimCount += 1;
      // 101 would end HTTP on this connection, and nobody asked for it.
      if (status === 101) this.#end({ reason: "network", code: null, message: "the target switched protocols unasked" });
      else if (this.#interimCount > interimMax)
        this.#end({ reason: "too_large", code: null, message: "the target sent 1xx answers without end" });
      return;
    }
    this.status = status;
    this.#headers = keepHeaders(headers);
    const length = headers["content-length"];
    if (typeof length === "string") this.#lengthTold = length;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#over) return;
    const room = limits.excerptBytesMax - this.#byteCount;
    // A copy: a view would keep the whole of the socket's buffer.
    if (room > 0) this.#excerpt = join(this.#excerpt, chunk.subarray(0, room));
    this.#byteCount += chunk.length;
    if (this.#byteCount < limits.answerBytesRead) return;
    // A body of exactly this length is complete, which the parser says next.
    if (this.#byteCount === limits.answerBytesRead && Number(this.#lengthTold) === limits.answerBytesRead) return;
    this.#byteCount = limits.answerBytesRead;
    this.#end("cut");
  }

  onResponseEnd(): void {
    this.#end("complete");
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#end(failureOf(error, this.status === null ? "answer" : "body"));
  }

  #end(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.ended(end, this);
  }
}

function join(kept: Uint8Array, more: Uint8Array): Uint8Array {
  if (kept.length === 0) return more.slice();
  const joined = new Uint8Array(kept.length + more.length);
  joined.set(kept);
  joined.set(more, kept.length);
  return joined;
}

/** The headers that fit. Retry-After comes first, for the next attempt depends on it. */
function keepHeaders(headers: Headers): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  let bytesLeft = limits.excerptHeaderBytesMax;
  const keep = (name: string, value: string | string[] | undefined) => {
    const text = typeof value === "string" ? value : (value ?? []).join(", ");
    if (name.length + text.length > bytesLeft) return;
    bytesLeft -= name.length + text.length;
    kept[name] = text;
  };
  if (headers["retry-after"] !== undefined) keep("retry-after", headers["retry-after"]);
  for (const name in headers) if (name !== "retry-after") keep(name, headers[name]);
  return kept;
}
