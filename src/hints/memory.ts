/**
 * Hints within one process: timers for what is named, and one walk at a time over each partition's past. Bounded: what finds no
 * room is dropped, and read from the wheel when its instant has come.
 */

import { endOf, type Hint, type NamesHint, type StretchHint, shardOf, startOf } from "../core/hint.ts";
import type { Priority } from "../core/job.ts";
import { type EpochMs, earlierOf, later, laterOf, toEpochMs } from "../core/time.ts";
import type { Clock, Hints } from "../engine/ports.ts";

export type MemoryHints = Hints & {
  /** Delivers nothing more. What was named stays on the wheel. */
  stop(): void;
  /** Names waiting for their instant. */
  depth(): number;
};

export type MemoryHintsOptions = {
  readonly clock: Clock;
  readonly shards: number;
  /** Names held at once. */
  readonly namesMax: number;
  /** Names of one moment: more than could start at it are not worth a timer and a load, for they must wait for a slot anyway. */
  readonly namesPerStepMax: number;
  readonly leadMs: number;
  /**
   * Handles one hint, and calls `started` once all of its work is under way. Must not reject: a hint is not delivered twice, for the
   * wheel holds the work.
   */
  readonly deliver: (hint: Hint, started: () => void) => Promise<void>;
};

/** Names whose release lies within the same step wake the executor together, by one timer. */
const stepMs = 10;

type Name = NamesHint["names"][number];

export function createMemoryHints(options: MemoryHintsOptions): MemoryHints {
  const timers = createTimers(options);
  const walks = createWalks(options);
  const dropped = createDropped(options, walks);

  return {
    async send(hints) {
      let answer: "sent" | "full" = "sent";
      for (const hint of hints) {
        if (hint.kind === "stretch") {
          walks.add(hint);
          continue;
        }
        const { crowded, full } = timers.add(hint);
        if (full.length > 0) answer = "full";
        for (const name of [...crowded, ...full]) dropped.add(hint.priority, name);
      }
      return answer;
    },
    stop() {
      timers.stop();
      walks.stop();
      dropped.stop();
    },
    depth: timers.depth,
  };
}

/** Holds names until a lead before their instant. */
function createTimers({ clock, namesMax, namesPerStepMax, leadMs, deliver }: MemoryHintsOptions) {
  const steps = new Map<number, { readonly hints: NamesHint[]; names: number }>();
  const held = new Map<string, EpochMs>();
  let armedAt = Number.POSITIVE_INFINITY;
  let alarm = new AbortController();
  let stopped = false;

  /** Answers the names that found no room: among those of their moment, or at all. */
  function add(hint: NamesHint): { readonly crowded: readonly Name[]; readonly full: readonly Name[] } {
    const crowded: Name[] = [];
    const full: Name[] = [];
    if (stopped) return { crowded, full };
    const parts = new Map<number, Name[]>();
    for (const name of hint.names) {
      const key = `${name.tenant} ${name.id}`;
      if (held.get(key) === name.wakeAt) continue;
      if (held.size >= namesMax) {
        full.push(name);
        continue;
      }
      const at = Math.floor((Math.max(name.wakeAt, hint.startAt) - leadMs) / stepMs) * stepMs;
      const step = steps.get(at) ?? { hints: [], names: 0 };
      // What is owed already has no moment to come: it is delivered at once, and found without a slot there.
      if (step.names >= namesPerStepMax && name.wakeAt > clock.now()) {
        crowded.push(name);
        continue;
      }
      step.names += 1;
      steps.set(at, step);
      held.set(key, name.wakeAt);
      const part = parts.get(at);
      if (part === undefined) parts.set(at, [name]);
      else part.push(name);
    }
    for (const [at, names] of parts) {
      steps.get(at)?.hints.push({ ...hint, names });
      arm(at);
    }
    return { crowded, full };
  }

  function arm(at: number): void {
    if (at >= armedAt) return;
    armedAt = at;
    alarm.abort();
    alarm = new AbortController();
    void ring(toEpochMs(at), alarm.signal);
  }

  async function ring(at: EpochMs, superseded: AbortSignal): Promise<void> {
    await clock.until(at, superseded);
    if (!superseded.aborted) release();
  }

  function release(): void {
    const now = clock.now();
    const due = [...steps].filter(([step]) => step <= now).toSorted(([a], [b]) => a - b);
    for (const [at, { hints }] of due) {
      steps.delete(at);
      for (const hint of hints) {
        for (const name of hint.names) held.delete(`${name.tenant} ${name.id}`);
        void deliver(hint, () => {});
      }
    }
    armedAt = Number.POSITIVE_INFINITY;
    if (steps.size > 0) arm(Math.min(...steps.keys()));
  }

  return {
    add,
    depth: () => held.size,
    stop() {
      stopped = true;
      alarm.abort();
    },
  };
}

/** One walk at a time over each partition: a hint that comes meanwhile makes it walk once more. */
function createWalks({ deliver }: MemoryHintsOptions) {
  const walking = new Map<string, StretchHint | undefined>();
  let stopped = false;

  /** Resolves when all that a stretch holds is under way: one long call must not keep its partition's others waiting. */
  function begin(hint: StretchHint): Promise<void> {
    return new Promise((resolve, reject) => {
      deliver(hint, resolve).then(resolve, reject);
    });
  }

  async function walk(key: string, first: StretchHint): Promise<void> {
    try {
      for (let next: StretchHint | undefined = first; next !== undefined && !stopped; next = walking.get(key)) {
        walking.set(key, undefined);
        await begin(next);
      }
    } finally {
      walking.delete(key);
    }
  }

  return {
    add(hint: StretchHint): void {
      if (stopped) return;
      const key = `${hint.shard} ${hint.priority}`;
      if (!walking.has(key)) {
        void walk(key, hint);
        return;
      }
      const next = walking.get(key);
      walking.set(key, next === undefined ? hint : unionOf(next, hint));
    },
    stop() {
      stopped = true;
    },
  };
}

function unionOf(a: StretchHint, b: StretchHint): StretchHint {
  const after = a.after.wakeAt < b.after.wakeAt ? a.after : b.after;
  const until = a.until.wakeAt > b.until.wakeAt ? a.until : b.until;
  return { ...b, after, until };
}

/** How often the past of a partition is read while instants of it that found no room are still to come. */
const rereadMs = 100;

/**
 * Remembers of each partition only the first and the last instant that found no room, and has the past read when the first comes and
 * from then on until the last has come: as much memory for a million names as for one.
 */
function createDropped({ clock, shards }: MemoryHintsOptions, walks: { add(hint: StretchHint): void }) {
  const spans = new Map<string, { first: EpochMs; last: EpochMs; alarm: AbortController }>();

  function arm(shard: number, priority: Priority, first: EpochMs, last: EpochMs): void {
    const alarm = new AbortController();
    const span = { first, last, alarm };
    spans.set(`${shard} ${priority}`, span);
    void clock.until(first, alarm.signal).then(() => {
      if (!alarm.signal.aborted) readPast(shard, priority, first, span.last);
    });
  }

  function readPast(shard: number, priority: Priority, first: EpochMs, last: EpochMs): void {
    const now = clock.now();
    walks.add({ kind: "stretch", shard, priority, after: startOf(first), until: endOf(now), cutAt: now, startAt: now });
    spans.delete(`${shard} ${priority}`);
    if (last > now) arm(shard, priority, earlierOf(later(now, rereadMs), last), last);
  }

  return {
    add(priority: Priority, { id, wakeAt }: Name): void {
      // What is past already is read by the next turn. Read here and now, an item that must wait for room would be read for ever.
      if (wakeAt <= clock.now()) return;
      const shard = shardOf(id, shards);
      const span = spans.get(`${shard} ${priority}`);
      if (span === undefined) arm(shard, priority, wakeAt, wakeAt);
      else if (wakeAt >= span.first) span.last = laterOf(span.last, wakeAt);
      else {
        span.alarm.abort();
        arm(shard, priority, wakeAt, span.last);
      }
    },
    stop() {
      for (const { alarm } of spans.values()) alarm.abort();
    },
  };
}
