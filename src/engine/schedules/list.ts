/** Listing schedules by name, of which each page costs a bounded amount of work. */

import type { TenantId } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Standing } from "../../core/schedule.ts";
import type { Engine } from "../engine.ts";

export type ScheduleFilter = {
  readonly states: readonly Standing["state"][] | null;
  /** All of them. */
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly set: string | null;
};

/** One page, after a name. It may be short, or empty, and still have a `next`: the schedules looked at are bounded, not only those found. */
export async function listSchedules(
  engine: Engine,
  request: { readonly tenant: TenantId; readonly filter: ScheduleFilter; readonly after: string | null; readonly limit: number },
): Promise<{ readonly schedules: readonly Standing[]; readonly next: string | null }> {
  const schedules: Standing[] = [];
  let { after } = request;
  for (let looked = 0; looked < limits.listScanMax; ) {
    // A filter that left a first page short is sparse: the rest is looked at in large steps.
    const limit = Math.min(looked === 0 ? request.limit : limits.listLimitMax, limits.listScanMax - looked);
    const page = await engine.store.listNamed({ tenant: request.tenant, kind: "schedule", after, limit });
    looked += limit;
    for (const [index, schedule] of page.items.entries()) {
      if (!matches(schedule, request.filter)) continue;
      schedules.push(schedule);
      const last = index === page.items.length - 1;
      if (schedules.length === request.limit) return { schedules, next: last ? page.next : schedule.name };
    }
    if (page.next === null) return { schedules, next: null };
    after = page.next;
  }
  return { schedules, next: after };
}

function matches({ state, spec }: Standing, { states, labels, set }: ScheduleFilter): boolean {
  if (states !== null && !states.includes(state)) return false;
  if (set !== null && spec.set !== set) return false;
  return labels.every(([key, value]) => spec.labels[key] === value);
}
