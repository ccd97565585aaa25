/** What a home built of functions, queues and ticks must keep: I26, I27, and that no shard is ever without a tick. */

import { receivesMax } from "../house.ts";
import type { World } from "../world.ts";
import type { Chronicle, Violation } from "./chronicle.ts";

/** I26: a message that cannot be handled is given out so often at most, and ends in the dead letters; I27: what was no hint stands in one record. */
export function deadLettersAreKept({ history }: World): Violation[] {
  const violations: Violation[] = [];
  const say = (invariant: string, message: string) => violations.push({ invariant, message });
  const dead = new Map<string, number>();
  const buried = new Map<string, number>();
  for (const happening of history) {
    if (happening.kind === "buried") buried.set(happening.message, (buried.get(happening.message) ?? 0) + 1);
    if (happening.kind !== "dead") continue;
    dead.set(happening.message, (dead.get(happening.message) ?? 0) + 1);
    if (happening.receives > receivesMax + 1) say("I26", `${happening.message} was given out ${happening.receives} times`);
  }
  for (const [message, times] of buried) if (times > 1) say("I27", `${message} was recorded ${times} times`);
  for (const [message, times] of dead) if (times > 1) say("I27", `${message} went to the dead letters ${times} times`);
  for (const message of dead.keys()) {
    const isForeign = message.startsWith("foreign");
    if (isForeign !== buried.has(message)) say("I26", `${message} is ${isForeign ? "in no record" : "recorded, though it was a hint"}`);
  }
  return violations;
}

/** No message's fate is evidence about a job: only executors and clients' own requests change one. */
export function messagesJudgeNoJob({ stories }: Chronicle): Violation[] {
  return [...stories.values()].flatMap(({ id, changes }) =>
    changes
      .filter(({ by }) => !/^(?:executor|api|host)\d/.test(by))
      .map(({ by, after }) => ({ invariant: "I26", message: `${id} became ${after.state} by ${by}` })),
  );
}

/** Whatever the ranges are being changed to, the ticks that stand look after every shard. */
export function everyShardHasATick({ history, params }: World): Violation[] {
  const violations: Violation[] = [];
  for (const happening of history) {
    if (happening.kind !== "ticks") continue;
    const { baseOf, further } = happening;
    const isTicked = (shard: number) => shard % baseOf === 0 || further.some(({ range, of = 1 }) => shard % of === range);
    for (let shard = 0; shard < params.shards; shard++) {
      if (isTicked(shard)) continue;
      const ticks = further.map(({ range, of }) => `${range} of ${of}`).join(", ");
      violations.push({
        invariant: "every shard has a tick",
        message: `shard ${shard} has none: the base of ${baseOf}, ${ticks || "and no other"}`,
      });
    }
  }
  return violations;
}
