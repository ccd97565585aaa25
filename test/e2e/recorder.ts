/** A target that keeps what it gets byte for byte, which the receiver does not: it must be fit to run beside a real host. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Recorded } from "./subject.ts";

export async function startRecorder() {
  const byJob = new Map<string, Recorded>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      byJob.set(String(request.headers["onthedot-job"]), { headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(200).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recorded: (jobId: string) => byJob.get(jobId),
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
