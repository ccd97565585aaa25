/**
 * Where things stand: the orders of the wheel and of lists. Every store orders by
 * these, so that a place in a walk means the same in each. Part of the storage format.
 */

import type { ItemRef, WheelKey } from "../core/hint.ts";
import type { ListKey } from "../engine/ports.ts";

/** A text that names an item among all tenants'. Neither part holds a line break. */
export function itemKey(ref: ItemRef): string {
  return `${ref.tenant}\n${ref.id}`;
}

/** The order of the wheel: the oldest instant first, equal ones by id. */
export function compareWheelKeys(a: WheelKey, b: WheelKey): number {
  return a.wakeAt - b.wakeAt || compareTexts(a.id, b.id);
}

/** The order of a list: the newest first, equal ones by id, descending. */
export function compareListKeys(a: ListKey, b: ListKey): number {
  return b.createdAt - a.createdAt || compareTexts(b.id, a.id);
}

/** By code unit, which for ids (ASCII) is the order of their bytes in every database. A locale's order would differ between machines. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
