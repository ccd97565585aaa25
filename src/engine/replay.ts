/** Doing an ended job's call again, as a new job that points to the old one. */

import type { JobRef } from "../core/hint.ts";
import { isLive, type Live, type Waiting } from "../core/job.ts";
import { create, replay as replayOf } from "../core/transition.ts";
import { hintNamed } from "./commit.ts";
import { type Engine, factsNow } from "./engine.ts";
import { keepBody, keptUntil, readBody } from "./payload.ts";

export type ReplayAnswer =
  | { readonly kind: "created"; readonly job: Waiting }
  | { readonly kind: "not_found" }
  /** Only an ended job can be replayed. */
  | { readonly kind: "state_conflict"; readonly job: Live }
  /** Its body was too large to be kept this long. */
  | { readonly kind: "body_gone" };

export async function replay(engine: Engine, ref: JobRef): Promise<ReplayAnswer> {
  const ended = await engine.store.load(ref);
  if (ended === undefined) return { kind: "not_found" };
  if (isLive(ended)) return { kind: "state_conflict", job: ended };
  const bytes = await readBody(engine, ended);
  if (bytes === "gone") return { kind: "body_gone" };
  const now = engine.clock.now();
  const wanted = replayOf(ended, engine.ids.job(now), ended.body, now);
  const body = bytes === null ? null : { contentType: ended.body?.contentType ?? "", bytes };
  const job = create({ ...wanted, body: await keepBody(engine, wanted, body, keptUntil(engine, wanted)) }, factsNow(engine));
  // A random id cannot stand already but by this very insert, repeated.
  await engine.store.insert(job);
  engine.observe({ kind: "created", job });
  if (job.hinted) await hintNamed(engine, job);
  return { kind: "created", job };
}
