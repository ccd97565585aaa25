/** What clients were told must be true, then and later: I1, I4, I8, I9, I21. */

import { isLive, type Job } from "../../../src/core/job.ts";
import { formatInstant } from "../../../src/core/time.ts";
import type { World } from "../world.ts";
import type { Chronicle, Exchange, Stored, Story, Violation } from "./chronicle.ts";

const named = ({ op, asked, told, toldAt }: Exchange) => `op ${op} (${asked.what}, told ${told.kind} at ${formatInstant(toldAt)})`;

/** Judges each answer that names a job, by the job's whole story. */
function eachAnswer(chronicle: Chronicle, invariant: string, judge: (exchange: Exchange, story: Story) => string | undefined): Violation[] {
  const violations: Violation[] = [];
  for (const exchange of chronicle.exchanges) {
    if (exchange.told.job === undefined) continue;
    const story = chronicle.stories.get(exchange.told.job) ?? { id: exchange.told.job, changes: [], calls: [] };
    const wrong = judge(exchange, story);
    if (wrong !== undefined) violations.push({ invariant, message: `${named(exchange)} about ${story.id}: ${wrong}` });
  }
  return violations;
}

/** I21: what an answer says was durable before the answer was given. */
export function durableBeforeTold(chronicle: Chronicle, { truth }: World): Violation[] {
  return eachAnswer(chronicle, "I21", ({ asked, told, toldAt }, { changes }) => {
    const stood = changes.find((change) => change.after.version === told.version && change.at <= toldAt)?.after;
    if (stood === undefined) return `version ${told.version} was not stored`;
    switch (told.kind) {
      case "edited":
        return asked.what === "edit" ? wrongEdit(asked, stood, truth.contentIn(stood)) : undefined;
      case "cancelled":
        return stood.state === "cancelled" ? undefined : `it was ${stood.state}`;
      case "requested":
        return stood.state === "running" && stood.cancelRequestedAt !== null ? undefined : "no mark stood";
      default:
        return undefined;
    }
  });
}

function wrongEdit(asked: Extract<Exchange["asked"], { what: "edit" }>, stood: Job, content: string): string | undefined {
  if (asked.content !== undefined && content !== asked.content) return `its body was "${content}"`;
  if (asked.dueAt !== undefined && stood.dueAt !== asked.dueAt) return "its dueAt was another";
  return asked.priority !== undefined && stood.priority !== asked.priority ? "its priority was another" : undefined;
}

/** I9: after an edit's answer nothing starts that had not seen it. */
export function editsAreExact(chronicle: Chronicle): Violation[] {
  return eachAnswer(chronicle, "I9", ({ told, toldAt }, { calls }) => {
    if (told.kind !== "edited") return undefined;
    const old = calls.find((call) => call.at > toldAt && (call.record?.version ?? 0) <= (told.version ?? 0));
    return old === undefined ? undefined : `call ${old.call} knew version ${old.record?.version} only`;
  });
}

/** I8: "cancelled": nothing in flight, and nothing starts. "requested": at most the attempt already claimed goes out. */
export function cancelsAreExact(chronicle: Chronicle): Violation[] {
  return eachAnswer(chronicle, "I8", ({ told, toldAt }, { calls }) => {
    if (told.kind === "cancelled") {
      const call = calls.find((one) => one.overAt > toldAt);
      return call === undefined ? undefined : `call ${call.call} was on the wire after it`;
    }
    if (told.kind !== "requested") return undefined;
    const call = calls.find((one) => one.at > toldAt && one.attempt !== told.attempt);
    return call === undefined ? undefined : `attempt ${call.attempt} started after it`;
  });
}

/** I4: one key is one job, whose content is that of whoever came first; the same request meets it again, another is a conflict. */
export function keysAreJobs({ exchanges, stories }: Chronicle, { truth }: World): Violation[] {
  const violations: Violation[] = [];
  const say = (exchange: Exchange, message: string) => violations.push({ invariant: "I4", message: `${named(exchange)}: ${message}` });
  const created = new Map<string, Exchange>();
  const jobOfKey = new Map<string, string>();
  for (const exchange of exchanges) {
    const { asked, told } = exchange;
    if (asked.what !== "create" || told.job === undefined) continue;
    if (told.kind === "replayed" && !exchanges.some((one) => one !== exchange && mayHaveCreated(one, asked.key)))
      say(exchange, "nobody else has asked for it");
    if (asked.key === null) continue;
    const other = jobOfKey.get(asked.key) ?? told.job;
    if (other !== told.job) say(exchange, `the key stands for ${other}`);
    jobOfKey.set(asked.key, told.job);
    if (told.kind === "created" && created.has(asked.key)) say(exchange, "the key was created before");
    if (told.kind === "created") created.set(asked.key, exchange);
    if (firstContent(stories.get(told.job)?.changes, truth) !== asked.content) say(exchange, "it stands for another request");
  }
  for (const exchange of exchanges) {
    const { asked, told } = exchange;
    if (asked.what !== "create" || asked.key === null || told.kind !== "conflict") continue;
    const winner = exchanges.find(
      (one) => one.asked.what === "create" && one.asked.key === asked.key && one.asked.content !== asked.content,
    );
    if (winner === undefined) say(exchange, "no other request had the key");
    const standing = jobOfKey.get(asked.key);
    if (standing !== undefined && firstContent(stories.get(standing)?.changes, truth) === asked.content)
      say(exchange, "the key stands for this very request");
  }
  return violations;
}

function mayHaveCreated({ asked }: Exchange, key: string | null): boolean {
  return asked.what === "create" && key !== null && asked.key === key;
}

function firstContent(changes: readonly Stored[] | undefined, truth: World["truth"]): string | undefined {
  const first = changes?.[0]?.after;
  return first === undefined ? undefined : truth.contentIn(first);
}

/** I1: whatever was accepted has ended, once. I4: it was inserted once. */
export function nothingIsLost(chronicle: Chronicle): Violation[] {
  const violations = eachAnswer(chronicle, "I1", ({ asked, told }, { changes }) => {
    if (asked.what !== "create" && asked.what !== "replay") return undefined;
    if (told.kind !== "created" && told.kind !== "replayed") return undefined;
    const last = changes.at(-1)?.after;
    if (last === undefined) return "it was never stored";
    return isLive(last) ? `it is still ${last.state}` : undefined;
  });
  for (const { id, changes } of chronicle.stories.values()) {
    const inserts = changes.filter((change) => change.from === undefined).length;
    const ends = changes.filter((change) => !isLive(change.after)).length;
    if (inserts !== 1) violations.push({ invariant: "I4", message: `${id} was inserted ${inserts} times` });
    if (ends > 1) violations.push({ invariant: "I2", message: `${id} ended ${ends} times` });
  }
  return violations;
}
