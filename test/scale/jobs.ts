/** The jobs as columns of numbers, by their instants, and the wheel's pages over them. A job's number is its place in the order of instants. */

import { shardOf, type WheelEntry, type WheelKey } from "../../src/core/hint.ts";
import { type JobId, soleTenant } from "../../src/core/ids.ts";
import { toEpochMs } from "../../src/core/time.ts";

const never = 2 ** 31 - 1;

export type Jobs = ReturnType<typeof createJobs>;

/** `dueAt` must rise with the job's number. */
export function createJobs(count: number, shards: number, dueAt: (job: number) => number) {
  const due = new Int32Array(count).map((_, job) => dueAt(job));
  const created = new Int32Array(count).fill(never);
  const claimed = new Int32Array(count).fill(never);
  const started = new Int32Array(count).fill(never);
  const finished = new Int32Array(count).fill(never);
  const hinted = new Uint8Array(count);
  const shardOfJob = new Uint16Array(count).map((_, job) => shardOf(idOf(job), shards));
  const byShard = split(shardOfJob, shards);
  /** For each place in a shard's order: how far to go on where the job is over. */
  const onward = byShard.map((jobs) => new Int32Array(jobs.length + 1));

  /** The first place from `place` on whose job is not over. Asked with rising times only. */
  function firstLive(shard: number, place: number, now: number): number {
    const [jobs, skip] = [byShard[shard], onward[shard]];
    if (jobs === undefined || skip === undefined) return 0;
    let at = place;
    while (at < jobs.length && (finished[jobs[at] ?? 0] ?? never) <= now) at = Math.max(at + 1, skip[at] ?? 0);
    for (let back = place; back < at; ) {
      const next = Math.max(back + 1, skip[back] ?? 0);
      skip[back] = at;
      back = next;
    }
    return at;
  }

  /** The place of the first job of a shard after the key. */
  function placeAfter(shard: number, key: WheelKey): number {
    const jobs = byShard[shard] ?? new Int32Array();
    const isAfter = (job: number) => {
      const at = due[job] ?? 0;
      return at > key.wakeAt || (at === key.wakeAt && idOf(job) > key.id);
    };
    let [low, high] = [0, jobs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAfter(jobs[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  return {
    ...{ count, due, created, claimed, started, finished, hinted },
    shardOf: (job: number) => shardOfJob[job] ?? 0,
    /** Numbers of the jobs that stand on a shard of the wheel between the keys, oldest first. */
    page(shard: number, { after, until, limit, now }: { after: WheelKey; until: WheelKey; limit: number; now: number }): number[] {
      const jobs = byShard[shard] ?? new Int32Array();
      const end = placeAfter(shard, until);
      const found: number[] = [];
      for (let at = firstLive(shard, placeAfter(shard, after), now); at < end && found.length < limit; at = firstLive(shard, at + 1, now)) {
        const job = jobs[at] ?? 0;
        if ((created[job] ?? never) <= now) found.push(job);
      }
      return found;
    },
    entry: (job: number): WheelEntry => ({
      tenant: soleTenant,
      id: idOf(job),
      wakeAt: toEpochMs(due[job] ?? 0),
      hinted: hinted[job] === 1,
    }),
    key: (job: number): WheelKey => ({ wakeAt: toEpochMs(due[job] ?? 0), id: idOf(job) }),
    isOver: (job: number, now: number) => (finished[job] ?? never) <= now,
    isClaimed: (job: number, now: number) => (claimed[job] ?? never) <= now,
    startedAt: (job: number) => ((started[job] ?? never) === never ? undefined : started[job]),
    isTaken: (job: number) => (claimed[job] ?? never) !== never,
    startedCount: () => started.reduce((sum, at) => sum + (at === never ? 0 : 1), 0),
  };
}

function split(shardOfJob: Uint16Array, shards: number): Int32Array[] {
  const counts = new Int32Array(shards);
  for (const shard of shardOfJob) counts[shard] = (counts[shard] ?? 0) + 1;
  const parts = Array.from(counts, (count) => new Int32Array(count));
  const filled = new Int32Array(shards);
  shardOfJob.forEach((shard, job) => {
    const part = parts[shard];
    const place = filled[shard] ?? 0;
    if (part !== undefined) part[place] = job;
    filled[shard] = place + 1;
  });
  return parts;
}

/** The order of ids is that of numbers, as the order of random ids is that of creation. */
function idOf(job: number): JobId {
  return `job_${String(job).padStart(9, "0")}` as JobId;
}

export function jobOf(id: string): number {
  return Number(id.slice(4));
}
