/**
 * What became of a schedule's occurrences, newest first: the last ones in its item, older ones in pages beside it. A page is written once,
 * before the commit by which its entries leave the item, under a name that says which it is; so a second write of it is the same.
 */

import type { ChangeId, PayloadId } from "../../core/ids.ts";
import type { Happened } from "../../core/occurrence.ts";
import { type Schedule, scheduleBounds } from "../../core/schedule.ts";
import type { LogPage } from "../../core/scheduleChange.ts";
import { later } from "../../core/time.ts";
import type { Engine } from "../engine.ts";

const { pageEntries } = scheduleBounds;

type Logged = Pick<Schedule, "tenant" | "id" | "incarnation" | "recent" | "paged">;

export async function writePage(engine: Engine, schedule: Logged, { number, entries }: LogPage): Promise<void> {
  const bytes = Buffer.from(
    JSON.stringify(
      entries.map(({ state, because, firstAt, lastAt, count, offsetMs }) => [state, because, firstAt, lastAt, count, offsetMs]),
    ),
  );
  const keptUntil = later(engine.clock.now(), engine.params.retentionMs);
  await engine.store.writePayload(schedule, { id: pageId(schedule.incarnation, number), bytes, keptUntil });
}

/** Entry `place` is the one that was logged after `place` others. */
export type LogSlice = {
  /** Newest first. */
  readonly entries: readonly { readonly place: number; readonly entry: Happened }[];
  /** The place below which it goes on; null where nothing older is kept. */
  readonly before: number | null;
};

/** Entries below a place, at most as many as a page or the item holds: call it again from its answer's `before`. */
export async function logBefore(engine: Engine, schedule: Logged, before: number | null): Promise<LogSlice> {
  const { recent, paged } = schedule;
  const end = before ?? paged + recent.length;
  if (end > paged) return sliceOf(recent.slice(0, end - paged), paged);
  const number = Math.floor((end - 1) / pageEntries);
  if (end <= 0) return { entries: [], before: null };
  const [bytes] = await engine.store.readPayloads(schedule, [pageId(schedule.incarnation, number)]);
  // Older pages went before this one did.
  if (bytes === undefined) return { entries: [], before: null };
  return sliceOf(readPage(bytes).slice(0, end - number * pageEntries), number * pageEntries);
}

function sliceOf(entries: readonly Happened[], from: number): LogSlice {
  return { entries: entries.map((entry, index) => ({ place: from + index, entry })).reverse(), before: from === 0 ? null : from };
}

function readPage(bytes: Uint8Array): readonly Happened[] {
  const rows = JSON.parse(Buffer.from(bytes).toString()) as readonly (readonly [Happened["state"], Happened["because"], ...number[]])[];
  return rows.map(
    ([state, because, firstAt, lastAt, count, offsetMs]) => ({ state, because, firstAt, lastAt, count, offsetMs }) as Happened,
  );
}

function pageId(incarnation: ChangeId, number: number): PayloadId {
  return `log-${incarnation}-${number}` as PayloadId;
}
