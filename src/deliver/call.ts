/**
 * One call, from its preparation to its answer: it holds a connection and a deadline, and gives both back exactly once, whatever
 * happens. Its states: ready (a connection or an opening or neither), sending, over.
 */

import type { Answer } from "../core/outcome.ts";
import type { EpochMs } from "../core/time.ts";
import type { CallRequest, PreparedCall } from "../engine/ports.ts";
import { AnswerReader, type End } from "./answer.ts";
import type { Connection } from "./connection.ts";
import type { Failure } from "./failure.ts";
import { closing, type Pool } from "./pool.ts";
import type { Place } from "./resolve.ts";

const aborted: Failure = { reason: "aborted", code: null, message: "the call was aborted" };
const tooLate: Failure = { reason: "aborted", code: null, message: "the job's deadline passed before the connection was open" };
const released: Failure = { reason: "aborted", code: null, message: "the call was given up before it was sent" };

export type CallOptions = {
  readonly pool: Pool;
  readonly now: () => EpochMs;
  readonly place: Place;
  /** Path and query. */
  readonly path: string;
  readonly timeoutMs: number;
};

type Sending = { readonly request: CallRequest; readonly signal: AbortSignal; readonly resolve: (answer: Answer) => void };

export class Call implements PreparedCall {
  readonly #options: CallOptions;
  readonly #deadline: NodeJS.Timeout;
  #connection: Connection | null = null;
  #giveUpOpening: (() => void) | null = null;
  /** What went wrong before the request was sent: the answer, or the answer to be. */
  #failure: Failure | null = null;
  #sending: Sending | null = null;
  #reader: AnswerReader | null = null;
  /** A connection lost before its use is replaced once while the call waits, and once when it is sent: more often, the target means it. */
  #replaced = false;
  #resent = false;
  #over = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#deadline = setTimeout(() => this.#fail(this.#timeout()), options.timeoutMs);
    const idle = options.pool.take(options.place.origin);
    if (idle !== undefined) this.#hold(idle);
    else if (options.pool.makesRoom()) this.#open();
  }

  send(request: CallRequest, signal: AbortSignal): Promise<Answer> {
    if (this.#sending !== null) return Promise.resolve(this.#answer({ ...aborted, message: "expected one send for each call, got two" }));
    return new Promise((resolve) => {
      this.#sending = { request, signal, resolve };
      if (this.#failure !== null) return this.#finish(this.#answer(this.#failure));
      if (signal.aborted) return this.#fail(aborted);
      signal.addEventListener("abort", this);
      if (this.#connection !== null) this.#dispatch(this.#connection, request);
      else if (this.#giveUpOpening === null) this.#open();
    });
  }

  release(): void {
    if (this.#sending === null) this.#fail(released);
  }

  /** The signal's: the call itself listens, which saves a function for each call. */
  handleEvent(): void {
    this.#fail(aborted);
  }

  /** The pool's: the connection closed while this call held it. */
  lost(): void {
    this.#connection = null;
    if (this.#replaced) return;
    this.#replaced = true;
    this.#open();
  }

  #open(): void {
    this.#giveUpOpening = this.#options.pool.open(this.#options.place, (result) => {
      this.#giveUpOpening = null;
      if ("reason" in result) return this.#fail(result);
      this.#hold(result);
      if (this.#sending !== null) this.#dispatch(result, this.#sending.request);
    });
  }

  #hold(connection: Connection): void {
    connection.holder = this;
    this.#connection = connection;
  }

  #dispatch(connection: Connection, request: CallRequest): void {
    if (request.startBy !== null && this.#options.now() > request.startBy) {
      this.#fail(tooLate);
      return;
    }
    // From here on the reader tells what happens to the connection.
    connection.holder = null;
    connection.used = true;
    this.#reader = new AnswerReader(this.#options.now, this);
    connection.client.dispatch(
      { path: this.#options.path, method: request.method, headers: request.headers, body: request.body },
      this.#reader,
    );
  }

  /** The reader's: the answer is read, or will not come. */
  ended(end: End, reader: AnswerReader): void {
    if (typeof end === "string") {
      const answer = reader.response(end, this.#options.now());
      if (end === "complete") this.#giveBack();
      else this.#cut();
      this.#finish(answer);
    } else if (reader.sentAt === null && this.#connection?.socket.destroyed === true && !this.#resent) {
      // No byte has left on a connection that is gone: the target cannot have seen the request, so it is sent anew.
      this.#resent = true;
      this.#connection = null;
      this.#reader = null;
      this.#open();
    } else {
      this.#fail(end);
    }
  }

  /** The end without an answer, at any time. */
  #fail(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = this.#options.pool.closed ? closing : failure;
    clearTimeout(this.#deadline);
    this.#giveUpOpening?.();
    this.#reader?.stop();
    // A connection that a request was given to is in the middle of something; any other is as good as before.
    if (this.#reader === null) this.#giveBack();
    else this.#cut();
    if (this.#sending !== null) this.#finish(this.#answer(this.#failure));
  }

  #finish(answer: Answer): void {
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#sending?.signal.removeEventListener("abort", this);
    this.#sending?.resolve(answer);
  }

  #giveBack(): void {
    if (this.#connection !== null) this.#options.pool.put(this.#connection);
    this.#connection = null;
  }

  #cut(): void {
    this.#connection?.socket.destroy();
    this.#connection = null;
  }

  #answer(failure: Failure): Answer {
    const { sentAt = null, status = null, retryAfter = null } = this.#reader ?? {};
    return { kind: "failure", ...failure, status, retryAfter, sentAt, endedAt: this.#options.now() };
  }

  #timeout(): Failure {
    const missing =
      this.#reader === null
        ? "the connection was not open"
        : this.#reader.status === null
          ? "no answer had come"
          : "the body had not ended";
    return {
      reason: "timeout",
      code: null,
      message: `expected a complete answer within ${this.#options.timeoutMs} ms, but ${missing} by then`,
    };
  }
}

/** A call that failed before it began. */
export function failedCall(failure: Failure, now: () => EpochMs): PreparedCall {
  return {
    send: async () => ({ kind: "failure", ...failure, status: null, retryAfter: null, sentAt: null, endedAt: now() }),
    release: () => {},
  };
}
