/** What the API does with the plan of the ticks: writes what is wanted, and asks the one function that may manage schedules to carry it out. */

import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Ticks } from "../src/api/ticks.ts";
import type { TickPlans } from "../src/core/tickPlan.ts";
import { secondMs } from "../src/core/time.ts";
import { OutageError } from "../src/engine/ports.ts";
import type { Log } from "../src/system/log.ts";
import { wantByHand } from "../src/ticks/wants.ts";

type Parts = {
  readonly plans: TickPlans;
  readonly lambda: Pick<LambdaClient, "send">;
  /** The function's name. */
  readonly reconcile: string;
  readonly log: Log;
};

/** Longer than most plans take, shorter than API Gateway waits for us. */
const carryingOutMsMax = 22 * secondMs;

/** A client for {@link createTicks}: it waits for the whole run, and asks once, for a second run would only wait for the first. */
export const ticksClientConfig = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: secondMs, requestTimeout: carryingOutMsMax, throwOnRequestTimeout: true },
};

export function createTicks({ plans, lambda, reconcile, log }: Parts): Ticks {
  return {
    read: () => plans.read(),
    async want(asked) {
      const wanted = await wantByHand(plans, asked);
      if (wanted.kind === "refused") return wanted;
      try {
        await carryOut(lambda, reconcile);
      } catch (cause) {
        if (!(cause instanceof OutageError)) throw cause;
        // What is wanted is written, and the answer shows what of it stands.
        log("warn", "the ticks are not as wanted yet; the hourly run goes on", { where: "reconcile", cause });
      }
      return { kind: "wanted", plan: await plans.read() };
    },
  };
}

type SdkError = Error & { readonly $metadata?: { readonly httpStatusCode?: number } };

async function carryOut(lambda: Pick<LambdaClient, "send">, reconcile: string): Promise<void> {
  const Payload = new TextEncoder().encode(JSON.stringify({ reconcile: true }));
  const answer = await lambda.send(new InvokeCommand({ FunctionName: reconcile, Payload })).catch((cause: SdkError) => {
    const status = cause.$metadata?.httpStatusCode;
    if (cause.name === "AccessDeniedException")
      throw new Error(`expected the right to lambda:InvokeFunction on ${reconcile}, and the role of this function lacks it`, { cause });
    // Without a status nobody answered. A function that is throttled, or being deployed, is there again soon.
    const isPassing = status === undefined || status >= 500 || status === 429 || status === 409;
    throw isPassing ? new OutageError(`lambda:InvokeFunction did not succeed: ${cause.name}`, { cause }) : cause;
  });
  if (answer.FunctionError === undefined) return;
  // It was logged where it happened, and will be tried again: its name is enough to look for.
  const { errorType } = JSON.parse(answer.Payload?.transformToString() || "{}") as { errorType?: string };
  throw new OutageError(`the function ${reconcile} failed: ${errorType ?? answer.FunctionError}`);
}
