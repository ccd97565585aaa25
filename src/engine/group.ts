/** Names that are owed in the same second and priority travel in one hint. */

import type { ItemRef, NamesHint } from "../core/hint.ts";
import type { Priority } from "../core/job.ts";
import { type EpochMs, secondMs } from "../core/time.ts";

export type Named = ItemRef & { readonly wakeAt: EpochMs; readonly priority: Priority };

export function groupNames(named: readonly Named[], namesPerHint: number): readonly NamesHint[] {
  const groups = new Map<string, Named[]>();
  for (const name of named) {
    const key = `${Math.floor(name.wakeAt / secondMs)} ${name.priority}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [name]);
    else group.push(name);
  }
  return [...groups.values()].flatMap((group) => cut(group, namesPerHint));
}

function cut(group: Named[], namesPerHint: number): NamesHint[] {
  const ordered = group.toSorted((a, b) => a.wakeAt - b.wakeAt);
  const hints: NamesHint[] = [];
  for (let start = 0; start < ordered.length; start += namesPerHint) {
    const part = ordered.slice(start, start + namesPerHint);
    const first = part[0];
    if (first === undefined) continue;
    const names = part.map(({ tenant, id, wakeAt }) => ({ tenant, id, wakeAt }));
    hints.push({ kind: "names", priority: first.priority, startAt: first.wakeAt, names });
  }
  return hints;
}
