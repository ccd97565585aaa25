import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type DeadLetter, type DeadLetters, deadLetterKeptMs } from "../../src/core/deadLetter.ts";
import { endOf, startOf } from "../../src/core/hint.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { writeHint } from "../../src/hints/message.ts";
import type { Log } from "../../src/system/log.ts";
import { handClock, nextJobId, startAt } from "../builders.ts";
import { memoryDeadLetters } from "../store/memoryDeadLetters.ts";
import { foreignEvents, redriven, sqsRecord, undeliveredTick } from "./sqsEvents.ts";

type Undertaker = typeof import("../../functions/undertaker.ts");
let undertaker: Undertaker;

beforeAll(async () => {
  const environment = {
    ...{ ONTHEDOT_STAGE: "prod", ONTHEDOT_TABLE: "onthedot-prod", ONTHEDOT_SHARDS: "64", ONTHEDOT_LOOKAHEAD: "5m", ONTHEDOT_TICK: "1m" },
    ...{ ONTHEDOT_MAX_TIMEOUT: "2m", ONTHEDOT_RETENTION: "30d", ONTHEDOT_KEEP_RESPONSES: "failures", ONTHEDOT_LOG: "info" },
    ...{ POWERTOOLS_SERVICE_NAME: "undertaker", POWERTOOLS_METRICS_NAMESPACE: "onthedot", AWS_REGION: "us-east-2" },
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  undertaker = await import("../../functions/undertaker.ts");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const clock = handClock();
let letters: DeadLetters;
let counted: string[];
let lines: { level: string; message: string }[];
beforeEach(() => {
  letters = memoryDeadLetters(clock);
  counted = [];
  lines = [];
});

const log: Log = Object.assign((level: string, message: string) => void lines.push({ level, message }), { isOn: () => true });

function bury(records: readonly unknown[], given: { record?: DeadLetters["record"] } = {}) {
  const deadLetters = { record: given.record ?? letters.record };
  const metrics = {
    count: (name: string, value = 1, dimension?: { value: string }) =>
      void counted.push([name, value, ...(dimension === undefined ? [] : [dimension.value])].join(" ")),
  };
  return undertaker.createUndertaker({ deadLetters, clock, log, metrics })({ Records: records });
}

const recorded = async (): Promise<readonly DeadLetter[]> => (await letters.list({ after: null, limit: 200 })).letters;

const names = writeHint({ kind: "names", priority: "low", startAt, names: [{ tenant: soleTenant, id: nextJobId(), wakeAt: startAt }] });
const stretch = writeHint({
  ...{ kind: "stretch", shard: 0, priority: "low", after: startOf(startAt), until: endOf(startAt), cutAt: startAt, startAt },
});

describe("a message in a dead letter queue", () => {
  it.each([
    ["names", names],
    ["a stretch", stretch],
  ])("that is a hint (%s) is counted and dropped", async (_, body) => {
    expect(await bury([redriven({ body })])).toEqual({ batchItemFailures: [] });
    expect(await recorded()).toEqual([]);
    expect(counted).toEqual(["HintsDropped 1"]);
  });

  it("that is no hint is recorded with what there is to know of it, and counted", async () => {
    const body = '{"order":17,"key":"otd_abcdefghijklmnopqrstuvwx"}';
    expect(await bury([redriven({ body, priority: "critical" })])).toEqual({ batchItemFailures: [] });
    expect(await recorded()).toEqual([
      {
        id: "059f36b4-87a3-44ab-83d2-661975830a7d",
        ...{ receivedAt: clock.now(), queue: "onthedot-prod-critical-dead", reason: "not_a_hint", receives: 6 },
        ...{ body: '{"order":17,"key":"otd_***"}', bodyBytes: body.length },
      },
    ]);
    expect(counted).toEqual(["DeadLetters 1 not_a_hint"]);
    expect(lines).toEqual([{ level: "warn", message: expect.stringContaining("onthedot-prod-critical-dead") }]);
    expect(JSON.stringify(lines)).not.toContain("abcdefghijklmnopqrstuvwx");
  });

  it.each([
    [
      "the envelope of a topic",
      JSON.stringify({ Message: JSON.stringify({ password: "hunter2", headers: { Authorization: "Token hunter2" }, order: 17 }) }),
      JSON.stringify({ Message: JSON.stringify({ password: "***", headers: { Authorization: "***" }, order: 17 }) }),
    ],
    [
      "a list of headers",
      '{"headers":[{"name":"Authorization","value":"hunter2"}],"X-Api-Key":["hunter2"],"order":17}',
      '{"headers":[{"name":"Authorization","value":"***"}],"X-Api-Key":***,"order":17}',
    ],
    [
      "a secret that is longer than what is kept",
      `{"order":17,"secretAccessKey":"${"hunter2 ".repeat(2_000)}"}`,
      '{"order":17,"secretAccessKey":"***',
    ],
  ])("shows none of the credentials in it: %s", async (_, body, shown) => {
    await bury([redriven({ body })]);
    expect(await recorded()).toMatchObject([{ body: shown, bodyBytes: body.length }]);
  });

  it.each([
    ["empty", ""],
    ["a hint of another version", names.replace('"v":1', '"v":2')],
    ["a hint that was cut", names.slice(0, -1)],
    ["a tick in a queue of hints", '{"range":0}'],
    ["text with half a character and a line break", "a\ud800b\nc\u0000"],
  ])("that is no hint: %s", async (_, body) => {
    await bury([redriven({ body })]);
    expect(await recorded()).toMatchObject([{ reason: "not_a_hint" }]);
  });

  it("of the ticks says that a tick was not delivered", async () => {
    await bury([undeliveredTick()]);
    expect(await recorded()).toMatchObject([
      { reason: "tick_undelivered", queue: "onthedot-prod-ticks-dead", body: '{"range":0}', receives: 1 },
    ]);
    expect(counted).toEqual(["DeadLetters 1 tick_undelivered"]);
  });

  it("that is delivered twice is recorded and counted once", async () => {
    await bury([redriven({ body: "x" })]);
    clock.turn(1_000);
    expect(await bury([redriven({ body: "x", receives: 7 })])).toEqual({ batchItemFailures: [] });
    expect(await recorded()).toMatchObject([{ receives: 6 }]);
    expect(counted).toEqual(["DeadLetters 1 not_a_hint"]);
  });

  it("is gone from the list after thirty days", async () => {
    await bury([redriven({ body: "x" })]);
    clock.turn(deadLetterKeptMs);
    expect(await recorded()).toEqual([]);
  });

  it.each([
    ["an outage", new OutageError("expected the table, got silence"), "warn", ["Outages 1"]],
    ["a missing right", new Error("expected the right to dynamodb:PutItem"), "error", []],
  ])("that cannot be recorded for %s stays in its queue, and keeps no other from being buried", async (_, failure, level, metrics) => {
    const ids = ["1", "2", "3"].map((end) => `059f36b4-87a3-44ab-83d2-66197583000${end}`);
    const record: DeadLetters["record"] = async (letter) => {
      if (letter.id === ids[1]) throw failure;
      return letters.record(letter);
    };
    const answered = await bury(
      ids.map((messageId) => redriven({ messageId, body: "x" })),
      { record },
    );
    expect(answered).toEqual({ batchItemFailures: [{ itemIdentifier: ids[1] }] });
    expect((await recorded()).map(({ id }) => id).toSorted()).toEqual([ids[0], ids[2]]);
    expect(counted.toSorted()).toEqual([...metrics, "DeadLetters 1 not_a_hint", "DeadLetters 1 not_a_hint"].toSorted());
    expect(lines.filter((line) => line.message.includes("could not be recorded"))).toMatchObject([{ level }]);
  });
});

describe("an event of another shape", () => {
  it.each(Object.entries(foreignEvents))("(%s) is refused in one line", async (_, event) => {
    const { createUndertaker } = undertaker;
    const answered = createUndertaker({ deadLetters: letters, clock, log, metrics: { count: () => {} } })(event);
    await expect(answered).rejects.toThrow(/^expected messages of a dead letter queue, got an event in which .*$/);
    expect(await recorded()).toEqual([]);
  });

  it.each([
    ["no id", { messageId: undefined }],
    ["an id that would be another key", { messageId: "a#b" }],
    ["no body", { body: undefined }],
    ["a body that is an object", { body: {} }],
    ["no receives", { attributes: {} }],
    ["another service", { eventSource: "aws:kinesis" }],
    ["no queue", { eventSourceARN: "arn:aws:kinesis:us-east-2:123456789012:stream/a" }],
  ])("(%s) is refused in one line", async (_, fields) => {
    await expect(bury([sqsRecord(), { ...sqsRecord(), ...fields }])).rejects.toThrow(/^expected messages of a dead letter queue, .*$/);
  });
});

describe("the function", () => {
  const context = {
    ...{ awsRequestId: "c6af9ac6", functionName: "onthedot-prod-undertaker", functionVersion: "1", memoryLimitInMB: "256" },
    ...{ invokedFunctionArn: "arn:aws:lambda:us-east-2:123456789012:function:onthedot-prod-undertaker" },
    getRemainingTimeInMillis: () => 30_000,
  };

  it("writes its metrics at the end of each invocation", async () => {
    const written: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
    try {
      expect(await undertaker.handler({ Records: [redriven({ body: names })] }, context as never)).toEqual({ batchItemFailures: [] });
    } finally {
      vi.restoreAllMocks();
    }
    const metrics = written.flatMap((text) => text.split("\n")).filter((line) => line.includes("_aws"));
    expect(metrics.map((line) => JSON.parse(line))).toMatchObject([{ stage: "prod", HintsDropped: 1 }]);
  });

  it("fails for an event that is not its own", async () => {
    await expect(undertaker.handler({ range: 0 }, context as never)).rejects.toMatchObject({ name: "ForeignEventError" });
  });
});
