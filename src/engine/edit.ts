/** Changing a waiting job. After the answer no attempt starts with older content; one already claimed is named instead. */

import type { JobRef } from "../core/hint.ts";
import type { Body, Final, Running, Waiting } from "../core/job.ts";
import { type Edit, edit as editWaiting } from "../core/transition.ts";
import { commit } from "./commit.ts";
import { type Engine, factsNow } from "./engine.ts";
import { type BodyBytes, keepBody, keptUntil, readBody } from "./payload.ts";

/** What the caller wants changed, decided on the job as it stands: a `delay` or a `deadline` may depend on it. */
export type EditRequest = Omit<Edit, "body"> & { readonly body?: BodyBytes | null };

export type EditAnswer =
  | { readonly kind: "edited"; readonly job: Waiting }
  | { readonly kind: "not_found" }
  | { readonly kind: "version_conflict"; readonly version: number }
  | { readonly kind: "in_flight"; readonly job: Running }
  | { readonly kind: "state_conflict"; readonly job: Final }
  /** The request cannot be, given the job as it stands. */
  | { readonly kind: "invalid"; readonly field: string; readonly message: string };

/** `ifVersion`: change only this version. `decide` is asked anew when the job has changed meanwhile. */
export async function edit(
  engine: Engine,
  ref: JobRef,
  decide: (job: Waiting) => EditRequest | { readonly field: string; readonly message: string },
  ifVersion: number | null,
): Promise<EditAnswer> {
  for (;;) {
    const job = await engine.store.load(ref);
    if (job === undefined) return { kind: "not_found" };
    if (ifVersion !== null && job.version !== ifVersion) return { kind: "version_conflict", version: job.version };
    if (job.state === "running") return { kind: "in_flight", job };
    if (job.state !== "waiting") return { kind: "state_conflict", job };
    const wanted = decide(job);
    if ("message" in wanted) return { kind: "invalid", ...wanted };
    const { body, ...fields } = wanted;
    const kept = await bodyAfter(engine, job, fields, body);
    const edited = editWaiting(job, kept === undefined ? fields : { ...fields, body: kept }, factsNow(engine));
    if ((await commit(engine, edited)) === "committed") return { kind: "edited", job: edited.to };
  }
}

/** Undefined: the body stays. A job that may now live longer than its body gets the body written anew first. */
async function bodyAfter(
  engine: Engine,
  job: Waiting,
  fields: Omit<Edit, "body">,
  wanted: BodyBytes | null | undefined,
): Promise<Body | null | undefined> {
  const until = keptUntil(engine, { ...job, ...fields });
  if (wanted !== undefined) return keepBody(engine, job, wanted, until);
  if (job.body?.kept !== "beside" || job.body.keptUntil >= until) return undefined;
  const bytes = await readBody(engine, job);
  if (bytes === null || bytes === "gone") return undefined;
  return keepBody(engine, job, { contentType: job.body.contentType, bytes }, until);
}
