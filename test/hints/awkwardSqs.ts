/** An SQS on loopback that answers each request as it is told, so that its faults reach our code through the real SDK. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SQSClient } from "@aws-sdk/client-sqs";

export type Entry = { readonly Id: string; readonly MessageBody: string; readonly DelaySeconds: number };
export type Request = { readonly QueueUrl: string; readonly Entries?: readonly Entry[]; readonly VisibilityTimeout?: number };
/** "cut": the connection is closed. "silence": no answer at all. */
export type Answer = { readonly status: number; readonly body: unknown } | "cut" | "silence";

export type AwkwardSqs = {
  readonly client: SQSClient;
  readonly asked: Request[];
  /** How many requests were in its hands at once, at most. */
  atOnceMax(): number;
  close(): Promise<void>;
};

/** `patienceMs`: for how long the SDK waits for an answer. */
export async function openAwkwardSqs(answer: (request: Request, index: number) => Answer, patienceMs = 20_000): Promise<AwkwardSqs> {
  const asked: Request[] = [];
  let atOnce = 0;
  let most = 0;
  const take = (text: string, incoming: IncomingMessage, outgoing: ServerResponse) => {
    atOnce -= 1;
    const request = JSON.parse(text) as Request;
    const got = answer(request, asked.push(request) - 1);
    if (got === "silence") return;
    if (got === "cut") incoming.socket.destroy();
    else outgoing.writeHead(got.status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(got.body));
  };
  const server = createServer((incoming, outgoing) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A turn of the event loop later, in which others may come.
    incoming.on("end", () => setImmediate(take, Buffer.concat(chunks).toString(), incoming, outgoing));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ region: "eu-central-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } },
    ...{ useQueueUrlAsEndpoint: false, maxAttempts: 1 },
    requestHandler: { requestTimeout: patienceMs, throwOnRequestTimeout: true },
  });
  return {
    client,
    asked,
    atOnceMax: () => most,
    async close() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Takes all entries but those that `refusal` names a code for. */
export function takes(
  { Entries = [] }: Request,
  refusal: (entry: Entry) => { readonly Code: string; readonly SenderFault: boolean } | undefined = () => undefined,
): Answer {
  const taken = Entries.filter((entry) => refusal(entry) === undefined);
  const refused = Entries.flatMap((entry) => {
    const fault = refusal(entry);
    return fault === undefined ? [] : [{ Id: entry.Id, Message: "as told", ...fault }];
  });
  const md5 = (text: string) => createHash("md5").update(text).digest("hex");
  const Successful = taken.map(({ Id, MessageBody }) => ({ Id, MessageId: `message-${Id}`, MD5OfMessageBody: md5(MessageBody) }));
  return { status: 200, body: { Successful, Failed: refused } };
}

/** As SQS spells an error. */
export function fault(status: number, type: string, message = "as told"): Answer {
  return { status, body: { __type: `com.amazonaws.sqs#${type}`, message } };
}
