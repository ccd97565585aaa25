/** What happened in one simulated world, in true time and in order: what the checks judge, and what a failing seed's log shows. */

import type { Hint } from "../../src/core/hint.ts";
import type { Job } from "../../src/core/job.ts";
import type { Schedule } from "../../src/core/schedule.ts";
import { type EpochMs, formatInstant } from "../../src/core/time.ts";
import type { Asked, Told } from "./clients.ts";

/** How a call left the wire. "cut": its process died; the target may have done its work, but nobody heard the answer. */
export type CallEnd = "answered" | "broken" | "timed_out" | "aborted" | "cut";

export type Happening = { readonly at: EpochMs } /** A write took effect. `from`: what its writer had seen; undefined for an insert. */ & (
  | { readonly kind: "stored"; readonly by: string; readonly from: Job | undefined; readonly before: Job | undefined; readonly after: Job }
  /** As "stored", of a schedule. `page`: what the last page of its log holds at this moment, as text; undefined where none was written. */
  | {
      readonly kind: "ruled";
      readonly by: string;
      readonly from: Schedule | undefined;
      readonly before: Schedule | undefined;
      readonly after: Schedule;
      readonly page: string | undefined;
    }
  /** A write that found another version and changed nothing. */
  | { readonly kind: "stale"; readonly by: string; readonly item: string }
  /** The first byte left. `record` is what the store held at that moment. */
  | {
      readonly kind: "sent";
      readonly call: number;
      readonly by: string;
      readonly label: string;
      readonly job: string;
      readonly attempt: number;
      readonly content: string;
      readonly record: Job | undefined;
    }
  | {
      readonly kind: "over";
      readonly call: number;
      readonly how: CallEnd;
      readonly status: number | null;
      readonly retryAfterMs: number;
    }
  | { readonly kind: "asked"; readonly op: number; readonly by: string; readonly asked: Asked }
  | { readonly kind: "told"; readonly op: number; readonly told: Told }
  | { readonly kind: "began"; readonly by: string }
  /** "done": it came to its end by itself; nothing of it was cut short. */
  | { readonly kind: "ended"; readonly by: string; readonly why: string }
  /** `lastsMs`: how long the process suffers from it. */
  | { readonly kind: "fault"; readonly by: string; readonly what: string; readonly lastsMs: number }
  | { readonly kind: "hinted"; readonly by: string; readonly hint: Hint }
  | { readonly kind: "turned"; readonly by: string; readonly named: number; readonly stretches: number }
  /** The further ticks that stand, and what the base tick goes by. */
  | { readonly kind: "ticks"; readonly baseOf: number; readonly further: readonly { readonly range: number; readonly of?: number }[] }
  /** A message went to the dead letters. */
  | { readonly kind: "dead"; readonly message: string; readonly why: string; readonly receives: number }
  /** What was no hint stands in a record. */
  | { readonly kind: "buried"; readonly message: string }
  | { readonly kind: "read"; readonly by: string; readonly jobs: number }
  /** The engine threw what is no outage. */
  | { readonly kind: "threw"; readonly by: string; readonly error: string }
  | { readonly kind: "calm" }
);

/** Omit that keeps the union's members apart. */
type Untimed<T> = T extends unknown ? Omit<T, "at"> : never;
export type News = Untimed<Happening>;

/** One line for people; the same history gives the same lines, byte for byte. */
export function lineOf(happening: Happening): string {
  return `${formatInstant(happening.at).slice(11, 23)} ${happening.kind.padEnd(6)} ${detailOf(happening)}`.trimEnd();
}

function detailOf(happening: Happening): string {
  switch (happening.kind) {
    case "stored":
      return `${happening.by} ${shown(happening.before)} -> ${shown(happening.after)} (${happening.after.because}) ${nameOfJob(happening.after)}`;
    case "ruled":
      return `${happening.by} ${happening.after.name} ${shownSchedule(happening.before)} -> ${shownSchedule(happening.after)}`;
    case "stale":
      return `${happening.by} ${happening.item}`;
    case "sent":
      return `${happening.by} call ${happening.call} attempt ${happening.attempt} of ${happening.label} ${happening.job} content ${happening.content}`;
    case "over":
      return `call ${happening.call} ${happening.how} ${happening.status ?? ""}`;
    case "asked":
      return `${happening.by} op ${happening.op} ${JSON.stringify(happening.asked)}`;
    case "told":
      return `op ${happening.op} ${JSON.stringify(happening.told)}`;
    case "began":
      return happening.by;
    case "ended":
      return `${happening.by} ${happening.why}`;
    case "fault":
      return `${happening.by} ${happening.what}`;
    case "hinted":
      return `${happening.by} ${shownHint(happening.hint)}`;
    case "turned":
      return `${happening.by} named ${happening.named}, stretches ${happening.stretches}`;
    case "ticks":
      return `base of ${happening.baseOf}${happening.further.map(({ range, of }) => `, ${range} of ${of}`).join("")}`;
    case "dead":
      return `${happening.message} ${happening.why} after ${happening.receives}`;
    case "buried":
      return happening.message;
    case "read":
      return `${happening.by} ${happening.jobs}`;
    case "threw":
      return `${happening.by} ${happening.error}`;
    case "calm":
      return "faults are off from here";
  }
}

function nameOfJob(job: Job): string {
  return `${job.target.url.slice(job.target.url.lastIndexOf("/") + 1)} ${job.id}`;
}

function shown(job: Job | undefined): string {
  if (job === undefined) return "nothing";
  const wheel = job.state === "waiting" ? ` wake ${shownAt(job.wakeAt)}${job.hinted ? " hinted" : ""}` : "";
  const lease = job.state === "running" ? ` until ${shownAt(job.leaseUntil)}` : "";
  return `${job.state} v${job.version} #${job.attemptCount}${wheel}${lease}`;
}

function shownSchedule(schedule: Schedule | undefined): string {
  if (schedule === undefined) return "nothing";
  const { state, version, next, taken, buffered, decidedUntil, counts } = schedule;
  const parts = [
    `${state} v${version} decided ${shownAt(decidedUntil)} next ${next === null ? "none" : shownAt(next.nominalAt)}`,
    ...("wakeAt" in schedule ? [`wake ${shownAt(schedule.wakeAt)}${schedule.hinted ? " hinted" : ""}`] : []),
    ...(taken === null ? [] : [`taken ${taken.owed.map(({ nominalAt }) => shownAt(nominalAt)).join(",")}`]),
    ...(buffered.length === 0 ? [] : [`buffered ${buffered.map(({ nominalAt }) => shownAt(nominalAt)).join(",")}`]),
    `counts ${Object.values(counts).join("/")}`,
  ];
  return parts.join(" ");
}

function shownAt(at: EpochMs): string {
  return formatInstant(at).slice(11, 23);
}

function shownHint(hint: Hint): string {
  if (hint.kind === "names")
    return `${hint.priority} names ${hint.names.map((name) => name.id.slice(-6)).join(",")} at ${shownAt(hint.startAt)}`;
  return `${hint.priority} stretch ${hint.shard} ${shownAt(hint.after.wakeAt)}..${shownAt(hint.until.wakeAt)} cut ${shownAt(hint.cutAt)}`;
}
