/** What onthedot sends with each call beside the body: who calls, for which job, and which attempt it is. */

import type { Running } from "./job.ts";
import { type EpochMs, formatInstant, secondMs } from "./time.ts";

/** W3C Trace Context: one trace for each attempt, so that a receiver's spans hang below it. */
export type Trace = { readonly traceId: string; readonly spanId: string };

export function headersOf(
  job: Running,
  call: { readonly now: EpochMs; readonly trace: Trace; readonly userAgent: string },
): Record<string, string> {
  const headers: Record<string, string> = {
    ...job.target.headers,
    "webhook-id": job.id,
    "webhook-timestamp": String(Math.floor(call.now / secondMs)),
    "onthedot-job": job.id,
    "onthedot-attempt": String(job.attemptCount),
    "onthedot-due-at": formatInstant(job.dueAt),
    ...(job.schedule !== null && {
      "onthedot-schedule": job.schedule.name,
      "onthedot-nominal-at": formatInstant(job.schedule.nominalAt),
    }),
    traceparent: `00-${call.trace.traceId}-${call.trace.spanId}-01`,
    "user-agent": call.userAgent,
  };
  if (job.body !== null && headers["content-type"] === undefined) headers["content-type"] = job.body.contentType;
  return headers;
}
