/** A client that writes bytes as it likes, where `fetch` would refuse to misbehave; and what an answer must be to count as a problem. */

import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import { ProblemDocument } from "../../src/api/problem.ts";

export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type RawClient = {
  readonly socket: Socket;
  send(text: string | Buffer): void;
  /** The next complete answer; undefined where the connection ends first. `isHead`: it has no body whatever it says. */
  answer(isHead?: boolean): Promise<Answer | undefined>;
  /** Resolves when the server has ended or cut the connection. The client's own side stays open until its socket is destroyed. */
  readonly ended: Promise<void>;
};

export function connectTo(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/[[\]]/g, ""), port: Number(port), allowHalfOpen: true, noDelay: true });
  let received = Buffer.alloc(0);
  let isOver = false;
  let news = Promise.withResolvers<void>();
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const ended = Promise.withResolvers<void>();
  const over = () => {
    isOver = true;
    ended.resolve();
    tell();
  };
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    tell();
  });
  socket.on("end", over).on("close", over).on("error", over);
  const client: RawClient = {
    socket,
    send: (text) => void socket.write(text),
    async answer(isHead = false) {
      for (;;) {
        const parsed = parse(received, isHead);
        if (parsed !== undefined) {
          received = received.subarray(parsed.length);
          return parsed.answer;
        }
        if (isOver) return undefined;
        await news.promise;
      }
    },
    ended: ended.promise,
  };
  return new Promise((resolve) => socket.once("connect", () => resolve(client)));
}

function parse(received: Buffer, isHead: boolean): { answer: Answer; length: number } | undefined {
  const headLength = received.indexOf("\r\n\r\n") + 4;
  if (headLength < 4) return undefined;
  const [line = "", ...fields] = received
    .subarray(0, headLength - 4)
    .toString()
    .split("\r\n");
  const headers = Object.fromEntries(fields.map((field) => [field.split(":")[0]?.toLowerCase(), field.replace(/^[^:]*: */, "")]));
  const bodyLength = isHead ? 0 : Number(headers["content-length"] ?? 0);
  if (received.length < headLength + bodyLength) return undefined;
  const body = received.subarray(headLength, headLength + bodyLength).toString();
  return { answer: { status: Number(line.split(" ")[1]), headers, body }, length: headLength + bodyLength };
}

/** A client that sends this at once, and the first answer to it. */
export async function answerTo(url: string, text: string | Buffer): Promise<Answer | undefined> {
  const client = await connectTo(url);
  client.send(text);
  const answer = await client.answer();
  client.socket.destroy();
  return answer;
}

/** Every answer that is no success has this form, whoever gives it. */
export function expectProblem(answer: Answer | undefined, status: number, code: string): ProblemDocument {
  expect(answer).toMatchObject({ status, headers: { "content-type": "application/problem+json" } });
  const document = ProblemDocument.parse(JSON.parse(answer?.body ?? ""));
  expect(document).toMatchObject({ status, code, type: `urn:onthedot:problem:${code}` });
  expect(document.requestId).toMatch(/^[\w-]{8,}$/);
  expect(answer?.headers["x-request-id"]).toBe(document.requestId);
  return document;
}

export const head = (line: string, ...fields: string[]) => `${[line, ...fields].join("\r\n")}\r\n\r\n`;
export const host = "Host: localhost";
