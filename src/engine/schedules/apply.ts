/** A whole set of schedules as code: what it names is made or written anew, what has left it is deleted, and nothing else is touched. Safe to run twice, and from two places. */

import type { TenantId } from "../../core/ids.ts";
import type { Standing } from "../../core/schedule.ts";
import type { Engine } from "../engine.ts";
import { allSchedules } from "./calendars.ts";
import { deleteSchedule } from "./delete.ts";
import { isPausedAs, isSame, type PutRequest, putSchedule, type Refusal } from "./put.ts";
import { findSchedule } from "./read.ts";

/** What was done, or would be. "foreign": a schedule of this name stands outside the set, and is left alone. */
export type Applied = {
  readonly name: string;
  readonly did: "created" | "replaced" | "unchanged" | "deleted" | "foreign" | "refused";
  readonly refusal: Refusal | null;
};

export type SetRequest = {
  readonly tenant: TenantId;
  readonly set: string;
  /** By name. */
  readonly schedules: ReadonlyMap<string, PutRequest>;
  readonly mode: "apply" | "dry_run";
};

export async function applySet(engine: Engine, { tenant, set, schedules, mode }: SetRequest): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const [name, request] of schedules) applied.push(await applyOne(engine, { tenant, name, set, mode }, request));
  for await (const { name, spec } of allSchedules(engine, tenant)) {
    if (spec.set !== set || schedules.has(name)) continue;
    if (await hasLeft(engine, { tenant, name, set, mode })) applied.push({ name, did: "deleted", refusal: null });
  }
  return applied;
}

/** The list may lag behind: what has been made anew outside the set since stays. */
async function hasLeft(engine: Engine, { tenant, name, set, mode }: Place): Promise<boolean> {
  for (;;) {
    const standing = await findSchedule(engine, { tenant, name });
    if (standing?.spec.set !== set) return false;
    if (mode === "dry_run") return true;
    const { kind } = await deleteSchedule(engine, standing, { jobs: "keep", version: standing.revision });
    if (kind !== "version_conflict") return kind === "deleted";
  }
}

type Place = { readonly tenant: TenantId; readonly name: string; readonly set: string; readonly mode: SetRequest["mode"] };

async function applyOne(engine: Engine, { tenant, name, set, mode }: Place, request: PutRequest): Promise<Applied> {
  const named = (did: Applied["did"], refusal: Refusal | null = null): Applied => ({ name, did, refusal });
  const isForeign = (standing: Standing | undefined) => standing !== undefined && standing.spec.set !== set;
  if (mode === "dry_run") {
    const standing = await findSchedule(engine, { tenant, name });
    if (standing === undefined) return named("created");
    if (isForeign(standing)) return named("foreign");
    const isSameAll = isPausedAs(standing, request.pause) && (await isSame(engine, standing, request.wanted));
    return named(isSameAll ? "unchanged" : "replaced");
  }
  const answer = await putSchedule(engine, { tenant, name }, (standing) => (isForeign(standing) ? "not_found" : request));
  switch (answer.kind) {
    case "created":
      return named("created");
    case "replaced":
      return named(answer.unchanged ? "unchanged" : "replaced");
    case "not_found":
      return named("foreign");
    case "invalid":
      return named("refused", answer);
    case "exists":
    case "version_conflict":
      throw new Error(`expected no condition on a schedule of a set, got ${answer.kind}`);
  }
}
