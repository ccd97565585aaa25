/**
 * Ids: a prefix that names the kind, and 26 characters of Crockford base 32 (130 bits; the first carries only 3 of a random id's 128).
 * A random id sorts by creation; an id derived from an idempotency key is the same wherever it is computed.
 */

import { createHash } from "node:crypto";
import type { EpochMs } from "./time.ts";

declare const brand: unique symbol;

export type JobId = `job_${string}` & { readonly [brand]: "JobId" };
/** Stands for a schedule's name: the same wherever it is computed, so that a name has one schedule. */
export type ScheduleId = `sch_${string}` & { readonly [brand]: "ScheduleId" };
/** Stands for a calendar's name. */
export type CalendarId = `cal_${string}` & { readonly [brand]: "CalendarId" };
export type ItemId = JobId | ScheduleId | CalendarId;
export type TenantId = string & { readonly [brand]: "TenantId" };
/** Names one body or excerpt. Random and never used twice, so what it names never changes. */
export type PayloadId = string & { readonly [brand]: "PayloadId" };
/** Names one commit, so that a writer recognises its own after a lost reply. */
export type ChangeId = string & { readonly [brand]: "ChangeId" };
/** The proof that an executor holds a job. A new one for each claim. */
export type LeaseToken = string & { readonly [brand]: "LeaseToken" };

/** The tenant of an installation that has only one. */
export const soleTenant = "main" as TenantId;

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const idChars = 26;
const jobIdPattern = /^job_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const wheelIdPattern = /^(?:job|sch)_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** Writes the low `chars × 5` bits of a big-endian number. */
function encode(bytes: Uint8Array, chars: number): string {
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (let index = bytes.length - 1; index >= 0; index--) {
    buffer |= (bytes[index] ?? 0) << bits;
    bits += 8;
    while (bits >= 5 && text.length < chars) {
      text = alphabet[buffer & 31] + text;
      buffer >>>= 5;
      bits -= 5;
    }
  }
  while (text.length < chars) {
    text = alphabet[buffer & 31] + text;
    buffer >>>= 5;
  }
  return text;
}

/** A new job's id: 48 bits of its creation instant, then 80 random bits. `random` has at least 10 bytes. */
export function jobIdAt(createdAt: EpochMs, random: Uint8Array): JobId {
  const bytes = new Uint8Array(16);
  let rest: number = createdAt;
  for (let index = 5; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  return `job_${encode(bytes, idChars)}` as JobId;
}

/** The id that a tenant's key stands for. Two creates with one key meet in one item, wherever they run. */
export function jobIdOfKey(tenant: TenantId, key: string): JobId {
  return derived("job", "job", tenant, key) as JobId;
}

/**
 * The id of the job that a schedule owes for a nominal instant, so that there is one however often it is inserted. `incarnation` tells it
 * from the jobs of a schedule that had the same name before.
 */
export function jobIdOfOccurrence(
  schedule: { readonly id: ScheduleId; readonly incarnation: string },
  origin: string,
  nominalAt: EpochMs,
): JobId {
  return derived("job", origin, schedule.id, `${schedule.incarnation}\n${nominalAt}`) as JobId;
}

export function scheduleIdOf(tenant: TenantId, name: string): ScheduleId {
  return derived("sch", "schedule", tenant, name) as ScheduleId;
}

export function calendarIdOf(tenant: TenantId, name: string): CalendarId {
  return derived("cal", "calendar", tenant, name) as CalendarId;
}

function derived(prefix: string, ...parts: readonly string[]): string {
  const digest = createHash("sha256").update(parts.join("\n")).digest();
  return `${prefix}_${encode(digest.subarray(0, 16), idChars)}`;
}

/** Short random names (payloads, changes, tokens): `random` bytes in base 32. */
export function nameOf(random: Uint8Array): string {
  return encode(random, Math.ceil((random.length * 8) / 5));
}

/** A caller's text as a job id; undefined when it cannot be one. */
export function parseJobId(text: string): JobId | undefined {
  return jobIdPattern.test(text) ? (text as JobId) : undefined;
}

/** A text as the id of an item that may stand on the wheel; undefined when it cannot be one. */
export function parseWheelId(text: string): JobId | ScheduleId | undefined {
  return wheelIdPattern.test(text) ? (text as JobId | ScheduleId) : undefined;
}

export function isScheduleId(id: ItemId): id is ScheduleId {
  return id.startsWith("sch_");
}

/**
 * A stable 32-bit number for a text (FNV-1a): places items on shards. Not for secrets. Changing it moves every item,
 * so it is part of the storage format.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
