import { afterEach, describe, expect, it } from "vitest";
import type { Hint, NamesHint } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { priorities } from "../../src/core/job.ts";
import { later, secondMs } from "../../src/core/time.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { messageBytesMax, namesMax, readHint } from "../../src/hints/message.ts";
import { createSqsHints } from "../../src/hints/sqs.ts";
import { createVisibility } from "../../src/hints/visibility.ts";
import { handClock, nextJobId, startAt } from "../builders.ts";
import { type Answer, type AwkwardSqs, fault, openAwkwardSqs, type Request, takes } from "./awkwardSqs.ts";

const open: AwkwardSqs[] = [];
afterEach(async () => {
  for (const sqs of open.splice(0)) await sqs.close();
});

const urlOf = (name: string) => `https://sqs.eu-central-1.amazonaws.com/123456789012/onthedot-test-${name}`;
const arnOf = (name: string) => `arn:aws:sqs:eu-central-1:123456789012:onthedot-test-${name}`;
const queueUrls = { critical: urlOf("critical"), high: urlOf("high"), normal: urlOf("normal"), low: urlOf("low") };

/** Hints whose queue answers as told; waits are written down instead of waited. */
async function hintsOver(answer: (request: Request, index: number) => Answer, patienceMs?: number) {
  const sqs = await openAwkwardSqs(answer, patienceMs);
  open.push(sqs);
  const clock = handClock();
  const waitsMs: number[] = [];
  const until = async (at: number) => {
    waitsMs.push(at - clock.now());
    clock.turn(at - clock.now());
  };
  const hints = createSqsHints({
    ...{ client: sqs.client, queueUrls, chance: () => 0.5, leadMs: 500 },
    clock: { now: clock.now, until },
  });
  const bodies = () => sqs.asked.flatMap(({ Entries = [] }) => Entries.map(({ MessageBody }) => MessageBody));
  return { sqs, hints, waitsMs, bodies };
}

function names(count = 1, given: Partial<NamesHint> = {}): NamesHint {
  const named = Array.from({ length: count }, () => ({ tenant: soleTenant, id: nextJobId(), wakeAt: startAt }));
  return { kind: "names", priority: "normal", startAt, names: named, ...given };
}

const many = (count: number): Hint[] => Array.from({ length: count }, () => names());

describe("hints that SQS refuses", () => {
  it("out of a batch are sent again, alone, after growing waits, until they are taken", async () => {
    const { sqs, hints, waitsMs, bodies } = await hintsOver((request, index) =>
      takes(request, ({ Id }) => (index < 3 && Number(Id) % 2 === 0 ? { Code: "InternalError", SenderFault: false } : undefined)),
    );
    const sent = many(4);
    expect(await hints.send(sent)).toBe("sent");
    expect(sqs.asked.map(({ Entries }) => Entries?.length)).toEqual([4, 2, 1, 1]);
    expect(waitsMs).toEqual([50, 100, 200]);
    expect(new Set(bodies().map((body) => JSON.stringify(readHint(body)))).size).toBe(4);
  });

  it("again and again are an outage that says why", async () => {
    const { sqs, hints } = await hintsOver((request) => takes(request, () => ({ Code: "InternalError", SenderFault: false })));
    const failure = await hints.send(many(2)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OutageError);
    expect((failure as Error).message).toBe("expected onthedot-test-normal to take 2 hints, and it refused 2 of them 4 times");
    expect((failure as Error).cause).toMatchObject({ message: "InternalError" });
    expect(sqs.asked).toHaveLength(4);
  });

  it("for a fault of ours are a bug, and are not sent again", async () => {
    const { sqs, hints } = await hintsOver((request) => takes(request, () => ({ Code: "InvalidMessageContents", SenderFault: true })));
    const failure = await hints.send(many(2)).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(OutageError);
    expect(String(failure)).toBe(
      "Error: expected onthedot-test-normal to take a hint as it is, and it says InvalidMessageContents: as told",
    );
    expect(sqs.asked).toHaveLength(1);
  });

  it("without a word, in neither list, are sent again", async () => {
    const { sqs, hints } = await hintsOver((request, index) => (index === 0 ? { status: 200, body: {} } : takes(request)));
    expect(await hints.send(many(3))).toBe("sent");
    expect(sqs.asked.map(({ Entries }) => Entries?.length)).toEqual([3, 3]);
  });

  it("are delayed anew for the time that has passed", async () => {
    const { sqs, hints } = await hintsOver((request, index) =>
      takes(request, () => (index < 3 ? { Code: "InternalError", SenderFault: false } : undefined)),
    );
    // 10.6 s less the lead: after the waits of 350 ms together it is a second less.
    await hints.send([names(1, { startAt: later(startAt, 10 * secondMs + 600) })]);
    expect(sqs.asked.map(({ Entries }) => Entries?.[0]?.DelaySeconds)).toEqual([10, 10, 9, 9]);
  });
});

describe("an SQS that does not answer", () => {
  it.each<[string, () => Answer]>([
    ["503 ServiceUnavailable", () => fault(503, "ServiceUnavailable")],
    ["500 InternalFailure", () => fault(500, "InternalFailure")],
    ["403 RequestThrottled", () => fault(403, "RequestThrottled")],
    ["400 ThrottlingException", () => fault(400, "ThrottlingException")],
    ["429", () => fault(429, "TooManyRequests")],
    ["403 ExpiredToken", () => fault(403, "ExpiredToken")],
    ["no answer", () => "silence"],
    ["half an answer", () => "cut"],
  ])("with %s is an outage with its cause, and the rest is left to the wheel", async (_, answer) => {
    const { sqs, hints } = await hintsOver(answer, answer() === "silence" ? 50 : undefined);
    const failure = await hints.send(many(300)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OutageError);
    expect((failure as Error).message).toMatch(/^sqs:SendMessage to onthedot-test-normal did not succeed: \w+$/);
    expect((failure as Error).cause).toBeInstanceOf(Error);
    // Of thirty batches those that were under way, and no more.
    expect(sqs.asked.length).toBeLessThanOrEqual(8);
  });

  it("at all is an outage", async () => {
    const { sqs, hints } = await hintsOver(() => "cut");
    await sqs.close();
    await expect(hints.send(many(1))).rejects.toBeInstanceOf(OutageError);
  });
});

describe("a missing right", () => {
  const message =
    "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: sqs:sendmessage on resource: x because no identity-based policy allows it";

  it.each(["AccessDenied", "AccessDeniedException"])("(%s) is one line that names the action and the queue", async (type) => {
    const { hints } = await hintsOver(() => fault(403, type, message));
    const failure = await hints.send(many(1)).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(OutageError);
    expect((failure as Error).message).toMatch(/^expected the right to sqs:SendMessage on onthedot-test-normal, and the role .*$/);
  });

  it("is told also where another queue had an outage at the same time", async () => {
    const { hints } = await hintsOver(({ QueueUrl }) =>
      QueueUrl === urlOf("high") ? fault(403, "AccessDenied", message) : fault(503, "X"),
    );
    const sent = priorities.map((priority) => names(1, { priority }));
    await expect(hints.send(sent)).rejects.toThrow(/sqs:SendMessage on onthedot-test-high/);
  });

  it("or a missing queue is one line", async () => {
    const { hints } = await hintsOver(() => fault(400, "QueueDoesNotExist"));
    await expect(hints.send(many(1))).rejects.toThrow(
      /^expected a queue named onthedot-test-normal, and there is none for sqs:SendMessage/,
    );
  });
});

describe("a batch", () => {
  it("holds ten hints of one priority, and few batches are on their way at once", async () => {
    const { sqs, hints } = await hintsOver((request) => takes(request));
    await hints.send([...many(205), ...Array.from({ length: 12 }, () => names(1, { priority: "critical" }))]);
    const sizes = (name: string) => sqs.asked.filter(({ QueueUrl }) => QueueUrl === urlOf(name)).map(({ Entries }) => Entries?.length);
    expect(sizes("normal").toSorted()).toEqual([...new Array(20).fill(10), 5]);
    expect(sizes("critical").toSorted()).toEqual([10, 2]);
    expect(sqs.atOnceMax()).toBeLessThanOrEqual(8);
  });

  it("stays within the size of a batch, and a hint of too many names is cut in two, each name sent once", async () => {
    const { sqs, hints, bodies } = await hintsOver((request) => takes(request));
    const big = [names(2 * namesMax + 1), ...Array.from({ length: 9 }, () => names(namesMax))];
    await hints.send(big);
    for (const { Entries = [] } of sqs.asked) {
      expect(Entries.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0)).toBeLessThanOrEqual(messageBytesMax);
    }
    const read = bodies().map((body) => readHint(body));
    expect(read).not.toContain(undefined);
    const sentNames = read.flatMap((hint) => (hint?.kind === "names" ? hint.names : []));
    expect(sentNames.map(({ id }) => id).toSorted()).toEqual(big.flatMap((hint) => hint.names.map(({ id }) => id)).toSorted());
  });

  it("is not sent where there is nothing to send", async () => {
    const { sqs, hints } = await hintsOver((request) => takes(request));
    expect(await hints.send([])).toBe("sent");
    expect(sqs.asked).toEqual([]);
  });
});

describe("a message made visible later", () => {
  async function later(answer: () => Answer, chance = 0.5) {
    const sqs = await openAwkwardSqs(answer);
    open.push(sqs);
    const { makeVisibleLater } = createVisibility({ client: sqs.client, queueUrls: Object.values(queueUrls), chance: () => chance });
    return { sqs, change: (name = "low") => makeVisibleLater({ queueArn: arnOf(name), receiptHandle: "handle" }) };
  }

  it.each([
    [0, 2],
    [0.5, 11],
    [0.999, 20],
  ])("is hidden for seconds drawn by chance (%d: %d s), and never for none", async (chance, seconds) => {
    const { sqs, change } = await later(() => ({ status: 200, body: {} }), chance);
    expect(await change()).toBe("later");
    expect(sqs.asked).toMatchObject([{ QueueUrl: urlOf("low"), ReceiptHandle: "handle", VisibilityTimeout: seconds }]);
  });

  it.each([
    ["MessageNotInflight", "as told"],
    ["ReceiptHandleIsInvalid", "as told"],
    ["InvalidParameterValue", "Value handle for parameter ReceiptHandle is invalid. Reason: Message does not exist."],
  ])("may be gone (%s)", async (type, message) => {
    const { change } = await later(() => fault(400, type, message));
    expect(await change()).toBe("gone");
  });

  it("is an outage where SQS does not answer, and one line where the right is missing or the queue is not ours", async () => {
    await expect((await later(() => "cut")).change()).rejects.toBeInstanceOf(OutageError);
    const denied = await later(() => fault(403, "AccessDenied"));
    await expect(denied.change()).rejects.toThrow(/^expected the right to sqs:ChangeMessageVisibility on onthedot-test-low/);
    await expect(denied.change("foreign")).rejects.toThrow(
      /^expected a message of onthedot-test-critical, .*, got one of onthedot-test-foreign$/,
    );
  });
});
