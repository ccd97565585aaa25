/**
 * Writes `docs/units.md`: what each operation of the AWS home costs in calls and units of DynamoDB. Each is carried out by the engine on
 * a table that counts as DynamoDB bills; nothing is estimated. `test/docs/units.test.ts` compares the page with the code.
 */

import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { awsParams, executorSlots } from "../functions/params.ts";
import type { Hint } from "../src/core/hint.ts";
import { soleTenant } from "../src/core/ids.ts";
import type { Waiting } from "../src/core/job.ts";
import { retryDefault } from "../src/core/retry.ts";
import { dayMs, type EpochMs, earlierOf, later, minuteMs, secondMs } from "../src/core/time.ts";
import { cancel } from "../src/engine/cancel.ts";
import { edit } from "../src/engine/edit.ts";
import type { Engine } from "../src/engine/engine.ts";
import { createRegister } from "../src/engine/register.ts";
import { putSchedule } from "../src/engine/schedules/put.ts";
import { createSlots } from "../src/engine/slots.ts";
import { type Submission, submit } from "../src/engine/submit.ts";
import { turn } from "../src/engine/turn.ts";
import { wake } from "../src/engine/wake.ts";
import { createDynamoCursors } from "../src/store/dynamo/cursors.ts";
import { createDynamoStore } from "../src/store/dynamo/store.ts";
import { startAt } from "../test/builders.ts";
import { type Answerer, answerWith, openHome } from "../test/engine/home.ts";
import { type Bill, type MeteredTable, meteredTable } from "../test/store/meteredTable.ts";

export type Measured = { readonly what: string; readonly bill: Bill };

const choices = {
  ...{ shards: 64, tickMs: minuteMs, lookaheadMs: 5 * minuteMs, retentionMs: 30 * dayMs },
  maxTimeoutMs: 2 * minuteMs,
  keepResponses: "failures",
} as const;

/** The reference: a URL of 100 bytes and a body of 200, answered by a 2xx. */
export const reference: Pick<Submission, "target" | "body"> = {
  target: { url: `https://example.com/${"h".repeat(80)}`, method: "POST", headers: {} },
  body: { contentType: "application/json", bytes: Buffer.from(JSON.stringify({ text: "b".repeat(189) })) },
};
const large: Partial<Submission> = { ...reference, body: { contentType: "application/json", bytes: Buffer.alloc(2_048, "b") } };

export type Cloud = {
  readonly engine: Engine;
  readonly metered: MeteredTable;
  submit(submission: Partial<Submission>): Promise<Waiting>;
  /** Runs a turn each minute, and every invocation that hints set off, up to the instant. */
  runUntil(at: EpochMs): Promise<void>;
  /** The same without turns. */
  fireUntil(at: EpochMs): Promise<void>;
};

const allShards = { range: 0, shards: Array.from({ length: choices.shards }, (_, shard) => shard) };
const invocationMs = 3 * minuteMs;

/** The engine with the parameters of AWS on a table that counts, in virtual time. Each hint is an invocation of its own, as with SQS. */
export function openCloud(answer: Answerer = answerWith(200)): Cloud {
  const metered = meteredTable();
  const params = awsParams(choices, "0.0.0");
  const { engine: base, clock } = openHome({ params, answer });
  const onUnreadable = (job: string, cause: unknown) => {
    throw new Error(`expected a readable record of ${job}`, { cause });
  };
  const engine: Engine = {
    ...base,
    store: createDynamoStore({ table: metered.table, now: clock.now, shards: params.shards, onUnreadable }),
    cursors: createDynamoCursors(metered.table),
    hints: {
      async send(hints) {
        for (const hint of hints) void arrive(hint);
        return "sent";
      },
    },
  };
  async function arrive(hint: Hint): Promise<void> {
    // Whole seconds, rounded down, and a lead early.
    const delaySeconds = Math.max(0, Math.floor((hint.startAt - clock.now() - params.leadMs) / secondMs));
    await clock.until(later(clock.now(), delaySeconds * secondMs));
    const invocation = { slots: createSlots(executorSlots), endsAt: later(clock.now(), invocationMs), warm: 0 };
    await wake({ ...engine, register: createRegister() }, hint, invocation);
  }
  return {
    ...{ engine, metered, fireUntil: clock.runUntil },
    async submit(submission) {
      const wanted = {
        dueAt: clock.now(),
        deadline: null,
        retry: retryDefault,
        timeoutMs: 30 * secondMs,
        priority: "normal",
        labels: {},
        schedule: null,
      } as const;
      const submitted = await submit(engine, { tenant: soleTenant, key: null, ...wanted, ...reference, ...submission });
      if (submitted.kind !== "created") throw new Error(`expected a new job, got ${submitted.kind}`);
      return submitted.job;
    },
    async runUntil(at) {
      while (clock.now() < at) {
        await turn(engine, allShards, null);
        await clock.runUntil(earlierOf(at, later(clock.now(), minuteMs)));
      }
    },
  };
}

/** What happens while `act` runs. */
async function measure({ metered }: Cloud, what: string, act: () => Promise<unknown>): Promise<Measured> {
  metered.reset();
  await act();
  return { what, bill: metered.bill() };
}

const soon = later(startAt, 10 * secondMs);
const afterSoon = later(soon, secondMs);

async function life(name: string, submission: Partial<Submission>): Promise<Measured[]> {
  const cloud = openCloud();
  const created = await measure(cloud, `create ${name}`, () => cloud.submit({ ...submission, dueAt: soon }));
  // Its hint is in the queue: from here on nothing runs but the executor.
  return [created, await measure(cloud, `fire ${name}: load, claim, last look, finish`, () => cloud.fireUntil(afterSoon))];
}

async function ended(what: string, status: number): Promise<Measured> {
  const cloud = openCloud(answerWith(status));
  await cloud.submit({ dueAt: soon });
  return measure(cloud, what, () => cloud.fireUntil(afterSoon));
}

async function changes(): Promise<Measured[]> {
  const cloud = openCloud();
  const { engine } = cloud;
  const job = await cloud.submit({ dueAt: later(startAt, 60 * minuteMs) });
  const dueAt = later(startAt, 90 * minuteMs);
  return [
    await measure(cloud, "an edit that moves the instant", () => edit(engine, job, () => ({ dueAt }), null)),
    await measure(cloud, "an edit of the labels", () => edit(engine, job, () => ({ labels: { team: "billing" } }), null)),
    await measure(cloud, "a cancel", () => cancel(engine, job)),
  ];
}

/** A schedule that calls the reference job's URL each minute, and what its second occurrence costs: the first finds no job before it. */
async function occurrence(): Promise<Measured[]> {
  const cloud = openCloud();
  const { engine } = cloud;
  const job = { ...reference, timeoutMs: 30 * secondMs, expireAfterMs: null, retry: retryDefault, priority: "normal", labels: {} } as const;
  const wanted = {
    ...{ when: { cron: "* * * * *", timezone: "Europe/Berlin" }, except: [], startAt: later(startAt, secondMs), endAt: null, window: null },
    ...({ job, overlap: "skip", misfire: { policy: "latest", withinMs: 60 * minuteMs, max: 100 }, maxRuns: null } as const),
    ...{ pauseAfterFailures: null, labels: {}, set: null },
  };
  const named = { tenant: soleTenant, name: "nightly-report" };
  const created = await measure(cloud, "create a schedule", () => putSchedule(engine, named, () => ({ wanted, pause: null })));
  await cloud.fireUntil(later(startAt, 90 * secondMs));
  const fired = await measure(cloud, "an occurrence of it: take, create its job, settle, then the job's claim, last look, finish", () =>
    cloud.fireUntil(later(startAt, 150 * secondMs)),
  );
  return [created, fired];
}

const namedCount = 1_000;

async function turns(): Promise<Measured[]> {
  const cloud = openCloud();
  await cloud.runUntil(later(startAt, minuteMs));
  const idle = await measure(cloud, "an idle minute: a turn over 64 shards", () => cloud.runUntil(later(startAt, 2 * minuteMs)));
  for (let index = 0; index < namedCount; index++) await cloud.submit({ dueAt: later(startAt, 8 * minuteMs + 30 * secondMs + index) });
  const named = await measure(cloud, `the turns of two minutes, which name ${namedCount} jobs`, () =>
    cloud.runUntil(later(startAt, 4 * minuteMs)),
  );
  return [idle, named];
}

export async function measureAll(): Promise<readonly Measured[]> {
  return [
    ...(await life("the reference job", {})),
    ...(await life("a job with a body of 2 KB", large)),
    await ended("an attempt that is retried, with its excerpt", 503),
    await ended("an attempt that fails for good, with its excerpt", 400),
    ...(await changes()),
    ...(await occurrence()),
    ...(await turns()),
  ];
}

const page = new URL("units.md", import.meta.url);

export async function unitsPage(): Promise<string> {
  const rows = (await measureAll()).map(({ what, bill }) => {
    const { calls, writeUnits, refusedUnits, readUnits } = bill;
    const writes = calls.put + calls.update;
    const reads = calls.get + calls.getMany + calls.query;
    return `| ${what} | ${writes} | ${writeUnits} | ${refusedUnits} | ${reads} | ${readUnits} |`;
  });
  return `# What an operation costs in DynamoDB

Written by \`npm run docs\` from the code: each operation is carried out by the engine with the parameters of AWS, on a table that counts
as DynamoDB bills. A write unit is a kilobyte of the item written, and one more for each entry that leaves or comes into an index; a read unit is
four kilobytes read consistently, and twice that from an index. The reference job has a URL of 100 bytes, a body of 200, and is answered by a 2xx.

| operation | writes | write units | of refused writes | reads | read units |
|---|---:|---:|---:|---:|---:|
${rows.join("\n")}

A successful job is its create and its fire: six write units. Three come with the create (the item, its entry on the wheel, its entry in
the list), one with the claim, two with the finish (the item, and the wheel's entry that leaves). Ended jobs are removed by their expiry, which costs nothing.

An occurrence of a schedule is its job's six and four of its own: one to take it, and three to settle it (the schedule's item, and the entries
of the wheel that leaves and that comes). Once in twenty occurrences it writes a page of what became of older ones, which is one or two more.
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(page, await unitsPage());
