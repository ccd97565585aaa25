/** Dead letters in the table: an item each, in the list index under the house's own partition, gone by itself after its time. */

import { type DeadLetter, type DeadLetterKey, type DeadLetters, deadLetterKeptMs, deadLetterReasons } from "../../core/deadLetter.ts";
import { type EpochMs, later, toEpochMs } from "../../core/time.ts";
import { houseKeys, table as layout } from "../keys.ts";
import { vacant } from "./conditions.ts";
import { isExpired, keyOfListEntry, listSortKey, ttlOf } from "./record.ts";
import type { Item, Key, Table } from "./table.ts";

/** One partition: dead letters are few, and a thousand a second may be written to it. */
const partition = "~dead";
const sortKey = "dead";

export function dynamoDeadLetters({
  table,
  now,
}: {
  readonly table: Pick<Table, "put" | "getMany" | "query">;
  now(): EpochMs;
}): DeadLetters {
  return {
    async record(letter) {
      return (await table.put(itemOf(letter), vacant)) === "written" ? "recorded" : "exists";
    },
    async list({ after, limit }) {
      const cut = after === null ? undefined : placeOf(after);
      const index = layout.indexes.list;
      // Up to the cut, inclusive: the entry at the cut itself is not wanted again, so one more is asked for.
      const page = await table.query({ index, partition, from: "0", to: cut ?? "~", newestFirst: true, limit: limit + 1 });
      const entries = page.items.filter((entry) => entry["c"] !== cut);
      const listed = entries.slice(0, limit);
      const items = await table.getMany(listed.map((entry) => ({ pk: String(entry["pk"]), sk: sortKey })));
      const found = new Map(items.filter((item) => !isExpired(item, now())).map((item) => [item["pk"], item]));
      const letters = listed.flatMap((entry) => letterOf(found.get(String(entry["pk"]))) ?? []);
      const last = listed.at(-1);
      const hasMore = page.hasMore || entries.length > limit;
      return { letters, next: hasMore && last !== undefined ? keyOf(last) : null };
    },
  };
}

function placeOf({ receivedAt, id }: DeadLetterKey): string {
  return listSortKey({ createdAt: receivedAt, id });
}

function keyOf(entry: Item): DeadLetterKey {
  const { createdAt, id } = keyOfListEntry(entry);
  return { receivedAt: createdAt, id };
}

function itemOf({ id, receivedAt, queue, reason, body, bodyBytes, receives }: DeadLetter): Key & Item {
  const expiresAt = later(receivedAt, deadLetterKeptMs);
  return {
    ...{
      pk: `${houseKeys.deadLetter}${id}`,
      sk: sortKey,
      l: partition,
      c: placeOf({ receivedAt, id }),
      x: expiresAt,
      ttl: ttlOf(expiresAt),
    },
    ...{ receivedAt, queue, reason, body, bodyBytes, receives },
  };
}

/** Undefined where there is none, or a later release wrote one that this one cannot read. */
function letterOf(item: Item | undefined): DeadLetter | undefined {
  const reason = deadLetterReasons.find((one) => one === item?.["reason"]);
  if (item === undefined || reason === undefined) return undefined;
  return {
    id: String(item["pk"]).slice(houseKeys.deadLetter.length),
    receivedAt: toEpochMs(Number(item["receivedAt"])),
    queue: String(item["queue"]),
    reason,
    body: String(item["body"]),
    bodyBytes: Number(item["bodyBytes"]),
    receives: Number(item["receives"]),
  };
}
