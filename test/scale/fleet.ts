/**
 * Lambda: environments that run one invocation at a time, bounded by the account's quota and by how fast new ones are made; and the
 * mapping that takes messages from the queue and invokes. A message that no environment can take waits in the queue, oldest first.
 */

import { secondMs } from "../../src/core/time.ts";
import type { Agenda } from "./agenda.ts";
import { quotas } from "./quotas.ts";
import { durations, type Setup } from "./setup.ts";
import { cpuShare } from "./world.ts";

/** Why a message waits. */
export type Hindrance = "pollers" | "concurrency" | "new environments";

/** Handles a message and answers when the invocation ends. */
export type Invoke<Message> = (message: Message, at: number) => void;

export type Fleet<Message> = {
  /** The message may be received from then on. */
  send(message: Message, at: number): void;
  /** The invocation that took a message is over. */
  release(): void;
  counts(): { readonly invocations: number; readonly coldStarts: number; readonly runningMax: number; readonly waiting: number };
};

export function createFleet<Message>(
  agenda: Agenda,
  setup: Setup,
  invoke: Invoke<Message>,
  waited: (why: Hindrance, message: Message, waitMs: number) => void,
): Fleet<Message> {
  const queue = createQueue<{ message: Message; at: number; why: Hindrance | null }>();
  let [running, idle, runningMax, invocations, coldStarts] = [0, 0, 0, 0, 0];
  let polls = setup.pollers === null ? quotas.pollsAtStart : setup.pollers.min * quotas.invocationsPerPoller;
  const pollsMax = setup.pollers === null ? quotas.pollsMax : setup.pollers.max * quotas.invocationsPerPoller;
  const pollsPerSecond = (setup.pollers === null ? quotas.pollsPerMinute : quotas.provisionedPerMinute) / 60;
  const coldStartMs = durations.coldStartMs + durations.cpuColdStartMs / cpuShare(setup.memoryMb);
  let newEnvironments: number = quotas.environmentsAtOnce;
  let isRamping = false;

  function hindrance(): Hindrance | null {
    if (running >= polls) return "pollers";
    if (running >= setup.concurrency) return "concurrency";
    return idle === 0 && newEnvironments < 1 ? "new environments" : null;
  }

  function receive(): void {
    for (let first = queue.first(); first !== undefined; first = queue.first()) {
      const why = hindrance();
      if (why !== null) {
        first.why ??= why;
        ramp();
        return;
      }
      queue.drop();
      start(first);
    }
  }

  function start({ message, at, why }: { message: Message; at: number; why: Hindrance | null }): void {
    const now = agenda.now();
    if (why !== null) waited(why, message, now - at);
    running += 1;
    runningMax = Math.max(runningMax, running);
    invocations += 1;
    const isCold = idle === 0;
    if (isCold) {
      newEnvironments -= 1;
      coldStarts += 1;
      ramp();
    } else idle -= 1;
    const beginsAt = now + durations.deliveryMs + (isCold ? coldStartMs : 0);
    agenda.at(beginsAt, () => invoke(message, beginsAt));
  }

  /** While messages wait, pollers are added; and the environments that may be made come back. */
  function ramp(): void {
    if (isRamping) return;
    isRamping = true;
    agenda.at(agenda.now() + secondMs / 10, () => {
      isRamping = false;
      if (queue.first() !== undefined) polls = Math.min(pollsMax, polls + pollsPerSecond / 10);
      newEnvironments = Math.min(quotas.environmentsAtOnce, newEnvironments + quotas.environmentsPerSecond / 10);
      receive();
      if (queue.first() !== undefined || newEnvironments < quotas.environmentsAtOnce) ramp();
    });
  }

  return {
    send(message, at) {
      agenda.at(at, () => {
        // The first that waits says why: those behind it wait for the same.
        queue.push({ message, at: agenda.now(), why: queue.last()?.why ?? null });
        receive();
      });
    },
    release() {
      running -= 1;
      idle += 1;
      receive();
    },
    counts: () => ({ invocations, coldStarts, runningMax, waiting: queue.size() }),
  };
}

/** First in, first out, without moving what is in it. */
function createQueue<Item>() {
  let items: Item[] = [];
  let head = 0;
  return {
    first: (): Item | undefined => items[head],
    last: (): Item | undefined => items.at(-1),
    size: () => items.length - head,
    push: (item: Item) => {
      items.push(item);
    },
    drop() {
      head += 1;
      if (head === items.length) [items, head] = [[], 0];
      else if (head > 10_000 && head > items.length / 2) [items, head] = [items.slice(head), 0];
    },
  };
}
