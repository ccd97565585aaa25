/** How far each range of shards has been hinted: one item a range. Written by updates alone, so that a dispatcher needs no right to read. */

import { type EpochMs, toEpochMs } from "../../core/time.ts";
import type { Cursor, Cursors } from "../../engine/ports.ts";
import { houseKeys } from "../keys.ts";
import { leaseFree, ofVersion } from "./conditions.ts";
import type { Item, Key, Table } from "./table.ts";

export function createDynamoCursors(table: Table): Cursors {
  return {
    async lease(range, { now, until, beyond }) {
      const item = await table.update(keyOf(range), { set: { leaseUntil: until }, add: { v: 1 } }, leaseFree({ now, beyond }));
      return item === "refused" ? "leased" : cursorOf(range, item);
    },
    async save({ range, version, places, leaseUntil }) {
      const set = { v: version, places: JSON.stringify(places), ...(leaseUntil === null ? {} : { leaseUntil }) };
      const remove = leaseUntil === null ? ["leaseUntil"] : [];
      return (await table.update(keyOf(range), { set, remove }, ofVersion(version - 1))) === "refused" ? "stale" : "saved";
    },
  };
}

function keyOf(range: number): Key {
  return { pk: `${houseKeys.cursor}${range}`, sk: "cursor" };
}

function cursorOf(range: number, item: Item): Cursor {
  const { v: version, places, leaseUntil } = item;
  return {
    range,
    version: Number(version),
    places: places === undefined ? {} : (JSON.parse(String(places)) as Record<number, EpochMs>),
    leaseUntil: leaseUntil === undefined ? null : toEpochMs(Number(leaseUntil)),
  };
}
