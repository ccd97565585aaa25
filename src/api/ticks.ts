/** The ticks' plan, where the home has one: what comes when, and what is wanted of it by hand. */

import { limits } from "../core/limits.ts";
import { statusOf, type TickPlan } from "../core/tickPlan.ts";
import { formatInstant } from "../core/time.ts";
import type { TicksAnswer } from "./answers.ts";
import { type Handler, readWritten } from "./desk.ts";
import { fieldErrors } from "./issues.ts";
import { fieldProblem } from "./problem.ts";
import { isRecord } from "./relations.ts";
import { jsonReply } from "./reply.ts";
import { patchTicksShape } from "./schema.ts";
import { brokenJson, inexactNumbers, notAnObject } from "./submission.ts";

export type Ticks = {
  read(): Promise<TickPlan>;
  /** Writes what is wanted and has it carried out. "refused": the ranges cannot be, and nothing was written. */
  want(asked: { readonly ranges?: number; readonly paused?: boolean }): Promise<Wanted>;
};
export type Wanted = { readonly kind: "wanted"; readonly plan: TickPlan } | { readonly kind: "refused"; readonly message: string };

/** Two fields: a request far smaller than a job's. */
const bounds = { bytesMax: 4_096, depthMax: limits.jsonDepthMax };

export function getTicks(ticks: Ticks): Handler {
  return async () => jsonReply(200, viewOf(await ticks.read()));
}

export function patchTicks(ticks: Ticks): Handler {
  return async (_desk, { request }) => {
    const written = await readWritten(request, bounds);
    if (!written.ok) return written.problem;
    const { value: raw, findings } = written.value;
    const broken = brokenJson(findings);
    if (broken !== undefined) return broken;
    if (!isRecord(raw)) return notAnObject(raw);
    const parsed = patchTicksShape.safeParse(raw);
    const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, patchTicksShape);
    errors.push(...inexactNumbers(findings));
    if (Object.keys(raw).length === 0) {
      errors.push({ field: "", code: "required", message: "expected `ranges`, `paused` or both, got neither" });
    }
    if (errors.length > 0 || !parsed.success) return fieldProblem("invalid_request", errors);
    const { ranges, paused } = parsed.data;
    const wanted = await ticks.want({ ...(ranges !== undefined && { ranges }), ...(paused !== undefined && { paused }) });
    if (wanted.kind === "wanted") return jsonReply(200, viewOf(wanted.plan));
    return fieldProblem("invalid_request", [{ field: "ranges", code: "too_large", message: wanted.message }]);
  };
}

function viewOf(plan: TickPlan): TicksAnswer {
  return {
    ranges: plan.wantedRanges,
    paused: plan.paused,
    shards: plan.shards,
    ticks: statusOf(plan).map(({ lastTickAt, ...tick }) => ({
      ...tick,
      lastTickAt: lastTickAt === null ? null : formatInstant(lastTickAt),
    })),
  };
}
