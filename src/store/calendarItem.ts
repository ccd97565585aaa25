/** How a calendar is written as one compact text and read back, as `jobItem.ts` does for jobs. */

import type { Calendar } from "../core/calendar.ts";
import type { CalendarId, ChangeId, TenantId } from "../core/ids.ts";
import type { EpochMs } from "../core/time.ts";
import { after, type Since } from "./jobItem.ts";

const format = 1;

type StoredState = readonly [state: "kept"] | readonly [state: "removed", expiresAt: Since];

/** The id is what it is stored under. */
type StoredCalendar = readonly [
  storedFormat: typeof format,
  tenant: TenantId,
  name: string,
  version: number,
  createdAt: EpochMs,
  updatedAt: Since,
  /** Plain data, as it was written. */
  written: Calendar["written"],
  changes: readonly ChangeId[],
  state: StoredState,
];

export function encodeCalendar(calendar: Calendar): string {
  const { tenant, name, version, createdAt, updatedAt, written, changes } = calendar;
  const state: StoredState = calendar.state === "kept" ? ["kept"] : ["removed", calendar.expiresAt - createdAt];
  const stored: StoredCalendar = [format, tenant, name, version, createdAt, updatedAt - createdAt, written, changes, state];
  return JSON.stringify(stored);
}

/** The calendar that {@link encodeCalendar} wrote. Throws where the text is of another format. */
export function decodeCalendar(text: string, id: CalendarId): Calendar {
  const [storedFormat, tenant, name, version, createdAt, updatedAt, written, changes, stored] = JSON.parse(text) as StoredCalendar;
  if (storedFormat !== format) throw new Error(`expected a calendar of format ${format}, got ${JSON.stringify(storedFormat)}`);
  const base = { tenant, id, name, version, createdAt, updatedAt: after(updatedAt, createdAt), written, changes };
  return stored[0] === "kept" ? { ...base, state: stored[0] } : { ...base, state: stored[0], expiresAt: after(stored[1], createdAt) };
}
