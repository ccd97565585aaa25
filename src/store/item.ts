/** An item of any kind as one text and back, and how large items and payloads may be. */

import type { ItemId } from "../core/ids.ts";
import { type Item, type ItemOf, isJob } from "../core/item.ts";
import { limits } from "../core/limits.ts";
import { decodeCalendar, encodeCalendar } from "./calendarItem.ts";
import { decodeJob, encodeJob } from "./jobItem.ts";
import { decodeSchedule, encodeSchedule } from "./scheduleItem.ts";

/**
 * The longest text of an item. The largest legal job has some 60,000 characters. 128 Ki are at most 384 KiB of UTF-8, which still
 * fits an item of DynamoDB (400 KB).
 */
export const itemCharsMax = 128 * 1_024;

/** The item's text. Throws where it is longer than any legal one: whoever made it has a bug. */
export function encodeItem(item: Item): string {
  const text = textOf(item);
  if (text.length > itemCharsMax) {
    throw new RangeError(`expected an item of at most ${itemCharsMax} characters, got ${text.length} for ${item.id}`);
  }
  return text;
}

function textOf(item: Item): string {
  if (isJob(item)) return encodeJob(item);
  return "spec" in item ? encodeSchedule(item) : encodeCalendar(item);
}

/**
 * The item that {@link encodeItem} wrote, where it is stored under `id`: that tells its kind, and a text need not repeat what it stands
 * under. Throws where the text is of another format: a newer onthedot wrote it, or none did.
 */
export function decodeItem<Id extends ItemId>(text: string, id: Id): ItemOf<Id> {
  // Which kind an id names is in its prefix, and the compiler is told by its type.
  return itemOf(text, id) as ItemOf<Id>;
}

function itemOf(text: string, id: ItemId): Item {
  switch (kindOf(id)) {
    case "job":
      return decodeJob(text);
    case "schedule":
      return decodeSchedule(text, id as Extract<Item, { incarnation: unknown }>["id"]);
    case "calendar":
      return decodeCalendar(text, id as Extract<Item, { written: unknown }>["id"]);
  }
}

export type Kind = keyof typeof prefixOfKind;
const prefixOfKind = { job: "job_", schedule: "sch_", calendar: "cal_" } as const;
const kinds = Object.keys(prefixOfKind) as Kind[];

/** The kind of item that an id names. */
export function kindOf(id: ItemId): Kind {
  const kind = kinds.find((one) => id.startsWith(prefixOfKind[one]));
  if (kind === undefined) throw new Error(`expected the id of a job, schedule or calendar, got ${id}`);
  return kind;
}

/** A larger payload never comes from a caller: whoever writes one has a bug, and a store would keep it for weeks. */
export function refuseLargePayload(bytes: Uint8Array): void {
  if (bytes.byteLength > limits.bodyBytesMax) {
    throw new RangeError(`expected a payload of at most ${limits.bodyBytesMax} bytes, got ${bytes.byteLength}`);
  }
}
