/**
 * Planted bugs: mistakes of one line that somebody could make, each of which the simulation must catch within `seedsMax` seeds. One that
 * survives is a hole in the checks or in the fault menu. And guards that stand behind other guards: with one of them off, everything
 * must still hold, or the other was never there.
 */

import { type Bug, planted } from "./bug.ts";
import { scheduleBugs } from "./scheduleBugs.ts";

export const seedsMax = 500;

export const bugs: readonly Bug[] = [
  ...scheduleBugs,
  planted("the store writes over any version", "home", 1, [["store/memory.ts", "standing.version === from.version && ", ""]]),
  planted("the table is written over any version", "cloud", 1, [
    ["store/dynamo/store.ts", "table.put(itemOf(to, shards), unchangedSince(seen))", "table.put(itemOf(to, shards))"],
  ]),
  planted("an insert into the table replaces what stands under its key", "cloud", 1, [
    ["store/dynamo/store.ts", "table.put(itemOf(item, shards), vacantAt(now()))", "table.put(itemOf(item, shards))"],
  ]),
  planted("a stale write is taken for a committed one", "cloud", 1, [["engine/commit.ts", 'if (answer === "stale") return "stale";', ""]]),
  planted("an insert replaces what stands under its key", "home", 1, [
    ["store/memory.ts", 'if (standing !== undefined) return hasChange(standing, changesOf(item).at(-1)) ? "inserted" : "exists";', ""],
  ]),
  planted("the call goes out before its claim is durable", "cloud", 1, [
    [
      "engine/attempt.ts",
      'if ((await commit(engine, claimed)) === "committed") return',
      'commit(engine, claimed).catch(() => {}); if ("committed" === "committed") return',
    ],
  ]),
  planted("the lease is shorter than the function timeout", "cloud", 4, [
    [
      "engine/attempt.ts",
      "return later(invocation.endsAt, limits.clockSkewMsMax);",
      "return later(engine.clock.now(), job.timeoutMs + 5000);",
    ],
  ]),
  planted("whoever meets a running job takes it for dead", "cloud", 2, [
    ["engine/engine.ts", "return engine.clock.now() > job.leaseUntil;", "return true;"],
  ]),
  planted("at home a job of another attempt's token counts as alive", "home", 1, [
    ["engine/register.ts", "lives: (ref, token) => find(ref)?.token === token,", "lives: () => true,"],
  ]),
  planted("no last look before the first byte", "cloud", 18, [
    ["engine/attempt.ts", 'switch (mark === "wanted" ? lastLook(engine, job, held) : mark) {', 'switch ("go") {'],
  ]),
  planted("a cancel answers cancelled while the call runs", "cloud", 1, [
    ["engine/cancel.ts", 'return { kind: "requested", job: requested.to };', 'return { kind: "cancelled", job: requested.to };'],
  ]),
  planted("a cancel of a running job ends its record at once", "home", 1, [
    [
      "engine/cancel.ts",
      "const requested = requestCancel(job, factsNow(engine));",
      "const requested = cancelWaiting(job, factsNow(engine));",
    ],
  ]),
  planted("a retry forgets the cancel's mark", "cloud", 2, [
    [
      "core/transition.ts",
      "return job.cancelRequestedAt === null ? retry(settled, end.outcome.waitMs, fraction, facts) : cancelMarked(settled, facts);",
      "return retry(settled, end.outcome.waitMs, fraction, facts);",
    ],
  ]),
  planted("the turn does not read the past", "cloud", 1, [
    [
      "engine/turn.ts",
      "const { stretches, oldestWakeAt } = await hintPast(engine, range, hasTime);",
      "const { stretches, oldestWakeAt } = { stretches: 0, oldestWakeAt: null };",
    ],
  ]),
  planted("a new job is marked as hinted, and nobody hints it", "cloud", 3, [
    ["engine/submit.ts", 'if (submitted.kind === "created" && submitted.job.hinted) await hintNamed(engine, submitted.job);', ""],
  ]),
  planted("the turn names the first page only", "cloud", 53, [
    ["engine/nearFuture.ts", "if (last === undefined || page.length < limit) return;", "return;"],
  ]),
  planted("a retry starts at once", "cloud", 1, [
    ["core/retry.ts", "return laterOf(later(now, drawnMs), later(now, waitMs ?? 0));", "return later(now, 0);"],
  ]),
  planted("a Retry-After is not honoured", "cloud", 2, [
    ["core/retry.ts", "return laterOf(later(now, drawnMs), later(now, waitMs ?? 0));", "return later(now, drawnMs);"],
  ]),
  planted("the first byte does not wait for the instant", "home", 1, [
    ["engine/attempt.ts", "await until(engine, job.nextAttemptAt);", ""],
  ]),
  planted("the bound of attempts does not hold for re-claims", "cloud", 1, [
    ["core/transition.ts", 'if (job.attemptCount >= job.retry.maxAttempts) return fail(lost, "exhausted", facts);', ""],
    [
      "core/transition.ts",
      '  if (job.attemptCount >= job.retry.maxAttempts) return fail(job, "exhausted", facts);\n  const attempt: Attempt',
      "  const attempt: Attempt",
    ],
  ]),
  planted("a large body is written after the job that names it", "cloud", 1, [
    [
      "engine/payload.ts",
      "await engine.store.writePayload(owner,",
      "void engine.clock.until(engine.clock.now() + 40).then(() => engine.store.writePayload(owner,",
    ],
    ["engine/payload.ts", "bytes, keptUntil: until });\n", "bytes, keptUntil: until })).catch(() => {});\n"],
  ]),
  planted("an edit during the hold moves the record and not what is sent", "home", 2, [
    ["engine/attempt.ts", "job = fresh;", "job = { ...fresh, body: seen.body };"],
  ]),
  planted("an edited dueAt leaves the next attempt where it was", "home", 1, [
    [
      "core/transition.ts",
      "const nextAttemptAt = dueAt === undefined ? job.nextAttemptAt : laterOf(dueAt, facts.now);",
      "const { nextAttemptAt } = job;",
    ],
  ]),
  planted("a job that lost its lease is tried among others", "cloud", 110, [
    ["engine/wake.ts", "due.filter((job) => job.leaseLossCount === 0)", "due"],
    ["engine/wake.ts", "due.filter((job) => job.leaseLossCount > 0)", "[]"],
    ["engine/walk.ts", "if (item.leaseLossCount > 0) {", "if (item.leaseLossCount > 1000) {"],
  ]),
  planted("a writer takes his own write, which the SDK repeated, for another's", "cloud", 2, [
    ["store/dynamo/store.ts", 'return standing !== undefined && hasChange(standing, change) ? "committed" : "stale";', 'return "stale";'],
  ]),
  planted("a creator takes his own insert, which the SDK repeated, for another's", "cloud", 5, [
    ["store/dynamo/store.ts", 'return hasChange(standing, change) ? "inserted" : "exists";', 'return "exists";'],
  ]),
  planted("an own write is known only while nothing stands on top of it", "cloud", 96, [
    ["core/item.ts", "changesOf(item).some((one) => one === change)", "changesOf(item).at(-1) === change"],
  ]),
  planted("an outcome is dropped when a cancel's mark came meanwhile", "cloud", 1, [
    ["engine/settle.ts", "    job = fresh;\n", "    return;\n"],
  ]),
  planted("a partition is walked again only when all that a walk started has settled", "home", 148, [
    ["hints/memory.ts", "deliver(hint, resolve).then(resolve, reject);", "deliver(hint, () => {}).then(resolve, reject);"],
  ]),
  planted("a full memory reads the past again at once, for what it has no room for", "home", 1, [
    ["hints/memory.ts", "      if (wakeAt <= clock.now()) return;\n", ""],
  ]),
  planted("a lease that cannot be ended now fails a promise that nobody hears", "home", 41, [
    [
      "engine/walk.ts",
      "if (isLeaseOver(engine, item)) await endLease(engine, item);",
      "if (isLeaseOver(engine, item)) await commit(engine, loseLease(item, factsNow(engine)));",
    ],
  ]),
  planted("an attempt that came too late is left to its lease when a mark came meanwhile", "cloud", 25, [
    [
      "engine/settle.ts",
      '  return record(engine, job, (fresh) => (why === "lease_over" ? loseLease : expire)(fresh, factsNow(engine)));',
      '  await commit(engine, (why === "lease_over" ? loseLease : expire)(job, factsNow(engine)));',
    ],
  ]),
  planted("a backlog is worked off newest first", "home", 70, [
    [
      "engine/walk.ts",
      "let rest = page.filter((entry) => !engine.register.holds(entry));",
      "let rest = page.filter((entry) => !engine.register.holds(entry)).reverse();",
    ],
  ]),
  planted("a walk keeps the slot of a job that needed none", "home", 2, [
    ["engine/walk.ts", '  slot();\n  return "attended";\n}', '  return "attended";\n}'],
  ]),
  planted("during an outage each item hints itself again and again", "cloud", 157, [
    [
      "engine/handOn.ts",
      "return lateMs > engine.params.graceMs ? undefined : engine.params.leadMs + Math.max(outagePauseMs, lateMs);",
      "return engine.params.leadMs + outagePauseMs - 900;",
    ],
  ]),
  planted("the turn hints each entry of the past by itself", "cloud", 10, [["engine/turn.ts", "Math.ceil(page.length / stretchMax)", "1"]]),
  planted("names are forgotten at their instant", "cloud", 3, [
    ["engine/wake.ts", "hint.startAt + engine.params.namesAgeMsMax", "hint.startAt"],
  ]),
  planted("the hint is sent before the change is written", "cloud", 3, [
    [
      "engine/commit.ts",
      "  const answer = await engine.store.commit(transition);\n",
      "  const early = transition.to; if (isLive(early) && early.hinted && early.wakeAt !== transition.from.wakeAt) await hintNamed(engine, early);\n  const answer = await engine.store.commit(transition);\n",
    ],
    ["engine/commit.ts", "  if (moved && to.hinted) await hintNamed(engine, to);\n", ""],
  ]),
  planted("a home that was killed trusts the hints of the dead process", "home", 1, [
    ["engine/nearFuture.ts", "!entry.hinted || entry.wakeAt < engine.params.hintedAnewBefore", "!entry.hinted"],
    [
      "engine/turn.ts",
      "const { stretches, oldestWakeAt } = await hintPast(engine, range, hasTime);",
      "const { stretches, oldestWakeAt } = cursor.version > 1 ? { stretches: 0, oldestWakeAt: null } : await hintPast(engine, range, hasTime);",
    ],
  ]),
  planted("a shard's place is moved past names that were not sent", "cloud", 91, [
    ["engine/nearFuture.ts", '    if (answer !== "failed") {', "    if (true) {"],
  ]),
  planted("messages that the queue refused out of a batch are forgotten", "cloud", 91, [
    ["hints/sqs.ts", "if (refused.length === 0) return;", "return;"],
  ]),
  planted("a delay is rounded up to the queue's whole seconds", "cloud", 3, [
    ["hints/sqs.ts", "Math.floor((startAt - now - leadMs) / secondMs)", "Math.ceil((startAt - now - leadMs) / secondMs)"],
  ]),
  planted("the past is cut with a gap between its stretches", "cloud", 4, [
    ["engine/turn.ts", "    after = until;\n", "    after = page[cutIndex + 1] ?? until;\n"],
  ]),
  planted("a hint of the past is not dropped when a newer turn has cut it anew", "cloud", 10, [
    ["engine/wake.ts", 'if (now > hint.cutAt + engine.params.stretchAgeMsMax) return drop(engine, "old");', ""],
    ["engine/walk.ts", "if (engine.clock.now() > stretch.cutAt + engine.params.stretchAgeMsMax) {", "if (engine.clock.now() < 0) {"],
  ]),
  planted("a lease ends with its invocation, by a clock that may be ahead of the platform's", "cloud", 104, [
    ["engine/attempt.ts", "return later(invocation.endsAt, limits.clockSkewMsMax);", "return invocation.endsAt;"],
  ]),
  planted("a job that is moved is marked as hinted, and nobody hints it", "cloud", 3, [
    ["engine/commit.ts", "  if (moved && to.hinted) await hintNamed(engine, to);\n", ""],
  ]),
  planted("the maker hints only what lies within the look-ahead, though the index lags behind", "cloud", 176, [
    [
      "engine/engine.ts",
      "return later(now, engine.params.lookaheadMs + engine.params.tickMs);",
      "return later(now, engine.params.lookaheadMs);",
    ],
  ]),
  planted("the base tick gives shards up before the further ticks stand", "cloud", 15, [
    ["core/tickPlan.ts", "    ...changes,\n    ...(from", "    ...(from"],
    [
      "core/tickPlan.ts",
      '[{ kind: "ranges" as const, ranges }]),\n    ...standing',
      '[{ kind: "ranges" as const, ranges }]),\n    ...changes,\n    ...standing',
    ],
  ]),
  planted("further ticks are changed while the base tick still relies on them", "cloud", 1, [
    ["core/tickPlan.ts", "const isOver = plan.ranges > 1 && (plan.ranges !== ranges || changes.length > 0);", "const isOver = false;"],
  ]),
  planted("a turn that died keeps the others out of its range for an hour", "cloud", 4, [
    [
      "engine/turn.ts",
      "until: earlierOf(longest, endsAt ?? longest), beyond: later(longest, limits.clockSkewMsMax) });",
      "until: later(longest, 3_600_000), beyond: later(longest, 3_700_000) });",
    ],
  ]),
  planted("a turn that died keeps the next one out of its range", "cloud", 66, [
    ["engine/turn.ts", "until: earlierOf(longest, endsAt ?? longest), beyond", "until: longest, beyond"],
  ]),
  planted("nobody finds out that his clock is ahead", "cloud", 51, [
    ["store/dynamo/skew.ts", "if (sentAt > dateMs + secondMs) return sentAt - dateMs - secondMs;", ""],
  ]),
  planted("an attempt starts though the invocation may end before it", "cloud", 11, [
    ["engine/attempt.ts", "return startsAt + timeoutOf(engine, job) + limits.clockSkewMsMax <= invocation.endsAt;", "return true;"],
  ]),
];

/** Each of these is one of two guards against the same mistake. `caughtAt` has no meaning: no seed may catch them. */
export const guardsOff: readonly Bug[] = [
  planted("executors keep no register of what they hold", "cloud", 0, [
    ["engine/register.ts", "if (held.has(ref.id)) return undefined;", ""],
    ["engine/register.ts", "holds: (ref) => find(ref) !== undefined,", "holds: () => false,"],
  ]),
  planted("a lost lease does not look at the bound of attempts, for the claim does", "cloud", 0, [
    ["core/transition.ts", 'if (job.attemptCount >= job.retry.maxAttempts) return fail(lost, "exhausted", facts);', ""],
  ]),
  planted("turns over one range run at once", "cloud", 0, [
    ["store/dynamo/cursors.ts", "add: { v: 1 } }, leaseFree({ now, beyond }));", "add: { v: 1 } });"],
  ]),
  planted("the last look does not look at the clock, for the lease outlives the invocation", "cloud", 0, [
    ["engine/look.ts", 'if (later(now, timeoutOf(engine, job)) > lastEnd(engine, job)) return "lease_over";', ""],
  ]),
];
