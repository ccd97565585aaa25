/**
 * A hint as the text of one message. Read strictly: a queue may hold whatever somebody sent to it, and what is no hint of ours must
 * be told from one, for it goes to the dead letters instead of an executor.
 *
 * No foreign field is tolerated. A hint of another shape has another version, and a release reads a version before the next one
 * writes it, so that neither an upgrade nor a way back meets a text that it does not know.
 */

import { endOf, type Hint, type NamesHint, type StretchHint, startOf, type WheelKey } from "../core/hint.ts";
import { parseWheelId, type TenantId } from "../core/ids.ts";
import { type Priority, priorities } from "../core/job.ts";
import { type EpochMs, toEpochMs } from "../core/time.ts";

const version = 1;

/** Of one message, and of one batch together. AWS takes four times as much by now; not all that stands in for it does. */
export const messageBytesMax = 256 * 1_024;

/** More than any executor could hold at once. */
export const namesMax = 1_000;

/** A text of ours is ASCII, so characters are bytes. */
const messageCharsMax = messageBytesMax;

/** More than any wheel may have: the number of shards is a deploy's choice, which a message does not know. */
const shardsMax = 65_536;

const instantMax = 8.64e15;

const tenantPattern = /^[\w.-]{1,64}$/;

/** The places of a stretch's ends that are no item's. */
const firstId = startOf(toEpochMs(0)).id;
const lastId = endOf(toEpochMs(0)).id;

export function writeHint(hint: Hint): string {
  switch (hint.kind) {
    case "names": {
      const { kind, priority, startAt } = hint;
      return JSON.stringify({
        v: version,
        kind,
        priority,
        startAt,
        names: hint.names.map(({ tenant, id, wakeAt }) => [tenant, id, wakeAt]),
      });
    }
    case "stretch": {
      const { kind, shard, priority, after, until, cutAt, startAt } = hint;
      return JSON.stringify({ v: version, kind, shard, priority, after: placeOf(after), until: placeOf(until), cutAt, startAt });
    }
  }
}

/** Undefined: no hint that `writeHint` made. Never throws. */
export function readHint(text: string): Hint | undefined {
  if (text.length > messageCharsMax) return undefined;
  const written = parse(text);
  if (typeof written !== "object" || written === null || Array.isArray(written)) return undefined;
  const fields = written as Readonly<Record<string, unknown>>;
  if (fields["v"] !== version || !isPriority(fields["priority"]) || !isInstant(fields["startAt"])) return undefined;
  const { kind, priority, startAt } = fields;
  switch (kind) {
    case "names":
      return readNames(fields, priority, startAt);
    case "stretch":
      return readStretch(fields, priority, startAt);
    default:
      return undefined;
  }
}

const namesFields = 5;

function readNames(fields: Readonly<Record<string, unknown>>, priority: Priority, startAt: EpochMs): NamesHint | undefined {
  const { names: written } = fields;
  if (Object.keys(fields).length !== namesFields || !Array.isArray(written)) return undefined;
  if (written.length === 0 || written.length > namesMax) return undefined;
  const names = written.map(readName).filter((name) => name !== undefined);
  return names.length === written.length ? { kind: "names", priority, startAt, names } : undefined;
}

function readName(written: unknown): NamesHint["names"][number] | undefined {
  if (!Array.isArray(written) || written.length !== 3) return undefined;
  const [tenant, idText, wakeAt] = written as readonly unknown[];
  const id = typeof idText === "string" ? parseWheelId(idText) : undefined;
  if (id === undefined || !isTenant(tenant) || !isInstant(wakeAt)) return undefined;
  return { tenant, id, wakeAt };
}

const stretchFields = 8;

function readStretch(fields: Readonly<Record<string, unknown>>, priority: Priority, startAt: EpochMs): StretchHint | undefined {
  const { shard, cutAt } = fields;
  const after = readPlace(fields["after"]);
  const until = readPlace(fields["until"]);
  if (Object.keys(fields).length !== stretchFields || after === undefined || until === undefined) return undefined;
  if (!isInstant(cutAt) || !isShard(shard)) return undefined;
  return { kind: "stretch", shard, priority, after, until, cutAt, startAt };
}

function placeOf({ wakeAt, id }: WheelKey): readonly [EpochMs, string] {
  return [wakeAt, id];
}

function readPlace(written: unknown): WheelKey | undefined {
  if (!Array.isArray(written) || written.length !== 2) return undefined;
  const [wakeAt, id] = written as readonly unknown[];
  if (!isInstant(wakeAt) || typeof id !== "string") return undefined;
  return id === firstId || id === lastId || parseWheelId(id) !== undefined ? { wakeAt, id } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON, so no hint: the caller is told by the answer.
    return undefined;
  }
}

function isPriority(value: unknown): value is Priority {
  return priorities.some((priority) => priority === value);
}

function isTenant(value: unknown): value is TenantId {
  return typeof value === "string" && tenantPattern.test(value);
}

/** Whole milliseconds that a `Date` can hold: none other can be shown, logged or compared with a clock. */
function isInstant(value: unknown): value is EpochMs {
  return Number.isSafeInteger(value) && Math.abs(Number(value)) <= instantMax;
}

function isShard(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < shardsMax;
}
