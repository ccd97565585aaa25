/** A store that fails when it is told to: before it has done anything, or after, when only its reply is lost; or that is slow. */

import { OutageError, type Store } from "../../src/engine/ports.ts";

export type Fault = "out" | "reply_lost" | Promise<void>;

/** `fault` is asked at each call, with the method's name and first argument. */
export function faultyStore(store: Store, fault: (method: keyof Store, argument: unknown) => Fault | undefined): Store {
  const methods = Object.entries(store) as [keyof Store, (...given: unknown[]) => Promise<unknown>][];
  const faulty = methods.map(([method, ask]) => [
    method,
    async (...given: unknown[]) => {
      const what = fault(method, given[0]);
      if (what === "out") throw new OutageError(`the store is out for ${method}`);
      if (what !== "reply_lost") await what;
      const answer = await ask(...given);
      if (what === "reply_lost") throw new OutageError(`the reply to ${method} was lost`);
      return answer;
    },
  ]);
  return Object.fromEntries(faulty) as Store;
}
