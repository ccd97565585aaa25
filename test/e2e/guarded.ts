/** That the doors of the AWS home take what is theirs and nothing else: who may ask, and what becomes of messages that nobody understands. */

import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { nameOf } from "../../infra/names.ts";
import type { DeadLetterListAnswer } from "../../src/api/answers.ts";
import { type JobId, soleTenant } from "../../src/core/ids.ts";
import { later, toEpochMs } from "../../src/core/time.ts";
import { writeHint } from "../../src/hints/message.ts";
import { clients, deployed, type QueueName, queueUrl, sendText, stack } from "./stack.ts";
import { clientOf, type Subject, until } from "./subject.ts";

const { create, ended, send, job } = clientOf(stack);

/** Received five times, some seconds apart, and taken from the dead letter queue then. */
const deadMsMax = 150_000;

export function guarded(): void {
  describe.concurrent("a request", () => {
    it.each([
      ["without a key", {}],
      ["with another key", { authorization: `Bearer otd_${"x".repeat(40)}` }],
      ["with the key in another scheme", { authorization: "Basic b3RkOg==" }],
    ])("%s is refused, whatever it asks for", async (_, headers) => {
      const { problem } = clientOf({ ...stack, headers: () => headers } as Subject);
      const refused = await problem(401, "unauthorized", "GET", "/v1/jobs");
      expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer/);
      await problem(401, "unauthorized", "POST", "/v1/jobs", "{");
      await problem(401, "unauthorized", "GET", "/v1/dead-letters");
      await problem(401, "unauthorized", "GET", "/v9");
    });

    it("without a key learns that the home is well, and no more", async () => {
      const { send: sendUnknown } = clientOf({ ...stack, headers: () => ({}) });
      expect((await sendUnknown("GET", "/v1/health")).json).toEqual({ status: "ok" });
      expect((await sendUnknown("GET", "/openapi.json")).status).toBe(200);
    });
  });
}

export function deadLetters(): void {
  describe.concurrent("a message in a queue of hints", () => {
    it.each(["this is no hint", '{"v":1,"kind":"names"}'])("that is none, %j, becomes a dead letter with its reason", async (text) => {
      const marked = `${text} ${process.pid}-${Date.now()}`;
      await sendText("high", marked);
      const letter = await deadLetterWith(marked);
      expect(letter).toMatchObject({ queue: nameOf(deployed.stage, "high-dead"), reason: "not_a_hint", receives: expect.any(Number) });
    });

    it("that names what never was, what has ended, and what moved, is taken and forgotten", async () => {
      const [done, moved] = [await create("/"), await create("/", { delay: "1h" })];
      await ended(done.id);
      const now = toEpochMs(Date.now());
      const names = ["job_00000000000000000000000000", done.id, moved.id].map((id) => ({
        ...{ tenant: soleTenant, id: id as JobId, wakeAt: later(now, 100) },
      }));
      await sendText("critical", writeHint({ kind: "names", priority: "critical", startAt: now, names }));
      await sendText("critical", writeHint({ kind: "names", priority: "critical", startAt: later(now, -3_600_000), names }));
      await emptied("critical");
      expect([stack.calls(done.id).length, stack.calls(moved.id).length]).toEqual([1, 0]);
      expect(await job(moved.id)).toMatchObject({ state: "waiting", version: moved.version });
      await send("POST", `/v1/jobs/${moved.id}/cancel`);
    });
  });
}

/** As a queue gives up a message: without the minute that it takes to do so. */
export function undertaken(): void {
  it("a message that was given up is recorded, and taken from its queue", async () => {
    const text = `given up ${process.pid}-${Date.now()}`;
    await sendText("high-dead", text);
    expect(await deadLetterWith(text)).toMatchObject({ queue: nameOf(deployed.stage, "high-dead"), reason: "not_a_hint" });
    await emptied("high-dead");
  });
}

function deadLetterWith(text: string) {
  const look = async () => {
    const { json } = await send<DeadLetterListAnswer>("GET", "/v1/dead-letters?limit=200");
    return json.data.find(({ body }) => body.includes(text));
  };
  return until("a dead letter of the message", look, { ...stack, patienceMs: deadMsMax });
}

async function emptied(queue: QueueName): Promise<void> {
  await until(`the queue ${queue} to be empty`, async () => ((await messagesIn(queue)) === 0 ? true : undefined), {
    ...stack,
    patienceMs: deadMsMax,
  });
}

async function messagesIn(queue: QueueName): Promise<number> {
  const { Attributes } = await clients.sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: await queueUrl(queue),
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return Number(Attributes?.["ApproximateNumberOfMessages"]) + Number(Attributes?.["ApproximateNumberOfMessagesNotVisible"]);
}
