/** What a newcomer sees first: a call that fires without anything typed, and the line that makes another. */

import type { Log } from "../src/system/log.ts";

/** The host answers itself within milliseconds; whoever waits longer is not talking to it. */
const answerMsMax = 5_000;

export type Greeting = {
  readonly hostUrl: string;
  readonly receiverUrl: string;
  readonly apiKey: string | null;
  /** Aborted when the program is to end. */
  readonly asked: AbortSignal;
  readonly log: Log;
};

/** Submits the request that the printed line makes. Never rejects: the hello job is not needed, and must not stop what is. */
export async function greet(greeting: Greeting): Promise<void> {
  const { hostUrl, receiverUrl, apiKey, asked, log } = greeting;
  try {
    const answer = await submitHello(greeting);
    if (answer.status !== 201) {
      log("warn", `the hello job of the first run was refused with ${answer.status}; it is not needed`, { status: answer.status });
      return;
    }
  } catch (cause) {
    if (!asked.aborted) log("warn", "the hello job of the first run could not be submitted; it is not needed", { cause });
    return;
  }
  // By its name: what is printed ends in logs and on shared screens.
  const key = apiKey === null ? "" : ' -H "Authorization: Bearer $ONTHEDOT_API_KEY"';
  console.log(`
A hello job is due in two seconds; watch it arrive below. Then try one of your own:

  curl -d '{"target":{"url":"${receiverUrl}/"},"body":{"hello":"again"},"delay":"2s"}' -H 'content-type: application/json'${key} ${hostUrl}/v1/jobs
`);
}

async function submitHello({ hostUrl, receiverUrl, apiKey, asked }: Greeting): Promise<Response> {
  const headers = {
    "content-type": "application/json",
    ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  const hello = { target: { url: `${receiverUrl}/` }, body: { hello: "world" }, delay: "2s", labels: { from: "first-run" } };
  const signal = AbortSignal.any([asked, AbortSignal.timeout(answerMsMax)]);
  const answer = await fetch(`${hostUrl}/v1/jobs`, { method: "POST", headers, body: JSON.stringify(hello), signal });
  await answer.arrayBuffer();
  return answer;
}
