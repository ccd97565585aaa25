/**
 * Chance and ids from the system. Ids are made several times for each job, so their random bytes are drawn from a pool: one call of the
 * system for some hundred ids.
 */

import { randomFillSync } from "node:crypto";
import { type ChangeId, jobIdAt, type LeaseToken, nameOf, type PayloadId } from "../core/ids.ts";
import type { Chance, Ids } from "../engine/ports.ts";

/** Spreads retries and lonely hints. Nobody gains by guessing it, so it need not be unguessable. */
export const chance: Chance = () => Math.random();

/** Tells a commit from the other twenty in one job's history: 40 bits are plenty, and each stands twenty times in the item. */
const changeBytes = 5;
/** Tells a lease's holder from every other of the same job. */
const tokenBytes = 10;
/** Unique over all time and tenants, without a condition on the write. */
const payloadBytes = 16;
/** The sizes of the ids of W3C Trace Context. */
const traceBytes = 16;
const spanBytes = 8;
const jobBytes = 10;

const poolBytes = 4_096;

export function createIds(): Ids {
  const draw = createPool();
  return {
    job: (createdAt) => jobIdAt(createdAt, draw(jobBytes)),
    payload: () => nameOf(draw(payloadBytes)) as PayloadId,
    change: () => nameOf(draw(changeBytes)) as ChangeId,
    token: () => nameOf(draw(tokenBytes)) as LeaseToken,
    trace: () => ({ traceId: draw(traceBytes).toString("hex"), spanId: draw(spanBytes).toString("hex") }),
  };
}

/** Answers fresh random bytes. They are a view that the next refill overwrites: read them before asking again. */
function createPool(): (byteCount: number) => Buffer {
  const pool = Buffer.allocUnsafe(poolBytes);
  let used = poolBytes;
  return (byteCount) => {
    if (used + byteCount > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += byteCount;
    return pool.subarray(used - byteCount, used);
  };
}
