/** The history sorted by what it is about: one story for each job, one life for each process. The checks read these. */

import type { Job } from "../../../src/core/job.ts";
import { type EpochMs, later, toEpochMs } from "../../../src/core/time.ts";
import type { Asked, Told } from "../clients.ts";
import type { CallEnd, Happening } from "../history.ts";
import { clockOff, timeoutKill } from "../process.ts";

export type Violation = { readonly invariant: string; readonly message: string };

export type Stored = Extract<Happening, { kind: "stored" }>;
export type Sent = Extract<Happening, { kind: "sent" }>;

/** One call on the wire, from its first byte to its end. */
export type WireCall = Sent & { overAt: EpochMs; how: CallEnd; status: number | null; retryAfterMs: number };

/** One question of a client and what it heard; `toldAt` is the end of time where it heard nothing. */
export type Exchange = {
  readonly op: number;
  readonly askedAt: EpochMs;
  readonly by: string;
  readonly asked: Asked;
  toldAt: EpochMs;
  told: Told;
};

export type Story = { readonly id: string; readonly changes: Stored[]; readonly calls: WireCall[] };

export type Life = {
  readonly name: string;
  readonly beganAt: EpochMs;
  endedAt: EpochMs;
  why: string;
  /** Its clock was right at first, and then far off. */
  clockStepped: boolean;
  readonly faults: { readonly from: EpochMs; readonly until: EpochMs }[];
};

export type Chronicle = {
  readonly stories: ReadonlyMap<string, Story>;
  readonly exchanges: readonly Exchange[];
  readonly lives: ReadonlyMap<string, Life>;
  readonly calls: readonly WireCall[];
  readonly calmAt: EpochMs;
  readonly endedAt: EpochMs;
};

const endOfTime = toEpochMs(Number.MAX_SAFE_INTEGER);

export function chronicleOf(history: readonly Happening[]): Chronicle {
  const stories = new Map<string, Story>();
  const exchanges = new Map<number, Exchange>();
  const lives = new Map<string, Life>();
  const calls = new Map<number, WireCall>();
  let calmAt = endOfTime;
  const storyOf = (id: string): Story => {
    const known = stories.get(id) ?? { id, changes: [], calls: [] };
    stories.set(id, known);
    return known;
  };
  for (const happening of history) {
    switch (happening.kind) {
      case "stored":
        storyOf(happening.after.id).changes.push(happening);
        break;
      case "sent": {
        const call: WireCall = { ...happening, overAt: endOfTime, how: "cut", status: null, retryAfterMs: 0 };
        calls.set(call.call, call);
        storyOf(call.job).calls.push(call);
        break;
      }
      case "over": {
        const { at: overAt, how, status, retryAfterMs } = happening;
        Object.assign(calls.get(happening.call) ?? {}, { overAt, how, status, retryAfterMs });
        break;
      }
      case "asked": {
        const { op, by, asked, at: askedAt } = happening;
        exchanges.set(op, { op, by, asked, askedAt, toldAt: endOfTime, told: { kind: "unavailable" } });
        break;
      }
      case "told":
        Object.assign(exchanges.get(happening.op) ?? {}, { toldAt: happening.at, told: happening.told });
        break;
      case "began":
        lives.set(happening.by, {
          name: happening.by,
          beganAt: happening.at,
          endedAt: endOfTime,
          why: "lives",
          clockStepped: false,
          faults: [],
        });
        break;
      case "ended":
        Object.assign(lives.get(happening.by) ?? {}, { endedAt: happening.at, why: happening.why });
        endLife(lives.get(happening.by), happening);
        break;
      case "fault":
        suffer(lives.get(happening.by), happening);
        break;
      case "calm":
        calmAt = happening.at;
        break;
      default:
        break;
    }
  }
  const endedAt = history.at(-1)?.at ?? calmAt;
  return { stories, exchanges: [...exchanges.values()], lives, calls: [...calls.values()], calmAt, endedAt };
}

function suffer(life: Life | undefined, { at, what, lastsMs }: Extract<Happening, { kind: "fault" }>): void {
  if (life === undefined) return;
  life.faults.push({ from: at, until: later(at, lastsMs) });
  life.clockStepped ||= what.startsWith(clockOff) && at > life.beganAt;
}

/** A process that ran into its timeout though nothing had gone wrong for it started what it had no time for: that excuses nothing. */
function endLife(life: Life | undefined, { at, why }: { at: EpochMs; why: string }): void {
  if (life === undefined || why === "done") return;
  if (why === timeoutKill && life.faults.length === 0) return;
  life.faults.push({ from: at, until: at });
}

/** Whether something went wrong for a process between two instants: it died, froze, or was not answered. */
export function hadFault(chronicle: Chronicle, by: string, from: EpochMs, until: EpochMs): boolean {
  return chronicle.lives.get(by)?.faults.some((fault) => fault.until >= from && fault.from <= until) ?? false;
}

export function describe(job: Job): string {
  return `${job.target.url.slice(job.target.url.lastIndexOf("/") + 1)} ${job.id} (${job.state}, attempt ${job.attemptCount}, version ${job.version})`;
}
