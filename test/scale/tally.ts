/** What a run counts: units, requests and time that AWS bills, and for what jobs and messages had to wait. */

export type Tally = ReturnType<typeof createTally>;
export type Counts = Omit<Tally, "waits" | "waited" | "causes">;

/** What can hold a job up, from the message to the first byte. */
export type Cause =
  | "dispatcher"
  | "pollers"
  | "concurrency"
  | "new environments"
  | "table writes"
  | "wheel writes"
  | "list writes"
  | "reads"
  | "executor CPU";

/** `countsFrom`: what is held up earlier belongs to the settling in. */
export function createTally(countsFrom: number) {
  const waits = new Map<Cause, { firstAt: number; waitMs: number }>();
  return {
    starts: 0,
    /** Messages. */
    ...{ namesHints: 0, stretchHints: 0, ownHints: 0, sendRequests: 0, namesDropped: 0, stretchesDropped: 0 },
    /** Requests of SQS beside sending: one receive and one delete for each message, as batches are of one. */
    handled: 0,
    /** Work that was done in vain or again. */
    ...{ refusedWrites: 0, extraLoads: 0, outages: 0 },
    ...{ turns: 0, turnMs: 0, turnsCutShort: 0, queries: 0, pageUnits: 0 },
    invocationMs: 0,
    waits,
    /** Waits below a tenth of a second are not held against anything: that is what "on time" allows. */
    waited(cause: Cause, at: number, waitMs: number, jobs = 1): void {
      if (waitMs < 100 || at < countsFrom) return;
      const so = waits.get(cause) ?? { firstAt: at, waitMs: 0 };
      waits.set(cause, { firstAt: Math.min(so.firstAt, at), waitMs: so.waitMs + waitMs * jobs });
    },
    /** The cause that held up jobs first, of those that cost at least a hundredth of all waiting, and the one that cost most. */
    causes(): { readonly first: Cause | null; readonly most: Cause | null } {
      const total = [...waits.values()].reduce((sum, { waitMs }) => sum + waitMs, 0);
      const all = [...waits].filter(([, { waitMs }]) => waitMs >= total / 100);
      const first = all.toSorted((a, b) => a[1].firstAt - b[1].firstAt)[0]?.[0] ?? null;
      const most = all.toSorted((a, b) => b[1].waitMs - a[1].waitMs)[0]?.[0] ?? null;
      return { first, most };
    },
  };
}

export function countsOf({ waits: _, waited: __, causes: ___, ...counts }: Tally): Counts {
  return counts;
}
