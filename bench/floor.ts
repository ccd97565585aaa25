/**
 * The floor: what any job server in Node has to pay. Takes jobs over HTTP, keeps them in memory, waits by timers, and calls by bare
 * undici, at most 256 at once. No durability, no checks, no retries. Every figure of the bench is a ratio to it, in the same run.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";

type Job = { readonly url: string; readonly body: string; readonly dueAt: string };

const concurrency = 256;
const agent = new Agent({ connections: concurrency });
const ready: Job[] = [];
let inFlight = 0;

function next(): void {
  while (inFlight < concurrency) {
    const job = ready.shift();
    if (job === undefined) return;
    inFlight += 1;
    void call(job).finally(() => {
      inFlight -= 1;
      next();
    });
  }
}

async function call({ url, body, dueAt }: Job): Promise<void> {
  const { origin, pathname } = new URL(url);
  const headers = { "content-type": "application/json", "onthedot-due-at": dueAt };
  const answer = await agent.request({ origin, path: pathname, method: "POST", headers, body });
  await answer.body.dump();
}

type Wanted = { target: { url: string }; body: unknown; dueAt: string };

function accept(wanted: Wanted): void {
  const job = { url: wanted.target.url, body: JSON.stringify(wanted.body), dueAt: wanted.dueAt };
  const waitMs = Math.max(0, Date.parse(job.dueAt) - Date.now());
  // Far ones need no timer for what is measured here.
  if (waitMs > 2 ** 31 - 1) return;
  setTimeout(() => {
    ready.push(job);
    next();
  }, waitMs);
}

const server = createServer((request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => {
    text += chunk;
  });
  request.on("end", () => {
    const wanted = JSON.parse(text) as Wanted | { jobs: Wanted[] };
    for (const one of "jobs" in wanted ? wanted.jobs : [wanted]) accept(one);
    response.writeHead(201, { "content-type": "application/json" }).end('{"state":"waiting"}');
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
