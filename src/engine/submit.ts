/** Taking a job: durable before the answer, and the same job for the same key however often it is asked for. */

import { type JobId, jobIdOfKey } from "../core/ids.ts";
import type { Job, Waiting } from "../core/job.ts";
import { create, type NewJob } from "../core/transition.ts";
import { hintNamed, sendHints } from "./commit.ts";
import { type Engine, factsNow } from "./engine.ts";
import { groupNames } from "./group.ts";
import { type BodyBytes, keepBody, keptUntil } from "./payload.ts";

/** A job as a caller asks for it, every default filled in. */
export type Submission = Omit<NewJob, "id" | "body" | "replayOf" | "schedule" | "fingerprint"> & {
  readonly body: BodyBytes | null;
  /** The caller's idempotency key, with the digest of the request it stands for. */
  readonly key: { readonly text: string; readonly fingerprint: string } | null;
};

export type Submitted =
  | { readonly kind: "created"; readonly job: Waiting }
  /** The key stands for this very request already; nothing was made. */
  | { readonly kind: "replayed"; readonly job: Job }
  /** The key stands for another request. */
  | { readonly kind: "conflict" };

export async function submit(engine: Engine, submission: Submission): Promise<Submitted> {
  const submitted = await insert(engine, submission);
  if (submitted.kind === "created" && submitted.job.hinted) await hintNamed(engine, submitted.job);
  return submitted;
}

/** As `submit` for many, each on its own; those owed soon share their hints. One that fails to be written rejects alone. */
export async function submitBatch(engine: Engine, submissions: readonly Submission[]): Promise<readonly PromiseSettledResult<Submitted>[]> {
  const results = await Promise.allSettled(submissions.map((submission) => insert(engine, submission)));
  const hinted = results.flatMap((result) =>
    result.status === "fulfilled" && result.value.kind === "created" && result.value.job.hinted ? [result.value.job] : [],
  );
  if (hinted.length > 0) await sendHints(engine, groupNames(hinted, engine.params.namesPerHint));
  return results;
}

async function insert(engine: Engine, submission: Submission): Promise<Submitted> {
  const { key, body: bytes, ...wanted } = submission;
  const id: JobId = key === null ? engine.ids.job(engine.clock.now()) : jobIdOfKey(wanted.tenant, key.text);
  const ref = { tenant: wanted.tenant, id };
  const body = await keepBody(engine, ref, bytes, keptUntil(engine, wanted));
  const job = create({ ...wanted, id, body, fingerprint: key?.fingerprint ?? null, replayOf: null, schedule: null }, factsNow(engine));
  return (await insertUnlessExists(engine, job)) ?? (await insertUnlessExists(engine, job)) ?? { kind: "conflict" };
}

/** Undefined: the item that stood in the way expired between the insert and the look at it. */
async function insertUnlessExists(engine: Engine, job: Waiting): Promise<Submitted | undefined> {
  if ((await engine.store.insert(job)) === "inserted") {
    engine.observe({ kind: "created", job });
    return { kind: "created", job };
  }
  const standing = await engine.store.load({ tenant: job.tenant, id: job.id });
  if (standing === undefined) return undefined;
  return standing.fingerprint === job.fingerprint ? { kind: "replayed", job: standing } : { kind: "conflict" };
}
