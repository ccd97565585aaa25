import { describe, expect, it } from "vitest";
import { OutageError } from "../../src/engine/ports.ts";
import { createScheduler, type Schedule } from "../../src/ticks/scheduler.ts";
import { createFakeScheduler, refusal } from "./fakeScheduler.ts";

const group = "onthedot-test";

const schedule: Schedule = {
  name: "nightly",
  expression: "cron(0 2 * * ? *)",
  timezone: "UTC",
  isEnabled: true,
  target: {
    arn: "arn:aws:lambda:eu-central-1:111122223333:function:report",
    roleArn: "arn:aws:iam::111122223333:role/scheduler",
    input: '{"a":1}',
    deadLetterArn: "arn:aws:sqs:eu-central-1:111122223333:dead",
    retry: { ageSecondsMax: 300, attemptsMax: 5 },
  },
};

function open() {
  const fake = createFakeScheduler();
  return { fake, scheduler: createScheduler(fake.client) };
}

describe("the Scheduler's schedules", () => {
  it.each([
    ["complete", schedule],
    ["without an input and a dead-letter queue", { ...schedule, target: { ...schedule.target, input: null, deadLetterArn: null } }],
    ["disabled, in another zone", { ...schedule, isEnabled: false, timezone: "Europe/Berlin", expression: "at(2027-01-01T00:00:00)" }],
  ])("are read as they were put: %s", async (_, given) => {
    const { scheduler } = open();
    await scheduler.put(group, given);
    expect(await scheduler.get(group, "nightly")).toEqual(given);
  });

  it("are replaced whole by a second put", async () => {
    const { scheduler } = open();
    await scheduler.put(group, schedule);
    const other = { ...schedule, isEnabled: false, target: { ...schedule.target, input: null } };
    await scheduler.put(group, other);
    expect(await scheduler.get(group, "nightly")).toEqual(other);
  });

  it("are listed over all pages, by how their names begin", async () => {
    const { scheduler } = open();
    for (const name of ["a-1", "a-2", "a-3", "a-4", "a-5", "b-1"]) await scheduler.put(group, { ...schedule, name });
    expect((await scheduler.list(group, "a-")).toSorted()).toEqual(["a-1", "a-2", "a-3", "a-4", "a-5"]);
    expect(await scheduler.list(group, "c-")).toEqual([]);
  });

  it("that are not there are absent, and are deleted without harm", async () => {
    const { scheduler } = open();
    expect(await scheduler.get(group, "nightly")).toBeUndefined();
    await scheduler.delete(group, "nightly");
    await scheduler.put(group, schedule);
    await scheduler.delete(group, "nightly");
    expect(await scheduler.get(group, "nightly")).toBeUndefined();
  });

  it("read with what the Scheduler takes for granted, where it says nothing", async () => {
    const { fake, scheduler } = open();
    fake.kept.set("bare", {
      Name: "bare",
      ScheduleExpression: "rate(5 minutes)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: "arn:a", RoleArn: "arn:b" },
    });
    expect(await scheduler.get(group, "bare")).toEqual({
      name: "bare",
      expression: "rate(5 minutes)",
      timezone: "UTC",
      isEnabled: true,
      target: { arn: "arn:a", roleArn: "arn:b", input: null, deadLetterArn: null, retry: { ageSecondsMax: 86_400, attemptsMax: 185 } },
    });
  });

  it("are changed under a token of their own for each request, which an SDK's repetition keeps", async () => {
    const { fake, scheduler } = open();
    await scheduler.put(group, schedule);
    await scheduler.put(group, schedule);
    await scheduler.delete(group, schedule.name);
    const tokens = fake.asked.map(({ token }) => token);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{36}$/);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it("that another makes at the same time are put over it", async () => {
    const { fake, scheduler } = open();
    const other = {
      Name: "nightly",
      GroupName: group,
      ScheduleExpression: "rate(1 hour)",
      FlexibleTimeWindow: undefined,
      Target: undefined,
    };
    fake.before = (action) => {
      if (action === "CreateSchedule") fake.kept.set("nightly", other);
    };
    await scheduler.put(group, schedule);
    expect(await scheduler.get(group, "nightly")).toEqual(schedule);
  });

  it("that come and go are an outage, not a loop", async () => {
    const { fake, scheduler } = open();
    fake.before = (action) => {
      if (action === "CreateSchedule") fake.kept.set("nightly", { ...schedule, Name: "nightly" } as never);
      if (action === "UpdateSchedule") fake.kept.delete("nightly");
    };
    await expect(scheduler.put(group, schedule)).rejects.toThrow(OutageError);
  });
});

describe("a request that fails", () => {
  const failing = (error: unknown) => {
    const { fake, scheduler } = open();
    fake.before = () => {
      throw error;
    };
    return scheduler;
  };

  it.each([
    refusal("ThrottlingException", 429),
    refusal("TooManyRequestsException", 429),
    refusal("InternalServerException", 500),
    refusal("UnknownError", 502),
    refusal("UnknownError", 429),
    refusal("ConflictException", 409),
    Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }),
    Object.assign(new Error("timeout"), { name: "TimeoutError" }),
  ])("for a passing reason is an outage: $name", async (error) => {
    for (const verb of [
      () => failing(error).list(group, ""),
      () => failing(error).get(group, "a"),
      () => failing(error).put(group, schedule),
      () => failing(error).delete(group, "a"),
    ]) {
      const got = await verb().catch((cause) => cause);
      expect(got).toBeInstanceOf(OutageError);
      expect(got.cause).toBe(error);
    }
  });

  it("for want of a right names the action in one line", async () => {
    const denied = failing(refusal("AccessDeniedException", 403, "User: arn:x is not authorized"));
    const said = (action: string) =>
      `expected the right to scheduler:${action}, and the role of this function lacks it: User: arn:x is not authorized`;
    await expect(denied.list(group, "")).rejects.toThrow(said("ListSchedules"));
    await expect(denied.get(group, "a")).rejects.toThrow(said("GetSchedule"));
    await expect(denied.put(group, schedule)).rejects.toThrow(said("UpdateSchedule"));
    await expect(denied.delete(group, "a")).rejects.toThrow(said("DeleteSchedule"));
  });

  it("because the group is not there says so", async () => {
    const { scheduler } = open();
    await expect(scheduler.put("other", schedule)).rejects.toThrow(
      "expected the schedule group, and there is none for scheduler:CreateSchedule",
    );
    await expect(scheduler.list("other", "")).rejects.toThrow("expected the schedule group, and there is none for scheduler:ListSchedules");
  });

  it("because of a quota says whom to ask", async () => {
    await expect(failing(refusal("ServiceQuotaExceededException", 402)).put(group, schedule)).rejects.toThrow(
      "scheduler:UpdateSchedule would exceed a quota of this account: said AWS; ask AWS for more, or want fewer",
    );
  });

  it("by a fault of ours is passed on as it is", async () => {
    const fault = refusal("ValidationException", 400);
    await expect(failing(fault).put(group, schedule)).rejects.toBe(fault);
  });
});
