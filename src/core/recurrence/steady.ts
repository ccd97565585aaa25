/** Rules without a wall: every so long from an anchor, and lists of instants. */

import { type EpochMs, toEpochMs } from "../time.ts";
import { horizonAt } from "./bounds.ts";

/** Counted in elapsed time from the anchor, which is an occurrence itself: it does not drift, and no change of the clocks moves it. */
export type Every = { readonly everyMs: number; readonly anchorAt: EpochMs };

export function everyFrom({ everyMs, anchorAt }: Every, from: EpochMs): EpochMs | undefined {
  const at = toEpochMs(from <= anchorAt ? anchorAt : anchorAt + Math.ceil((from - anchorAt) / everyMs) * everyMs);
  return at < horizonAt ? at : undefined;
}

/** `sorted` ascends. */
export function listedFrom(sorted: readonly EpochMs[], from: EpochMs): EpochMs | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((sorted[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return sorted[low];
}
