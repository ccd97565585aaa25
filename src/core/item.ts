/** Whatever a store keeps under a key and changes by conditions: jobs, schedules and calendars. The id's prefix tells which. */

import type { Calendar } from "./calendar.ts";
import type { CalendarId, ChangeId, ItemId, JobId, ScheduleId, TenantId } from "./ids.ts";
import type { Job, Live, Priority } from "./job.ts";
import type { Schedule, Standing } from "./schedule.ts";
import type { EpochMs } from "./time.ts";

export type Item = Job | Schedule | Calendar;

/** The kind of item that an id names. */
export type ItemOf<Id extends ItemId> = Id extends JobId
  ? Job
  : Id extends ScheduleId
    ? Schedule
    : Id extends CalendarId
      ? Calendar
      : never;

export type AnyRef<Id extends ItemId = ItemId> = { readonly tenant: TenantId; readonly id: Id };

/** One change of one item. `to` is the whole new item; it holds only while the stored version is `from.version`. */
export type Change = { readonly from: Item; readonly to: Item; readonly change: ChangeId };

/** What stands on the wheel, and where. */
export type OnWheel = Live | Standing;

export function isOnWheel(item: Item): item is OnWheel {
  return "wakeAt" in item;
}

/** Which of the wheel's queues an item is in. A schedule goes with the jobs that it makes. */
export function priorityOf(item: OnWheel): Priority {
  return isJob(item) ? item.priority : item.spec.job.priority;
}

/** Only jobs are attempted. */
export function isJob<Any extends Item>(item: Any): item is Extract<Any, Job> {
  return "attempts" in item;
}

/** Null: it stands until it is changed. */
export function expiresAtOf(item: Item): EpochMs | null {
  return "expiresAt" in item ? item.expiresAt : null;
}

/** The commits that an item remembers by their names. */
export function changesOf(item: Item): readonly ChangeId[] {
  return "history" in item ? item.history.map((entry) => entry.change) : item.changes;
}

/** Whether a commit of this name is among those that the item remembers: a writer that lost the reply finds its own change by it. */
export function hasChange(item: Item, change: string | undefined): boolean {
  return changesOf(item).some((one) => one === change);
}
