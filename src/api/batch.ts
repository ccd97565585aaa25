/** Many jobs in one request. Each is taken or refused on its own, and answered at its own place. */

import { limits } from "../core/limits.ts";
import { OutageError } from "../engine/ports.ts";
import { type Submission, type Submitted, submitBatch } from "../engine/submit.ts";
import type { BatchAnswer, BatchResult } from "./answers.ts";
import { type Call, type Desk, type Handler, readingNow, readWritten } from "./desk.ts";
import { fieldErrors } from "./issues.ts";
import { keyConflict, keyNotTaken } from "./jobs.ts";
import { fieldProblem, type Problem, problem, problemDocument, problemKinds, unavailable } from "./problem.ts";
import { jsonReply } from "./reply.ts";
import type { Finding } from "./scan.ts";
import { brokenJson, findReplay, inexactNumbers, readKey, readSubmission, type Written } from "./submission.ts";
import { briefOf } from "./view.ts";

/** An item may nest as deep as a request of its own; `jobs` and the index are two levels more. */
const batchBounds = { bytesMax: limits.batchBytesMax, depthMax: limits.jsonDepthMax + 2 };

export const createBatch: Handler = async (desk, call) => {
  if (call.request.headers.has("idempotency-key")) return keyNotTaken("A batch makes many jobs: give each its own key as a field");
  const written = await readWritten(call.request, batchBounds);
  if (!written.ok) return written.problem;
  const { value: raw, findings } = written.value;
  const ofBatch = findings.filter((finding) => !isOfItem(finding));
  const broken = brokenJson(ofBatch);
  if (broken !== undefined) return broken;
  const { batch } = desk.shapes;
  const parsed = batch.safeParse(raw);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, batch);
  errors.push(...inexactNumbers(ofBatch));
  if (errors.length > 0 || !parsed.success) return fieldProblem("invalid_request", errors);
  const results = await answerItems(desk, call, itemsOf(parsed.data.jobs, findings));
  return jsonReply(200, { results } satisfies BatchAnswer);
};

function isOfItem({ path }: Finding): boolean {
  return path[0] === "jobs" && typeof path[1] === "number" && path.length >= 2;
}

function itemsOf(jobs: readonly unknown[], findings: readonly Finding[]): Written[] {
  const ofItem = new Map<number, Finding[]>();
  for (const finding of findings.filter(isOfItem)) {
    const index = Number(finding.path[1]);
    const own = ofItem.get(index) ?? [];
    own.push({ ...finding, path: finding.path.slice(2) });
    ofItem.set(index, own);
  }
  return jobs.map((value, index) => ({ value, findings: ofItem.get(index) ?? [] }));
}

type ItemRead = { readonly submission: Submission } | { readonly result: BatchResult };

async function answerItems(desk: Desk, call: Call, items: readonly Written[]): Promise<BatchResult[]> {
  const reading = readingNow(desk);
  const reads = await Promise.all(items.map((item) => readItem(desk, call, item, reading)));
  const submissions = reads.flatMap((read) => ("submission" in read ? [read.submission] : []));
  const settled = await submitBatch(desk.engine, submissions);
  const outage = settled.find((result) => result.status === "rejected" && result.reason instanceof OutageError);
  // One line for the batch: a thousand items that met one outage are one piece of news.
  if (outage?.status === "rejected")
    desk.log({ level: "warn", message: "a batch met an outage", requestId: call.requestId, cause: outage.reason });
  let next = 0;
  return reads.map((read) => ("result" in read ? read.result : itemResult(desk, call, settled[next++])));
}

async function readItem(desk: Desk, call: Call, item: Written, reading: ReturnType<typeof readingNow>): Promise<ItemRead> {
  const key = readKey(item.value, null);
  if (!key.ok) return { result: problemResult(key.problem, call) };
  const read = readSubmission(item, key.value, reading);
  if (read.ok) return { submission: read.value };
  try {
    const standing = await findReplay(desk.engine, desk.tenant, key.value, item);
    return { result: standing === undefined ? problemResult(read.problem, call) : { status: 200, job: briefOf(standing) } };
  } catch (cause) {
    return { result: failedResult(desk, call, cause) };
  }
}

function itemResult(desk: Desk, call: Call, settled: PromiseSettledResult<Submitted> | undefined): BatchResult {
  if (settled?.status !== "fulfilled") return failedResult(desk, call, settled?.reason);
  switch (settled.value.kind) {
    case "created":
      return { status: 201, job: briefOf(settled.value.job) };
    case "replayed":
      return { status: 200, job: briefOf(settled.value.job) };
    case "conflict":
      return problemResult(keyConflict(), call);
  }
}

/** One item's failure is that item's answer; the others stand. */
function failedResult(desk: Desk, call: Call, cause: unknown): BatchResult {
  if (cause instanceof OutageError) return problemResult(unavailable(), call);
  desk.log({ level: "error", message: "a batch item failed", requestId: call.requestId, cause });
  return problemResult(
    problem("internal", "Something went wrong on our side with this item. Send it again; its key keeps it single."),
    call,
  );
}

function problemResult(refusal: Problem, { requestId }: Call): BatchResult {
  const { status } = problemKinds[refusal.code];
  return { status: status as Extract<BatchResult, { problem: unknown }>["status"], problem: problemDocument(refusal, requestId) };
}
