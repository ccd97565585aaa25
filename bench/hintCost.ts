/**
 * What the names of one hint cost an executor's processor, phase by phase, with the code and the SDK that it runs: reading, handshakes,
 * claims, last looks and requests. A process of its own, so that neither the target's nor the table's work is counted. Prints one line of JSON.
 */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { parseAllowList } from "../src/core/address.ts";
import type { NamesHint } from "../src/core/hint.ts";
import { soleTenant } from "../src/core/ids.ts";
import { limits } from "../src/core/limits.ts";
import { retryDefault } from "../src/core/retry.ts";
import { later, minuteMs, toEpochMs } from "../src/core/time.ts";
import { claim, create, type Facts } from "../src/core/transition.ts";
import { createDeliver } from "../src/deliver/http.ts";
import { readHint, writeHint } from "../src/hints/message.ts";
import { createDynamoStore } from "../src/store/dynamo/store.ts";
import { createTable } from "../src/store/dynamo/table.ts";
import { createIds } from "../src/system/chance.ts";

/** CPU milliseconds for each name. */
export type Phases = {
  readonly load: number;
  readonly connect: number;
  readonly claim: number;
  readonly look: number;
  readonly send: number;
};
export type Cost = {
  /** Of a process that has just begun: nothing is compiled yet, and no certificate read. */
  readonly first: Phases;
  readonly warm: Phases;
};

const [targetUrl = "", tableUrl = "", namesText = "", roundsText = ""] = process.argv.slice(2);
const names = Number(namesText);
const rounds = Number(roundsText);
const now = () => toEpochMs(Date.now());
const ids = createIds();

const parsed = parseAllowList("127.0.0.0/8");
if ("wrong" in parsed) throw new Error(parsed.wrong);
const { allow } = parsed;
const client = new DynamoDBClient({ endpoint: tableUrl, region: "eu-central-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
const onUnreadable = (job: string, cause: unknown) => {
  throw new Error(`expected a readable record of ${job}`, { cause });
};
const store = createDynamoStore({ table: createTable({ client, name: "bench" }), now, shards: 64, onUnreadable });

const facts = (): Facts => ({
  now: now(),
  change: ids.change(),
  hintBefore: later(now(), minuteMs),
  retentionMs: limits.retentionMsDefault,
});

/** The reference job: a URL of a hundred bytes and a body of two hundred. */
function jobNow() {
  const createdAt = now();
  const text = JSON.stringify({ order: 17, note: "x".repeat(180) });
  return create(
    {
      ...{ tenant: soleTenant, id: ids.job(createdAt), dueAt: createdAt, timeoutMs: limits.timeoutMsDefault, deadline: null },
      target: { url: `${targetUrl}/${"hook/".repeat(15)}`, method: "POST", headers: {} },
      body: { contentType: "application/json", byteCount: text.length, kept: "inline", text },
      ...{ retry: retryDefault, priority: "normal", labels: {}, fingerprint: null, replayOf: null, schedule: null },
    },
    facts(),
  );
}

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / names;
}

async function round(): Promise<Phases> {
  const made = Array.from({ length: names }, jobNow);
  const hint: NamesHint = {
    kind: "names",
    priority: "normal",
    startAt: now(),
    names: made.map(({ tenant, id, wakeAt }) => ({ tenant, id, wakeAt })),
  };
  const message = writeHint(hint);
  await Promise.all(made.map((job) => store.insert(job)));
  const load = await cpuOf(async () => {
    const read = readHint(message);
    const jobs = read?.kind === "names" ? await store.loadMany(read.names) : [];
    if (jobs.length !== names) throw new Error(`expected ${names} jobs, got ${jobs.length}`);
  });
  const deliver = createDeliver({ allow, now });
  const call = async () => {
    const answer = await deliver
      .prepare(`${targetUrl}/${"hook/".repeat(15)}`, limits.timeoutMsDefault)
      .send(
        { method: "POST", headers: { "content-type": "application/json" }, body: Buffer.alloc(200, "x"), startBy: null },
        new AbortController().signal,
      );
    if (answer.kind !== "response" || answer.status !== 200) throw new Error(`expected 200, got ${JSON.stringify(answer)}`);
  };
  const callAll = () => Promise.all(made.map(call));
  // First with a handshake for each, then over the same connections: the difference is the handshakes.
  const both = await cpuOf(callAll);
  const send = await cpuOf(callAll);
  const claimAll = () =>
    Promise.all(made.map((job) => store.commit(claim(job, { token: ids.token(), until: later(now(), minuteMs) }, facts()))));
  const claimed = await cpuOf(claimAll);
  const look = await cpuOf(() => Promise.all(made.map((job) => store.load(job))));
  await deliver.close();
  return { load, connect: Math.max(0, both - send), claim: claimed, look, send };
}

const measured: Phases[] = [];
for (let index = 0; index < rounds; index++) measured.push(await round());
client.destroy();

/** Of the second half: by then what is hot is compiled. */
function median(read: (phases: Phases) => number): number {
  const sorted = measured
    .slice(Math.floor(rounds / 2))
    .map(read)
    .toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const [first] = measured;
if (first === undefined) throw new Error(`expected at least one round, got ${roundsText}`);
const warm: Phases = {
  ...{ load: median(({ load }) => load), connect: median(({ connect }) => connect), claim: median((phases) => phases.claim) },
  ...{ look: median(({ look }) => look), send: median(({ send }) => send) },
};
console.log(JSON.stringify({ first, warm } satisfies Cost));
