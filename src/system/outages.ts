/**
 * The lines that an outage would write by the thousand: while a disk is full, each job that is owed fails once a second, and so does
 * each request. Of each message the first is written at once, then one in a while, which says how many went unsaid. All are counted in the metrics.
 */

import { secondMs } from "../core/time.ts";
import type { Fields, Log } from "./log.ts";

/** As often as somebody who watches looks again, and a few thousand lines for the worst day. */
const quietMs = 10 * secondMs;

/** `message` is one of a few fixed sentences; what differs from case to case stands in the fields. */
export type TellOutage = (message: string, fields: Fields) => void;

/** `elapsedMs`: of the monotonic clock, for an outage may well come with a clock that is set. */
export function createOutageLog(log: Log, elapsedMs: () => number = () => performance.now()): TellOutage {
  const told = new Map<string, { readonly atMs: number; unsaid: number }>();
  return (message, fields) => {
    const last = told.get(message);
    const nowMs = elapsedMs();
    if (last !== undefined && nowMs - last.atMs < quietMs) {
      last.unsaid += 1;
      return;
    }
    told.set(message, { atMs: nowMs, unsaid: 0 });
    log(
      "warn",
      last === undefined || last.unsaid === 0 ? message : `${message} (and ${last.unsaid} times since the last such line)`,
      fields,
    );
  };
}
