/**
 * A table in memory that counts what DynamoDB would bill: write units by the size of what is written and by what changes in each index,
 * read units by the size of what is read. Refused conditions are billed too, and counted apart. `test/database` holds it against a real one.
 */

import type { Item, Key, Page, Table } from "../../src/store/dynamo/table.ts";
import { table as layout } from "../../src/store/keys.ts";
import { holds } from "../simulation/conditions.ts";

export type Bill = {
  /** Calls of each verb. */
  calls: Record<"put" | "update" | "get" | "getMany" | "query", number>;
  /** Of the table and its indexes. */
  writeUnits: number;
  /** Units of writes whose condition did not hold. */
  refusedUnits: number;
  readUnits: number;
};

export type MeteredTable = { readonly table: Table; readonly bill: () => Bill; reset(): void };

const writeUnitBytes = 1_024;
const readUnitBytes = 4_096;

export function meteredTable(): MeteredTable {
  const items = new Map<string, Item>();
  let bill = emptyBill();

  function write(key: Key, after: Item): void {
    const before = items.get(itemKey(key));
    bill.writeUnits += unitsOf(before, after);
    items.set(itemKey(key), after);
  }

  function isRefused(key: Key, condition: Parameters<Table["put"]>[1]): boolean {
    const standing = items.get(itemKey(key));
    if (condition === undefined || holds(condition, standing)) return false;
    bill.refusedUnits += Math.max(1, Math.ceil(sizeOf(standing ?? key) / writeUnitBytes));
    return true;
  }

  return {
    bill: () => structuredClone(bill),
    reset() {
      bill = emptyBill();
    },
    table: {
      async put(item, condition) {
        bill.calls.put += 1;
        if (isRefused(item, condition)) return "refused";
        write(item, item);
        return "written";
      },
      async update(key, { set = {}, remove = [], add = {} }, condition) {
        bill.calls.update += 1;
        if (isRefused(key, condition)) return "refused";
        const after: Record<string, Item[string]> = { ...key, ...items.get(itemKey(key)), ...set };
        for (const [name, count] of Object.entries(add)) after[name] = Number(after[name] ?? 0) + count;
        for (const name of remove) delete after[name];
        write(key, after);
        return after;
      },
      async get(key) {
        bill.calls.get += 1;
        const item = items.get(itemKey(key));
        bill.readUnits += readUnits(sizeOf(item ?? {}));
        return item;
      },
      async getMany(keys) {
        bill.calls.getMany += 1;
        const found = keys.map((key) => items.get(itemKey(key)));
        for (const item of found) bill.readUnits += readUnits(sizeOf(item ?? {}));
        return found.filter((item) => item !== undefined);
      },
      async query(page) {
        bill.calls.query += 1;
        const found = entriesOf([...items.values()], page);
        const read = found.slice(0, page.limit);
        const bytes = read.reduce((sum, item) => sum + sizeOf(entryOf(item, page.index.name)), 0);
        // An index is read without consistency, at half the price.
        bill.readUnits += readUnits(bytes) / 2;
        return { items: read, hasMore: found.length > page.limit };
      },
    },
  };
}

function emptyBill(): Bill {
  return { calls: { put: 0, update: 0, get: 0, getMany: 0, query: 0 }, writeUnits: 0, refusedUnits: 0, readUnits: 0 };
}

function itemKey({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}

function entriesOf(items: readonly Item[], { index, partition, from, to, newestFirst = false }: Page): Item[] {
  const sortOf = (item: Item) => String(item[index.sortKey]);
  const found = items.filter((item) => item[index.partitionKey] === partition && sortOf(item) >= from && sortOf(item) <= to);
  return found.toSorted((a, b) => (sortOf(a) < sortOf(b) !== newestFirst ? -1 : 1));
}

/** As DynamoDB bills a write: the larger of the item before and after, and for each index what leaves it and what comes into it. */
export function unitsOf(before: Item | undefined, after: Item): number {
  const larger = Math.max(sizeOf(before ?? {}), sizeOf(after));
  const indexUnits = Object.values(layout.indexes).reduce((sum, { name, partitionKey, sortKey }) => {
    const [left, came] = [before === undefined ? {} : entryOf(before, name), entryOf(after, name)];
    const isIn = (item: Item | undefined) => item?.[partitionKey] !== undefined && item[sortKey] !== undefined;
    const moves = before?.[partitionKey] !== after[partitionKey] || before?.[sortKey] !== after[sortKey];
    if (isIn(before) && isIn(after) && !moves) return sum + (JSON.stringify(left) === JSON.stringify(came) ? 0 : units(sizeOf(came)));
    return sum + (isIn(before) ? units(sizeOf(left)) : 0) + (isIn(after) ? units(sizeOf(came)) : 0);
  }, 0);
  return units(larger) + indexUnits;
}

function entryOf(item: Item, indexName: string): Item {
  const index = Object.values(layout.indexes).find(({ name }) => name === indexName);
  if (index === undefined) throw new Error(`expected an index of the table, got ${indexName}`);
  const projected: readonly string[] = ["pk", "sk", index.partitionKey, index.sortKey, ...index.projects];
  return Object.fromEntries(Object.entries(item).filter(([name]) => projected.includes(name)));
}

/** The names and values, as the developer's guide counts them: texts in UTF-8, two digits of a number in a byte. */
export function sizeOf(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: Item[string]): number {
  switch (typeof value) {
    case "string":
      return Buffer.byteLength(value);
    case "number":
      return Math.ceil(String(value).replace(/\D/g, "").length / 2) + 1;
    case "boolean":
      return 1;
    default:
      return value?.byteLength ?? 0;
  }
}

function units(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / writeUnitBytes));
}

/** Of a consistent read. What is not there is billed as the smallest. */
function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / readUnitBytes));
}
