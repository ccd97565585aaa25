/** The receiver of the bench, in a process of its own: answers at once and keeps how late each call was by its own clock. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = { readonly count: number; readonly lastAt: number; readonly latenessesMs: readonly number[] };

let latenessesMs: number[] = [];
let lastAt = 0;

const server = createServer((request, response) => {
  lastAt = Date.now();
  latenessesMs.push(lastAt - Date.parse(String(request.headers["onthedot-due-at"])));
  request.resume();
  response.writeHead(200).end("ok");
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.on("message", (message: "count" | "take") => {
  process.send?.({ count: latenessesMs.length, lastAt, latenessesMs: message === "take" ? latenessesMs : [] } satisfies Received);
  if (message === "take") latenessesMs = [];
});
