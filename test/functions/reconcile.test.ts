/** The door of the plan, fed what CloudFormation, EventBridge Scheduler and the API send, and what nobody should. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { later } from "../../src/core/time.ts";
import { startAt, waitingJob } from "../builders.ts";
import { refusal } from "../ticks/fakeScheduler.ts";
import { openTicking, runMsMax } from "../ticks/ticking.ts";

vi.hoisted(() => {
  Object.assign(process.env, {
    ONTHEDOT_STAGE: "test",
    ONTHEDOT_TABLE: "onthedot-test",
    ONTHEDOT_SHARDS: "64",
    ONTHEDOT_LOOKAHEAD: "5m",
    ONTHEDOT_TICK: "1m",
    ONTHEDOT_RETENTION: "30d",
    ONTHEDOT_KEEP_RESPONSES: "failures",
    ONTHEDOT_MAX_TIMEOUT: "2m",
    ONTHEDOT_LOG: "error",
    ONTHEDOT_TICK_GROUP: "onthedot-test",
    ONTHEDOT_DISPATCHER_ARN: "arn:aws:lambda:eu-central-1:111122223333:function:onthedot-test-dispatcher",
    ONTHEDOT_TICK_ROLE_ARN: "arn:aws:iam::111122223333:role/onthedot-test-tick",
    ONTHEDOT_TICK_DLQ_ARN: "arn:aws:sqs:eu-central-1:111122223333:onthedot-test-tick-dead",
    AWS_REGION: "eu-central-1",
  });
});
const { createReconcile } = await import("../../functions/reconcile.ts");

const responseUrl =
  "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A111122223333%3Astack/onthedot-test/0f1e2d3c-0000-11ef-9a8b-0a1b2c3d4e5f%7CReconcileDeploy4E1D2A3B%7C8a6e1f60-1111-2222-3333-444455556666?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T190000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=7200&X-Amz-Credential=AKIAEXAMPLE%2F20261122%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Signature=0123abcd";

/** As CloudFormation sends it: all properties are texts. */
const createEvent = {
  RequestType: "Create",
  ServiceToken: "arn:aws:lambda:eu-central-1:111122223333:function:onthedot-test-reconcile",
  ResponseURL: responseUrl,
  StackId: "arn:aws:cloudformation:eu-central-1:111122223333:stack/onthedot-test/0f1e2d3c-0000-11ef-9a8b-0a1b2c3d4e5f",
  RequestId: "8a6e1f60-1111-2222-3333-444455556666",
  LogicalResourceId: "ReconcileDeploy4E1D2A3B",
  ResourceType: "Custom::OnTheDotTicks",
  ResourceProperties: {
    ServiceToken: "arn:aws:lambda:eu-central-1:111122223333:function:onthedot-test-reconcile",
    ServiceTimeout: "180",
    Shards: "12",
    Ranges: "3",
    Code: "d41d8cd98f00b204",
  },
};
const updateEvent = {
  ...createEvent,
  RequestType: "Update",
  PhysicalResourceId: "onthedot-test-ticks",
  OldResourceProperties: { ...createEvent.ResourceProperties, Code: "0123456789abcdef" },
};
const deleteEvent = { ...createEvent, RequestType: "Delete", PhysicalResourceId: "onthedot-test-ticks" };
const asking = (properties: object, event: object = updateEvent) => ({
  ...event,
  ResourceProperties: { ...createEvent.ResourceProperties, ...properties },
});

type Answered = {
  readonly url: string;
  readonly method: string;
  readonly type: string | null;
  readonly redirect: string | undefined;
  readonly body: Record<string, unknown>;
};

function open({ isEmulated = false, fails = 0 } = {}) {
  const opened = openTicking();
  const { clock } = opened.ticking;
  const answered: Answered[] = [];
  /** When each answer left, counted from the first event. */
  const answeredAfterMs: number[] = [];
  const counted: string[] = [];
  const logged: string[] = [];
  let failing = fails;
  const fetch = (async (url: URL, { method, body, headers, redirect }: RequestInit) => {
    if (failing-- > 0) throw new TypeError("fetch failed");
    answeredAfterMs.push(clock.now() - startAt);
    const type = new Headers(headers).get("content-type");
    answered.push({ url: url.href, method: method ?? "", type, redirect, body: JSON.parse(String(body)) });
    return new Response(null, { status: 200 });
  }) as typeof globalThis.fetch;
  const handle = createReconcile({
    ...{ ticking: opened.ticking, isEmulated, fetch },
    metrics: { count: (name) => counted.push(name) },
    log: Object.assign((level: string, message: string) => logged.push(`${level} ${message}`), { isOn: () => true }),
  });
  /** With the time of a fresh invocation, while its clock goes on. */
  const call = async (event: unknown, remainingMs = runMsMax) => {
    const result = handle(event, { getRemainingTimeInMillis: () => remainingMs }).then(
      (value) => ({ value }),
      (cause: Error) => ({ cause }),
    );
    await clock.runUntil(later(clock.now(), remainingMs));
    return result;
  };
  return { ...opened, call, answered, answeredAfterMs, counted, logged };
}

describe("a deploy", () => {
  it("has its ticks made, and is answered at its URL as CloudFormation wants it", async () => {
    const door = open();
    await door.call(createEvent);
    expect(door.answered).toEqual([
      {
        url: responseUrl,
        method: "PUT",
        type: "",
        // The URL carries a right to write, which is for nobody else.
        redirect: "error",
        body: {
          Status: "SUCCESS",
          Reason: "",
          PhysicalResourceId: "onthedot-test-ticks",
          StackId: createEvent.StackId,
          RequestId: createEvent.RequestId,
          LogicalResourceId: createEvent.LogicalResourceId,
        },
      },
    ]);
    expect([[...door.fake.kept.keys()], (await door.plan()).ranges]).toEqual([["range-1", "range-2"], 3]);
    expect(door.counted).toEqual(["Reconciled"]);
  });

  it("that is repeated, or changes nothing but the code, changes nothing", async () => {
    const door = open();
    await door.call(createEvent);
    const changes = door.changes();
    await door.call(createEvent);
    await door.call(updateEvent);
    expect(door.changes()).toEqual(changes);
    expect(door.answered.map(({ body }) => [body["Status"], body["PhysicalResourceId"]])).toEqual(
      Array.from({ length: 3 }, () => ["SUCCESS", "onthedot-test-ticks"]),
    );
  });

  it("leaves what was resized by hand, until it asks for another number itself", async () => {
    const door = open();
    await door.call(createEvent);
    await door.want({ wantedRanges: 5 });
    await door.call(updateEvent);
    expect((await door.plan()).ranges).toBe(5);
    await door.call(asking({ Ranges: "2" }));
    expect([(await door.plan()).ranges, [...door.fake.kept.keys()]]).toEqual([2, ["range-1"]]);
  });

  it("with fewer shards than are in use fails with what stands on them and what to do, and changes nothing", async () => {
    const door = open();
    await door.call(createEvent);
    const before = [await door.plan(), door.changes()];
    for (let index = 0; index < 40; index++) await door.ticking.store.insert(waitingJob());
    await door.call(asking({ Shards: "6", Ranges: "1" }));
    expect(door.answered.at(-1)?.body).toMatchObject({
      Status: "FAILED",
      Reason: expect.stringMatching(
        /^expected at least the 12 shards in use, got 6: .*shard \d+ holds \d+.*; deploy with 12 shards, or wait/,
      ),
    });
    expect([await door.plan(), door.changes()]).toEqual(before);
    expect(door.counted).toEqual(["Reconciled", "ReconcileFailed"]);
    // CloudFormation asks for what was before, and that can be.
    await door.call(updateEvent);
    expect(door.answered.at(-1)?.body["Status"]).toBe("SUCCESS");
  });

  it.each([
    ["no shards", { Shards: undefined }, /Shards/],
    ["shards that are no number", { Shards: "many" }, /Shards/],
    ["a number of ranges that is no text", { Ranges: 3 }, /Ranges/],
    ["no ranges at all", { Ranges: "0" }, /Ranges/],
    ["more ranges than shards", { Ranges: "13" }, /^expected ranges from 1 to 12, the number of shards, got 13/],
  ])("with %s fails with the reason in one line", async (_, properties, reason) => {
    const door = open();
    await door.call(asking(properties, createEvent));
    expect(door.answered[0]?.body).toMatchObject({ Status: "FAILED", Reason: expect.stringMatching(reason) });
    expect(door.answered[0]?.body["Reason"]).not.toContain("\n");
    expect(door.changes()).toEqual([]);
  });

  it("is answered when a right is missing, when AWS does not answer, and when there is a bug", async () => {
    for (const [error, reason] of [
      [
        refusal("AccessDeniedException", 403, "not\nauthorized"),
        "expected the right to scheduler:ListSchedules, and the role of this function lacks it: not authorized",
      ],
      [refusal("InternalServerException", 500), "scheduler:ListSchedules did not succeed: InternalServerException"],
      [new TypeError("Cannot read properties of undefined"), "Cannot read properties of undefined"],
    ] as const) {
      const door = open();
      door.fake.before = () => {
        throw error;
      };
      await door.call(createEvent);
      expect(door.answered.map(({ body }) => body)).toEqual([expect.objectContaining({ Status: "FAILED", Reason: reason })]);
      expect(door.counted).toEqual(["ReconcileFailed"]);
    }
  });

  it("is told a reason that CloudFormation takes, however long it was", async () => {
    const door = open();
    door.fake.before = () => {
      throw new Error("x".repeat(5_000));
    };
    await door.call(createEvent);
    expect(door.answered.map(({ body }) => body["Reason"])).toEqual(["x".repeat(1_000)]);
  });

  it("is answered before the platform ends the invocation, and nothing goes on afterwards", async () => {
    const door = open();
    const { clock } = door.ticking;
    door.fake.before = () => clock.until(later(clock.now(), 40_000));
    await door.call(asking({ Ranges: "8" }, createEvent));
    expect(door.answered.map(({ body }) => body["Status"])).toEqual(["FAILED"]);
    const changes = door.changes();
    await clock.runUntil(later(clock.now(), 10 * runMsMax));
    expect(door.changes()).toEqual(changes);
    expect(await door.uncovered()).toEqual([]);
  });

  it("is answered also where something never comes back", async () => {
    const door = open();
    door.fake.before = () => new Promise<void>(() => {});
    await door.call(createEvent);
    expect(door.answered.map(({ body }) => body["Reason"])).toEqual([expect.stringMatching(/^the ticks did not become as wanted in time/)]);
    expect(door.answeredAfterMs).toEqual([runMsMax - 12_000]);
  });

  it("is answered again when the answer is not taken, and the invocation fails when it never is", async () => {
    const door = open({ fails: 3 });
    expect(await door.call(createEvent)).toMatchObject({ value: { status: "SUCCESS" } });
    expect(door.answeredAfterMs).toEqual([500 + 1_000 + 2_000]);
    const deaf = open({ fails: 100 });
    const { cause } = (await deaf.call(createEvent)) as { cause: Error };
    expect(cause.message).toBe("expected CloudFormation to take the answer SUCCESS, and it did not in 4 tries: TypeError");
  });

  it("reaches an emulator over plain HTTP", async () => {
    const received: string[] = [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      received.push(`${request.method} ${request.url} ${request.headers["content-type"]} ${JSON.parse(body).Status}`);
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const opened = openTicking();
    const handle = createReconcile({
      ...{ ticking: opened.ticking, isEmulated: true, fetch },
      metrics: { count: () => {} },
      log: Object.assign(() => {}, { isOn: () => false }),
    });
    await handle({ ...createEvent, ResponseURL: `http://127.0.0.1:${port}/answer` }, { getRemainingTimeInMillis: () => runMsMax });
    server.close();
    expect(received).toEqual(["PUT /answer  SUCCESS"]);
  });
});

describe("the end of a stack", () => {
  it("takes the further ticks away, so that their group can go", async () => {
    const door = open();
    await door.call(createEvent);
    await door.call(deleteEvent);
    expect(door.answered.at(-1)?.body).toMatchObject({ Status: "SUCCESS", PhysicalResourceId: "onthedot-test-ticks" });
    expect([...door.fake.kept.keys()]).toEqual([]);
    expect(await door.plan()).toMatchObject({ ranges: 1, wantedRanges: 1, deployed: null });
  });

  it("whose first deploy never came to anything is no error", async () => {
    const door = open();
    await door.call({ ...deleteEvent, PhysicalResourceId: "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED" });
    expect(door.answered[0]?.body).toMatchObject({
      Status: "SUCCESS",
      PhysicalResourceId: "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
    });
  });

  it("fails while another run has the plan, and says when to try again", async () => {
    const door = open();
    await door.call(createEvent);
    const { plans, clock } = door.ticking;
    await plans.hold("dead", { now: clock.now(), until: later(clock.now(), runMsMax) });
    await door.call(deleteEvent);
    expect(door.answered.at(-1)?.body).toMatchObject({ Status: "FAILED", Reason: expect.stringContaining("in three minutes") });
  });
});

describe("a wish to reconcile", () => {
  it.each([
    ["of the schedule", { reconcile: true }],
    ["with more beside it", { reconcile: true, "aws.scheduler.execution-id": "d32c5kddcf5bb8c3" }],
  ])("%s makes the ticks as wanted, and says what was done", async (_, event) => {
    const door = open();
    await door.want({ wantedRanges: 2 });
    expect(await door.call(event)).toEqual({
      value: {
        kind: "reconciled",
        plan: expect.objectContaining({ ranges: 2, wantedRanges: 2 }),
        steps: [
          { kind: "create", tick: { range: 1, of: 2, enabled: true } },
          { kind: "ranges", ranges: 2 },
        ],
      },
    });
    expect([door.answered, door.counted]).toEqual([[], ["Reconciled"]]);
    expect(door.logged).toEqual(["info the ticks are as wanted: made the tick of range 1, the base tick looks after one range of 2"]);
  });

  it.each([
    [89_999, ["UpdateSchedule range-1", "CreateSchedule range-1"]],
    [90_000, []],
  ])("begins no step in the last 30 s of its time: after %d ms %j", async (afterMs, changes) => {
    const door = open();
    await door.want({ wantedRanges: 2 });
    door.fake.before = (action) => (action === "ListSchedules" ? door.ticking.clock.until(later(startAt, afterMs)) : undefined);
    await door.call({ reconcile: true });
    expect(door.changes()).toEqual(changes);
  });

  it("that meets an outage fails, and is counted", async () => {
    const door = open();
    door.fake.before = () => {
      throw refusal("ThrottlingException", 429);
    };
    expect(await door.call({ reconcile: true })).toEqual({ cause: expect.objectContaining({ name: "OutageError" }) });
    expect(door.counted).toEqual(["ReconcileFailed"]);
  });
});

describe("what is for another door", () => {
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "reconcile"],
    ["an empty object", {}],
    ["another wish", { reconcile: "yes" }],
    ["a tick", { range: 0 }],
    ["messages of a queue", { Records: [{ messageId: "m", body: "{}", eventSource: "aws:sqs" }] }],
    ["a request of HTTP", { version: "2.0", rawPath: "/v1/ticks", requestContext: {} }],
    ["a request of CloudFormation without a URL", { ...createEvent, ResponseURL: undefined }],
    ["one of an unknown kind", { ...createEvent, RequestType: "Read" }],
    ["one without properties", { ...createEvent, ResourceProperties: undefined }],
    ["one that is to be answered over plain HTTP", { ...createEvent, ResponseURL: "http://example.com/answer" }],
    ["one that is to be answered into a file", { ...createEvent, ResponseURL: "file:///etc/passwd" }],
    ["one that is to be answered nowhere", { ...createEvent, ResponseURL: "nowhere" }],
  ])("%s is refused in one line, and nothing is done", async (_, event) => {
    const door = open();
    const { cause } = (await door.call(event)) as { cause: Error };
    expect(cause.name).toBe("ForeignEventError");
    expect(cause.message).toMatch(/^expected a request of CloudFormation[^\n]+$/);
    expect([door.answered, door.fake.asked, (await door.plan()).changes]).toEqual([[], [], 0]);
  });

  it("is not told the signature in the URL", async () => {
    const door = open({ fails: 100 });
    const { cause } = (await door.call(createEvent)) as { cause: Error };
    expect(cause.message + door.logged.join()).not.toMatch(/X-Amz|0123abcd/);
  });
});
